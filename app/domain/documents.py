"""The counter's documents as data: what a sale asks for, what it was, and what a return was.

A document holds everything that a later return needs, so that returns use the stored shares and
never today's rules. Deciding is sale.py's and returns.py's; JSON is documents_plain.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.entries import EntryId
from app.domain.money import Rounding
from app.domain.state import Split, TierChange

TraceFact = int | str | bool | None


class TraceStep(NamedTuple):
    """One step of a working: a code and plain facts. Sentences are made elsewhere (explain)."""

    code: str
    facts: Mapping[str, TraceFact]


@dataclass(frozen=True, slots=True)
class LineRequest:
    """A line as it stands in the cart.

    quantity / per_quantity x unit_price_minor is its price: pieces have per_quantity 1; goods by
    weight have the smallest weight unit as quantity and, say, 1000 (g) as per_quantity. A quick
    amount is a line without an item. A floor price is per `per_quantity`, too.
    """

    unit_price_minor: int
    quantity: int = 1
    per_quantity: int = 1
    item: str | None = None
    category: str | None = None
    name: str = ""
    tax_rate_bp: int = 0
    tax_included: bool = True
    floor_price_minor: int = 0
    no_earn: bool = False
    no_redeem: bool = False


@dataclass(frozen=True, slots=True)
class SaleRequest:
    """A cart: its lines and how many points the member wants to spend."""

    lines: tuple[LineRequest, ...]
    redeem_points: int = 0


class Tender(NamedTuple):
    """Money towards a sale: cash, card, wallet, exchange …; change is given - amount."""

    kind: str
    amount_minor: int
    given_minor: int


class TaxTotal(NamedTuple):
    """Tax of a document per rate and kind of price; `net_minor` is without the tax."""

    rate_bp: int
    included: bool
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line as sold, with every share that a return goes by. All amounts are of the whole line.

    gross - tier_discount = price; payable = price (+ tax_minor where tax is not included);
    points_share + Σ the document's tender_shares of this line = payable. The exact points that one
    minor unit of `earn_base` earns, before rounding and caps, are rate_points / rate_minor, all
    multipliers included.
    """

    request: LineRequest
    gross_minor: int
    tier_discount_minor: int
    price_minor: int
    tax_minor: int
    payable_minor: int
    points_share_minor: int
    earn_base_minor: int
    rate_points: int
    rate_minor: int
    points: int
    """This line's part of what the sale earned, for show only."""


@dataclass(frozen=True, slots=True)
class EarnTerms:
    """What E(kept) needs besides the lines: min(rounded, sale cap, the day's room)."""

    rounding: Rounding
    cap_per_sale: int | None
    day_room: int | None
    """Room left of the day's cap when the sale was made; None: there was no day cap."""


class Posted(NamedTuple):
    """The entries of a sale that later documents refer to; None where there was none."""

    redeem: EntryId | None
    earn: EntryId | None
    spend: EntryId | None
    sales: EntryId | None
    use: tuple[EntryId, ...]
    tier: EntryId | None


@dataclass(frozen=True, slots=True)
class SaleDocument:
    """A sale as committed. Its event holds exactly this; `posted` is all None without a member."""

    programme_code: str
    programme_version: int
    business_date: BusinessDate
    tier_rank: int | None
    """The member's tier at the sale; None without a member."""
    lines: tuple[SoldLine, ...]
    tenders: tuple[Tender, ...]
    tender_shares: tuple[tuple[int, ...], ...]
    """For each tender what it paid of each line."""
    tax_totals: tuple[TaxTotal, ...]
    gross_minor: int
    discount_minor: int
    payable_minor: int
    points_value_minor: int
    to_pay_minor: int
    points_spent: int
    points_earned: int
    earn_terms: EarnTerms
    available_from: BusinessDate
    expires: BusinessDate
    """Of what the sale earned."""
    qualifies_from: BusinessDate
    qualifying_minor: int
    benefits_used: tuple[tuple[str, BusinessDate], ...]
    """Once-a-year multipliers that this sale used up: (code, a date in the year it counts for)."""
    debt_before: int
    """What the member owed before: the part of the earning that pays it comes back with a void."""
    tier_change: TierChange | None
    posted: Posted
    trace: tuple[TraceStep, ...]


class ReturnedLine(NamedTuple):
    """So many units of a line (numbered from 0) came back."""

    line: int
    quantity: int


class UnitsBack(NamedTuple):
    """Units of a sale's lines that came back before, wherever that was: head office tells no more."""

    lines: tuple[ReturnedLine, ...]


@dataclass(frozen=True, slots=True)
class ForeignSale:
    """A sale of another till, as head office gave it for a return here. The return's event holds it.

    member_id  whose ledger the return is posted to: of a merged member the one that goes on for them
    device, digest  the till that made it, and the SHA-256 of its event's bytes
    splits     which lots its points were taken from; for show alone, so an event leaves them out
    """

    event_id: bytes
    receipt_no: str
    device: bytes
    digest: bytes
    member_id: bytes | None
    document: SaleDocument
    back: UnitsBack
    splits: tuple[Split, ...] = ()


@dataclass(frozen=True, slots=True)
class ReturnDocument:
    """A return as committed: what came back and what went out. Amounts are >= 0."""

    business_date: BusinessDate
    lines: tuple[ReturnedLine, ...]
    refunds: tuple[tuple[str, int], ...]
    """Money given back per tender of the sale, in its order, after the charge."""
    charged_minor: int
    """Kept from the refund for points that were already spent (policy `deduct`)."""
    points_restored: int
    points_taken_back: int
    points_written_off: int
    points_charged: int
    points_unexpired: int
    debt_before: int
    tax_totals: tuple[TaxTotal, ...]
    trace: tuple[TraceStep, ...]
