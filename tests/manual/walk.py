"""The manual's steps, typed into the real window: every step that docs/manual describes is done here once.

`python -m tests.manual.pictures` runs it in both languages and keeps the pictures of the manual.
Arguments: scene ("first", "day" or "restore"), store folder, pictures folder, language.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from app.commands.demo_data import PASSPHRASE
from ui.dialogs.cash_close import CloseShiftSheet
from ui.dialogs.cash_count import CountSheet
from ui.dialogs.cash_move import CashMoveSheet, OpenDrawerSheet
from ui.dialogs.staff import AddPerson
from ui.dialogs.void_sale import VoidSale
from ui.screens.exceptions_page import ExceptionsPage
from ui.screens.first_start import FirstStart
from ui.screens.restore_page import RestorePage
from ui.screens.staff_page import StaffPage
from ui.tour.cast import find_cast
from ui.tour.day_script import DaySteps
from ui.tour.drive import PretendPrinter
from ui.tour.driver import Camera, Condition, Driver, Hands, Script, Tour
from ui.tour.office import TourOffice
from ui.tour.script import Cast
from ui.window import build_window

COUNTED: Final = ("3", "0", "1", "1", "0", "4", "1")
"""Pieces of the largest face values after the walk's sales: 10.10 less than there should be."""


