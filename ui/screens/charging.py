"""From the quote to the durable sale: what the open cart costs, and the money taken for it in Pay.

Nothing is charged but what was quoted for the cart as it stands. What is in the cart is the counter's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QTimer

from app.domain.errors import Refusal, Refused
from app.domain.member import Doubtful
from app.domain.sale import SaleQuote
from app.sync.outcome import HOLD_WITHIN_S
from ui.dialogs.approval import approve_first
from ui.dialogs.pay import Pay
from ui.errors import sentence, words_of
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.screens.sale_panel import LastSale
from ui.sounds import DONE, REFUSED
from ui.widgets.basics import Text
from ui.widgets.redeem_row import points_problem

if TYPE_CHECKING:
    from app.context import Session
    from app.usecases.sell import Sold
    from ui.desk import Desk
    from ui.screens.counter import Counter


class Charging:
    """The quote and the Pay sheet of one counter.

    Attributes:
        quote: what the cart costs; None where it is empty or refused. While its points don't fit it
            costs what it does without them, and Pay stays shut.
        fresh: whether `quote` is the answer to the cart as it stands.
        last_sale: what was charged last, until it is voided.
    """

    def __init__(
        self, counter: Counter, kit: Kit, lanes: Lanes, desk: Desk, clock: Callable[[], float]
    ) -> None:
        self._counter, self._kit, self._lanes, self._desk = counter, kit, lanes, desk
        self._clock = clock
        self.quote: SaleQuote | None = None
        self.fresh = True
        self.last_sale: Sold | None = None
        self._misfit: Exception | None = None
        self._pay_when_quoted = False
        self._late: bytes | None = None
        self._quoting: Latest[SaleQuote] = Latest(lanes, "db", interrupt=lambda: None)

    def ask(self) -> None:
        """The cart is another one: ask anew what it costs."""
        request, member_id = self._counter.cart.request(), self._counter.cart.member_id
        self.fresh = False
        self._misfit = None
        self._pay_when_quoted = False  # Pay was wanted for what stood there before.
        if not request.lines:
            self._quoting.drop()
            self.quote, self.fresh = None, True
            self._counter.sale.show_quote(None, None)
            return
        self._quoting.ask(
            self._counter.sale,
            lambda: self._desk.quote(member_id, request),
            ok=self._quoted,
            failed=self._not_quoted,
        )

    def _quoted(self, quote: SaleQuote) -> None:
        self._use_quote(quote)
        if not self._say_misfit():
            self._say_over_limit(quote)
        self.fresh = True
        pay = self._counter.sheets.lying(Pay)
        if pay is not None and not pay.busy and self._misfit is None:
            pay.use_quote(quote)
        self.pay_if_wanted()

    def member_came(self, member_id: bytes | None) -> None:
        """The sale has another member, or none. Who comes while Pay is open, whatever lies over it, comes
        late (F3): once is everyday work, and the guard counts."""
        self._late = member_id if self._counter.sheets.lying(Pay) is not None else None

    def pay_if_wanted(self) -> None:
        """Pay was asked for before all was known that it needs."""
        if self._pay_when_quoted:
            self._pay_when_quoted = False
            self.pay()

    def _use_quote(self, quote: SaleQuote) -> None:
        self.quote = quote
        self.show_quote(quote)

    def show_quote(self, quote: SaleQuote | None) -> None:
        """On the panel only: what is charged is `quote` of this object."""
        shown = quote.tier if quote is not None else None
        tier = next((t for t in self._counter.till.tiers if shown and t.code == shown.code), None)
        self._counter.sale.show_quote(quote, tier)

    def _not_quoted(self, error: Exception) -> None:
        points = isinstance(error, Refused) and error.code.value.startswith("redeem")
        if points and self._misfit is None:
            self._ask_without_points(error)
            return
        self._pay_when_quoted = False
        self.quote, self.fresh = None, True
        self._counter.sale.say_problem(lambda: words_of(self._kit, error))

    def _ask_without_points(self, error: Exception) -> None:
        """The sale is too small for its points, perhaps only until its amount is typed in full: they
        stay asked for, and it is shown what the sale costs without them."""
        self._misfit = error
        request, member_id = self._counter.cart.request(), self._counter.cart.member_id
        self._quoting.ask(
            self._counter.sale,
            lambda: self._desk.quote(member_id, replace(request, redeem_points=0)),
            ok=self._quoted,
            failed=self._not_quoted,
        )

    def _say_misfit(self) -> bool:
        """Why the points don't fit, at the amount; True where they don't."""
        error, points = self._misfit, self._counter.cart.redeem_points
        words, formats = self._kit.words, self._kit.formats
        if error is not None:
            self._counter.sale.say_problem(
                lambda: words.say(
                    "{points} don't fit this sale. F6 changes them. {why}",
                    points=formats.points(points),
                    why=points_problem(self._kit, error),
                )
            )
        return error is not None

    def pay(self) -> None:
        """Open Pay for what is quoted; says what is missing instead where something is."""
        counter, words = self._counter, self._kit.words
        if isinstance(counter.sheets.top, Pay):
            counter.sheets.top.take_money()
            return
        if counter.sheets.top is not None:
            counter.sounds.play(REFUSED)
            counter.strip.refuse(lambda: words.say("Finish this first, or leave it with Esc."))
            return
        if counter.session is None or not counter.has_shift:
            counter.strip.refuse(lambda: words.say("Open a shift first."))
            return
        if counter.cart.unknown_lines:
            counter.point_at_unknown()
            return
        if counter.cart.is_empty:
            counter.sale.say_problem(lambda: words.say("Enter an amount or scan an item."))
            counter.focus_amount()
            return
        if not counter.sale.redeem.isHidden():
            counter.redeeming.accept(then_pay=True)  # Points that are only typed are taken first.
            return
        points = counter.cart.redeem_points > 0
        if not self.fresh or (points and counter.attached is None):
            self._pay_when_quoted = True
            return
        if self._say_misfit():
            counter.sounds.play(REFUSED)
            counter.focus_amount()
            return
        if points and counter.redeeming.ask_proof(self.pay):
            return
        if self.quote is not None and self._say_over_limit(self.quote):
            counter.sounds.play(REFUSED)
            counter.focus_amount()
        elif self.quote is not None:
            self._open(self.quote)

    def _say_over_limit(self, quote: SaleQuote) -> bool:
        """S10 at the amount, as soon as it is known; True where it is over."""
        limit = self._desk.settings().counter.sale_limit_minor
        amount = quote.draft.payable_minor
        if amount > limit:
            facts = {"amount_minor": amount, "limit_minor": limit}
            self._counter.sale.say_problem(
                lambda: sentence(self._kit, Refusal.SALE_ABOVE_LIMIT, facts)
            )
        return amount > limit

    def _open(self, quote: SaleQuote) -> None:
        sheet = Pay(
            self._kit,
            quote,
            command_id=self._desk.new_command(),
            default_tender=self._desk.settings().counter.default_tender,
            clock=self._clock,
        )
        sheet.taking.connect(lambda tender, given: self._take(sheet, tender, given))
        sheet.left.connect(lambda: self._left(sheet))
        self._counter.strip.drop_passing()
        self._counter.sheets.open(sheet)

    def _take(self, sheet: Pay, tender: str, given_minor: int) -> None:
        session, cart, quote = self._who(), self._counter.cart, sheet.quote
        command_id = sheet.command_id
        late = cart.member_id is not None and cart.member_id == self._late
        self._counter.keep_pending()  # Before the sale, whose transaction drops what was kept.

        def sell() -> None:
            if not shiboken6.isValid(sheet):
                return
            self._lanes.run(
                sheet,
                "db",
                lambda: self._desk.sell(
                    command_id, session, cart, (tender, given_minor), quote.key,
                    late=late, hold=sheet.hold,
                ),
                ok=lambda sold: self._sold(sheet, sold),
                failed=lambda error: self._not_sold(sheet, error),
            )  # fmt: skip

        asks = self._desk.exchange.joined and sheet.hold is None
        if asks and quote.draft.points_spent and cart.member_id is not None:
            self._ask_hold(sheet, cart.member_id, quote.draft.points_spent, sell)
        else:
            sell()
        sheet.wait()

    def _ask_hold(self, sheet: Pay, member: bytes, points: int, sell: Callable[[], None]) -> None:
        """Ask head office for the points, and sell: when it has answered, or after a moment, whichever comes
        first. What is granted too late is let go."""
        waiting = [True]

        def go_on(hold: bytes | None) -> None:
            if waiting and shiboken6.isValid(sheet):
                waiting.clear()
                sheet.hold = hold
                sell()
            elif hold is not None:
                self._let_go(hold)

        QTimer.singleShot(
            round(HOLD_WITHIN_S * 1000), self._counter, lambda: go_on(None) if waiting else None
        )
        self._lanes.run(
            self._counter,
            "hold",
            lambda: self._desk.exchange.hold(member, points),
            ok=go_on,
            failed=lambda error: go_on(None),
        )

    def _left(self, sheet: Pay) -> None:
        """However Pay went: a hold that no sale has used is let go."""
        if sheet.hold is not None:
            self._let_go(sheet.hold)
            sheet.hold = None

    def _let_go(self, hold: bytes) -> None:
        self._lanes.run(
            self._counter, "hold", lambda: self._desk.exchange.let_go(hold),
            ok=lambda _: self._counter.hold_ended.emit(), failed=self._counter.warn,
        )  # fmt: skip

    def _who(self) -> Session:
        assert self._counter.session is not None, "Pay opens for someone who signed in"
        return self._counter.session

    def _sold(self, sheet: Pay, sold: Sold) -> None:
        self.last_sale = sold
        self._counter.sounds.play(DONE)
        self._counter.start_anew()
        self._show_last_sale(is_last_slip=True)
        self._counter.sheets.close_sheet(sheet)
        self._counter.sold.emit(sold)
        self._counter.scanning.take_up_waiting()

    def forget_sale(self, event_id: bytes) -> None:
        """A document was voided: if it is the last sale, its change is no longer what to hand over."""
        if self.last_sale is not None and self.last_sale.event_id == event_id:
            self.last_sale = None
            self._counter.sale.show_last_sale(None)

    def another_slip(self) -> None:
        """A return or a void came after the last sale: F10 prints its slip again, not the sale's."""
        self._show_last_sale(is_last_slip=False)

    def _show_last_sale(self, *, is_last_slip: bool) -> None:
        sold = self.last_sale
        if sold is not None:
            self._counter.sale.show_last_sale(
                LastSale(
                    sold.to_pay_minor,
                    sold.change_minor,
                    sold.document.points_earned,
                    sold.receipt_no,
                    is_last_slip,
                )
            )

    def _not_sold(self, sheet: Pay, error: Exception) -> None:
        offer = error.offer if isinstance(error, Refused) else None
        if isinstance(offer, SaleQuote):
            sheet.use_quote(offer)
            self._use_quote(offer)
        self._counter.keep_now()
        if isinstance(offer, Doubtful):
            self._counter.sheets.close_sheet(sheet)
            self._counter.redeeming.confirm(offer, self.pay)
            return
        sheet.refused(lambda: words_of(self._kit, error))
        self._counter.sounds.play(REFUSED)
        asked = approve_first(
            sheet, self._kit, self._lanes, self._desk, self._who, error,
            again=sheet.send, declined=lambda said: self._declined(sheet, said),
        )  # fmt: skip
        if isinstance(offer, SaleQuote):
            self._left(
                sheet
            )  # Other sums may mean other points. Else they stay held until Pay is left.
        if not asked:
            self._counter.scanning.take_up_waiting()

    def _declined(self, sheet: Pay, said: Text) -> None:
        sheet.refused(said)
        self._counter.scanning.take_up_waiting()
