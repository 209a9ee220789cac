"""Money, points, discounts and dates as people read them, the same on screens and on receipts.

The rules are those of counter-flows.md section 4. Everything comes in as integers of the smallest
unit, a date or an aware instant; nothing here parses what was typed and nothing rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from app.i18n import Words

MINUS: Final = "\u2212"
"""The minus of every figure. A hyphen would be shorter than the digits and break lines."""


@dataclass(frozen=True, slots=True)
class MoneySign:
    """How one currency is written: `exponent` is ISO 4217's number of decimals (¥ 2, JPY 0, KWD 3).

    A symbol that is a word (`KD`) brings its own trailing space.
    """

    symbol: str
    exponent: int


YUAN: Final = MoneySign("¥", 2)


def plain_amount(minor: int, exponent: int) -> str:
    """1286_50 -> `1,286.50`: grouped, without symbol, minus as U+2212."""
    sign = MINUS if minor < 0 else ""
    whole, part = divmod(abs(minor), 10**exponent)
    return f"{sign}{whole:,}" + (f".{part:0{exponent}d}" if exponent else "")


def typed_amount(minor: int, exponent: int) -> str:
    """1286_50 -> `1286.50`: as a person would type it into an amount field."""
    return plain_amount(minor, exponent).replace(",", "").replace(MINUS, "-")


def number(value: int) -> str:
    """A whole number, grouped, minus as U+2212."""
    return f"{value:,}".replace("-", MINUS)


def signed_number(value: int) -> str:
    """A movement: `+309`, `−38`, `0`."""
    return f"+{value:,}" if value > 0 else number(value)


def disk_size(size_bytes: int) -> str:
    """`85 MB`, from a thousand on `68.9 GB`; less than one is said in KB."""
    kilobytes = size_bytes // 1000
    if kilobytes < 1000:
        return f"{kilobytes} KB"
    megabytes = kilobytes // 1000
    if megabytes < 1000:
        return f"{megabytes} MB"
    return f"{number(megabytes // 1000)}.{megabytes % 1000 // 100} GB"


@dataclass(frozen=True, slots=True)
class Formats:
    """The formats of one shop in the language of `words`.

    Attributes:
        words: decides the language at each call, so a language switch needs no new object.
        sign: the shop currency's symbol and exponent.
        zone: the shop's time zone, in which instants are shown.
    """

    words: Words
    sign: MoneySign
    zone: tzinfo

    def money(self, minor: int) -> str:
        """`¥1,286.50`, `−¥20.00`."""
        minus = MINUS if minor < 0 else ""
        return f"{minus}{self.sign.symbol}{plain_amount(abs(minor), self.sign.exponent)}"

    def money_short(self, minor: int) -> str:
        """`¥2,684` where nothing follows the point, `¥2,684.50` otherwise."""
        unit = 10**self.sign.exponent
        if minor % unit:
            return self.money(minor)
        minus = MINUS if minor < 0 else ""
        return f"{minus}{self.sign.symbol}{abs(minor) // unit:,}"

    def points(self, points: int) -> str:
        """`8,420 分` / `8,420 pts`."""
        return self.words.count("{points} pt", "{points} pts", abs(points), points=number(points))

    def points_change(self, points: int) -> str:
        """A movement of points: `+309 分` / `+309 pts`."""
        text = signed_number(points)
        return self.words.count("{points} pt", "{points} pts", abs(points), points=text)

    def discount(self, kept_basis_points: int) -> str:
        """The part of the price that is paid, 9_500 -> `95 折` / `5% off`."""
        chinese = self.words.language == "zh_CN"
        off = f"{_hundredths(10_000 - kept_basis_points)}%"
        return self.words.say("{share} off", share=_fold(kept_basis_points) if chinese else off)

    def day(self, day: date, *, today: date) -> str:
        """`11-30`, in another year `2027-11-30`."""
        return f"{day:%m-%d}" if day.year == today.year else day.isoformat()

    def day_named(self, day: date, *, today: date) -> str:
        """`Today`, `Yesterday`, else as `day`."""
        if day == today:
            return self.words.say("Today")
        if day == today - timedelta(days=1):
            return self.words.say("Yesterday")
        return self.day(day, today=today)

    def time(self, instant: datetime) -> str:
        """`18:42` on the shop's clock; `instant` is aware."""
        return f"{instant.astimezone(self.zone):%H:%M}"

    def moment(self, instant: datetime, *, today: date) -> str:
        """`Yesterday 18:42`, `11-21 18:42`, in another year the day alone; `instant` is aware."""
        day = instant.astimezone(self.zone).date()
        named = self.day_named(day, today=today)
        return named if day.year != today.year else f"{named} {self.time(instant)}"


def _hundredths(basis_points: int) -> str:
    """550 -> `5.5`, 500 -> `5`."""
    whole, part = divmod(basis_points, 100)
    return str(whole) if not part else f"{whole}.{part:02d}".rstrip("0")


def _fold(kept_basis_points: int) -> str:
    """How Chinese counts a discount: 9_500 -> `95`, 9_000 -> `9`, 500 -> `0.5`."""
    if kept_basis_points % 1_000 == 0 or kept_basis_points < 1_000:
        whole, part = divmod(kept_basis_points, 1_000)
        return str(whole) if not part else f"{whole}.{part:03d}".rstrip("0")
    return _hundredths(kept_basis_points)