class Walk(DaySteps):
    """The scenes of the manual, on top of the tour's."""

    def day(self) -> Script:
        """A cashier's day with the second person, then the supervisor's and the manager's pages."""
        yield from self.open_the_day()
        yield from self.find()
        yield from self.sell_with_points()
        yield from self.enrol()
        yield from self.buy_three_return_three()
        yield from self.void()
        yield from self.void_by_hand()
        yield from self.drawer()
        yield from self.second_person()
        yield from self.refused_backup()
        yield from self.count_and_close()
        yield from self.supervisor()
        yield from self.manager()
        yield from self.printer_and_attention()

    def void_by_hand(self) -> Script:
        """Shift+Tab leads to the list of what can be voided; Esc leaves it and nothing happens."""
        yield from self.action("zf")
        yield self.sheet_is("VoidSale")
        sheet = self.top()
        assert isinstance(sheet, VoidSale)
        yield self.focus_in(lambda: sheet.reason)
        yield self.press("shift+Tab")
        yield self.focus_in(lambda: sheet.table)
        yield self.press("Escape")
        yield self.sheet_is("")

    def drawer(self) -> Script:
        """Cash in, the drawer without a sale, the X report."""
        yield from self.action("cr")
        yield self.sheet_is("CashMoveSheet")
        sheet = self.top()
        assert isinstance(sheet, CashMoveSheet)
        yield self.type("100")
        yield self.press("Return")
        yield self.focus_in(lambda: sheet.reason)
        yield self.press("Down")
        yield lambda: bool(sheet.reason.code)
        yield self.press("Return")
        yield self.sheet_is("")
        self.camera.step("100 paid in")
        yield from self.action("qx")
        yield self.sheet_is("OpenDrawerSheet")
        opening = self.top()
        assert isinstance(opening, OpenDrawerSheet)
        yield self.press("Down")
        yield lambda: bool(opening.reason.code)
        yield self.press("Return")
        yield self.sheet_is("")
        self.camera.step("drawer opened with a reason")
        yield from self.action("xb")
        yield self.sheet_is("XSheet")
        yield self.pause()
        self.camera.step("X report", name="x_report")
        yield self.press("F10")
        yield self.sheet_is("")

    def second_person(self) -> Script:
        """Cash out above the cashier's limit: a supervisor agrees."""
        yield from self.action("zc")
        yield self.sheet_is("CashMoveSheet")
        sheet = self.top()
        assert isinstance(sheet, CashMoveSheet)
        yield self.type("600")
        yield self.press("Return")
        yield self.focus_in(lambda: sheet.reason)
        yield self.press("Down")
        yield lambda: bool(sheet.reason.code)
        yield self.press("Return")
        yield self.sheet_is("Approval")
        yield self.pause()
        self.camera.step("a second person is asked", name="approval")
        yield from self.agree()
        yield self.sheet_is("")
        self.camera.step("agreed, paid out")

    def agree(self) -> Script:
        """The supervisor's initials and PIN."""
        yield self.type("wq")
        yield self.press("Return")
        yield self.pause()
        yield self.type(self.cast.badge_pin)
        yield self.press("Return")

    def refused_backup(self) -> Script:
        """A cashier makes no backup."""
        yield from self.action("bf")
        yield self.pause(30)
        self.camera.step("a backup is not the cashier's", name="backup_refused")

    def count_and_close(self) -> Script:
        """The blind count, a difference, its reason and the second person."""
        yield from self.action("jb")
        yield self.sheet_is("CountSheet")
        sheet = self.top()
        assert isinstance(sheet, CountSheet)
        for pieces in COUNTED:
            yield self.type(pieces)
            yield self.press("Return")
        yield self.pause()
        self.camera.step("the blind count", name="count")
        sheet.commit.setFocus(Qt.FocusReason.TabFocusReason)
        yield self.pause()
        yield self.press("space")
        yield self.sheet_is("CloseShiftSheet")
        closing = self.top()
        assert isinstance(closing, CloseShiftSheet)
        yield self.pause()
        yield self.press("Down")
        yield lambda: bool(closing.reason.code)
        yield self.pause()
        self.camera.step("the difference", name="close_shift")
        yield self.press("Return")
        yield self.sheet_is("Approval")
        yield from self.agree()
        yield self.sheet_is("")
        yield lambda: not self.shell.counter.has_shift
        self.camera.step("shift closed")

    def close_day(self) -> Script:
        """Z."""
        yield from self.action("rj")
        yield self.sheet_is("CloseDay")
        yield self.pause()
        self.camera.step("what is open", name="close_day")
        yield self.press("F12")
        yield self.pause(40)
        self.camera.step("the steps of the close", name="close_day_runs")
        yield self.sheet_is("")
        yield self.pause()
        self.camera.step("day closed", name="day_closed")

    def switch(self, badge: str, pin: str) -> Script:
        """Another person by badge."""
        yield self.press("ctrl+l")
        yield self.window.sign_in.who.isVisible
        yield self.hands.scan(badge)
        yield self.window.sign_in.pin.isVisible
        yield self.type(pin)
        yield self.press("Return")
        yield self.shell.isVisible
        yield self.pause()

    def supervisor(self) -> Script:
        """Reports, exceptions, backup."""
        yield from self.switch(self.cast.badge, self.cast.badge_pin)
        if self.top() is not None:
            yield self.press("Escape")
            yield self.sheet_is("")
        yield from self.action("bf")
        yield self.pause(120)
        self.camera.step("backup made", name="backup_made")
        yield from self.to_page("reports")
        yield self.pause(120)
        self.camera.step("reports", name="reports")
        yield from self.action("cc")
        yield self.pause(60)
        self.camera.step("report saved as CSV", name="report_saved")
        yield from self.to_page("audit")
        yield self.pause(120)
        self.camera.step("journal", name="journal")
        yield from self.to_page("counter")
        yield from self.action("yc")
        yield lambda: isinstance(self.top(), ExceptionsPage)
        page = self.top()
        assert isinstance(page, ExceptionsPage)
        yield lambda: page.report is not None
        yield self.pause(120)
        self.camera.step("exceptions", name="exceptions")
        yield self.press("Escape")
        yield self.sheet_is("")

    def manager(self) -> Script:
        """A new person, by the manager."""
        yield from self.switch("STAFF-0003", "112358")
        if self.top() is not None:
            yield self.press("Escape")
            yield self.sheet_is("")
        yield from self.home()
        yield from self.to_page("staff")
        page = self.shell.pages.currentWidget()
        assert isinstance(page, StaffPage)
        yield self.pause(60)
        self.camera.step("staff", name="staff")
        yield self.press("Tab")
        yield self.pause()
        self.camera.step("Tab leads to the button", name="staff_tab")
        page.add.setFocus(Qt.FocusReason.TabFocusReason)
        yield self.pause()
        yield self.press("space")
        yield self.sheet_is("AddPerson")
        sheet = self.top()
        assert isinstance(sheet, AddPerson)
        for text in ("hy", "Huang Ying"):
            yield self.type(text)
            yield self.press("Return")
        yield self.press("Return", "Return", "Return")
        yield self.focus_in(lambda: sheet.pins.first)
        yield self.type("739146")
        yield self.press("Return")
        yield self.type("739146")
        yield self.pause()
        self.camera.step("a new person", name="new_person")
        yield self.press("Return")
        yield self.sheet_is("")
        self.camera.step("somebody works here now")
        yield from self.to_page("settings")
        yield self.pause(60)
        self.camera.step("settings", name="settings")
        yield from self.to_page("counter")
        yield self.pause()

    def printer_and_attention(self) -> Script:
        """A new shift; the printer goes; what waits is in the list."""
        yield from self.action("kb")
        yield self.sheet_is("OpenShift")
        yield self.type("500")
        yield self.press("Return", "Return")
        yield self.pause(60)
        self.camera.step("a new shift")
        yield from self.printer_gone()
        yield self.hands.scan("6900000000001")
        yield self.pause(30)
        yield from self.action("zt")
        yield self.sheet_is("AttentionList")
        yield self.pause()
        self.camera.step("what needs a hand", name="attention")
        yield self.press("Escape")
        yield self.sheet_is("")


