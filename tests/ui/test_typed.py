"""Typed numbers become integers of the smallest unit."""

from __future__ import annotations

import re

import pytest

from ui.typed import amount_pattern, parse_amount, parse_amounts, parse_whole


@pytest.mark.parametrize(
    ("text", "minor"),
    [("368", 36800), ("12.5", 1250), (".5", 50), ("0.05", 5), ("7.", 700), ("", None), (".", None)],
)
def test_an_amount_is_whole_units_with_a_point(text: str, minor: int | None) -> None:
    assert parse_amount(text, 2) == minor


@pytest.mark.parametrize("text", ["-5", "1,000", "12.345", "1e3", "１２", "6901234567892"])
def test_what_is_no_amount_is_none(text: str) -> None:
    assert parse_amount(text, 2) is None


@pytest.mark.parametrize(("exponent", "minor"), [(0, 368), (2, 36800), (3, 368000)])
def test_the_exponent_scales(exponent: int, minor: int) -> None:
    assert parse_amount("368", exponent) == minor


def test_a_currency_without_decimals_takes_none() -> None:
    assert parse_amount("368.5", 0) is None


@pytest.mark.parametrize(
    ("text", "amounts"),
    [("38+12.5", (3800, 1250)), ("38+", (3800,)), ("+5", (500,)), ("0", ()), ("", ())],
)
def test_plus_makes_lines(text: str, amounts: tuple[int, ...]) -> None:
    assert parse_amounts(text, 2) == amounts


@pytest.mark.parametrize(
    ("text", "possible"),
    [("38+12.", True), ("38+12.505", False), ("1234567890", False), ("12..5", False), ("", True)],
)
def test_the_field_refuses_the_key_that_spoils_an_amount(text: str, possible: bool) -> None:
    assert bool(re.fullmatch(amount_pattern(2), text)) is possible


def test_a_whole_number() -> None:
    assert [parse_whole(t) for t in ("2000", "", " 7 ", "２")] == [2000, None, 7, None]
