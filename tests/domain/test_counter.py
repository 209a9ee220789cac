"""Quotes and documents where golden cases do not reach: keys, plain forms, limits, outlook."""

from __future__ import annotations

import json

import pytest

from app.domain.adjustment import check_adjust
from app.domain.birthday import solar_birthdays
from app.domain.business_day import BusinessDate
from app.domain.documents import LineRequest, ReturnedLine, SaleDocument, SaleRequest, Tender
from app.domain.documents_plain import (
    return_from_plain,
    return_to_plain,
    sale_from_plain,
    sale_to_plain,
)
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.errors import Refusal, Refused
from app.domain.fold import fold
from app.domain.programme_plain import programme_from_plain
from app.domain.returns import quote_return
from app.domain.sale import (
    MemberContext,
    QuoteKey,
    SaleQuote,
    quote_sale,
    sale_document,
    sale_entries,
)
from app.domain.state import EMPTY, MemberState
from app.domain.tiers import tier_outlook
from tests.domain.test_programme import DEMO

PROGRAMME = programme_from_plain(DEMO)
DAY = BusinessDate.on(2026, 3, 10)
LINES = (
    LineRequest(12345, quantity=2, category="茶 Tea", name="龙井", tax_rate_bp=1300),
    LineRequest(4590, quantity=357, per_quantity=1000, tax_rate_bp=900, tax_included=False),
)


def member(points: int = 3000) -> MemberContext:
    opening = Entry(EntryId(b"o" * 16, 0), POINTS, "opening", points, DAY, DAY, DAY.plus(90))
    return MemberContext(fold(EMPTY, [opening]), 0, solar_birthdays(3, 11, DAY, "feb28"))


def quoted(points: int = 1000, context: MemberContext | None = None) -> SaleQuote:
    request = SaleRequest(LINES, points)
    return quote_sale(request, context or member(), PROGRAMME, on=DAY, minute=900)


def sold() -> SaleDocument:
    quote = quoted()
    to_pay = quote.draft.to_pay_minor
    tenders = [Tender("card", 5000, 5000), Tender("cash", to_pay - 5000, to_pay)]
    return sale_document(quote, sale_entries(quote, b"s" * 16), tenders)


def test_the_key_of_a_quote_is_what_the_customer_was_shown() -> None:
    draft = quoted().draft
    assert quoted().key == QuoteKey(1000, draft.to_pay_minor, draft.points_earned, 1)
    assert quoted().key == quoted().key
    assert quoted().key != quoted(points=900).key


@pytest.mark.parametrize(
    ("points", "next_ones"),
    [
        (250, {"below": 200, "above": 300}),
        (950, {"only": 900}),
        (150, {"only": 200}),
        (50, {"only": 200}),
    ],
)
def test_points_between_two_steps_name_those_that_can_be_used(
    points: int, next_ones: dict[str, int]
) -> None:
    with pytest.raises(Refused) as refused:
        quoted(points, member(999))
    assert refused.value.code is Refusal.REDEEM_NOT_MULTIPLE
    assert refused.value.facts == {"points": points, "unit_points": 100, **next_ones}


@pytest.mark.parametrize(
    ("points", "has", "code"),
    [
        (2050, 999, Refusal.REDEEM_ABOVE_AVAILABLE),
        (99999, 200000, Refusal.REDEEM_ABOVE_SHARE),
        (50, 100, Refusal.REDEEM_ABOVE_SHARE),
    ],
)
def test_points_above_the_most_say_the_most_and_nothing_of_steps(
    points: int, has: int, code: Refusal
) -> None:
    with pytest.raises(Refused) as refused:
        quoted(points, member(has))
    assert refused.value.code is code
    assert refused.value.offer == quoted(0, member(has)).most


def test_points_that_others_reserved_change_the_quote() -> None:
    context = member(1000)
    with pytest.raises(Refused) as refused:
        quoted(1000, MemberContext(context.state, reserved=1))
    assert refused.value.code is Refusal.REDEEM_ABOVE_AVAILABLE
    assert refused.value.facts == {"points": 1000, "available": 999}


def test_documents_come_back_from_json_exactly() -> None:
    document = sold()
    plain = json.loads(json.dumps(sale_to_plain(document)))
    assert sale_from_plain(plain) == document
    context = MemberContext(fold(member().state, sale_entries(quoted(), b"s" * 16)))
    back = quote_return(document, (), [ReturnedLine(1, 100)], context, PROGRAMME, on=DAY).draft
    assert return_from_plain(json.loads(json.dumps(return_to_plain(back)))) == back


