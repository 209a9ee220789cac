"""Returns and voids are worked out again from the document that they are of: what was changed is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.domain.documents import ReturnDocument, ReturnedLine
from app.domain.entries import EARNED, POINTS, Entry
from app.domain.recount_back import recount_return, recount_void
from app.domain.returns import (
    kept_units,
    points_by_line,
    quote_return,
    return_entries,
)
from app.domain.sale import sale_entries
from app.domain.void import quote_void
from tests.domain.test_counter import PROGRAMME, member, quoted, sold

SALE = sold()
ON = SALE.business_date
BOUGHT = sale_entries(quoted(), b"s" * 16)
ALL = kept_units(SALE, ())
QUOTE = quote_return(SALE, (), [ReturnedLine(0, 1)], member(), PROGRAMME, on=ON)
DRAFT = QUOTE.draft
ENTRIES = return_entries(QUOTE, b"r" * 16)
TOLD = points_by_line(SALE, ALL, DRAFT.lines)


def named(
    document: ReturnDocument = DRAFT,
    entries: Sequence[Entry] = ENTRIES,
    told: Sequence[tuple[int, int, int, int]] = TOLD,
    kept: tuple[int, ...] = ALL,
) -> list[str]:
    return [each.what for each in recount_return(SALE, kept, document, told, entries, PROGRAMME)]


def changed(kind: str, amount: int, **other: Any) -> tuple[Entry, ...]:
    """The return's entries, the first of a sign with another amount."""
    at = next(n for n, entry in enumerate(ENTRIES) if entry.kind == kind)
    entry = ENTRIES[at]._replace(**other)
    return (*ENTRIES[:at], entry._replace(amount=entry.amount + amount), *ENTRIES[at + 1 :])


def test_an_honest_return_gives_what_it_says_however_it_is_parted() -> None:
    assert DRAFT.points_taken_back > 0
    assert DRAFT.points_restored > 0
    assert named() == []
    rest = tuple(
        ReturnedLine(line, left) for line, left in enumerate(kept_units(SALE, [DRAFT])) if left
    )
    quote = quote_return(SALE, [DRAFT], rest, member(), PROGRAMME, on=ON.plus(3))
    kept = kept_units(SALE, [DRAFT])
    told = points_by_line(SALE, kept, rest)
    entries = return_entries(quote, b"q" * 16)
    assert named(quote.draft, entries, told, kept) == []
    assert named(quote.draft, entries, told) != [], "what was kept before is part of it"


@pytest.mark.parametrize(
    ("claims", "what"),
    [
        ({"points_taken_back": DRAFT.points_taken_back - 1}, ["taken_back"]),
        ({"points_restored": DRAFT.points_restored + 1}, ["restored"]),
        ({"refunds": ((DRAFT.refunds[0][0], DRAFT.refunds[0][1] + 100),)}, ["refund"]),
        ({"charged_minor": 1}, ["refund"]),
        ({"points_charged": 5}, ["settled"]),
        ({"points_written_off": 5}, ["settled"]),
        ({"points_unexpired": 5}, ["settled"]),
        ({"lines": ((0, ALL[0] + 1),)}, ["lines"]),
        ({"lines": ((99, 1),)}, ["lines"]),
    ],
)
def test_what_a_return_claims_beyond_the_sales_shares_is_named(
    claims: dict[str, Any], what: list[str]
) -> None:
    assert named(replace(DRAFT, **claims)) == what


@pytest.mark.parametrize(
    "entries",
    [
        changed("reverse", 1),
        changed("reverse", 0, refers_to=BOUGHT[-1].id),
        changed("reverse", 0, minimum_expiry=ON.plus(9999)),
        changed("measure", 7),
        ENTRIES[1:],
        (*ENTRIES, ENTRIES[0]),
    ],
)
def test_entries_that_are_not_the_returns_are_named(entries: Sequence[Entry]) -> None:
    assert named(entries=entries) == ["entries"]


def test_points_of_other_lines_than_came_back_are_named() -> None:
    line, units, taken, restored = TOLD[0]
    assert named(told=[(line, units, taken - 1, restored)]) == ["lines"]


# Voids --------------------------------------------------------------------------------------------


def undone(entries: Sequence[Entry]) -> list[str]:
    return [each.what for each in recount_void(BOUGHT, entries, ON)]


MIRROR = quote_void(BOUGHT, (), 0, member(), PROGRAMME, event_id=b"v" * 16, on=ON).entries


def test_an_honest_void_mirrors_its_document() -> None:
    assert undone(MIRROR) == []
    assert any(entry.asset == EARNED for entry in MIRROR)


@pytest.mark.parametrize(
    ("amount", "sign", "what"), [(1, 1, "restored"), (1, -1, "taken_back"), (-1, -1, "taken_back")]
)
def test_a_void_of_other_amounts_is_named(amount: int, sign: int, what: str) -> None:
    at = next(
        n for n, entry in enumerate(MIRROR) if entry.asset == POINTS and entry.amount * sign > 0
    )
    entry = MIRROR[at]._replace(amount=MIRROR[at].amount + amount)
    assert undone((*MIRROR[:at], entry, *MIRROR[at + 1 :])) == [what]


def test_a_void_that_settles_more_than_it_takes_back_is_named() -> None:
    taken = -sum(each.amount for each in MIRROR if each.asset == POINTS and each.amount < 0)
    gift = BOUGHT[0]._replace(kind="adjust", asset=POINTS, amount=taken)
    assert undone((*MIRROR, gift)) == []
    assert undone((*MIRROR, gift._replace(amount=taken + 1))) == ["settled"]
    assert undone((*MIRROR, gift._replace(amount=-1))) == ["settled"]


def test_a_void_without_its_measures_is_named() -> None:
    assert undone([each for each in MIRROR if each.asset == POINTS]) == ["entries"]
