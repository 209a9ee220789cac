"""Money, business dates, birthdays, masks, clock and error codes: the domain's small words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.birthday import (
    check_birthday_change,
    days_until_birthday,
    parse_birthday,
    require_born,
    solar_birthdays,
)
from app.domain.business_day import (
    NEVER,
    BusinessDate,
    minute_of_day,
    month_end,
    plus_months,
    year_end,
)
from app.domain.clock import check_business_date, check_clock
from app.domain.errors import Cancelled, Outage, Refusal, Refused, Unavailable
from app.domain.member import (
    last_four,
    mask_card,
    mask_email,
    mask_name,
    mask_phone,
)
from app.domain.money import kept_share, split_by_weight

DAY = BusinessDate.on(2026, 3, 10)
NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=9), st.integers(0, 10**7))
def test_a_split_loses_nothing_and_never_exceeds_a_weight_it_could_keep_to(
    weights: list[int], total: int
) -> None:
    if not any(weights):
        total = 0
    parts = split_by_weight(total, weights)
    assert sum(parts) == total
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
    if total <= sum(weights):
        assert all(part <= weight for part, weight in zip(parts, weights, strict=True))


def test_an_amount_cannot_be_split_over_nothing() -> None:
    with pytest.raises(AssertionError):
        split_by_weight(1, [0, 0])


@given(st.integers(0, 10**9), st.integers(1, 5000), st.data())
def test_kept_shares_telescope_to_the_whole(amount: int, sold: int, data: st.DataObject) -> None:
    kept, given_back = sold, 0
    while kept:
        fewer = data.draw(st.integers(0, kept - 1))
        given_back += kept_share(amount, kept, sold) - kept_share(amount, fewer, sold)
        kept = fewer
    assert given_back == amount


def test_a_business_date_is_an_int_with_a_text() -> None:
    assert BusinessDate.from_iso("1970-01-01") == 0
    assert BusinessDate.from_iso("2026-03-10") == DAY
    assert (DAY.iso(), DAY.weekday, DAY.year) == ("2026-03-10", 2, 2026)
    assert repr(DAY) == "BusinessDate(2026-03-10)"
    assert DAY.plus(22).iso() == "2026-04-01"
    assert NEVER.plus(1) == NEVER


@pytest.mark.parametrize("text", ["2026-3-10", "20260310", "2026-02-30", "", "2026-03-10T00"])
def test_only_an_iso_date_is_a_business_date(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        BusinessDate.from_iso(text)


def test_months_and_years_end_where_the_calendar_says() -> None:
    assert month_end(BusinessDate.on(2028, 2, 3)).iso() == "2028-02-29"
    assert plus_months(BusinessDate.on(2026, 12, 31), 2).iso() == "2027-02-28"
    assert plus_months(BusinessDate.on(9999, 1, 1), 12) == NEVER
    assert year_end(DAY).iso() == "2026-12-31"
    assert year_end(DAY, 1).iso() == "2027-12-31"


def test_the_minute_of_day_is_local() -> None:
    assert minute_of_day(NOW, offset_minutes=480) == 17 * 60
    assert minute_of_day(NOW, offset_minutes=-570) == 23 * 60 + 30


@pytest.mark.parametrize(
    ("month", "day", "year", "lunar"),
    [(2, 29, 2024, False), (2, 29, None, False), (12, 30, None, True), (1, 31, 1990, False)],
)
def test_birthdays_that_exist(month: int, day: int, year: int | None, lunar: bool) -> None:
    assert parse_birthday(month, day, year, lunar=lunar).month == month


@pytest.mark.parametrize(
    ("month", "day", "year", "lunar", "leap_month"),
    [
        (2, 29, 2023, False, False),
        (2, 30, None, False, False),
        (13, 1, None, False, False),
        (0, 1, None, False, False),
        (6, 31, None, False, False),
        (1, 31, None, True, False),
        (1, 1, 1700, False, False),
        (4, 1, None, False, True),
    ],
)
def test_birthdays_that_cannot_exist(
    month: int, day: int, year: int | None, lunar: bool, leap_month: bool
) -> None:
    with pytest.raises(Refused) as refused:
        parse_birthday(month, day, year, lunar=lunar, leap_month=leap_month)
    assert refused.value.code is Refusal.BIRTHDAY_INVALID


def test_nobody_has_a_birthday_before_they_are_born() -> None:
    year_unknown = parse_birthday(3, 11)
    today, tomorrow = parse_birthday(3, 10, 2026), parse_birthday(3, 11, 2026)
    require_born(year_unknown, None, DAY)
    require_born(today, DAY, DAY)
    with pytest.raises(Refused) as refused:
        require_born(tomorrow, DAY.plus(1), DAY)
    assert refused.value.code is Refusal.BIRTHDAY_AHEAD
    with pytest.raises(Refused) as refused:
        require_born(tomorrow, None, DAY)
    assert refused.value.code is Refusal.BIRTHDAY_INVALID
    with pytest.raises(Refused) as refused:
        require_born(parse_birthday(1, 1, 2150, lunar=True), None, DAY)
    assert refused.value.code is Refusal.BIRTHDAY_AHEAD


def test_days_until_a_birthday_cross_the_year() -> None:
    around = BusinessDate.on(2026, 12, 30)
    assert days_until_birthday(solar_birthdays(1, 2, around, "feb28"), around) == 3
    assert days_until_birthday(solar_birthdays(12, 30, around, "feb28"), around) == 0
    assert days_until_birthday((), around) is None


def test_a_birthday_that_was_used_is_changed_by_a_manager_only() -> None:
    check_birthday_change(benefit_used_this_year=False, manager=False)
    check_birthday_change(benefit_used_this_year=True, manager=True)
    with pytest.raises(Refused) as refused:
        check_birthday_change(benefit_used_this_year=True, manager=False)
    assert refused.value.code is Refusal.BIRTHDAY_LOCKED


@pytest.mark.parametrize(
    ("number", "shown"), [("+8613812346621", "138 **** 6621"), ("+14155552671", "+14 **** 2671")]
)
def test_a_phone_is_shown_masked(number: str, shown: str) -> None:
    assert mask_phone(number) == shown
    assert last_four(number) == number[-4:]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("陈思远", "陈*远"), ("李敏", "李*"), ("欧阳娜娜", "欧**娜"), ("Sylvia Chen", "S*** C***")],
)
def test_a_name_is_shown_masked(name: str, shown: str) -> None:
    assert mask_name(name) == shown


def test_cards_and_addresses_are_shown_masked() -> None:
    assert mask_card("880000124471") == "8800 **** 4471"
    assert mask_card("12345678") == "12345678"
    assert mask_email("jane@example.com") == "j***@example.com"


FAR = timedelta(minutes=5)


def test_a_clock_before_the_last_event_opens_no_shift() -> None:
    check_clock(NOW, NOW, NOW, most_apart=FAR)
    check_clock(NOW, None, None, most_apart=FAR)
    check_clock(NOW, NOW + timedelta(seconds=1), None, most_apart=FAR)
    with pytest.raises(Refused) as refused:
        check_clock(NOW, NOW + timedelta(hours=3, seconds=-59), None, most_apart=FAR)
    assert (refused.value.code, refused.value.facts) == (Refusal.CLOCK_BEHIND, {"minutes": 180})


@pytest.mark.parametrize("apart_s", [-301, 301])
def test_a_clock_far_from_head_office_opens_no_shift(apart_s: int) -> None:
    check_clock(NOW, None, NOW + FAR, most_apart=FAR)
    with pytest.raises(Refused) as refused:
        check_clock(NOW, None, NOW + timedelta(seconds=apart_s), most_apart=FAR)
    assert refused.value.code is Refusal.CLOCK_FAR_FROM_HEAD_OFFICE
    assert refused.value.facts == {"minutes": 6}


@pytest.mark.parametrize(
    ("days", "last_closed", "head_office", "code"),
    [
        (-1, -1, None, Refusal.BUSINESS_DATE_BACK),
        (2, 0, None, Refusal.BUSINESS_DATE_AHEAD),
        (1, 0, 0, Refusal.BUSINESS_DATE_AHEAD),
    ],
)
def test_a_business_date_never_goes_back_and_jumps_with_a_supervisor_only(
    days: int, last_closed: int, head_office: int | None, code: Refusal
) -> None:
    office = None if head_office is None else DAY.plus(head_office)
    with pytest.raises(Refused) as refused:
        check_business_date(DAY.plus(days), DAY, DAY.plus(last_closed), office, supervisor=False)
    assert refused.value.code is code
    if code is Refusal.BUSINESS_DATE_AHEAD:
        check_business_date(DAY.plus(days), DAY, DAY.plus(last_closed), office, supervisor=True)


def test_the_next_business_date_needs_nobody() -> None:
    check_business_date(DAY.plus(1), DAY, DAY, DAY.plus(1), supervisor=False)
    check_business_date(DAY, None, None, None, supervisor=False)


def test_errors_carry_code_and_facts() -> None:
    refused = Refused(Refusal.SALE_EMPTY, {"a": 1}, offer="new quote")
    assert (str(refused), refused.facts, refused.offer) == ("sale_empty", {"a": 1}, "new quote")
    gone = Unavailable(Outage.STORE_BUSY, None, 5)
    assert (str(gone), gone.facts, gone.retry_after_s) == ("store_busy", {}, 5)
    assert str(Cancelled()) == ""
