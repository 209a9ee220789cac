"""Receipt and card numbers: every single slip of a finger shows."""

from __future__ import annotations

import random

import pytest

from app.numbers import (
    card_number,
    is_card_number,
    luhn_digit,
    parse_receipt_number,
    receipt_number,
)

EVENT = bytes(range(16))


def test_a_receipt_number_tells_till_and_running_number() -> None:
    number = receipt_number("01", 417, EVENT)
    assert number.startswith("01-000417-")
    assert parse_receipt_number(number) == ("01", 417)
    assert parse_receipt_number(f" {number.lower()} ") == ("01", 417)


def test_each_wrong_character_and_each_swap_of_neighbours_is_refused() -> None:
    number = receipt_number("01", 90417, EVENT)
    missed = 0
    for at, right in enumerate(number):
        for wrong in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
            if right != "-" and wrong != right:
                missed += parse_receipt_number(number[:at] + wrong + number[at + 1 :]) is not None
        swapped = number[:at] + number[at : at + 2][::-1] + number[at + 2 :]
        if swapped != number and "-" not in number[at : at + 2]:
            missed += parse_receipt_number(swapped) is not None
    assert missed <= 2, "the check character has 31 values for 32 letters: one pair looks alike"


def test_numbers_of_many_events_are_all_readable() -> None:
    dice = random.Random(5)
    for running in range(1, 2000):
        assert parse_receipt_number(receipt_number("A7", running, dice.randbytes(16))) == (
            "A7",
            running,
        )


@pytest.mark.parametrize(("body", "digit"), [("7992739871", "3"), ("88000000001", "3"), ("0", "0")])
def test_the_luhn_digit_is_the_published_one(body: str, digit: str) -> None:
    assert luhn_digit(body) == digit


def test_a_card_number_has_twelve_digits_and_a_wrong_one_shows() -> None:
    card = card_number("8800", 1)
    assert card == "880000000013"
    assert is_card_number(card)
    for at in range(len(card)):
        wrong = card[:at] + str((int(card[at]) + 1) % 10) + card[at + 1 :]
        assert not is_card_number(wrong)
