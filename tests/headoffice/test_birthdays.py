"""A birthday's benefit that a till gave on another day is a question, in either calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app import account
from app.domain.birthday import BirthdayOn
from app.domain.business_day import BusinessDate
from app.domain.documents import LineRequest, SaleDocument, SaleRequest, Tender
from app.domain.programme_plain import programme_from_plain
from app.domain.recount import Difference
from app.domain.sale import MemberContext, quote_sale, sale_document, sale_entries
from app.domain.state import EMPTY
from app.protocol.hlc import stamp
from app.protocol.store import Member
from app.protocol.wire import Cell
from app.sync.exchange import Exchange
from headoffice.birthdays import doubts
from tests.app.chain import settle
from tests.app.joined import sell_to
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.fakes import demo_programme
from tests.headoffice.console_browser import write_profile
from tests.headoffice.counters import let_in, lines, office, till
from tests.headoffice.http_office import Served
from tests.headoffice.test_recounting import recounted, selling

__all__ = ["kiosk", "lines", "made_template", "office", "template", "till"]

RULES = programme_from_plain(demo_programme())
MID_AUTUMN = BusinessDate.on(2026, 9, 25)
"""The 15th of the eighth month of the lunar year that begins in 2026."""
WRITTEN_MS = 1_700_000_000_000


def sold(on: BusinessDate, *, birthday: bool = True) -> SaleDocument:
    """A sale whose till says that it is the member's birthday."""
    member = MemberContext(EMPTY, 0, (BirthdayOn(on, on.year),) if birthday else ())
    request = SaleRequest((LineRequest(10_000),), 0)
    found = quote_sale(request, member, RULES, on=on, minute=600)
    to_pay = found.draft.to_pay_minor
    return sale_document(found, sale_entries(found, b"e" * 16), (Tender("cash", to_pay, to_pay),))


def born(value: str | None) -> Member:
    cell = Cell(b"m" * 16, "birthday", value, stamp(0, WRITTEN_MS), b"d" * 16, 0)
    return Member(b"m" * 16, "all", cells={"birthday": cell})


def asked(on: BusinessDate, value: str | None, at_ms: int = WRITTEN_MS + 1) -> list[Difference]:
    return list(doubts(sold(on), RULES, born(value), at_ms))


def test_a_lunar_birthday_is_found_by_the_tills_own_calendar() -> None:
    assert asked(MID_AUTUMN, "lunar:1990-8-15") == []
    assert asked(MID_AUTUMN, "lunar:-8-15") == []
    other = MID_AUTUMN.plus(-60)
    assert asked(other, "lunar:1990-8-15") == [Difference("birthday", int(other), int(MID_AUTUMN))]


def test_a_solar_birthday_is_too() -> None:
    on = BusinessDate.on(2026, 5, 31)
    assert asked(on, "solar:1990-5-31") == []
    assert asked(MID_AUTUMN, "solar:1990-5-31") == [
        Difference("birthday", int(MID_AUTUMN), int(on))
    ]


def test_what_head_office_cannot_know_is_not_held_against_a_sale() -> None:
    other = MID_AUTUMN.plus(-60)
    assert asked(other, "lunar:1990-8-15", WRITTEN_MS - 1) == [], "it was written later"
    assert asked(other, None) == []
    odd = (
        "strange",
        "solar:1990-13-45",
        "solar:-2-30",
        "lunar:-13-1",
        "solar:1990-²-1",
        "solar:0-5-31",
    )
    for value in (*odd, f"solar:-{10**30}-1", f"solar:{'9' * 5000}-5-31"):
        assert asked(other, value) == [], value
    assert doubts(sold(other), RULES, None, WRITTEN_MS + 1) == ()
    plain = sold(other, birthday=False)
    assert doubts(plain, RULES, born("lunar:1990-8-15"), WRITTEN_MS + 1) == ()


def test_a_till_that_gives_a_birthdays_points_on_another_day_is_named(
    till: Kiosk, office: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = let_in(till, office, lines)
    settle(exchange)
    on = selling(till)
    real = on.plus(150)
    write_profile(office.folder, till.member_id, birthday=f"solar:1990-{real.to_date():%m-%d}")
    till.clock.now = datetime.now(UTC) + timedelta(seconds=30)
    monkeypatch.setattr(account, "birthdays_of", lambda *_: (BirthdayOn(on, on.year),))
    sell_to(till, till.member_id, 10_000)
    settle(exchange)
    flagged = [each for each in recounted(office) if each[0] == "birthday"]
    assert flagged == [("birthday", int(on), int(real))]
