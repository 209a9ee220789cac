"""What the keys and buttons around the counter set going: sheets about members, documents and paper.

Each asks the desk on the db lane and opens a sheet with the answer; the sheet does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.domain.business_day import BusinessDate
from app.domain.errors import Outage, Refusal, Refused
from app.domain.rights import Right, asks_reason
from app.queries.records import (
    DocumentLine,
    LedgerLine,
    LotLine,
    PrintStatus,
    ProfileView,
    StaffView,
)
from ui.desk_records import Scan, TillView
from ui.errors import sentence
from ui.foreign_returns import ForeignReturns
from ui.kit import Kit
from ui.lanes import Lanes
from ui.paper import Paper
from ui.screens.counter import Counter
from ui.sounds import REFUSED, UNKNOWN
from ui.widgets.basics import Text, nothing

if TYPE_CHECKING:
    from app.context import Session
    from app.queries.why import Why
    from app.usecases.adjust import AdjustPreview
    from app.usecases.return_goods import SaleOnScreen
    from app.usecases.sell import Sold
    from app.usecases.unmask import Unmasked
    from ui.desk import Desk


class Errands(QObject):
    """The errands of one counter.

    Signals:
        settled(): the idle work after a command is done.

    Attributes:
        session, staff: who works at the till; the shell keeps them current.
        print_status: what waits for paper.
    """

    settled = Signal()

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        counter: Counter,
        paper: Paper,
        *,
        till: Callable[[], TillView],
        return_refusal: Callable[[], str],
    ) -> None:
        super().__init__(counter)
        self._kit, self._lanes, self._desk = kit, lanes, desk
        self.counter, self.paper = counter, paper
        self.sheets, self.strip = counter.sheets, counter.strip
        self._till, self._return_refusal = till, return_refusal
        self.session: Session | None = None
        self.staff: StaffView | None = None
        self.print_status = PrintStatus(0, (), "")
        self._beside_said: Text = nothing
        self.foreign = ForeignReturns(
            kit, lanes, desk, counter, who=self.who, returned=self._returned
        )
        counter.cart_changed.connect(self._leave_another_member)

    def who(self) -> Session:
        """Who works at the till now: a sheet asks when it commits, others may have come since."""
        assert self.session is not None, "sheets open for someone who signed in"
        return self.session

    # Members ----------------------------------------------------------------------------------

    def enrol_next(self) -> None:
        """F3: with what is known of the new member, the phone that was typed or the card scanned."""
        self.enrol(self.counter.finder.unknown_phone(), self.counter.scanning.new_card())

    def enrol(self, phone: str = "", card_no: str = "") -> None:
        from ui.dialogs.enrol import EnrolSheet

        if self.session is None:
            return
        sheet = EnrolSheet(
            self._kit, self._lanes, self._desk, self.who, phone=phone, card_no=card_no
        )
        sheet.enrolled.connect(self._enrolled)
        sheet.members_wanted.connect(self._find)
        self.sheets.open(sheet)

    def _find(self, text: str) -> None:
        self.counter.focus_search()
        self.counter.finder.box.setText(text)

    def _enrolled(self, member_id: bytes, name: str, card_no: str) -> None:
        words = self._kit.words
        self.counter.finder.clear_text()
        if self.counter.take_enrolled(member_id, name):
            self.strip.good_news(lambda: words.say("Member enrolled."))
            self.settle()
        else:
            self.settle(then=partial(self._offer, card_no))

    def _offer(self, card_no: str) -> None:
        """The row that the second Enter of S7 takes; not over what was typed since."""
        if not self.counter.finder.box.whole_text():
            self._find(card_no)

    def notes(self) -> None:
        """Ctrl+I: all that is noted about the attached member."""
        from ui.dialogs.notes import Notes

        member = self.counter.attached
        if member is not None:
            sheet = Notes(self._kit, member)
            sheet.edit_wanted.connect(self.edit_profile)
            self.sheets.open(sheet)

    def show_in_full(self) -> None:
        """The attached member's phone or birthday, for a reason, for half a minute."""
        from ui.dialogs.unmask import ShowInFull

        member = self.counter.attached
        if member is not None:
            sheet = ShowInFull(self._kit, self._lanes, self._desk, self.who, member)
            sheet.shown.connect(partial(self._show_in_full, member.member_id))
            self.sheets.open(sheet)

    def _show_in_full(self, member_id: bytes, unmasked: Unmasked) -> None:
        """Only beside the name that was asked about: a card may have been scanned meanwhile."""
        shown = self.counter.attached
        if shown is not None and shown.member_id == member_id == self.counter.cart.member_id:
            self.counter.member.show_in_full(unmasked)

    def _leave_another_member(self) -> None:
        """A sheet about one member goes when another one is attached behind it."""
        self.sheets.leave_others(self.counter.cart.member_id)

    def edit_profile(self) -> None:
        from ui.dialogs.edit_profile import EditSheet

        member = self.counter.attached
        if member is None:
            return

        def opened(profile: ProfileView) -> None:
            sheet = EditSheet(self._kit, self._lanes, self._desk, self.who, profile)
            sheet.saved.connect(self._edited)
            self.sheets.open(sheet)

        self._ask(lambda: self._desk.profile(member.member_id), opened)

    def _edited(self) -> None:
        self.counter.refresh_member()
        self.settle()

    def why(self, event_id: bytes) -> None:
        from ui.dialogs.points import WhyPoints

        def answered(answers: Mapping[str, Why]) -> None:
            self.sheets.open(WhyPoints(self._kit, answers))

        self._ask(lambda: self._desk.why(event_id), answered)

    def why_last(self) -> None:
        """Ctrl+W: the newest entry of the attached member."""
        member = self.counter.attached
        if member is not None and member.recent:
            self.why(member.recent[0].event_id)

    def ledger(self) -> None:
        from ui.dialogs.points import Ledger

        member = self.counter.attached
        if member is None:
            return

        def answered(lines: tuple[LedgerLine, ...]) -> None:
            if self.counter.cart.member_id != member.member_id:
                return
            sheet = Ledger(
                self._kit,
                self._lanes,
                lines,
                partial(self._desk.ledger, member.member_id),
                self.calendar,
            )
            sheet.about = member.member_id
            sheet.why_wanted.connect(self.why)
            self.sheets.open(sheet)

        self._ask(lambda: self._desk.ledger(member.member_id), answered)

    def lots(self) -> None:
        from ui.dialogs.points import Lots

        member = self.counter.attached
        if member is None:
            return

        def answered(lots: tuple[LotLine, ...]) -> None:
            if self.counter.cart.member_id == member.member_id:
                sheet = Lots(self._kit, lots, lambda: self._till().today)
                sheet.about = member.member_id
                self.sheets.open(sheet)

        self._ask(lambda: self._desk.lots(member.member_id), answered)

    def calendar(self) -> BusinessDate:
        """The calendar's date: instants are told from it, also while the till sells on the next date."""
        return BusinessDate.of(self._desk.date_now())

    # Documents --------------------------------------------------------------------------------

    def return_goods(self) -> None:
        from ui.dialogs.return_goods import FindReceipt

        sheet = FindReceipt(self._kit, self._lanes, self._desk, self.counter.attached, self._till())
        sheet.found.connect(self.open_return)
        sheet.elsewhere.connect(self.foreign.ask)
        sheet.scan_refused.connect(partial(self.counter.sounds.play, UNKNOWN))
        self.sheets.open(sheet)

    def open_return(self, event_id: bytes) -> None:
        from ui.dialogs.return_goods import ReturnSheet

        def opened(answer: tuple[SaleOnScreen, Mapping[str, str]]) -> None:
            sale, names_en = answer
            if sale.asked_by != "sale":
                self.strip.refuse(partial(_own_slip, self._kit, sale))
            elif not any(sale.kept):
                self.strip.refuse(partial(sentence, self._kit, Refusal.RETURN_NOTHING_LEFT, {}))
            if not any(sale.kept):
                return

            def return_here() -> None:
                sheet = ReturnSheet(self._kit, self._lanes, self._desk, self.who, sale, names_en)
                sheet.returned.connect(self._returned)
                sheet.scan_refused.connect(partial(self.counter.sounds.play, UNKNOWN))
                self.sheets.open(sheet)

            if self._desk.exchange.joined:
                self.foreign.look_elsewhere(sale, return_here)
            else:
                return_here()

        def failed(error: Exception) -> None:
            if isinstance(error, Refused) and error.code is Refusal.SALE_ELSEWHERE:
                self.foreign.ask(str(error.facts["number"]))
            else:
                self._warn(error)

        self._lanes.run(
            self.counter,
            "db",
            lambda: self._desk.sale_to_return(event_id),
            ok=opened,
            failed=failed,
        )

    def _returned(self, said: str) -> None:
        self.counter.charging.another_slip()
        self._posted(said)

    def _posted(self, said: str) -> None:
        self.strip.good_news(lambda: said)
        self.paper.print_waiting()
        self.counter.refresh_member()
        self.settle()

    def _voided(self, said: str, event_id: bytes) -> None:
        self.counter.charging.forget_sale(event_id)
        self._returned(said)

    def adjust(self) -> None:
        """Points by hand for the member on screen."""
        from ui.dialogs.adjust import AdjustSheet

        member, session = self.counter.attached, self.session
        if member is None or session is None:
            return

        def opened(start: AdjustPreview) -> None:
            sheet = AdjustSheet(self._kit, self._lanes, self._desk, self.who, member, start)
            sheet.adjusted.connect(self._posted)
            self.sheets.open(sheet)

        self._ask(lambda: self._desk.preview_adjust(session, member.member_id), opened)

    def void(self) -> None:
        from ui.dialogs.void_sale import VoidSale

        def opened(documents: Sequence[DocumentLine]) -> None:
            sheet = VoidSale(self._kit, self._lanes, self._desk, self.who, documents, self._till())
            sheet.voided.connect(self._voided)
            self.sheets.open(sheet)

        self._ask(self._desk.voidable, opened)

    def receipt_scanned(self, scan: Scan) -> None:
        elsewhere = scan.is_elsewhere and self._desk.exchange.joined
        if scan.event_id is None and not elsewhere:
            self.counter.sounds.play(REFUSED)
            self.strip.refuse(partial(receipt_problem, self._kit, scan))
        elif self._return_refusal():
            self.strip.refuse(self._return_refusal)
        elif scan.event_id is None:
            self.foreign.ask(scan.code.strip().upper())
        else:
            self.open_return(scan.event_id)

    # Paper ------------------------------------------------------------------------------------

    def sold(self, sold: Sold) -> None:
        words, formats = self._kit.words, self._kit.formats
        paid = formats.money(sold.to_pay_minor)
        earned = formats.points_change(sold.document.points_earned)
        self.strip.good_news(
            lambda: (
                words.say("Paid {money}, {points}.", money=paid, points=earned)
                if sold.document.points_earned
                else words.say("Paid {money}.", money=paid)
            )
        )
        self.paper.print_waiting()
        self.settle()

    def settle(self, then: Callable[[], None] = lambda: None) -> None:
        """The idle work after a command: members that are new, changed or were here are indexed.
        `then` goes on once the search knows them."""

        def settled(warning: str) -> None:
            self._beside(warning)
            then()

        self._ask(self._desk.settle_down, settled)

    def _beside(self, warning: str) -> None:
        """The command stands; what needs a hand beside it is said until it is mended."""
        self.settled.emit()
        self.strip.withdraw(self._beside_said)
        if warning:
            self._beside_said = partial(sentence, self._kit, Outage(warning), {})
            self.strip.warn(self._beside_said)

    def member_card(self) -> None:
        """The member card as a file that a card printer takes."""
        member = self.counter.attached
        words = self._kit.words
        if member is None:
            return

        def saved(path: str) -> None:
            self.strip.good_news(lambda: words.say("Card saved: {path}", path=path))

        self._ask(lambda: self._desk.save_card(member.member_id), saved)

    def show_slip(self) -> None:
        """The last slip on screen."""
        sold = self.counter.charging.last_sale
        if sold is None:
            return

        def opened(document: str | None) -> None:
            from ui.dialogs.slip import SlipSheet

            if document is not None:
                paper = self._desk.settings().receipt.paper_mm
                self.sheets.open(SlipSheet(self._kit, document, paper_mm=paper))

        self._ask(lambda: self._desk.slips.of(sold.event_id), opened)

    def print_again(self) -> None:
        """F10: what needs a hand at the printer, or else the last slip again, marked as a copy."""
        if self.print_status.is_stuck:
            self.print_list()
        elif self.staff is not None and asks_reason(self.staff.role, Right.REPRINT):
            from ui.dialogs.print_again import PrintAgain

            sheet = PrintAgain(self._kit, self._lanes, self._desk, self.who)
            sheet.printed.connect(self._printed)
            sheet.none.connect(self._no_slip)
            self.sheets.open(sheet)
        else:
            self._ask(self._desk.slips.newest, self._print_copy)

    def print_list(self) -> None:
        """What waits for paper, with a next step each."""
        from ui.dialogs.paper_list import PaperList

        sheet = PaperList(self._kit, self._lanes, self._desk, self.print_status)
        sheet.retry.connect(self.paper.print_waiting)
        self.sheets.open(sheet)

    def _print_copy(self, document: DocumentLine | None) -> None:
        session = self.session
        if document is None or session is None:
            self._no_slip()
            return
        command_id, event_id = self._desk.new_command(), document.event_id
        self._ask(
            lambda: self._desk.slips.reprint(command_id, session, event_id, ""), self._printed
        )

    def _printed(self, copy: int) -> None:
        words = self._kit.words
        self.strip.good_news(lambda: words.say("Printing copy {count}.", count=copy))
        self.paper.print_waiting()

    def _no_slip(self) -> None:
        self.strip.refuse(lambda: self._kit.words.say("No slip of this shift to print again."))

    def _ask(self, function: Callable[[], object], ok: Callable[..., None]) -> None:
        self._lanes.run(self.counter, "db", function, ok=ok, failed=self._warn)

    def _warn(self, error: Exception) -> None:
        self.strip.fail(error)


def _own_slip(kit: Kit, sale: SaleOnScreen) -> str:
    """What was scanned is no sale's receipt: which one it is, and which sale it speaks of."""
    words, number = kit.words, sale.receipt_no
    if sale.asked_by == "void":
        return words.say("This is the slip of a void. Its sale is {number}.", number=number)
    if any(sale.kept):
        return words.say("This is the slip of a return. Its sale is {number}.", number=number)
    return words.say(
        "This is the slip of a return. Everything of sale {number} was returned.", number=number
    )


def receipt_problem(kit: Kit, scan: Scan) -> str:
    """Why a scanned receipt leads to no sale of this till (S24 for another till's)."""
    words = kit.words
    if scan.misread:
        return words.say("The receipt number was misread. Scan it again, or type it after F8.")
    if scan.other_till:
        return words.say(
            "Till {till}'s sale can't be read here. Return it at that till.", till=scan.other_till
        )
    return words.say("No receipt with this number. Check it, or find the member.")
