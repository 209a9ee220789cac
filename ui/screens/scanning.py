"""What a scanned code does at the counter, whatever has the focus and whichever sheet is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ui.desk_records import Scan
from ui.dialogs.pay import Pay
from ui.kit import Kit
from ui.lanes import Lanes
from ui.sounds import REFUSED, UNKNOWN

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

    def new_card(self) -> str:
        """The card that nobody has yet, as long as its sentence stands there; else ""."""
        return self._new_card if self._counter.strip.says(self._say_new_card) else ""

    def _say_new_card(self) -> str:
        return self._kit.words.say("This isn't one of our cards. Check it, or press F3 to enrol.")

    def scan(self, code: str) -> None:
        """A scanned code, whatever has the focus."""
        at = self._clock()  # Of the scan: what it is may be answered late, and two at once.
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
            self._new_card = scan.code
            self._counter.strip.refuse(self._say_new_card)
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

    def _leave_pay(self) -> None:
        """Goods came while Pay was open: the total changes, so Pay is left, with the new line."""
        pay = self._counter.sheets.lying(Pay)
        if pay is not None:
            self._counter.sheets.close_sheet(pay)