class FirstDay(Walk):
    """A shop that is set up, sells once, counts and closes."""

    def begin(self, store: Path) -> Script:
        """The assistant's five steps, then the whole of a small day."""
        hands, camera, window = self.hands, self.camera, self.window
        yield self.step_is(0)
        yield self.pause()
        camera.step("step 1: language", name="first_language")
        yield hands.press("Return")
        yield self.step_is(1)
        yield hands.type("Rose")
        yield hands.press("Return", "Return", "Return")
        yield self.step_is(2)
        yield self.pause()
        camera.step("step 3: folders", name="first_folders")
        yield hands.press("Return")
        yield hands.type(str(store.parent / "backups"))
        yield hands.press("Return")
        yield self.step_is(3)
        for _ in range(2):
            yield hands.type("seven green kettles sing")
            yield self.pause()
            camera.step("step 4: passphrase", name="first_passphrase")
            yield hands.press("Return")
        yield self.step_is(4)
        for text in ("sl", "Sun Li", "739146"):
            yield hands.type(text)
            yield hands.press("Return")
        yield hands.type("739146")
        yield self.pause()
        camera.step("step 5: the owner", name="first_owner")
        yield hands.press("Return")
        yield lambda: window.shell is not None and window.shell.isVisible()
        yield self.sheet_is("StartKeySheet")
        yield self.pause()
        camera.step("the key for the safe", name="start_key")
        yield hands.press("Escape")
        yield self.sheet_is("OpenShift")
        yield self.pause()
        camera.step("signed in as the manager; the shift is asked for", name="first_done")
        yield from self.small_day()
        yield from self.close_day()

    def step_is(self, step: int) -> Condition:
        """The assistant shows this step, from 0."""

        def there() -> bool:
            found = self.window.pages.currentWidget()
            return isinstance(found, FirstStart) and found.steps.currentIndex() == step

        return there

    def small_day(self) -> Script:
        """One sale of 50; the count fits."""
        yield self.type("200")
        yield self.press("Return", "Return")
        yield self.sheet_is("")
        yield lambda: self.shell.counter.has_shift
        yield self.press("F5")
        yield self.type("50")
        yield self.quoted
        yield self.press("F12")
        yield self.sheet_is("Pay")
        yield self.press("Return")
        yield self.empty
        yield from self.action("jb")
        yield self.sheet_is("CountSheet")
        sheet = self.top()
        assert isinstance(sheet, CountSheet)
        for pieces in ("2", "1"):
            yield self.type(pieces)
            yield self.press("Return")
        for _ in sheet.pieces[2:]:
            yield self.press("Return")
        yield self.focus_in(lambda: sheet.commit)
        yield self.pause()
        yield self.press("Return")
        yield self.sheet_is("CloseShiftSheet")
        yield self.pause()
        self.camera.step("nothing differs", name="close_shift_even")
        yield self.press("Return")
        yield self.sheet_is("")
        yield lambda: not self.shell.counter.has_shift


