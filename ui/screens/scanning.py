"""What a scanned code does at the counter, whatever has the focus and whichever sheet is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ui.desk_records import Scan
from ui.dialogs.pay import Pay
from ui.kit import Kit
from ui.lanes import Lanes
from ui.screens.elsewhere import CardElsewhere
from ui.sounds import REFUSED, UNKNOWN
from ui.widgets.basics import Text

if TYPE_CHECKING:
    from ui.desk import Desk
    from ui.screens.counter import Counter


class Scanning:
    """The scans of one counter."""

    def __init__(
        self, counter: Counter, kit: Kit, lanes: Lanes, desk: Desk, clock: Callable[[], float]
    ) -> None:
        self._counter, self._kit, self._lanes, self._desk = counter, kit, lanes, desk
        self._clock = clock
        self._waiting: list[tuple[Scan, float]] = []
        self._new_card = ""
        self._elsewhere = CardElsewhere(counter, lanes, desk)

    def drop(self) -> None:
        """Another sale begins: whose card was scanned for the one before is of no use."""
        self._elsewhere.drop()

    def new_card(self) -> str:
        """The card that nobody has yet, as long as its sentence stands there; else ""."""
        strip = self._counter.strip
        stands = strip.says(self._say_new_card) or strip.says(self._say_card_alone)
        return self._new_card if stands else ""

    def _say_new_card(self) -> str:
        return self._kit.words.say("This isn't one of our cards. Check it, or press F3 to enrol.")

    def _say_card_alone(self) -> str:
        return self._kit.words.say(
            "This card isn't known here, and head office doesn't answer. Go on without a member, or press F3 to"
            " enrol."
        )

    def _say_asking(self) -> str:
        return self._kit.words.say("Asking head office…")

    def scan(self, code: str) -> None:
        """A scanned code, whatever has the focus."""
        # Of the scan: what it is may be answered late, and two at once.
        self._scan(code, self._clock())

    def _scan(self, code: str, at: float) -> None:
        self._lanes.run(
            self._counter,
            "db",
            lambda: self._desk.read_code(code),
            ok=lambda scan: self._scanned(scan, at),
            failed=self._counter.warn,
        )

    def _scanned(self, scan: Scan, at: float) -> None:
        top = self._counter.sheets.top
        if self._counter.money_is_taken and scan.kind in ("item", "unknown"):
            self._waiting.append((scan, at))  # Of the next customer: this sale is closed.
        elif top is not None and top.takes_scan(scan):
            return
        elif scan.kind == "staff":
            self._counter.badge_scanned.emit(scan.code)
        elif scan.kind == "receipt":
            self._counter.receipt_scanned.emit(scan)
        elif scan.kind == "member" and scan.member_id is not None:
            self.drop()
            self._counter.switching.card(scan.member_id, scan.name, at)
        elif scan.kind == "item" and scan.item is not None:
            self._leave_pay()
            self._counter.add_item(scan.item, at)
        else:
            self._unknown_code(scan, at)

    def take_up_waiting(self) -> None:
        """What was scanned while money was being taken."""
        waiting, self._waiting = self._waiting, []
        for scan, at in waiting:
            self._scanned(scan, at)

    def _unknown_code(self, scan: Scan, at: float) -> None:
        words = self._kit.words
        if scan.card_shaped and self._ask_elsewhere(scan, at) and scan.new_card:
            self._counter.strip.tell(self._say_asking)
            return
        if scan.kind in ("card_lost", "card_replaced") or scan.new_card:
            self._counter.sounds.play(REFUSED)
        if scan.kind == "card_lost":
            self._counter.strip.refuse(
                lambda: words.say("This card was reported lost. Find the member by phone.")
            )
        elif scan.kind == "card_replaced":
            self._counter.strip.refuse(
                lambda: words.say("This card was replaced. Scan the new one.")
            )
        elif scan.new_card:
            self._give_new(scan, self._say_new_card)
        else:
            self._leave_pay()
            if not self._counter.add_unknown(scan.code, at):
                return
            self._counter.sounds.play(UNKNOWN)  # Cashiers don't watch the screen while they scan.
            self._counter.sale.say_problem(
                lambda: words.say(
                    "Barcode {code} isn't known. F5 picks the item, Delete drops it.",
                    code=scan.code,
                )
            )

    def _ask_elsewhere(self, scan: Scan, at: float) -> bool:
        """Whose card is it? The answer counts while the sale under way is still the same person's, and no
        sheet lies over it: what a sheet shows or asks for is not changed behind it."""
        whose, who = self._counter.cart.member_id, self._counter.session

        def answered(how: str) -> None:
            if (self._counter.cart.member_id, self._counter.session) != (whose, who):
                return
            if self._counter.sheets.top is not None:
                return
            if how == "came":
                self._counter.drop_unknown(scan.code)
                self._scan(scan.code, at)
            elif scan.new_card:
                self._counter.sounds.play(REFUSED)
                self._give_new(scan, self._say_new_card if how == "none" else self._say_card_alone)

        return self._elsewhere.ask(scan.code, answered)

    def _give_new(self, scan: Scan, said: Text) -> None:
        """A card of our blocks that nobody has: F3 gives it to a new member while the sentence stands."""
        self._new_card = scan.code
        self._counter.strip.refuse(said)

    def _leave_pay(self) -> None:
        """Goods came while Pay was open: the total changes, so Pay is left, with the new line."""
        pay = self._counter.sheets.lying(Pay)
        if pay is not None:
            self._counter.sheets.close_sheet(pay)
