"""The counter: find, member, sale. Holds the open cart; what it costs and takes is charging.py's.

Every change of the cart goes through `use_cart`, which shows it, keeps it off the GUI thread, and
asks for a new quote. Nothing that comes late is shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.domain.member import proof_of
from app.queries.records import ItemView, MemberHit, MemberPanel, SearchResult
from ui.cart import REPEAT_SCAN_MS, Cart
from ui.desk_records import TillView
from ui.dialogs.pay import Pay
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.screens.charging import Charging
from ui.screens.elsewhere import Elsewhere
from ui.screens.find_panel import FindPanel
from ui.screens.member_panel import MemberView
from ui.screens.redeeming import Redeeming
from ui.screens.sale_panel import SalePanel
from ui.screens.scanning import Scanning
from ui.screens.switching import Switching
from ui.screens.views import Views
from ui.sounds import Sounds
from ui.widgets.basics import columns
from ui.widgets.sheet import SheetHost
from ui.widgets.strip import Strip

if TYPE_CHECKING:
    from app.context import Session
    from ui.desk import Desk

KEEP_AFTER_MS = 150
"""How long the cart rests before it is kept: one small write for a burst of keys."""


class Counter(QWidget):
    """Signals:
    sold(sold): a sale is durable.
    hold_ended(): points that head office held for a sale are let go; it has to hear of it.
    cart_changed(): the open sale is another one.
    """

    sold = Signal(object)
    hold_ended = Signal()
    cart_changed = Signal()
    enrol_wanted = Signal(str)
    why_wanted = Signal(object)
    ledger_wanted = Signal()
    lots_wanted = Signal()
    edit_wanted = Signal()
    receipt_scanned = Signal(object)
    badge_scanned = Signal(str)

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        till: TillView,
        sheets: SheetHost,
        strip: Strip,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._kit, self._lanes, self._desk, self._clock = kit, lanes, desk, clock
        self.till = till
        self.sheets, self.strip = sheets, strip
        self.session: Session | None = None
        self.cart = Cart()
        self._found_by = ""
        self._quantity = 1
        self._last_item: tuple[str, float] = ("", 0.0)
        self.finder = FindPanel(kit, lambda: self.till.today, clock=clock)
        self.member = MemberView(kit, lambda: self.till.today)
        self.sale = SalePanel(kit)
        gap = 12 if kit.look.compact else 16
        layout: QHBoxLayout = columns(kit.look, self, margins=gap, gap=gap)
        for panel, share in ((self.finder, 30), (self.member, 42), (self.sale, 30)):
            layout.addWidget(panel, share)
        self._searching: Latest[SearchResult] = Latest(
            lanes, "search", interrupt=desk.interrupt_search
        )
        self._elsewhere = Elsewhere(self.finder, lanes, desk, self._search)
        self.sounds = Sounds(self, lambda: desk.settings().counter.sound)
        self.switching = Switching(self, kit)
        self.views = Views(self, lanes, desk, self.warn)
        self.scanning = Scanning(self, kit, lanes, desk, clock)
        self.charging = Charging(self, kit, lanes, desk, clock)
        self.redeeming = Redeeming(self, kit, lanes, desk)
        self._keeper = QTimer(self)
        self._keeper.setSingleShot(True)
        self._keeper.setInterval(KEEP_AFTER_MS)
        self._keeper.timeout.connect(self.keep_now)
        self.sale.amount.use_numpad_operators(desk.settings().counter.numpad_operators)
        self._connect()
        self.use_till(till)

    def _connect(self) -> None:
        self.finder.asked.connect(self._search)
        self.finder.picked.connect(self._attach_hit)
        self.finder.enrol_wanted.connect(self.enrol_wanted)
        self.member.alerted.connect(self.sale.show_alert)
        self.member.why_wanted.connect(self.why_wanted)
        self.member.ledger_wanted.connect(self.ledger_wanted)
        self.member.lots_wanted.connect(self.lots_wanted)
        self.member.edit_wanted.connect(self.edit_wanted)
        self.sale.typed.connect(self._typed)
        self.sale.pay_wanted.connect(self.charging.pay)
        self.sale.points_wanted.connect(self.redeeming.open)
        self.sale.quantity_typed.connect(self._set_quantity)
        self.sale.quantity_changed.connect(self._step_quantity)
        self.sale.line_removed.connect(self._remove_line)
        self.sheets.emptied.connect(self.focus_search)

    # State ------------------------------------------------------------------------------------

    def use_till(self, till: TillView) -> None:
        """The till's day changed: shift, date, tiers."""
        self.till = till
        self.finder.rows.use_tiers(till.tiers)
        self.member.use_tiers(till.tiers)

    @property
    def has_shift(self) -> bool:
        return self.till.shift is not None

    @property
    def attached(self) -> MemberPanel | None:
        return self.member.member

    @property
    def money_is_taken(self) -> bool:
        """From Enter in Pay until its answer, a second person's included, whatever lies over Pay: the sale
        stays what it is."""
        pay = self.sheets.lying(Pay)
        return pay is not None and pay.busy

    @property
    def _in_sight(self) -> bool:
        """Whether the counter is the page that is shown: behind another one, or a lock, it takes no keys."""
        return self.isVisibleTo(self.window())

    def focus_search(self) -> None:
        if self.sheets.top is None and self._in_sight:
            self.finder.take_focus()

    def restore(self, cart: Cart) -> None:
        """The cart that a crash, a lock or a power cut left."""
        self.sale.amount.setText(cart.typed_text)
        self.use_cart(cart.with_typed(cart.typed_text, self.sale.amount.amounts()))
        if cart.member_id is not None:
            self.attach(cart.member_id, found_by="phone")  # The least that can have been.

    def keep_now(self) -> None:
        """Keep the open cart, off the GUI thread. Not while it is being sold: the write would come
        after the sale's own, and the sold cart would be back at the next start.
        """
        if not self.money_is_taken:
            self._keep()

    def _keep(self) -> None:
        self._keeper.stop()
        cart = self.cart
        self._lanes.run(
            self, "db", lambda: self._desk.keep_cart(cart), ok=lambda _: None, failed=self.warn
        )

    def keep_pending(self) -> None:
        """Keep a change at once that waits to be kept."""
        if self._keeper.isActive():
            self._keep()

    def use_cart(self, cart: Cart) -> None:
        if cart.member_id != self.cart.member_id:
            self.views.turn_to(cart.member_id, self.session)
            self.charging.member_came(cart.member_id)
            self.switching.forget()
            self.sale.redeem.hide()
        # Points were asked for what stood there: they don't wait for whatever comes next.
        self.cart = cart.with_points(0) if cart.is_empty else cart
        self.strip.lapse_undo()  # To bring the cleared cart back now would throw this one away.
        self.sale.show_cart(self.cart)
        self.sale.say_problem(None)
        self._keeper.start()
        self.charging.ask()
        self.cart_changed.emit()

    # Finding and attaching --------------------------------------------------------------------

    def _search(self, text: str) -> None:
        self._elsewhere.typed(text)
        self._searching.ask(
            self.finder, lambda: self._desk.search(text), ok=self._searched, failed=self._not_found
        )

    def _searched(self, result: SearchResult) -> None:
        self.finder.show_result(result)
        self._elsewhere.shown(result)

    def _not_found(self, error: Exception) -> None:
        """Who was found before is not shown beside a refusal."""
        self.finder.forget()
        self.warn(error)

    def _attach_hit(self, hit: MemberHit) -> None:
        found_by = "phone" if "phone" in hit.matched else next(iter(hit.matched), "")
        if self.switching.pick(hit.member_id, hit.name, found_by, self._clock()):
            self.finder.box.mark_used()

    def take_enrolled(self, member_id: bytes, name: str) -> bool:
        """Attach who was just enrolled; False while the open sale is somebody else's (S7)."""
        return self.switching.pick(member_id, name, "", self._clock())

    def attach(self, member_id: bytes, *, found_by: str = "", focus: bool = True) -> None:
        """Attach a member: panel, quote, and the focus to the amount. `found_by` is the field that
        led here: a phone alone may want another proof before points go out."""
        self._found_by = found_by
        self.use_cart(self.cart.with_member(member_id, proof_of(found_by)))
        if focus and self.sheets.top is None:
            self.focus_amount()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.member(member_id, found_by),
            ok=self._show_member,
            failed=self.warn,
        )

    def refresh_member(self) -> None:
        """Somebody changed the attached member: show them anew."""
        if self.cart.member_id is not None:
            self.attach(self.cart.member_id, found_by=self._found_by, focus=False)

    def detach(self) -> None:
        self.member.show_member(None)
        self.use_cart(self.cart.with_member(None))

    def _show_member(self, member: MemberPanel) -> None:
        if member.member_id == self.cart.member_id:
            self.member.show_member(member)
            self.charging.pay_if_wanted()

    # Amounts and items ------------------------------------------------------------------------

    def _typed(self, text: str, amounts: tuple[int, ...]) -> None:
        self.use_cart(self.cart.with_typed(text, amounts))

    def amount_or_items(self) -> bool:
        """F5: to the amount; from the amount to the items (True: the caller opens the picker)."""
        if self.sale.amount.hasFocus() or self.cart.unknown_lines:
            return True  # A code that isn't known: the item is picked for it (S11).
        self.sale.amount.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return False

    def pick_item(self, item: ItemView) -> None:
        """An item that was picked: in the place of the newest unknown code, or one more."""
        unknown = self.cart.unknown_lines
        if unknown:
            self.use_cart(self.cart.with_known(self.cart.lines[unknown[-1]].code, item))
        else:
            self.add_item(item)

    def add_item(self, item: ItemView, at: float | None = None) -> None:
        """One more of an item, scanned `at` (now where it was not); the same one again at once is a
        repeated scan (S50).
        """
        if self._is_repeat(item.code, self._clock() if at is None else at):
            return
        self.use_cart(self.cart.with_item(item, self._quantity))
        self._set_quantity(1)

    def add_unknown(self, code: str, at: float) -> bool:
        """A red line, of as many pieces as were said before the scan `at`; False for a repeated scan."""
        if self._is_repeat(code, at):
            return False
        self.use_cart(self.cart.with_unknown(code, self._quantity))
        self._set_quantity(1)
        return True

    def drop_unknown(self, code: str) -> None:
        """A red line's code was a card."""
        for line in reversed(self.cart.unknown_lines):
            if self.cart.lines[line].code == code:
                self.use_cart(self.cart.without_line(line))

    def _is_repeat(self, code: str, at: float) -> bool:
        """Whether the same code was scanned a moment before: one scan that the scanner sent twice (S50)."""
        before, then = self._last_item
        repeat = code == before and (at - then) * 1000 < REPEAT_SCAN_MS
        if repeat:
            words = self._kit.words
            self.strip.good_news(lambda: words.say("×1: repeat scan ignored."))
        else:
            self._last_item = (code, at)
        return repeat

    def _set_quantity(self, quantity: int) -> None:
        self._quantity = quantity
        self.sale.show_quantity(quantity)

    def _step_quantity(self, line: int, step: int) -> None:
        asked = self.cart.lines[line].request
        self.use_cart(self.cart.with_quantity(line, asked.quantity + step * asked.per_quantity))

    def _remove_line(self, line: int) -> None:
        self.use_cart(self.cart.without_line(line))
        if not self.cart.lines:
            self.focus_amount()

    def focus_amount(self) -> None:
        if not self._in_sight:
            return
        self.sale.amount.setFocus(Qt.FocusReason.OtherFocusReason)

    def point_at_unknown(self) -> None:
        """To the first red line, with what it needs said below the amount."""
        words = self._kit.words
        row = self.sale.line_rows.row_of(self.cart.unknown_lines[0])
        self.sale.lines.setCurrentIndex(self.sale.line_rows.index(row))
        self.sale.lines.setFocus(Qt.FocusReason.OtherFocusReason)
        self.sale.say_problem(
            lambda: words.count(
                "One line isn't recognised. Settle it, then charge.",
                "{count} lines aren't recognised. Settle them, then charge.",
                len(self.cart.unknown_lines),
                count=len(self.cart.unknown_lines),
            )
        )

    def bring_back_line(self) -> None:
        self.use_cart(self.cart.with_removed_line())

    def clear_sale(self) -> None:
        """Ctrl+N: an empty cart, undoable for ten seconds."""
        before, shown = self.cart, self.member.member
        if before.is_empty and before.member_id is None:
            return

        def undo() -> None:
            self._put_back(before)
            self.member.show_member(shown)

        self._empty()
        self.strip.offer_undo(lambda: self._kit.words.say("Sale cleared."), undo)
        self.focus_search()

    def _put_back(self, cart: Cart) -> None:
        self.sale.amount.setText(cart.typed_text)
        self.use_cart(cart)

    def _step_back_in_amount(self) -> None:
        """Esc in the amount: the amount typed last goes, undoable like a cleared sale."""
        before = self.cart
        self.sale.drop_last_amount()
        self.strip.offer_undo(
            lambda: self._kit.words.say("Amount cleared."), partial(self._put_back, before)
        )

    def start_anew(self) -> None:
        """The sale is durable: an empty cart, and nothing of the old one to find."""
        self.views.sold()
        self._empty()
        self._keep()  # Nothing: a cart that was kept while the sale was on its way goes too.
        self.finder.clear_text()

    def _empty(self) -> None:
        self.redeeming.drop()
        self.scanning.drop()
        self.sale.amount.clear()
        self._set_quantity(1)
        self.member.show_member(None)
        self.use_cart(Cart())

    # Going back -------------------------------------------------------------------------------

    def step_back(self) -> bool:
        """Esc: text, then member; a cart with lines stays. False where the search was all there is."""
        if self.finder.box.hasFocus() and self.finder.clear_text():
            return True
        if self.sale.amount.hasFocus() and self.sale.amount.text():
            self._step_back_in_amount()
            return True
        leaves = self.cart.is_empty and self.cart.member_id is not None
        if leaves:
            self.detach()
        moved = not self.finder.box.hasFocus()
        self.finder.clear_text()
        self.focus_search()
        return leaves or moved

    def warn(self, error: Exception) -> None:
        self.strip.fail(error)
