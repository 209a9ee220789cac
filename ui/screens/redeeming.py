"""Points that pay for a sale (flow 7): the field, what it would mean, and taking them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.member import Doubtful
from app.domain.sale import SaleQuote
from ui.dialogs.confirm_person import ConfirmPerson
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.widgets.redeem_row import points_problem

if TYPE_CHECKING:
    from ui.desk import Desk
    from ui.screens.counter import Counter


class Redeeming:
    """The points field of one counter."""

    def __init__(self, counter: Counter, kit: Kit, lanes: Lanes, desk: Desk) -> None:
        self._counter, self._kit, self._desk = counter, kit, desk
        # Points that are only typed are asked beside the cart: they never stand for its own quote.
        self._trying: Latest[SaleQuote] = Latest(lanes, "db", interrupt=lambda: None)
        redeem = counter.sale.redeem
        redeem.changed.connect(self.try_points)
        redeem.accepted.connect(self.accept)
        redeem.left.connect(self.leave)

    def drop(self) -> None:
        """The sale is another one: what is typed goes, an answer on its way too."""
        self._trying.drop()
        self._counter.sale.redeem.hide()

    def open(self) -> None:
        """F6: the field opens with the most, selected; again edits."""
        if self.ask_proof(self.open):
            return
        if self._counter.charging.quote is not None:
            self._counter.sale.redeem.offer(
                self._counter.cart.redeem_points, self._counter.charging.quote.most
            )
            self.try_points(self._counter.sale.redeem.points)

    def ask_proof(self, then: Callable[[], None]) -> bool:
        """Have the cashier make sure of a member with a long silent phone, then go on with `then`;
        False where there is nothing to ask."""
        member = self._counter.attached
        if member is None or not member.verify_identity or self._counter.cart.verified:
            return False
        self.confirm(Doubtful(member.member_id, member.name, member.phone_masked), then)
        return True

    def confirm(self, doubtful: Doubtful, then: Callable[[], None]) -> None:
        """Ask for the name, and go on with `then` once it was said."""
        sheet = ConfirmPerson(self._kit, doubtful)

        def confirmed(how: str) -> None:
            self._counter.use_cart(self._counter.cart.with_proof(how))
            then()

        sheet.confirmed.connect(confirmed)
        self._counter.sheets.open(sheet)

    def refusal(self) -> str:
        """Why F6 is not possible now; empty when it is."""
        words = self._kit.words
        if self._counter.cart.member_id is None:
            return words.say("Points need a member. Press F2 and find one first.")
        if self._counter.charging.quote is None:
            return words.say("Enter an amount or scan an item.")
        return ""

    def try_points(self, points: int) -> None:
        request = replace(self._counter.cart.request(), redeem_points=points)
        member_id = self._counter.cart.member_id
        self._trying.ask(
            self._counter.sale.redeem,
            lambda: self._desk.quote(member_id, request),
            ok=self._possible,
            failed=self._refused,
        )

    def _possible(self, quote: SaleQuote) -> None:
        self._counter.sale.redeem.say_limit(quote.most)
        self._counter.sale.redeem.say_worth(quote.draft.points_value_minor)
        self._counter.charging.show_quote(quote)

    def _refused(self, error: Exception) -> None:
        self._counter.sale.redeem.say_problem(lambda: points_problem(self._kit, error))
        self._counter.charging.show_quote(self._counter.charging.quote)

    def accept(self, *, then_pay: bool = False) -> None:
        points = self._counter.sale.redeem.points
        request = replace(self._counter.cart.request(), redeem_points=points)
        member_id = self._counter.cart.member_id

        def accepted(quote: SaleQuote) -> None:
            self._counter.sale.redeem.hide()
            self._counter.use_cart(self._counter.cart.with_points(points))
            self._counter.charging.show_quote(quote)
            self._counter.focus_amount()
            if then_pay:
                self._counter.charging.pay()

        self._trying.ask(
            self._counter.sale.redeem,
            lambda: self._desk.quote(member_id, request),
            ok=accepted,
            failed=self._refused,
        )

    def leave(self) -> None:
        self._trying.drop()
        self._counter.sale.redeem.hide()
        self._counter.focus_amount()
        self._counter.charging.ask()
