"""A return or a void worked out again from the document that it is of (domain.md section 3).

What goes back follows from the sale's stored shares and from how much of it was kept before. What depends on
the member at that moment, points that were already spent, is held to its own document only.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.business_day import BusinessDate
from app.domain.documents import ReturnDocument, SaleDocument
from app.domain.entries import POINTS, Entry
from app.domain.errors import Refused
from app.domain.programme import Programme
from app.domain.recount import Difference, shape
from app.domain.returns import GoingBack, entries_of, going_back, points_by_line
from app.domain.void import mirrored

_OF_THE_MEMBER = ("unexpire", "adjust")


def recount_return(
    sale: SaleDocument,
    kept: tuple[int, ...],
    document: ReturnDocument,
    told: Sequence[tuple[int, int, int, int]],
    entries: Sequence[Entry],
    programme: Programme,
) -> tuple[Difference, ...]:
    """What differs between a member's return and the same return by the sale's shares.

    kept       units of each line that were kept before, as points_by_line takes them
    told       (line, units, points taken back, points restored): what its event says of each line
    entries    those of its event
    programme  the version that its event names
    """
    try:
        back = going_back(sale, kept, document.lines, document.business_date)
    except Refused:
        return (Difference("lines", sum(units for _, units in document.lines), sum(kept)),)
    of_member = _amount(entries, "unexpire"), _amount(entries, "adjust")
    pairs = (
        ("taken_back", document.points_taken_back, back.taken),
        ("restored", document.points_restored, back.restored),
        ("refund", _refunded(document), sum(amount for _, amount in back.refunds)),
        ("settled", document.points_unexpired, of_member[0]),
        ("settled", document.points_charged + document.points_written_off, of_member[1]),
    )
    found = [Difference(*pair) for pair in pairs if pair[1] != pair[2]]
    return tuple(found) or _of_posting(sale, back, told, entries, programme)


def recount_void(
    original: Sequence[Entry], entries: Sequence[Entry], on: BusinessDate
) -> tuple[Difference, ...]:
    """What differs between a void's entries and the mirror of those of the document that it undoes."""
    settled = _amount(entries, "adjust")
    theirs = [entry for entry in entries if entry.kind != "adjust"]
    ours = mirrored(original, on)
    for what, sign in (("taken_back", -1), ("restored", 1)):
        points, right = (_points(each, sign) for each in (theirs, ours))
        if points != right:
            return (Difference(what, points, right),)
    if _posted(theirs) != _posted(ours):
        return (Difference("entries", len(theirs), len(ours)),)
    taken = _points(ours, -1)
    return () if 0 <= settled <= taken else (Difference("settled", settled, taken),)


def _of_posting(
    sale: SaleDocument,
    back: GoingBack,
    told: Sequence[tuple[int, int, int, int]],
    entries: Sequence[Entry],
    programme: Programme,
) -> tuple[Difference, ...]:
    if tuple(told) != points_by_line(sale, back.before, back.lines):
        return (Difference("lines", len(told), len(back.lines)),)
    theirs = [entry for entry in entries if entry.kind not in _OF_THE_MEMBER]
    ours = entries_of(back, programme)
    if _posted(theirs) != _posted(ours):
        return (Difference("entries", len(theirs), len(ours)),)
    return ()


def _refunded(document: ReturnDocument) -> int:
    return sum(amount for _, amount in document.refunds) + document.charged_minor


def _amount(entries: Sequence[Entry], kind: str) -> int:
    return sum(entry.amount for entry in entries if (entry.asset, entry.kind) == (POINTS, kind))


def _points(entries: Sequence[Entry], sign: int) -> int:
    """Points that are given (1) or taken (-1)."""
    amounts = (sign * entry.amount for entry in entries if entry.asset == POINTS)
    return sum(amount for amount in amounts if amount > 0)


def _posted(entries: Sequence[Entry]) -> list[tuple[object, ...]]:
    """What is posted, to which entries of the document: a take-back belongs to its own earning's lot."""
    nobodys = (b"", -1)
    return sorted(
        (*shape(entry), int(entry.minimum_expiry or 0), entry.refers_to or nobodys)
        for entry in entries
    )
