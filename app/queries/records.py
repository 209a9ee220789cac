"""What queries hand to screens: frozen records, already masked, no rows and no ORM objects.

Money is in minor units, dates are BusinessDate, instants are aware UTC datetimes. Lists carry no balances
(counter-flows.md law 7); a balance appears for the attached member only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from app.domain.business_day import BusinessDate

ITEMS_SHOWN: Final = 30
"""How many items a search at the counter shows; where there are more it says so."""

MatchField = Literal["name", "pinyin", "initials", "phone", "email", "card"]


@dataclass(frozen=True, slots=True)
class MemberHit:
    """One row of the search list. `name_spans` and `phone_spans` are (start, end) of what matched in
    `name` and in `phone_masked`, to be drawn bold. `where`: head office offers them, of these stores, and
    they are not here yet."""

    member_id: bytes
    name: str
    phone_masked: str
    tier_code: str
    last_visit: BusinessDate | None
    matched: tuple[MatchField, ...]
    name_spans: tuple[tuple[int, int], ...]
    phone_spans: tuple[tuple[int, int], ...]
    where: str | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one typed text. `more` says that there are further matches than `hits`.

    `unknown_phone` is the E.164 number when the text is a whole phone number of nobody (S2);
    `suggestion` another text to try when nothing matched (flow 2)."""

    text: str
    hits: tuple[MemberHit, ...]
    more: bool
    total: int
    unknown_phone: str | None = None
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier as the programme names it."""

    code: str
    name_zh: str
    name_en: str
    rank: int
    discount_bp: int


@dataclass(frozen=True, slots=True)
class TierProgress:
    """How far the member is: `measure` in minor units (spend) or visits; `next` None at the top."""

    current: Tier
    next: Tier | None
    kind: Literal["spend", "visits"]
    measure: int
    target: int
    until: BusinessDate | None


@dataclass(frozen=True, slots=True)
class Expiring:
    """Points of which `amount` are good through `expires`."""

    expires: BusinessDate
    amount: int


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One entry of a member's ledger, newest first in lists. `balance_after` is Σ up to it.

    `source` is "sale", "return", "void", "enrol" …; `operator` the staff initials."""

    event_id: bytes
    n: int
    seq: int
    at: datetime
    business_date: BusinessDate
    kind: str
    source: str
    amount: int
    balance_after: int
    total_minor: int | None
    receipt_no: str | None
    operator: str


@dataclass(frozen=True, slots=True)
class LotLine:
    """One open lot. `state` is "available", "pending" or "lapsed" on the business date asked for."""

    origin_event: bytes
    origin_n: int
    earned_on: BusinessDate
    source: str
    receipt_no: str | None
    available_from: BusinessDate
    expires: BusinessDate
    remaining: int
    state: Literal["available", "pending", "lapsed"]


@dataclass(frozen=True, slots=True)
class MemberPanel:
    """Everything that the counter shows of the attached member."""

    member_id: bytes
    name: str
    given_name: str
    phone_masked: str
    email_masked: str
    card_no: str | None
    card_state: str | None
    tier: TierProgress
    points_balance: int
    points_available: int
    points_pending: int
    worth_minor: int
    expiring: tuple[Expiring, ...]
    birthday_in_days: int | None
    birthday_text: str | None
    note: str
    alert: str
    verify_identity: bool
    joined: BusinessDate
    last_visit: BusinessDate | None
    recent: tuple[LedgerLine, ...]


@dataclass(frozen=True, slots=True)
class ProfileView:
    """The profile as the edit sheet needs it. Phone, e-mail and birthday stay masked ("" where there is
    none): who edits a name isn't shown them; `unmask` is, for a reason (security.md section 3)."""

    member_id: bytes
    name: str
    pinyin: str
    phone_masked: str
    email_masked: str
    birth_calendar: Literal["solar", "lunar"]
    birthday_masked: str
    note: str
    alert: str
    version: int
    service_consent: bool
    marketing_consent: bool


@dataclass(frozen=True, slots=True)
class StaffView:
    """Who works here."""

    staff_id: bytes
    initials: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class ShiftView:
    """The open shift."""

    shift_id: bytes
    staff: StaffView
    business_date: BusinessDate
    opened_at: datetime
    float_minor: int


@dataclass(frozen=True, slots=True)
class ItemView:
    """Something to sell; `price_minor` is for `per_quantity` units."""

    item_id: bytes
    code: str
    name: str
    name_en: str
    category: str
    price_minor: int
    per_quantity: int
    tax_bp: int
    tax_included: bool


@dataclass(frozen=True, slots=True)
class DayCloseView:
    """A Z: its number, the date that it closed, and when."""

    number: int
    on: BusinessDate
    at: datetime


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A counter document in a list (a member's purchases, a shift's sales)."""

    event_id: bytes
    seq: int
    kind: str
    receipt_no: str
    at: datetime
    business_date: BusinessDate
    member_id: bytes | None
    member_name: str
    total_minor: int
    points_earned: int
    points_spent: int
    operator: str
    voided: bool
    fully_returned: bool


@dataclass(frozen=True, slots=True)
class PrintStatus:
    """The print lane at a glance; `problem` is an error code or "" while nothing is wrong."""

    waiting: int
    uncertain: tuple[tuple[int, str], ...]
    """(job id, receipt number) of jobs that may or may not be on paper."""
    problem: str

    @property
    def is_stuck(self) -> bool:
        """Something needs a hand: what is merely on its way to the printer doesn't."""
        return bool(self.uncertain or self.problem)
