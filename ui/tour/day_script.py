"""The second half of the tour's day: what supervisors and managers do, to the close of the day.

As in ui.tour.script nothing here calls the product; the count alone asks what the drawer should hold, so
that the difference in the picture is a small one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.domain.drawer import face_values
from app.usecases.count import shift_sums
from ui.dialogs.approval import Approval
from ui.dialogs.cash_close import CloseShiftSheet
from ui.dialogs.cash_count import CountSheet
from ui.dialogs.cash_move import CashMoveSheet
from ui.dialogs.report_parts import PartsSheet
from ui.dialogs.staff import AddPerson
from ui.screens.audit_page import AuditPageView
from ui.screens.catalogue_page import CataloguePage
from ui.screens.exceptions_page import ExceptionsPage
from ui.screens.home_page import HomePage
from ui.screens.reports_page import ReportsPage
from ui.screens.staff_page import StaffPage
from ui.tour.driver import Script
from ui.tour.script import Steps

OVER_LIMIT: Final = "6000"
"""Points; the demo's cashiers use 5,000 alone."""
MISSING_MINOR: Final = 150


class DaySteps(Steps):
    """The scenes behind the counter; the cashier's are those of Steps."""

    # Small words ------------------------------------------------------------------------------

    def leave_sheets(self, count: int) -> Script:
        """Esc, once for each sheet that is open."""
        yield self.press(*("Escape",) * count)
        yield self.sheet_is("")

    # Scenes -----------------------------------------------------------------------------------

    def approval(self) -> Script:
        """More points than a cashier may: the supervisor's badge and PIN."""
        camera, counter = self.camera, self.shell.counter
        yield self.press("Escape", "Escape", "F2")
        yield lambda: not self.attached()
        yield self.hands.scan(self.cast.rich_card)
        yield self.attached
        yield self.type("300")
        yield self.quoted
        yield self.press("F6")
        yield self.focus_in(lambda: counter.sale.redeem)
        yield self.type(OVER_LIMIT)
        yield self.press("Return")
        yield (
            lambda: (
                counter.charging.quote is not None and counter.charging.quote.draft.points_spent > 0
            )
        )
        yield self.press("F12")
        yield self.sheet_is("Pay")
        yield self.press("Return")
        yield self.sheet_is("Approval")
        yield self.pause()
        camera.step("6,000 points are above the cashier's limit", name="approval")
        sheet = self.top()
        assert isinstance(sheet, Approval)
        yield self.hands.scan(self.cast.badge)
        yield sheet.pin.isVisible
        yield self.pause()
        camera.step("a badge names the second person; their PIN is asked", name="approval_pin")
        yield self.type(self.cast.badge_pin)
        yield self.press("Return")
        yield self.empty
        yield self.pause()
        camera.step("agreed: that sale, and nothing else", name="approved")

    def manager_comes(self) -> Script:
        """The manager's badge at the counter."""
        yield self.press("Escape", "Escape", "F2")
        yield lambda: not self.attached()
        yield self.hands.scan(self.cast.manager_badge)
        yield self.sheet_is("SwitchPerson")
        yield self.pause()
        self.camera.step("the manager's badge asks for their PIN", name="switch_person")
        yield self.type(self.cast.manager_pin)
        yield self.press("Return")
        yield self.sheet_is("")

    def home(self) -> Script:
        """Today at a glance; the goods."""
        yield from self.to_page("home")
        page = self.shell.pages.currentWidget()
        assert isinstance(page, HomePage)
        yield lambda: page.home is not None
        yield self.pause()
        self.camera.step("the manager's home", name="home")
        yield from self.to_page("catalogue")
        goods = self.shell.pages.currentWidget()
        assert isinstance(goods, CataloguePage)
        yield lambda: goods.rows.rowCount() > 0
        yield self.pause()
        self.camera.step("goods and prices", name="goods")

    def staff(self) -> Script:
        """Who works here, and a new person."""
        camera = self.camera
        yield from self.to_page("staff")
        page = self.shell.pages.currentWidget()
        assert isinstance(page, StaffPage)
        yield lambda: page.rows.rowCount() > 0
        yield self.pause()
        camera.step("who works here", name="staff")
        yield self.press("Tab")
        yield self.focus_in(lambda: page.add)
        yield self.press("Return")
        yield self.sheet_is("AddPerson")
        sheet = self.top()
        assert isinstance(sheet, AddPerson)
        for text in ("nn", "倪娜"):
            yield self.type(text)
            yield self.press("Return")
        yield self.press("Down", "Return", "Return", "Return")
        yield self.focus_in(lambda: sheet.pins.first)
        for picture in ("", "new_person"):
            yield self.pause(5)
            yield self.type("730186")
            yield self.pause(5)
            camera.step("a new person types their PIN twice", name=picture)
            yield self.press("Return")
        yield self.sheet_is("")
        yield lambda: page.rows.rowCount() > 3
        yield self.pause()
        camera.step("they work here now", name="staff_added")

    def head_office(self) -> Script:
        """The till joins, sells while the line is away, and goes on when it is back."""
        camera, office = self.camera, self.cast.office
        office.start()
        yield self.press("F11")
        yield self.sheet_is("FindAction")
        yield self.type("zb")
        yield self.press("Return")
        yield self.sheet_is("JoinSheet")
        yield self.press("ctrl+a")
        yield self.type(office.address)
        yield self.press("Return")
        yield self.type(office.code())
        yield self.pause()
        camera.step("a code from head office lets the till in", name="join")
        yield self.press("Return")
        yield self.sheet_is("")
        yield self._heard
        yield self.pause()
        camera.step("joined: what was sold goes there beside the counter", name="joined")
        office.stop()
        yield self.press("F2")
        yield self.press("F5")
        yield self.type("50")
        yield self.quoted
        yield self.press("F12")
        yield self.sheet_is("Pay")
        yield self.press("Return")
        yield self.empty
        self.shell.exchange.ask()  # As its own timer does a little later.
        yield lambda: self.shell.exchange.why == "gone"
        yield self.pause()
        camera.step("the line is gone: a sale, and a small mark", name="offline")
        office.start()
        yield self.press("F11")
        yield self.sheet_is("FindAction")
        yield self.type("zb")
        yield self.press("Return")
        yield self.sheet_is("HeadOfficeSheet")
        yield self.press("Return")
        yield lambda: self.shell.exchange.why == ""
        yield self.pause()
        camera.step("the line is back: it is sent", name="head_office")
        yield from self.leave_sheets(1)

    def _heard(self) -> bool:
        standing = self.shell.exchange.standing
        return standing is not None and standing.heard is not None

    def cash(self) -> Script:
        """Change fetched from the bank; the X report."""
        camera = self.camera
        yield from self.to_page("counter")
        yield from self.action("cr")
        yield self.sheet_is("CashMoveSheet")
        sheet = self.top()
        assert isinstance(sheet, CashMoveSheet)
        yield self.type("200")
        yield self.press("Return", "Down")
        yield lambda: bool(sheet.reason.code)
        yield self.pause()
        camera.step("200 of change goes into the drawer", name="pay_in")
        yield self.press("Return")
        yield self.sheet_is("")
        yield from self.action("xb")
        yield self.sheet_is("XSheet")
        yield self.pause()
        camera.step("X report; the cash in the drawer stays a secret", name="x_report")
        yield self.press("Return")
        yield self.sheet_is("")

    def shift_ends(self) -> Script:
        """The blind count, a small difference, and the end of the shift."""
        camera = self.camera
        yield from self.action("jb")
        yield self.sheet_is("CountSheet")
        sheet = self.top()
        assert isinstance(sheet, CountSheet)
        left = self._expected_minor() - MISSING_MINOR
        for at, value in enumerate(face_values("CNY")):
            pieces, left = divmod(left, value)
            if at == 3:
                yield self.pause(10)
                camera.step("counting: only what was counted", name="count")
            if pieces:
                yield self.type(str(pieces))
            yield self.press("Return")
        yield self.focus_in(lambda: sheet.commit)
        yield self.pause(30)
        yield self.press("Return")
        yield self.sheet_is("CloseShiftSheet")
        yield self.pause()
        camera.step("after the submit: expected, counted, difference", name="count_submitted")
        close = self.top()
        assert isinstance(close, CloseShiftSheet)
        yield self.press("Down")
        yield lambda: bool(close.reason.code)
        yield self.press("Return")
        yield self.sheet_is("")
        yield self.pause()
        camera.step("the shift is closed", name="shift_closed")

    def _expected_minor(self) -> int:
        desk, shift = self.window.desk, self.shell.till.shift
        assert desk is not None
        assert shift is not None
        with desk.context.read() as conn:
            return shift_sums(conn, shift.shift_id).expected_minor

    def close_day(self) -> Script:
        """The Z."""
        camera = self.camera
        yield lambda: not self.shell.errands.print_status.waiting
        yield from self.action("rj")
        yield self.sheet_is("CloseDay")
        yield self.pause()
        camera.step("the close of the day, and what it will do", name="close_day")
        yield self.press("Return")
        yield self.pause(4)
        camera.step("the day is being closed")
        yield self.sheet_is("")
        yield self.pause(30)
        camera.step("the day is closed and its Z prints", name="day_closed")

    def reports(self) -> Script:
        """The overview, a report by days, a figure down to one document."""
        camera = self.camera
        yield from self.to_page("reports")
        page = self.shell.pages.currentWidget()
        assert isinstance(page, ReportsPage)
        yield lambda: page.shown is not None
        yield self.focus_in(lambda: page.table)
        yield self.pause()
        camera.step("reports: the overview of today", name="report_overview")
        yield self.press("shift+Tab")
        if page.chart.hasFocus():
            yield self.press("shift+Tab")
        yield self.focus_in(lambda: page.filters)
        yield self.press("Down", "Right", "Down", "Down")
        yield lambda: page.code() == "day" and page.period.value == "7"
        yield lambda: page.shown is not None and len(page.shown.report.lines) > 5
        yield self.pause()
        camera.step("by day, seven days", name="report_days")
        yield self.press("Return")
        yield self.focus_in(lambda: page.table)
        yield self.press("Home", "Right")
        yield self.press("Return")
        yield self.sheet_is("PartsSheet")
        yield self.pause()
        camera.step("the events behind a figure", name="report_drill")
        parts = self.top()
        assert isinstance(parts, PartsSheet)
        yield self.press("Return")
        yield self.sheet_is("WhyPoints")
        yield self.pause()
        camera.step("one document, down to its points", name="report_document")
        yield from self.leave_sheets(2)

    def exceptions(self) -> Script:
        """People against the others, their cases, the events of one."""
        camera = self.camera
        yield from self.to_page("counter")
        yield from self.action("yc")
        yield self.sheet_is("ExceptionsPage")
        page = self.top()
        assert isinstance(page, ExceptionsPage)
        yield lambda: page.report is not None
        yield self.pause()
        camera.step("exceptions: people against the others", name="exceptions")
        sheets = 1
        if page.report is not None and page.report.cases:
            yield self.press("shift+Tab")
            yield self.focus_in(lambda: page.all)
            yield self.press("Return")
            yield self.sheet_is("CaseList")
            yield self.pause()
            camera.step("every case", name="cases")
            yield self.press("Return")
            yield self.sheet_is("CaseSheet")
            yield self.pause()
            camera.step("the events behind a case", name="case")
            sheets = 3
        yield from self.leave_sheets(sheets)

    def journal(self) -> Script:
        """Who, when, what; one event with before and after."""
        camera = self.camera
        yield from self.to_page("audit")
        page = self.shell.pages.currentWidget()
        assert isinstance(page, AuditPageView)
        yield lambda: page.rows.rowCount() > 0
        yield self.pause()
        camera.step("the journal", name="journal")
        yield self.press("Return")
        yield self.sheet_is("AuditEvent")
        yield self.pause()
        camera.step("one event of it", name="journal_event")
        yield from self.leave_sheets(1)
        yield from self.to_page("counter")

    def training(self) -> Script:
        """The store to practise in: another window with a red frame."""
        camera, before = self.camera, self.window
        yield from self.action("lx")
        yield self.sheet_is("BeginTraining")
        yield self.pause()
        camera.step("practising asks for one's own PIN", name="begin_training")
        yield self.type(self.cast.manager_pin)
        yield self.press("Return")
        yield lambda: self.window is not before
        yield lambda: self.window.desk is not None
        yield self.pause(30)
        yield self.has_keyboard(self.window.sign_in.who)
        camera.step("the store to practise in", name="training_sign_in")
        yield self.type(self.cast.manager)
        yield self.press("Return")
        yield self.window.sign_in.pin.isVisible
        yield self.type(self.cast.manager_pin)
        yield self.press("Return")
        yield lambda: self.window.shell is not None and self.shell.isVisible()
        yield self.sheet_is("OpenShift")
        yield self.type("100")
        yield self.press("Return", "Return")
        yield self.sheet_is("")
        yield self.press("F5")
        yield self.type("25")
        yield self.quoted
        yield self.pause()
        camera.step("red frame, and the word wherever one looks", name="training")

    # Whole days -------------------------------------------------------------------------------

    def whole_day(self) -> Script:
        """Everything that the live store sees."""
        yield from self._scenes(
            self.open_the_day, self.find, self.sell_with_points, self.explain, self.enrol,
            self.buy_three_return_three, self.void, self.printer_gone, self.approval,
            self.keys_and_lock,
        )  # fmt: skip
        yield from self._scenes(self.manager_comes, self.head_office)
        yield from self._behind_the_counter()

    def short_day(self) -> Script:
        """What shows the look: sign-in, counter, member, Pay, why; then as the whole day."""
        yield from self._scenes(
            self.open_the_day, self.find, self.sell_with_points, self.explain, self.approval,
            self.manager_comes,
        )  # fmt: skip
        yield from self._behind_the_counter()

    def _behind_the_counter(self) -> Script:
        yield from self._scenes(
            self.home, self.staff, self.cash, self.shift_ends, self.reports,
            self.exceptions, self.journal, self.close_day,
        )  # fmt: skip

    def _scenes(self, *scenes: Callable[[], Script]) -> Script:
        for scene in scenes:
            yield from scene()