class BringBack(Walk):
    """A shop whose disk broke: the list of the backups on its stick, and what would come back."""

    def begin(self, store: Path) -> Script:
        """From the first page of a first start; nothing is brought back."""
        window = self.window
        yield self.page_is(FirstStart)
        first = window.pages.currentWidget()
        assert isinstance(first, FirstStart)
        first.restore.setFocus(Qt.FocusReason.TabFocusReason)
        yield self.pause()
        yield self.hands.press("Return")
        yield self.page_is(RestorePage)
        page = window.pages.currentWidget()
        assert isinstance(page, RestorePage)
        yield self.hands.type("~/stick")
        yield self.hands.press("Return")
        yield lambda: page.choice.has_list
        yield self.pause()
        self.camera.step("the backups on the stick", name="restore_list")
        yield self.hands.press("Return")
        yield page.passphrase.hasFocus
        yield self.hands.type(PASSPHRASE)
        yield self.hands.press("Return", "Return", "Return")
        yield page.facts.isVisible
        yield self.pause()
        self.camera.step("what comes back", name="restore_facts")
        yield self.hands.press("Escape")
        yield page.fields.isVisible

    def page_is(self, kind: type[QWidget]) -> Condition:
        """The window shows a page of this kind."""
        return lambda: isinstance(self.window.pages.currentWidget(), kind)


NOBODY: Final = Cast(
    passphrase="",
    initials="",
    pin="",
    last_four="",
    initial="",
    card="",
    badge="",
    badge_pin="",
    manager="",
    manager_badge="",
    manager_pin="",
    rich_card="",
    rich_member=b"",
    new_phone="",
    barcodes=(),
    close_printer=lambda: None,
    open_printer=lambda: None,
    office=TourOffice(Path("out") / "nobody"),
)
"""A shop that isn't set up yet has nobody in it."""


def main(argv: list[str]) -> int:
    """Walk one scene; writes walk.json beside the pictures. 0 when every step went well."""
    scene, folder, pictures, language = argv
    store, out = Path(folder), Path(pictures)
    printer = PretendPrinter()
    cast = None
    if scene == "day":
        cast = find_cast(
            store, printer.address, close_printer=printer.close, open_printer=printer.open_again,
            office=TourOffice(out / "office"),
        )  # fmt: skip
    application = QApplication(["regulars"])
    window = build_window(application, store, language=language, theme="light")
    put_back = window.crash.install()
    window.showFullScreen()
    tour, hands = Tour(out), Hands()
    camera = Camera(lambda: window, tour)
    script: Script
    if cast is not None:
        script = Walk(lambda: window, cast, camera, hands).day()
    else:
        begins = BringBack if scene == "restore" else FirstDay
        script = begins(lambda: window, NOBODY, camera, hands).begin(store)

    def finished() -> None:
        window.close()
        application.quit()

    driver = Driver(lambda: window, tour, script, finished)
    driver.start()
    try:
        application.exec()
    finally:
        put_back()
    report = {"failure": tour.failure, "steps": [asdict(each) for each in tour.done]}
    (out / f"{scene}.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    print(tour.failure or f"{len(tour.done)} steps", flush=True)
    return 1 if tour.failure else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
