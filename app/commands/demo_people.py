"""The people and the goods of the demo store: made up, and the same ones for the same seed.

Names, phones and birthdays are drawn from resources/demo; none is a real person's on purpose. The
phone numbers could exist, so nothing may ever be sent to a demo store's members.
"""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final

import resources
from app.build import NewItem
from app.domain.documents import LineRequest
from app.intake import Reading, readings
from db.people import ProfileRow
from db.till import ItemRow

_MOBILE_STARTS: Final = (
    "130", "131", "132", "135", "136", "137", "138", "139", "150", "151", "152", "155", "156",
    "157", "158", "159", "170", "176", "177", "178", "180", "181", "182", "183", "185", "186",
    "187", "188", "189", "198", "199",
)  # fmt: skip
# Country code, the start that its mobile numbers have, and how many digits follow.
_ABROAD: Final = (
    ("852", "9", 7), ("65", "8", 7), ("44", "7911", 6), ("1", "202555", 4), ("81", "9012", 6),
    ("60", "12", 7), ("49", "1512", 7),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """A member to be: the values of a profile cell. `birthday` is (calendar, year, month, day)."""

    name: str
    reading: Reading
    phone: str | None
    email: str | None
    birthday: tuple[str, int | None, int, int] | None
    visits: int = 0
    """How often they will come; 0 lets the history draw it."""
    carts: int = 1
    """How many drawn carts make one of theirs."""


# The people of the manual and the tour: they come often and for long, in every tier above the first.
_FAITHFUL: Final = (
    ("陈思远", "+8613800006621", ("solar", 1990, 11, 24), 60, 3),
    ("陈思琪", "+8613800006605", None, 30, 1),
    ("Sylvia Chen", "+8613900006608", ("solar", None, 6, 1), 120, 5),
    ("李敏", "+8618600006690", ("lunar", 1988, 8, 15), 45, 2),
)


class People:
    """Draws people: Chinese names by how common they are, some Latin ones, phones, birthdays."""

    def __init__(self, rng: random.Random) -> None:
        names = json.loads(resources.demo_path("names.json").read_text(encoding="utf-8"))
        self._rng = rng
        self._surnames: list[str] = [name for name, _ in names["surnames"]]
        self._weights = list(accumulate(weight for _, weight in names["surnames"]))
        self._given: str = names["given"]
        self._first: list[str] = names["first"]
        self._last: list[str] = names["last"]
        self._phone: str | None = None
        self._faithful = [_faithful(*each) for each in _FAITHFUL]

    def draw(self) -> Person:
        """The next person; the faithful ones come first."""
        if self._faithful:
            return self._faithful.pop(0)
        rng = self._rng
        if rng.random() < 0.93:
            surname = rng.choices(self._surnames, cum_weights=self._weights)[0]
            given = "".join(rng.choices(self._given, k=1 if rng.random() < 0.15 else 2))
            name, reading = surname + given, _chinese_reading(surname, given)
        else:
            name = f"{rng.choice(self._first)} {rng.choice(self._last)}"
            reading = _latin_reading(name)
        return Person(name, reading, self._draw_phone(), self._email(reading), self._birthday())

    def _draw_phone(self) -> str | None:
        rng = self._rng
        drawn = rng.random()
        if drawn < 0.02:
            return None
        if drawn < 0.035 and self._phone is not None:
            return self._phone  # families share a number
        if drawn < 0.07:
            code, start, digits = rng.choice(_ABROAD)
            self._phone = f"+{code}{start}{rng.randrange(10**digits):0{digits}d}"
        else:
            self._phone = f"+86{rng.choice(_MOBILE_STARTS)}{rng.randrange(10**8):08d}"
        return self._phone

    def _email(self, reading: Reading) -> str | None:
        if self._rng.random() >= 0.2:
            return None
        local = unicodedata.normalize("NFD", ".".join(reading.syllables[:2]))
        plain = "".join(c for c in local if c.isascii())
        return f"{plain}{self._rng.randrange(1000)}@example.com"

    def _birthday(self) -> tuple[str, int | None, int, int] | None:
        rng = self._rng
        if rng.random() >= 0.4:
            return None
        year = rng.randrange(1945, 2008) if rng.random() < 0.5 else None
        if rng.random() < 0.1:
            return ("lunar", year, rng.randint(1, 12), rng.randint(1, 29))
        return ("solar", year, rng.randint(1, 12), rng.randint(1, 28))


def _faithful(
    name: str,
    phone: str,
    birthday: tuple[str, int | None, int, int] | None,
    visits: int,
    carts: int,
) -> Person:
    return Person(name, readings(name)[0], phone, None, birthday, visits, carts)


class Carts:
    """Draws carts: mostly an amount typed in or one item, sometimes more, dear things seldom."""

    def __init__(self, rng: random.Random, items: Sequence[ItemRow]) -> None:
        self._rng = rng
        self._items = items
        # Half as likely for each doubling of the price: tea every day, a teapot once a year.
        self._weights = list(accumulate(1_000_000 // (item.price_minor + 500) for item in items))

    def draw(self) -> tuple[LineRequest, ...]:
        """The lines of one sale."""
        rng = self._rng
        if rng.random() < 0.35:
            return (LineRequest(10 * rng.randint(80, 3000), tax_rate_bp=600),)
        count = rng.choices((1, 2, 3, 5), (70, 20, 8, 2))[0]
        chosen = rng.choices(self._items, cum_weights=self._weights, k=count)
        return tuple(_line(item, rng) for item in dict.fromkeys(chosen))


def catalogue(new_id: Callable[[], bytes]) -> list[NewItem]:
    """The demo shop's items with their barcodes."""
    plain = json.loads(resources.demo_path("catalogue.json").read_text(encoding="utf-8"))
    return [_item(new_id(), item) for item in plain]


def _item(item_id: bytes, plain: dict[str, Any]) -> NewItem:
    reading = readings(plain["name"]["zh"])[0]
    row = ItemRow(
        id=item_id,
        code=plain["code"],
        name=plain["name"]["zh"],
        name_en=plain["name"]["en"],
        category=plain["category"],
        price_minor=plain["price_minor"],
        per_quantity=plain["per_quantity"],
        tax_bp=plain["tax_bp"],
        tax_included=1,
        py=reading.pinyin,
        ini=reading.initials,
    )
    return NewItem(row, (barcode(int(plain["code"])),))


def barcode(number: int) -> str:
    """The EAN-13 of a demo item: GS1 prefix 200-299, numbers for a shop's own use."""
    body = f"20069012{number:04d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def _line(item: ItemRow, rng: random.Random) -> LineRequest:
    weighed = item.per_quantity > 1
    quantity = 10 * rng.randint(10, 80) if weighed else rng.choices((1, 2, 3), (85, 12, 3))[0]
    return LineRequest(
        item.price_minor,
        quantity,
        item.per_quantity,
        item=item.code,
        category=item.category,
        name=item.name,
        tax_rate_bp=item.tax_bp,
        tax_included=bool(item.tax_included),
    )


@lru_cache(maxsize=65536)
def _given_syllables(given: str) -> tuple[str, ...]:
    return readings("王" + given)[0].syllables[1:]


@lru_cache(maxsize=1024)
def _surname_syllables(surname: str) -> tuple[str, ...]:
    return readings(surname + "明")[0].syllables[:-1]


def _chinese_reading(surname: str, given: str) -> Reading:
    """The likeliest reading, put together from parts that come again and again."""
    return Reading(_surname_syllables(surname) + _given_syllables(given))


@lru_cache(maxsize=65536)
def _latin_reading(name: str) -> Reading:
    return readings(name)[0]


def profile_row(person: Person, member_id: bytes) -> ProfileRow:
    """The profile of a person as enrolled."""
    calendar, year, month, day = person.birthday or ("solar", None, None, None)
    return ProfileRow(
        member_id=member_id,
        name=person.name,
        phone=person.phone,
        email=person.email,
        name_py=person.reading.pinyin,
        name_ini=person.reading.initials,
        birth_calendar=calendar,
        birth_year=year,
        birth_month=month,
        birth_day=day,
        note="",
        alert="",
        version=1,
    )
