"""What screens ask of the product: every query and use-case that they call, by one name each.

The calls block, so screens make them on a lane. Importing this module loads the store's libraries,
so nothing that paints before sign-in imports it: screens name it for the type checker only, and the
db lane imports it when it opens the till (counter-ui.md section 3).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from app import file_check, spool
from app.build import Till, give_memory_back
from app.code_ranges import CardFault
from app.context import Session
from app.domain.documents import ReturnedLine, SaleRequest
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.domain.moves import EntryMove
from app.domain.returns import ReturnQuote
from app.domain.sale import QuoteKey, SaleQuote
from app.domain.void import VoidQuote
from app.folders import Problem, folder_problem
from app.i18n import LANGUAGES
from app.intake import PhoneProblem, Reading, parse_phone, phone_text, readings
from app.numbers import looks_like_receipt, parse_receipt_number
from app.queries import attention, counter, members, search
from app.queries.records import (
    DocumentLine,
    ItemView,
    LedgerLine,
    LotLine,
    MemberPanel,
    ProfileView,
    SearchResult,
    ShiftView,
    StaffView,
)
from app.queries.why import Why, why
from app.settings import Settings, save
from app.slips import money_sign
from app.usecases.adjust import Adjust, Adjusted, AdjustPreview, adjust, preview_adjust
from app.usecases.enrol import (
    BirthdayInput,
    EditProfile,
    Enrol,
    Enrolled,
    Masked,
    ProfileInput,
    birthday_of,
    edit_profile,
    enrol,
)
from app.usecases.keep_cart import OpenCart, keep_cart, kept_cart
from app.usecases.look import NoteLook, note_look
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.paper_files import save_card
from app.usecases.return_goods import (
    Returned,
    ReturnGoods,
    SaleOnScreen,
    preview_return,
    return_goods,
    sale_to_return,
)
from app.usecases.sell import Payment, Sell, Sold, sell
from app.usecases.sign_in import SignIn, find_staff, is_badge, sign_in
from app.usecases.tidy import CARDS, remove_safe_sheet, tidy
from app.usecases.unmask import Unmask, Unmasked, Value, unmask
from app.usecases.void import Void, Voided, preview_void, void
from ui.cart import Cart
from ui.cart_kept import at_new_prices, cart_of, kept_of
from ui.desk_audit import AuditDesk
from ui.desk_cash import CashDesk
from ui.desk_catalogue import CatalogueDesk
from ui.desk_day import DayDesk
from ui.desk_exchange import ExchangeDesk
from ui.desk_guard import GuardDesk
from ui.desk_home import HomeDesk
from ui.desk_records import PhoneCheck, Scan, TillView
from ui.desk_reports import ReportsDesk
from ui.desk_returns import ReturnsDesk
from ui.desk_slips import SlipsDesk
from ui.desk_staff import StaffDesk

RETURNABLE_DAYS = 90
"""How far back a member's purchases are offered for a return (counter-flows.md, flow 10)."""