def test_a_document_names_the_entries_that_later_documents_refer_to() -> None:
    posted = sold().posted
    assert posted.redeem == EntryId(b"s" * 16, 0)
    assert posted.earn == EntryId(b"s" * 16, 1)
    assert posted.use == (EntryId(b"s" * 16, 4),)


def test_a_trace_tells_rates_multipliers_and_rounding() -> None:
    steps = [(step.code, dict(step.facts)) for step in quoted().draft.trace]
    assert [code for code, _ in steps] == ["line_rate", "multiplier", "line_rate", "multiplier",
                                           "rounded"]  # fmt: skip
    assert steps[0][1]["source"] == "category"
    assert steps[0][1]["key"] == "茶 Tea"
    assert steps[1][1] == {"line": 0, "rule": "birthday", "factor_bp": 20000, "stackable": False}
    assert steps[4][1]["points"] == quoted().draft.points_earned


def test_change_is_given_above_the_amount_never_below() -> None:
    quote = quoted()
    entries = sale_entries(quote, b"s" * 16)
    to_pay = quote.draft.to_pay_minor
    assert sale_document(quote, entries, [Tender("cash", to_pay, to_pay + 50)]).tenders
    for wrong in (
        [Tender("cash", to_pay, to_pay - 1)],
        [],
        [Tender("cash", to_pay + 1, to_pay + 1)],
    ):
        with pytest.raises(Refused) as refused:
            sale_document(quote, entries, wrong)
        assert refused.value.code is Refusal.TENDER_MISMATCH


@pytest.mark.parametrize(
    "line",
    [
        LineRequest(100, quantity=-1),
        LineRequest(100, per_quantity=0),
        LineRequest(-1),
        LineRequest(100, tax_rate_bp=10_001),
        LineRequest(10**13),
        LineRequest(100, floor_price_minor=-1),
    ],
)
def test_a_line_that_cannot_be_is_refused_with_its_number(line: LineRequest) -> None:
    with pytest.raises(Refused) as refused:
        quote_sale(SaleRequest((LINES[0], line)), None, PROGRAMME, on=DAY, minute=0)
    assert refused.value.code is Refusal.SALE_LINE_INVALID
    assert refused.value.facts == {"line": 1}


def test_a_return_of_a_members_sale_needs_the_member() -> None:
    with pytest.raises(Refused) as refused:
        quote_return(sold(), (), [ReturnedLine(0, 1)], None, PROGRAMME, on=DAY)
    assert refused.value.code is Refusal.MEMBER_NEEDED


def test_only_the_owner_gives_booked_expiries_back() -> None:
    document = sold()
    state = fold(member().state, sale_entries(quoted(), b"s" * 16))
    booked = Entry(EntryId(b"x" * 16, 0), POINTS, "expire", -document.points_earned, DAY,
                   expires=document.expires, refers_to=document.posted.earn)  # fmt: skip
    context = MemberContext(fold(state, [booked]))
    lines = [ReturnedLine(0, 2), ReturnedLine(1, 357)]
    mine = quote_return(document, (), lines, context, PROGRAMME, on=DAY)
    theirs = quote_return(document, (), lines, context, PROGRAMME, on=DAY, owner=False)
    assert mine.draft.points_unexpired == document.points_earned
    assert theirs.draft.points_unexpired == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_limit_is_the_most_that_a_role_does_alone(sign: int) -> None:
    limits = PROGRAMME.limits
    check_adjust(limits, "supervisor", sign * 2000, own_account=False, second_person=False)
    check_adjust(limits, "supervisor", sign * 2001, own_account=False, second_person=True)
    with pytest.raises(Refused) as refused:
        check_adjust(limits, "supervisor", sign * 2001, own_account=False, second_person=False)
    assert refused.value.code is Refusal.ADJUST_NEEDS_SECOND


def test_the_outlook_tells_progress_end_and_warning() -> None:
    spend = Entry(EntryId(b"q" * 16, 0), "spend", "measure", 250_000, DAY, DAY)
    up = Entry(EntryId(b"q" * 16, 1), "tier", "upgrade", 10, DAY, DAY, DAY.plus(365))
    state: MemberState = fold(EMPTY, [spend, up])
    now = tier_outlook(state, PROGRAMME.tiers, DAY)
    assert (now.level.code, now.missing, now.at_risk) == ("silver", 350_000, False)
    assert (now.until, now.locked) == (DAY.plus(365), False)
    near = tier_outlook(state, PROGRAMME.tiers, DAY.plus(365))
    assert (near.qualifying, near.at_risk) == (0, True)
    assert tier_outlook(EMPTY, PROGRAMME.tiers, DAY).until is None
