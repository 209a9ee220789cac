"""A sale is worked out again from its own inputs: what was tampered with, or made by other rules, is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.domain.documents import SaleDocument
from app.domain.entries import POINTS, SPEND, Entry
from app.domain.programme_plain import programme_from_plain
from app.domain.recount import recount
from app.domain.sale import MemberContext, sale_entries
from tests.domain.test_counter import PROGRAMME, member, quoted, sold
from tests.domain.test_programme import DEMO

MINUTE = 900
ENTRIES = sale_entries(quoted(), b"s" * 16)


def named(document: SaleDocument, entries: tuple[Entry, ...] = ENTRIES) -> list[str]:
    return [each.what for each in recount(document, entries, PROGRAMME, MINUTE)]


def test_an_honest_sale_gives_what_it_says() -> None:
    assert sold().points_spent > 0
    assert sold().points_earned > 0
    assert named(sold()) == []


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"points_earned": 1}, ["earned"]),
        ({"payable_minor": 1}, ["price"]),
        ({"points_value_minor": 1}, ["points_value"]),
        ({"qualifying_minor": 1}, ["qualifying"]),
        ({"available_from": sold().available_from.plus(-1)}, ["available_from"]),
        ({"expires": sold().expires.plus(1)}, ["expires"]),
    ],
)
def test_what_a_document_claims_beyond_its_inputs_is_named(
    changed: dict[str, Any], what: list[str]
) -> None:
    assert named(replace(sold(), **changed)) == what


def test_points_spent_against_the_rules_are_refused_by_them() -> None:
    assert named(replace(sold(), points_spent=sold().points_spent + 1)) == ["refused"]


@pytest.mark.parametrize(
    ("kind", "asset", "what"),
    [("earn", POINTS, "earned"), ("redeem", POINTS, "spent"), ("measure", SPEND, "qualifying")],
)
def test_an_entry_of_another_amount_is_named(kind: str, asset: str, what: str) -> None:
    entries = tuple(
        entry._replace(amount=entry.amount + 7)
        if (entry.kind, entry.asset) == (kind, asset)
        else entry
        for entry in ENTRIES
    )
    found = recount(sold(), entries, PROGRAMME, MINUTE)
    assert [(each.what, each.claimed - each.ours) for each in found] == [(what, 7)]


def test_an_entry_too_many_is_named() -> None:
    more = ENTRIES[-1]._replace(asset="use:once_more")
    assert named(sold(), (*ENTRIES, more)) == ["entries"]


def test_other_dates_of_an_entry_are_named() -> None:
    entries = tuple(
        entry._replace(expires=entry.expires.plus(900))
        if entry.kind == "earn" and entry.expires
        else entry
        for entry in ENTRIES
    )
    assert named(sold(), entries) == ["entries"]


def test_another_hour_gives_what_that_hour_gives() -> None:
    quote = quoted(0, MemberContext(member().state))  # on a Tuesday afternoon, nobody's birthday
    found = recount(quote.draft, sale_entries(quote, b"s" * 16), PROGRAMME, MINUTE - 600)
    assert [each.what for each in found] == ["earned", "earned"]
    assert found[0].claimed > found[0].ours > 0


def test_rules_that_pay_more_show_by_how_much() -> None:
    richer = programme_from_plain(
        {**DEMO, "earning": {**DEMO["earning"], "cap_per_sale": 10, "cap_per_day": 10}}
    )
    found = recount(sold(), ENTRIES, richer, MINUTE)
    assert {each.what for each in found} == {"earned"}
    assert {each.ours for each in found} == {10}


def test_the_days_room_that_a_document_had_is_kept() -> None:
    capped = programme_from_plain({**DEMO, "earning": {**DEMO["earning"], "cap_per_day": 50}})
    assert sold().earn_terms.day_room == DEMO["earning"]["cap_per_day"]
    room = replace(sold().earn_terms, day_room=20)
    found = recount(replace(sold(), earn_terms=room), ENTRIES, capped, MINUTE)
    assert {each.ours for each in found} == {20}
