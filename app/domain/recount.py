"""A sale worked out again from its own inputs: goods, tier, minute, and what the day still had room for.

Head office does it with every earning that a till sends (domain.md section 2), and with weeks of them when a
new version of the programme is tried. What a document claims of its member is taken as given here; whoever
knows the member compares the claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.domain.birthday import BirthdayOn
from app.domain.business_day import NEVER
from app.domain.documents import SaleDocument, SaleRequest
from app.domain.entries import POINTS, SPEND, TIER, Entry, EntryId
from app.domain.errors import Refused
from app.domain.programme import Programme
from app.domain.sale import MemberContext, SaleQuote, quote_sale, sale_entries
from app.domain.state import Day, Lot, MemberState, TierChange, Use

_NOBODYS: Final = EntryId(bytes(16), 0)


class Difference(NamedTuple):
    """Where a document is not what its inputs give: amounts in points, minor units or days since 1970.

    what  "refused" (the rules allow no such sale), "price", "points_value", "spent", "earned", "qualifying",
          "available_from", "expires", "benefits", "entries" (they are not what the document says);
          "birthday" (a day's benefit on another day than the nearest one);
          of what goes back (recount_back.py) also "taken_back", "restored", "refund", "lines", "settled"
    """

    what: str
    claimed: int
    ours: int


def request_of(document: SaleDocument) -> SaleRequest:
    """The cart that a document was made of."""
    return SaleRequest(tuple(line.request for line in document.lines), document.points_spent)


def recount(
    document: SaleDocument, entries: Sequence[Entry], programme: Programme, minute: int
) -> tuple[Difference, ...]:
    """What differs between a member's sale and the same sale under the version that it names.

    `entries` are those of its event, `minute` the local minute of the day at which it was made.
    """
    member = _claimed(document, programme)
    try:
        quote = quote_sale(
            request_of(document), member, programme, on=document.business_date, minute=minute
        )
    except Refused:
        return (Difference("refused", document.points_spent, 0),)
    ours = quote.draft
    pairs = (
        ("price", document.payable_minor, ours.payable_minor),
        ("points_value", document.points_value_minor, ours.points_value_minor),
        ("earned", document.points_earned, ours.points_earned),
        ("qualifying", document.qualifying_minor, ours.qualifying_minor),
        ("available_from", int(document.available_from), int(ours.available_from)),
        ("expires", int(document.expires), int(ours.expires)),
        ("benefits", len(document.benefits_used), len(ours.benefits_used)),
    )
    found = [Difference(*pair) for pair in pairs if pair[1] != pair[2]]
    if not found and document.benefits_used != ours.benefits_used:
        found.append(Difference("benefits", len(document.benefits_used), len(ours.benefits_used)))
    return (*found, *_of_entries(entries, quote))


def _of_entries(entries: Sequence[Entry], quote: SaleQuote) -> list[Difference]:
    """The entries must be those of the sale; a change of tier depends on more than the sale."""
    theirs = sorted(shape(entry) for entry in entries if entry.asset != TIER)
    ours = sorted(shape(entry) for entry in sale_entries(quote, bytes(16)) if entry.asset != TIER)
    if theirs == ours:
        return []
    for what, asset, kind in (
        ("spent", POINTS, "redeem"),
        ("earned", POINTS, "earn"),
        ("qualifying", SPEND, "measure"),
    ):
        claimed = sum(amount for name, way, amount, *_ in theirs if (name, way) == (asset, kind))
        right = sum(amount for name, way, amount, *_ in ours if (name, way) == (asset, kind))
        if claimed != right:
            return [Difference(what, claimed, right)]
    return [Difference("entries", len(theirs), len(ours))]


def shape(entry: Entry) -> tuple[str, str, int, int, int, int]:
    """What an entry posts, whatever its id is: asset, kind, amount and dates."""
    return (
        entry.asset, entry.kind, entry.amount, int(entry.business_date),
        int(entry.available_from or 0), int(entry.expires or 0),
    )  # fmt: skip


def _claimed(document: SaleDocument, programme: Programme) -> MemberContext:
    """A member who is just what the document says of its own."""
    on, rank = document.business_date, document.tier_rank or 0
    days = _day_of(document, programme)
    lots = (Lot(POINTS, _NOBODYS, NEVER, on, document.points_spent, 0),)
    state = MemberState(
        sums=((POINTS, document.points_spent),),
        lots=lots if document.points_spent else (),
        days=days,
        tiers=(TierChange(_NOBODYS, "manual", rank, on, NEVER),),
        uses=_uses(document, programme),
    )
    return MemberContext(state, birthdays=_birthdays(document, programme))


def _day_of(document: SaleDocument, programme: Programme) -> tuple[Day, ...]:
    """So much was earned before on this day that the room is what the document says."""
    room, cap = document.earn_terms.day_room, programme.earning.cap_per_day
    if room is None or cap is None or room >= cap:
        return ()
    on = document.business_date
    return (Day(on, on, cap - room, 0, 0),)


def birthday_codes(document: SaleDocument, programme: Programme) -> dict[str, bool]:
    """The programme's benefits of birthdays, and whether the document says that each raised it."""
    told = {step.facts.get("rule") for step in document.trace if step.code == "multiplier"}
    return {rule.code: rule.code in told for rule in programme.earning.multipliers if rule.birthday}


def _birthdays(document: SaleDocument, programme: Programme) -> tuple[BirthdayOn, ...]:
    if not any(birthday_codes(document, programme).values()):
        return ()
    years = [until.year for _, until in document.benefits_used] or [document.business_date.year]
    return (BirthdayOn(document.business_date, years[0]),)


def _uses(document: SaleDocument, programme: Programme) -> tuple[Use, ...]:
    """Those that it did not use count as used up."""
    birthdays = _birthdays(document, programme)
    told = birthday_codes(document, programme)
    return tuple(Use(code, day.year, 1) for day in birthdays for code in told if not told[code])
