"""How figures and days are written, case by case (counter-flows.md section 4)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.formats import YUAN, Formats, MoneySign, plain_amount, signed_number, typed_amount
from app.i18n import Words

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 21)


def formats(language: str = "zh_CN", sign: MoneySign = YUAN) -> Formats:
    return Formats(Words(language), sign, ZONE)


@pytest.mark.parametrize(
    ("minor", "text"),
    [(128650, "¥1,286.50"), (0, "¥0.00"), (5, "¥0.05"), (-2000, "−¥20.00"), (10**15, None)],
)
def test_money_has_symbol_groups_and_a_real_minus(minor: int, text: str | None) -> None:
    assert formats().money(minor) == (text or "¥10,000,000,000,000.00")


@pytest.mark.parametrize(
    ("sign", "text"),
    [(MoneySign("¥", 0), "¥128,650"), (YUAN, "¥1,286.50"), (MoneySign("KD ", 3), "KD 128.650")],
)
def test_the_exponent_places_the_point(sign: MoneySign, text: str) -> None:
    assert formats(sign=sign).money(128650) == text


def test_a_whole_amount_can_drop_its_decimals() -> None:
    f = formats()
    assert (f.money_short(268400), f.money_short(268450)) == ("¥2,684", "¥2,684.50")


def test_a_typed_amount_has_no_groups() -> None:
    assert (typed_amount(128650, 2), typed_amount(500, 0)) == ("1286.50", "500")


def test_plain_amount_of_minus_five_fen() -> None:
    assert plain_amount(-5, 2) == "−0.05"


def test_points_carry_their_word() -> None:
    assert formats().points(8420) == "8,420 分"
    assert [formats("en").points(n) for n in (8420, 1, -38)] == ["8,420 pts", "1 pt", "−38 pts"]


def test_a_movement_of_points_shows_its_sign() -> None:
    assert [signed_number(n) for n in (309, -38, 0)] == ["+309", "−38", "0"]
    assert formats().points_change(309) == "+309 分"


@pytest.mark.parametrize(
    ("kept", "zh", "en"),
    [
        (9500, "95 折", "5% off"),
        (8800, "88 折", "12% off"),
        (9000, "9 折", "10% off"),
        (9550, "95.5 折", "4.5% off"),
        (500, "0.5 折", "95% off"),
    ],
)
def test_discounts_count_what_is_kept_or_what_goes(kept: int, zh: str, en: str) -> None:
    assert (formats().discount(kept), formats("en").discount(kept)) == (zh, en)


@pytest.mark.parametrize(
    ("instant", "zh", "en"),
    [
        (datetime(2026, 11, 21, 10, 42, tzinfo=UTC), "今天 18:42", "Today 18:42"),
        (datetime(2026, 11, 20, 10, 42, tzinfo=UTC), "昨天 18:42", "Yesterday 18:42"),
        (datetime(2026, 11, 15, 4, 10, tzinfo=UTC), "11-15 12:10", "11-15 12:10"),
        (datetime(2025, 11, 15, 4, 10, tzinfo=UTC), "2025-11-15", "2025-11-15"),
        (datetime(2026, 11, 20, 16, 30, tzinfo=UTC), "今天 00:30", "Today 00:30"),
    ],
)
def test_moments_are_named_by_the_shops_calendar(instant: datetime, zh: str, en: str) -> None:
    assert formats().moment(instant, today=TODAY) == zh
    assert formats("en").moment(instant, today=TODAY) == en


def test_yesterday_is_named_across_the_new_year() -> None:
    assert formats("en").day_named(date(2025, 12, 31), today=date(2026, 1, 1)) == "Yesterday"


def test_a_language_switch_reaches_formats_that_exist() -> None:
    f = formats()
    f.words.switch("en")
    assert f.points(2) == "2 pts"
