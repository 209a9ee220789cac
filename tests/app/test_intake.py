"""What people type: phones, names with their readings, lunar days."""

from __future__ import annotations

from datetime import date

import pytest

from app.intake import (
    Phone,
    PhoneProblem,
    lunar_birthday,
    parse_day,
    parse_phone,
    plain_text,
    readings,
)


@pytest.mark.parametrize(
    ("name", "pinyin"),
    [
        ("单雄信", "shan xiong xin"),
        ("曾志伟", "zeng zhi wei"),
        ("仇英", "qiu ying"),
        ("解晓东", "xie xiao dong"),
        ("查良镛", "zha liang yong"),
        ("朴树", "piao shu"),
        ("任贤齐", "ren xian qi"),
        ("区志远", "ou zhi yuan"),
        ("尉迟恭", "yu chi gong"),
        ("万俟卨", "mo qi xie"),
        ("令狐冲", "ling hu chong"),
        ("欧阳建华", "ou yang jian hua"),
        ("陈思远", "chen si yuan"),
        ("José Núñez", "jose nunez"),
        ("Chen, Sylvia", "chen sylvia"),
        ("张Amy", "zhang amy"),
    ],
)
def test_the_likeliest_reading_of_a_name_comes_first(name: str, pinyin: str) -> None:
    assert readings(name)[0].pinyin == pinyin


def test_the_ordinary_reading_of_a_polyphonic_surname_can_be_chosen() -> None:
    assert "dan" in {reading.syllables[0] for reading in readings("单雄信")}
    assert readings("单雄信")[0].initials == "sxx"


def test_a_character_rarer_than_any_list_has_no_reading_and_breaks_nothing() -> None:
    assert readings("𠮷")[0].pinyin == ""


@pytest.mark.parametrize(
    ("typed", "e164"),
    [
        ("13800006621", "+8613800006621"),
        ("138 0000 6621", "+8613800006621"),
        ("１３８００００６６２１", "+8613800006621"),
        ("+86 138-0000-6621", "+8613800006621"),
        ("+1 415 555 2671", "+14155552671"),
        ("021 6666 8888", "+862166668888"),
    ],
)
def test_a_phone_is_kept_as_e164(typed: str, e164: str) -> None:
    phone = parse_phone(typed)
    assert isinstance(phone, Phone)
    assert phone.e164 == e164


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("1380000662", "short"),
        ("138000066211", "long"),
        ("abc", "short"),
        ("20000006621", "invalid"),
    ],
)
def test_a_text_that_is_no_phone_says_why(typed: str, code: str) -> None:
    problem = parse_phone(typed)
    assert isinstance(problem, PhoneProblem)
    assert (problem.code, problem.expected) == (code, 11)


def test_a_lunar_birthday_is_found_in_the_solar_year() -> None:
    assert lunar_birthday(2026, 8, 15) == date(2026, 9, 25), "Mid-Autumn 2026"
    assert lunar_birthday(2026, 1, 1) == date(2026, 2, 17), "New Year 2026"
    assert lunar_birthday(1800, 1, 1) is None


def test_the_thirtieth_of_a_short_lunar_month_is_kept_on_the_twenty_ninth() -> None:
    days = {lunar_birthday(2026, month, 30) for month in range(1, 13)}
    assert None not in days
    assert len(days) == 12


def test_full_width_text_is_made_narrow() -> None:
    assert plain_text("　ＡＢ１２　") == "AB12"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-11-21", date(2026, 11, 21)),
        ("20261121", date(2026, 11, 21)),
        (" 2026 / 1 / 5 ", date(2026, 1, 5)),
        ("1121", date(2026, 11, 21)),
        ("11-21", date(2026, 11, 21)),
        ("1123", date(2025, 11, 23)),  # not before tomorrow: the newest that has been
        ("0229", None),
        ("20240229", date(2024, 2, 29)),
        ("20260230", None),
        ("1", None),
        ("26-11-21", None),
        ("yesterday", None),
    ],
)
def test_a_day_is_read_as_people_type_it(typed: str, expected: date | None) -> None:
    assert parse_day(typed, date(2026, 11, 22)) == expected
