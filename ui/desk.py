"""What screens may ask of the product: every query and use-case that they call, by one name each.

The calls block, so screens make them on a lane. Results are the product's own records; a type that
would load the store's libraries is named for the type checker only, because the window paints
before they are imported (counter-ui.md section 3). ui.till_desk answers with the real thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from app.domain.business_day import BusinessDate
from app.domain.documents import SaleRequest
from app.domain.sale import QuoteKey, SaleQuote
from app.formats import MoneySign
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
    Tier,
)
from app.settings import Settings

if TYPE_CHECKING:
    from app.usecases.enrol import ProfileInput
    from app.usecases.sell import Sold

    from app.context import Session
    from app.intake import Reading

ScanKind = Literal["staff", "receipt", "member", "item", "card_lost", "card_replaced", "unknown"]


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scanned code is. `member_id`, `event_id` or `item` is set according to `kind`."""

    code: str
    kind: ScanKind
    member_id: bytes | None = None
    member_name: str = ""
    event_id: bytes | None = None
    item: ItemView | None = None


@dataclass(frozen=True, slots=True)
class TillView:
    """Who this till is and how its day stands."""

    store: str
    till: str
    demo: bool
    sign: MoneySign
    today: BusinessDate
    tiers: tuple[Tier, ...]
    shift: ShiftView | None
    last_close: BusinessDate | None


@dataclass(frozen=True, slots=True)
class Kept:
    """The cart as it was kept: ids and amounts, nothing personal."""

    member_id: bytes | None
    request: SaleRequest
    codes: tuple[str, ...]
    typed_text: str


class Desk(Protocol):
    """The product, as one till's window sees it."""

    def till(self) -> TillView: ...

    def settings(self) -> Settings: ...

    def save_settings(self, settings: Settings) -> None: ...

    def new_command(self) -> bytes:
        """An id for one command; quick, callable from the GUI thread."""

    # People who work here
    def find_staff(self, who: str) -> StaffView | None: ...

    def sign_in(self, command_id: bytes, who: str, pin: str) -> Session: ...

    def open_shift(self, command_id: bytes, session: Session, float_minor: int) -> Session: ...

    # Finding
    def search(self, text: str) -> SearchResult: ...

    def interrupt_search(self) -> None:
        """Stop the search that runs; callable from any thread."""

    def read_code(self, code: str) -> Scan: ...

    def items(self, text: str) -> Sequence[ItemView]: ...

    # Members
    def member(self, member_id: bytes) -> MemberPanel: ...

    def profile(self, member_id: bytes) -> ProfileView: ...

    def members_of_phone(self, text: str) -> SearchResult: ...

    def readings(self, name: str) -> Sequence[Reading]: ...

    def lots(self, member_id: bytes) -> Sequence[LotLine]: ...

    def ledger(self, member_id: bytes) -> Sequence[LedgerLine]: ...

    def why(self, event_id: bytes) -> Sequence[str]: ...

    def enrol(
        self,
        command_id: bytes,
        session: Session,
        profile: ProfileInput,
        *,
        service: bool,
        marketing: bool,
        card_no: str,
    ) -> bytes: ...

    # The sale
    def quote(self, member_id: bytes | None, request: SaleRequest) -> SaleQuote: ...

    def sell(
        self,
        command_id: bytes,
        session: Session,
        member_id: bytes | None,
        request: SaleRequest,
        tender: str,
        given_minor: int,
        quote: QuoteKey,
    ) -> Sold: ...

    def keep_cart(self, kept: Kept | None) -> None: ...

    def kept_cart(self) -> Kept | None: ...

    def documents_of_shift(self) -> Sequence[DocumentLine]: ...

    def documents_of_member(self, member_id: bytes) -> Sequence[DocumentLine]: ...

    def reprint(self, command_id: bytes, session: Session, event_id: bytes) -> int: ...