class Desk:
    """The open product as one till's window sees it. Every method may raise Refused or Unavailable."""

    def __init__(self, till: Till) -> None:
        self._till = till
        self._ctx = self.context = till.context
        self.staff = StaffDesk(till)
        self.reports = ReportsDesk(till)
        self.guard = GuardDesk(till)
        self.cash = CashDesk(till)
        self.day = DayDesk(till)
        self.audit = AuditDesk(till)
        self.catalogue = CatalogueDesk(till)
        self.home = HomeDesk(till)
        self.slips = SlipsDesk(till)
        self.exchange = ExchangeDesk(till)
        self.returns = ReturnsDesk(till, self.exchange)

    # The till ---------------------------------------------------------------------------------

    def till(self) -> TillView:
        """Who this till is and how its day stands."""
        ctx = self._ctx
        facts = ctx.till
        shift = counter.open_shift(ctx)
        return TillView(
            store=facts.store,
            shop=ctx.settings.shop,
            till=facts.till,
            demo=counter.is_demo(ctx),
            training=counter.is_training(ctx),
            sign=money_sign(facts.currency.code, facts.currency.exponent),
            offset_min=ctx.offset_min(),
            today=counter.date_now(ctx),
            calendar=ctx.business_date(),
            tiers=members.tiers(ctx),
            shift=shift,
            last_close=counter.last_day_close(ctx),
            repairs=self._till.findings.mended(),
        )

    def settings(self) -> Settings:
        return self._ctx.settings

    def folder_problem(self, text: str) -> Problem:
        """What keeps files out of a folder that was typed (backup lane)."""
        return folder_problem(text)

    def backup_folder_gone(self) -> bool:
        """Whether the backups' own folder is away (backup lane)."""
        folder = self._ctx.settings.backup.folder
        return folder_problem(folder) == "gone"

    def save_settings(self, settings: Settings) -> None:
        """Save this machine's settings and use them from now on; folders were tried before. Raises Unavailable:
        PRINTER_ADDRESS_BAD, FILE_FAILED."""
        spool.check_address(settings.receipt.printer)
        had_printer = bool(self._ctx.settings.receipt.printer)
        try:
            save(self._till.folder, settings)
        except OSError as error:
            raise Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""}) from error
        self._ctx.keep_settings(settings)
        if settings.receipt.printer and not had_printer:
            spool.skip_waiting(self._ctx)

    def new_command(self) -> bytes:
        """An id for one command; quick, callable from the GUI thread."""
        return self._ctx.ids()

    def now(self) -> datetime:
        """Aware; quick, callable from the GUI thread."""
        return self._ctx.clock()

    def date_now(self) -> date:
        """The calendar's date at the shop; quick, callable from the GUI thread."""
        return (self.now() + timedelta(minutes=self._ctx.offset_min())).date()

    def shift(self) -> ShiftView | None:
        return counter.open_shift(self._ctx)

    def close(self) -> None:
        """Let the store go; the last thing that the db lane does. No page with the key for the safe stays."""
        with contextlib.suppress(Unavailable):
            remove_safe_sheet(self._ctx)
        self._till.close()

    # What needs a hand ------------------------------------------------------------------------

    def needs(self) -> tuple[attention.Need, ...]:
        return attention.needs(self._ctx)

    def look_into_files(self) -> file_check.Looked | None:
        """Read the next part of an older journal file (report lane; writes nothing)."""
        return file_check.look(self._ctx)

    def note_files(self, looked: file_check.Looked) -> bool:
        """Write down what was found (db lane); True when a file is newly damaged."""
        return file_check.note(self._ctx, looked)

    def incidents_seen(self, place: int) -> None:
        """Those up to this place were shown and read."""
        attention.incidents_seen(self._ctx, place)

    # People who work here ---------------------------------------------------------------------

    def find_staff(self, who: str) -> StaffView | None:
        return find_staff(self._ctx, who)

    def sign_in(
        self, command_id: bytes, who: str, pin: str, *, after_training: bool = False
    ) -> tuple[Session, StaffView]:
        session = sign_in(self._ctx, SignIn(command_id, who, pin, after_training)).result
        staff = counter.staff(self._ctx, session.staff_id)
        assert staff is not None, "who signed in works here"
        return session, staff

    def shift_takes_long(self) -> bool:
        return counter.shift_takes_long(self._ctx)

    def open_shift(self, command_id: bytes, session: Session, float_minor: int) -> Session:
        return open_shift(self._ctx, OpenShift(command_id, session, float_minor)).result

    # Finding ----------------------------------------------------------------------------------

    def search(self, text: str) -> SearchResult:
        return search.search(self._ctx, text)

    def interrupt_search(self) -> None:
        """Stop the search that runs; callable from any thread."""
        search.call_off(self._ctx)

    def warm_up(self) -> None:
        """On the search lane after start: what the first keystrokes need, read and imported. Not the readings
        of names: they are 12 MB that a till needs once somebody enrols."""
        search.warm_up(self._ctx)
        parse_phone("13800000000")
        give_memory_back()

    def settle_down(self) -> str:
        """After a command, when the screen is free again: the idle work. Returns the code of what
        needs a hand beside the command (the journal file), "" when nothing does.
        """
        wrong = tidy(self._ctx)
        return Outage.FOLD_DIFFERS.value if wrong else self._ctx.warning()

    def read_code(self, code: str) -> Scan:
        """What a scanned code is: badge, receipt, card, item, in this order."""
        if is_badge(self._ctx, code):
            return Scan(code, "staff")
        if (receipt := parse_receipt_number(code)) is not None:
            return self._receipt(code, receipt[0])
        try:
            member_id = members.member_of_card(self._ctx, code)
            name = members.profile(self._ctx, member_id).name
            return Scan(code, "member", member_id=member_id, name=name)
        except Refused as refused:
            if refused.code == Refusal.CARD_LOST:
                return Scan(code, "card_lost")
            if refused.code == Refusal.CARD_REPLACED:
                return Scan(code, "card_replaced")
        try:
            return Scan(code, "item", item=counter.item_by_code(self._ctx, code))
        except Refused:
            if looks_like_receipt(code):
                return Scan(code, "receipt", misread=True)
            to_give = members.is_card_to_give(self._ctx, code)
            shaped = to_give or members.is_card_shaped(self._ctx, code)
            return Scan(code, "unknown", new_card=to_give, card_shaped=shaped)

    def _receipt(self, code: str, till: str) -> Scan:
        try:
            line = counter.document_by_receipt(self._ctx, code)
        except Refused:
            return Scan(code, "receipt", other_till=till if till != self._ctx.till.till else "")
        return Scan(code, "receipt", event_id=line.event_id)

    def items(self, text: str) -> Sequence[ItemView]:
        return counter.find_items(self._ctx, text)

    # Members ----------------------------------------------------------------------------------

    def member(self, member_id: bytes, found_by: str = "") -> MemberPanel:
        return members.member_panel(self._ctx, member_id, found_by=found_by)

    def profile(self, member_id: bytes) -> ProfileView:
        return members.profile(self._ctx, member_id)

    def unmask(
        self, command_id: bytes, session: Session, member_id: bytes, what: str, reason: str
    ) -> Unmasked:
        """A member's phone or birthday in full; who looked is in the journal."""
        value: Value = "phone" if what == "phone" else "birthday"
        command = Unmask(command_id, session, member_id, value, reason)
        shown = unmask(self._ctx, command).result
        return replace(shown, phone=phone_text(shown.phone)) if shown.phone else shown

    def save_card(self, member_id: bytes) -> str:
        """The member card as a PDF beside the store, for a day; returns where it lies."""
        return str(save_card(self._ctx, member_id, self._till.folder / CARDS))

    def check_phone(self, text: str, *, but: bytes | None = None) -> PhoneCheck:
        """Whether a typed phone could be one, and how many members `but` that one have it already."""
        phone = parse_phone(text)
        if isinstance(phone, PhoneProblem):
            return PhoneCheck(text, phone.code, phone.digits, phone.expected, 0)
        others = set(members.members_of_phone(self._ctx, phone.e164)) - {but}
        return PhoneCheck(text, "", 0, 0, len(others))

    def check_card(self, text: str) -> tuple[CardFault, int]:
        """What is wrong with a card number while it is typed, and how many digits cards have here."""
        return members.card_check(self._ctx, text)

    def check_birthday(self, given: BirthdayInput) -> None:
        """Raises Refused for one that can't be; quick, callable from the GUI thread."""
        birthday_of(self._ctx, given)

    def readings(self, name: str) -> Sequence[Reading]:
        return readings(name)

    def lots(self, member_id: bytes) -> Sequence[LotLine]:
        return members.lots(self._ctx, member_id)

    def ledger(self, member_id: bytes, after: LedgerLine | None = None) -> Sequence[LedgerLine]:
        """Entries, newest first: the first part of them, or the one that follows a line."""
        return members.ledger(self._ctx, member_id, after=after)

    def why(self, event_id: bytes) -> Mapping[str, Why]:
        """Why a document earned, took or returned its points, in every language of the till."""
        return {
            language: why(self._ctx, event_id, self._ctx.words(language)) for language in LANGUAGES
        }

    def enrol(
        self,
        command_id: bytes,
        session: Session,
        profile: ProfileInput,
        *,
        service: bool,
        marketing: bool,
        card_no: str,
    ) -> Enrolled:
        command = Enrol(
            command_id,
            session,
            profile,
            service_consent=service,
            marketing_consent=marketing,
            card_no=card_no,
        )
        return enrol(self._ctx, command).result

    def edit_profile(
        self,
        command_id: bytes,
        session: Session,
        shown: ProfileView,
        profile: ProfileInput,
        *,
        service: bool,
        marketing: bool,
        kept: frozenset[Masked] = frozenset(),
    ) -> Enrolled:
        command = EditProfile(
            command_id,
            session,
            shown.member_id,
            shown.version,
            profile,
            service_consent=service,
            marketing_consent=marketing,
            kept=kept,
        )
        return edit_profile(self._ctx, command).result

    # The sale ---------------------------------------------------------------------------------

    def quote(self, member_id: bytes | None, request: SaleRequest) -> SaleQuote:
        return counter.quote(self._ctx, member_id, request)

    def sell(
        self,
        command_id: bytes,
        session: Session,
        cart: Cart,
        payment: tuple[str, int],
        quote: QuoteKey,
        *,
        late: bool = False,
        hold: bytes | None = None,
    ) -> Sold:
        command = Sell(
            command_id,
            session,
            cart.member_id,
            cart.request(),
            Payment(*payment),
            quote,
            cart.verified,
            hold,
            late,
        )
        return sell(self._ctx, command).result

    def note_look(self, command_id: bytes, session: Session, member_id: bytes) -> None:
        """An account was looked at and nothing sold to it."""
        note_look(self._ctx, NoteLook(command_id, session, member_id))

    def keep_cart(self, cart: Cart) -> None:
        """Save the open cart; an empty one drops what was saved."""
        keep_cart(self._ctx, kept_of(cart))

    def kept_cart(self) -> Cart | None:
        """The open cart as it was saved."""
        kept = kept_cart(self._ctx)
        return None if kept in (None, OpenCart()) else cart_of(kept)

    def cart_again(self) -> tuple[Cart, bool] | None:
        """The open cart to go on with, its goods as the catalogue has them now; whether that is another price
        or tax, or some are withdrawn."""
        cart = self.kept_cart()
        return None if cart is None else at_new_prices(cart, self._item_now)

    def _item_now(self, code: str) -> ItemView | None:
        try:
            return counter.item_by_code(self._ctx, code)
        except Refused:
            return None

    def documents_of_shift(self) -> Sequence[DocumentLine]:
        return counter.documents_of_shift(self._ctx)

    def voidable(self, older_than: int | None = None) -> Sequence[DocumentLine]:
        """What of the shift can be voided, newest first; the next part of it `older_than` a document."""
        return counter.voidable_of_shift(self._ctx, older_than=older_than)

    def document_by_number(self, text: str) -> DocumentLine:
        return counter.document_by_number(self._ctx, text)

    def returnable(self, members: Sequence[bytes]) -> Sequence[DocumentLine]:
        """The sales of these members that goods can come back of: of 90 days, newest first (flow 10)."""
        first = self._ctx.business_date().plus(-RETURNABLE_DAYS)
        found = (
            d for each in members for d in counter.sales_of_member(self._ctx, each, since=first)
        )
        sales = [each for each in found if not (each.voided or each.fully_returned)]
        return sorted(sales, key=lambda document: document.seq, reverse=True)

    def document_by_receipt(self, text: str) -> DocumentLine:
        return counter.document_by_receipt(self._ctx, text)

    # Returns, voids, points by hand ---------------------------------------------------------------------

    def sale_to_return(self, event_id: bytes) -> tuple[SaleOnScreen, Mapping[str, str]]:
        """The sale, and the English names of its items by their codes."""
        sale = sale_to_return(self._ctx, event_id)
        codes = {line.request.item for line in sale.document.lines if line.request.item}
        return sale, counter.english_names(self._ctx, codes)

    def preview_return(self, event_id: bytes, lines: tuple[ReturnedLine, ...]) -> ReturnQuote:
        return preview_return(self._ctx, event_id, lines)

    def return_goods(
        self,
        command_id: bytes,
        session: Session,
        event_id: bytes,
        lines: tuple[ReturnedLine, ...],
        reason: str,
        quote: ReturnQuote,
    ) -> Returned:
        command = ReturnGoods(
            command_id,
            session,
            event_id,
            lines,
            reason,
            quote.refund_minor,
            quote.balance_after,
        )
        return return_goods(self._ctx, command).result

    def preview_adjust(self, session: Session, member_id: bytes, points: int = 0) -> AdjustPreview:
        return preview_adjust(self._ctx, session, member_id, points)

    def adjust(
        self,
        command_id: bytes,
        session: Session,
        member_id: bytes,
        points: int,
        reason: str,
        note: str,
        balance_after: int,
    ) -> Adjusted:
        command = Adjust(command_id, session, member_id, points, reason, note, balance_after)
        return adjust(self._ctx, command).result

    def preview_void(self, event_id: bytes) -> tuple[VoidQuote, tuple[EntryMove, ...]]:
        """What a void would do, and the entries of points that it would post."""
        return preview_void(self._ctx, event_id)

    def void(
        self, command_id: bytes, session: Session, event_id: bytes, reason: str, quote: VoidQuote
    ) -> Voided:
        command = Void(command_id, session, event_id, reason, quote.balance_after)
        return void(self._ctx, command).result
