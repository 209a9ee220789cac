"""What surrounds the pages once someone signed in: rail, top bar, F-bar, sheets, strip, who works.
The table of actions is in ui.shell_actions, what most of them set going in ui.errands.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.queries.records import (
    PrintStatus,
    StaffView,
)
from app.settings import Settings
from ui.actions import Actions
from ui.attention import Attention
from ui.audit_errands import AuditErrands
from ui.day_errands import CART, DayErrands
from ui.desk_records import TillView
from ui.dialogs.approval import Approval
from ui.dialogs.find_action import FindAction, Help
from ui.dialogs.pay import Pay
from ui.errands import Errands
from ui.errands_cash import CashErrands
from ui.exchange_errands import ExchangeErrands
from ui.kit import Kit
from ui.lanes import Lanes
from ui.page_stack import PageStack
from ui.pages import COUNTER, PAGES, REPORTS, SETTINGS, exporting, fill_anew, key_of
from ui.paper import Paper
from ui.refusals import Refusals
from ui.screens.counter import Counter
from ui.shell_actions import shell_actions
from ui.sounds import REFUSED
from ui.widgets.basics import Text, columns, rows
from ui.widgets.fkey_bar import FKeyBar
from ui.widgets.rail import Rail
from ui.widgets.sheet import SheetHost
from ui.widgets.strip import Strip
from ui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from app.context import Session
    from app.documents.report import Figure, ReportCode
    from app.usecases.export_report import Form
    from app.usecases.sign_in import SignOutWhy
    from ui.desk import Desk
    from ui.screens.reports_page import ReportsPage
    from ui.screens.settings_page import SettingsPage


class Shell(QWidget):
    """Signals:
    language_wanted(), theme_wanted(), lock_wanted(): the window's business.
    store_wanted(folder, passphrase): the store to practise in; None, None the live one again.
    settings_saved(settings): language and theme may be others now.
    """

    language_wanted = Signal()
    theme_wanted = Signal()
    lock_wanted = Signal()
    store_wanted = Signal(object, object)
    settings_saved = Signal(object)

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        till: TillView,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._kit = self.kit = kit
        self._lanes = self.lanes = lanes
        self._desk = self.desk = desk
        self.till = till
        self.session: Session | None = None
        self.staff: StaffView | None = None
        self._signed_in = False
        self.setObjectName("root")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.pages = PageStack(lambda at: PAGES[at].build(self))
        self.sheets = SheetHost(kit, self.pages)
        self._strip_room = QWidget()
        self.strip = Strip(kit, self.pages, self._strip_room)
        self.counter = Counter(kit, lanes, desk, till, self.sheets, self.strip, clock=clock)
        self.pages.begin(self.counter)
        self.refusals = Refusals(kit, self.counter, self.pages, lambda: self.till)
        self.paper = Paper(self, lanes, desk)
        self._minute = QTimer(self)
        self._minute.setInterval(60_000)
        self._minute.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._minute.timeout.connect(self._show_date)
        self._minute.start()
        self.errands = Errands(
            kit,
            lanes,
            desk,
            self.counter,
            self.paper,
            till=lambda: self.till,
            return_refusal=self.refusals.return_goods,
        )
        self.day = DayErrands(
            kit, lanes, desk, self.sheets, self.strip, lambda: self.session, self.paper,
            self._settle, clock=clock,
        )  # fmt: skip
        self.attention = Attention(
            kit,
            lanes,
            desk,
            self.counter,
            open_paper=self.errands.print_list,
            open_counter=self._turn_to_counter,
            back_up=self.day.back_up,
            open_health=self._open_health,
            choose_backup_folder=self._choose_backup_folder,
        )
        self.cash = CashErrands(
            kit, lanes, desk, self.counter, self.paper,
            who=self.errands.who, till=lambda: self.till, refusal=self.refusals.void, clock=clock,
        )  # fmt: skip
        self.cash.shift_ended = self._shift_ended
        self.day.closed.connect(self._day_closed)
        self.day.shift_ended.connect(self._shift_closed_with_day)
        self.audit = AuditErrands(
            kit, lanes, desk, self.sheets, self.strip, self.errands.who, self.errands.calendar
        )
        self.exchange = ExchangeErrands(
            kit, lanes, desk, self.counter, self.errands.who, lambda: self.till.training
        )
        self.day.night.closed.connect(lambda closed: self._refresh_till())
        self.day.followed.connect(self._day_followed)
        self.actions_ = Actions(kit, self._impossible)
        self.actions_.sheet_takes = self._sheet_takes
        self.actions_.add(*shell_actions(self), *self.cash.actions())
        self.actions_.bind(self)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        """Built in the order of Tab: page, F-bar, top bar, rail; placed where the eye wants them."""
        words = self._kit.words
        outer: QHBoxLayout = columns(self._kit.look, self, gap=0)
        column: QVBoxLayout = rows(self._kit.look, gap=0)
        outer.addLayout(column, 1)
        column.addWidget(self.pages, 1)
        column.addWidget(self._strip_room)
        self.fkeys = FKeyBar(self._kit, self.actions_)
        column.addWidget(self.fkeys)
        self.top_bar = TopBar(self._kit)
        column.insertWidget(0, self.top_bar)
        self.rail = Rail(self._kit, [(page.icon, partial(words.say, page.word)) for page in PAGES])
        outer.insertWidget(0, self.rail)
        self.top_bar.show_title(lambda: words.say("Member counter"))

    def _connect(self) -> None:
        self.rail.chosen.connect(self.show_page)
        self.top_bar.language_wanted.connect(self.language_wanted)
        self.top_bar.theme_wanted.connect(self.theme_wanted)
        self.top_bar.lock_wanted.connect(self.lock_wanted)
        counter = self.counter
        counter.sold.connect(self.errands.sold)
        counter.sold.connect(self.cash.sold)
        counter.enrol_wanted.connect(self.errands.enrol)
        counter.why_wanted.connect(self.errands.why)
        counter.ledger_wanted.connect(self.errands.ledger)
        counter.lots_wanted.connect(self.errands.lots)
        counter.edit_wanted.connect(self.errands.edit_profile)
        counter.receipt_scanned.connect(self.errands.receipt_scanned)
        counter.badge_scanned.connect(self.switch_to)
        self.paper.changed.connect(self._paper_changed)
        self.errands.settled.connect(self.attention.refresh)
        self.attention.changed.connect(self.top_bar.show_needs)
        self.exchange.changed.connect(self.top_bar.show_exchange)
        self.top_bar.exchange_wanted.connect(partial(self.actions_.do, "head_office"))
        self._minute.timeout.connect(self.attention.look_into_files)
        self._minute.timeout.connect(self.attention.look_at_backup_folder)
        self.top_bar.attention_wanted.connect(partial(self.actions_.do, "attention"))

    # People and the day -----------------------------------------------------------------------

    def begin(self, session: Session, staff: StaffView) -> None:
        """Someone signed in: theirs is what comes now; the cart stays as it is."""
        if self.session is not None and self.session.staff_id != session.staff_id:
            self.sign_out("switch")
        self._signed_in = True
        self.staff = self.errands.staff = staff
        self._use_session(session)
        self._ask(self._desk.till, self._begin_day)
        top = self.sheets.top
        if top is not None:
            top.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)
        elif self.counter.cart.is_empty:
            self.counter.focus_search()
        else:
            self.counter.focus_amount()

    def sign_out(self, why: SignOutWhy) -> None:
        """Note that who worked here leaves; once, however many reasons there are."""
        self.counter.member.hide_whole()
        session, self._signed_in = self.session if self._signed_in else None, False
        if session is not None:
            desk = self._desk
            self._ask(lambda: desk.staff.sign_out(session, why), lambda _: None)

    def clear_desk(self) -> None:
        """Away with what the last person looked at or typed: sheets, search, pages. The cart stays."""
        self.sheets.close_all()
        self._turn_to(COUNTER)
        self.pages.forget()
        self.counter.finder.clear_text()
        self.strip.withdraw(self._unsaved)  # What was typed in the settings went with its page.
        self.strip.drop_passing()

    def withdraw_request(self) -> None:
        """Nobody is left to wait for a second person: the request is refused."""
        request = self.sheets.lying(Approval)
        if request is not None:
            request.step_back()

    def training(self) -> None:
        """To the store to practise in, with one's own PIN; from there back to the live one."""
        from ui.dialogs.shift import BeginTraining

        if self.till.training:
            self.store_wanted.emit(None, None)
        elif self.staff is not None:
            sheet = BeginTraining(self._kit, self._lanes, self._desk, self.staff)
            sheet.begun.connect(self.store_wanted)
            self.sheets.open(sheet)

    def _use_session(self, session: Session) -> None:
        self.session = self.counter.session = self.errands.session = session

    def _refresh_till(self) -> None:
        self._ask(self._desk.till, self._use_till)

    def _use_till(self, till: TillView) -> None:
        self.till = till
        self.counter.use_till(till)
        if self.staff is not None:
            self.top_bar.show_till(till, self.staff)
        self._show_date()

    def _show_date(self) -> None:
        """The business date whenever it isn't the calendar's: after midnight until the cut-off, and
        as long as a shift of another day is open."""
        day, today = self.till.today.to_date(), self._desk.date_now()
        self.top_bar.show_other_date(
            self._kit.formats.day(day, today=today) if day != today else ""
        )

    def _begin_day(self, till: TillView) -> None:
        """After a sign-in: a till without a shift of today asks for one."""
        self._use_till(till)
        self.attention.tell_repairs(len(till.repairs))
        self.attention.refresh()
        self.attention.look_at_backup_folder()
        self.day.tell_of_night()
        self.exchange.start()
        if self.sheets.top is not None:
            return
        if till.shift_is_over:
            self.cash.end_shift()
        elif till.shift is None:
            self.open_shift()

    def _shift_ended(self, session: Session | None, staff: StaffView | None, another: bool) -> None:
        """Who took over goes on with a shift of their own; so does a day after yesterday's shift."""
        if session is not None and staff is not None:
            self.begin(session, staff)
        elif self.session is not None:
            self._use_session(replace(self.session, shift_id=None))
            self._ask(self._desk.till, self._begin_day if another else self._use_till)

    def open_shift(self) -> None:
        from ui.dialogs.shift import OpenShift

        if self.session is None:
            return
        sheet = OpenShift(self._kit, self._lanes, self._desk, self.errands.who, self.till)
        sheet.opened.connect(self._shift_opened)
        self.sheets.open(sheet)

    def _shift_opened(self, session: Session) -> None:
        self._use_session(session)
        words = self._kit.words
        self.strip.good_news(lambda: words.say("The shift is open."))
        self._refresh_till()

    def _shift_closed_with_day(self) -> None:
        self._shift_ended(None, None, another=False)
        self.paper.print_waiting()

    def _settle(self, code: str) -> None:
        """To what is open before a close: the sale at the counter, or the slips."""
        if code == CART:
            self._turn_to_counter()
            self.counter.focus_amount()
        else:
            self.errands.print_list()

    def _day_closed(self, said: str) -> None:
        self.strip.good_news(lambda: said)
        self.paper.print_waiting()
        self._refresh_till()

    def _day_followed(self) -> None:
        self.paper.print_waiting()
        self.attention.refresh()

    def switch_to(self, who: str) -> None:
        """A badge, at any time: a sheet with the name, focus in PIN."""
        from ui.dialogs.shift import SwitchPerson

        words = self._kit.words

        def found(staff: StaffView | None) -> None:
            if staff is None:
                return
            if self.session is not None and staff.staff_id == self.session.staff_id:
                self.strip.good_news(lambda: words.say("You work at this till already."))
                return
            sheet = SwitchPerson(self._kit, self._lanes, self._desk, staff, who)
            sheet.switched.connect(self.begin)
            self.sheets.open(sheet)

        self._ask(lambda: self._desk.find_staff(who), found)

    # Actions ----------------------------------------------------------------------------------

    def _impossible(self, reason: Text) -> None:
        self.counter.sounds.play(REFUSED)
        self.strip.refuse(reason)

    def _sheet_takes(self, key: str) -> bool:
        top = self.sheets.top
        return top is not None and top.takes_key(key)

    def help(self) -> None:
        if not isinstance(self.sheets.top, Help):
            self.sheets.open(Help(self._kit, self.actions_))

    def all_actions(self) -> None:
        if not isinstance(self.sheets.top, FindAction):
            self.sheets.open(FindAction(self._kit, self.actions_))

    def find_member(self) -> None:
        """F2: to the search from anywhere. A sheet that is being written right now stays."""
        if self.sheets.busy:
            return
        self.sheets.close_all()
        self.show_page(COUNTER)
        self.counter.focus_search()

    def amount_or_items(self) -> None:
        if self.counter.amount_or_items():
            from ui.dialogs.pick_item import PickItem

            sheet = PickItem(self._kit, self._lanes, self._desk)
            sheet.picked.connect(self.counter.pick_item)
            sheet.pay_wanted.connect(self.charge)
            self.sheets.open(sheet)

    def charge(self) -> None:
        while (top := self.sheets.top) is not None and top.gives_way:
            self.sheets.close_sheet(top)
        if self.sheets.top is None:
            self._turn_to_counter()
        self.counter.charging.pay()

    def scan(self, code: str) -> None:
        """A scanned code: a sale goes on where it can be seen."""
        self._turn_to_counter()
        self.counter.scanning.scan(code)

    def _turn_to_counter(self) -> None:
        if self.pages.currentIndex() != COUNTER:
            self._turn_to(COUNTER)

    def tender(self, code: str) -> None:
        if isinstance(self.sheets.top, Pay):
            self.sheets.top.tender.choose(code)

    def show_page(self, page: int) -> None:
        if self.sheets.top is None:
            self._turn_to(page)

    def _turn_to(self, page: int) -> None:
        shown = self.pages.page(page)
        if page != COUNTER:
            fill_anew(shown)
        if page != self.pages.currentIndex():
            self.strip.drop_news()
        self.pages.setCurrentIndex(page)
        for above in (self.sheets, self.strip):
            above.raise_()  # A stack puts its current page on top of everything else.
        self.rail.show_page(page)
        self.top_bar.show_title(partial(self._kit.words.say, PAGES[page].title))
        if page == COUNTER:
            self.counter.focus_search()

    # From home ---------------------------------------------------------------------------------

    def open_report(self, code: ReportCode) -> ReportsPage:
        """The reports, at one of today."""
        self.show_page(REPORTS)
        page = cast("ReportsPage", self.pages.page(REPORTS))
        page.show_today(code)
        return page

    def open_figure(self, code: ReportCode, figure: Figure) -> None:
        """The events behind a figure, over the report that has it."""
        self.open_report(code).open_figure(figure)

    def open_member(self, member_id: bytes) -> None:
        """A member at the counter, unless a sale is open there."""
        words = self._kit.words
        if not self.counter.cart.is_empty:
            self._impossible(lambda: words.say("A sale is open. Charge it or clear it first."))
            return
        self.show_page(COUNTER)
        self.counter.attach(member_id)

    def _open_health(self) -> None:
        self.audit.health()

    def _choose_backup_folder(self) -> None:
        """The settings, at the folder of the backups."""
        self.show_page(SETTINGS)
        cast("SettingsPage", self.pages.page(SETTINGS)).show_backup_folder()

    def print_page(self) -> None:
        """F10: the report on screen, or else what is stuck at the printer or the last slip again."""
        page = exporting(self.pages.currentWidget())
        if page is None or self.sheets.top is not None:
            self.errands.print_again()
        else:
            page.export("print")

    def export_page(self, form: Form) -> None:
        """Save what is on screen as a file."""
        page = exporting(self.pages.currentWidget())
        if page is not None:
            page.export(form)

    def step_back(self) -> None:
        """Esc that nothing closer took."""
        if self.sheets.top is not None:
            self.sheets.top.step_back()
        elif self.pages.currentIndex() == COUNTER:
            if not self.counter.step_back():
                self.strip.seen()
        else:
            self.show_page(COUNTER)

    # Paper ------------------------------------------------------------------------------------

    def _paper_changed(self, status: PrintStatus) -> None:
        self.errands.print_status = status
        # Without a printer nothing waits for one: the chip would never go.
        has_printer = bool(self._desk.settings().receipt.printer)
        self.top_bar.show_paper(status.waiting if has_printer else 0)
        self.attention.refresh()
        self.attention.tell_printer(status.problem)

    # Plumbing ---------------------------------------------------------------------------------

    def _ask(self, function: Callable[[], object], ok: Callable[..., None]) -> None:
        self._lanes.run(self, "db", function, ok=ok, failed=self._warn)

    def _warn(self, error: Exception) -> None:
        self.strip.fail(error)

    def say_unsaved(self) -> None:
        """The settings page is left with changes that nobody saved."""
        self.strip.warn(self._unsaved)

    def _unsaved(self) -> str:
        words, key = self._kit.words, key_of("settings")
        return words.say("Settings were changed but not saved. They wait at {key}.", key=key)

    def use_settings(self, settings: Settings) -> None:
        self.attention.look_at_backup_folder()
        self.attention.refresh()
        self.settings_saved.emit(settings)
        self._refresh_till()  # The shop may have another name.
        words = self._kit.words
        self.strip.withdraw(self._unsaved)
        self.strip.good_news(lambda: words.say("Settings saved."))
        self.paper.print_waiting()
