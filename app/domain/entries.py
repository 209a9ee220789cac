"""The entry: one signed integer movement of one asset of one member, and how owners name theirs.

What entries do to a member's state is fold.py's subject.
"""

from __future__ import annotations

import uuid
from typing import Final, Literal, NamedTuple, get_args

from app.domain.business_day import BusinessDate

POINTS: Final = "points"
SPEND: Final = "spend"
"""Qualifying spend in minor units, dated at the SALE's business date."""
SALES: Final = "sales"
"""+1 for a sale that is kept, -1 once nothing of it is; dated at the SALE's business date."""
EARNED: Final = "earned"
"""What a return or void takes out of the day's earning again, dated at the SALE's business date."""
TIER: Final = "tier"
"""A change of tier; `amount` is the new rank, not a movement."""
USE: Final = "use:"
"""Prefix of once-a-year benefits, "use:<code>"; `expires` lies in the year it counts for."""

CARRIED: Final = "carried:"
"""Prefix of what a merge carries over beside lots and debts: no movement and in no sum (domain.md section 2,
"Merge": the loser's splits go along). `fold` reads these entries in their order:

CARRIED_LOT   `refers_to`: the lot, as it is named here, that the next parts took; its dates as they were
CARRIED_BACK  `refers_to`: the entry that restored the next part; `expires`: of the lot that it went to
CARRIED_PART  and an asset: a part of a debit of this kind; `refers_to`: the debit as it was named before.
              Below zero: all parts of that debit leave
CARRIED_ROOT  `refers_to`: what the lot, debt or part of the entry before this one was at first
"""
CARRIED_LOT: Final = CARRIED + "lot"
CARRIED_BACK: Final = CARRIED + "back"
CARRIED_PART: Final = CARRIED + "part:"
CARRIED_ROOT: Final = CARRIED + "root"

Kind = Literal[
    "earn", "redeem", "expire", "unexpire", "adjust", "reverse", "opening",
    "measure", "upgrade", "review", "manual",
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""earn … opening: the glossary's kinds. measure: a qualifying figure (SPEND, SALES, EARNED, USE).
upgrade, review, manual: the three ways a tier changes."""


class EntryId(NamedTuple):
    """An entry's name for ever: the event that posted it (16 bytes), its number there from 0."""

    event: bytes
    n: int


class Entry(NamedTuple):
    """One movement. Plain values only, so that a ledger row is exactly this.

    amount           signed; below zero takes, above zero gives; rank for asset TIER
    business_date    the document's date; for SPEND, SALES and EARNED the SALE's date
    available_from   credits: first date the points may be spent; SPEND, SALES: first date
                     they count; TIER: since when
    expires          credits: last good date; expire: which lot of the credit;
                     USE: a date in the year of use; TIER: until when
    minimum_expiry   restores: what comes back is good at least until then
    refers_to        reverse: the entry reversed; expire: the credit; unexpire: the expire;
                     adjust: the take-back it settles
    """

    id: EntryId
    asset: str
    kind: Kind
    amount: int
    business_date: BusinessDate
    available_from: BusinessDate | None = None
    expires: BusinessDate | None = None
    minimum_expiry: BusinessDate | None = None
    refers_to: EntryId | None = None


_OWNER: Final = uuid.UUID("6f1d3a52-7c0e-5b8f-9f43-2d9b6a1c5e70")


def owner_event_id(member_id: bytes, cause: str) -> bytes:
    """The id of an event that a ledger's owner posts by itself: a UUIDv5 of member and cause.

    The same cause gives the same id whoever posts it, so posting twice is a no-op
    (domain.md section 2). Causes used: "expire:<date>", "review:<date>",
    "unexpire:<event hex>:<n>" of the entry that made it necessary.
    """
    return uuid.uuid5(_OWNER, f"{member_id.hex()}:{cause}").bytes
