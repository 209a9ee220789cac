"""Birthdays as dates of a year. Lunar ones are turned into dates by app/intake.py and given here."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.programme import BirthdayWindow, LeapDay


class BirthdayOn(NamedTuple):
    """One celebration: its date, and the year (solar, or of the lunar calendar) it counts for."""

    on: BusinessDate
    year: int


@dataclass(frozen=True, slots=True)
class Birthday:
    """A member's birthday; the year is optional. A lunar one has lunar month and day."""

    month: int
    day: int
    year: int | None = None
    lunar: bool = False
    leap_month: bool = False


def parse_birthday(
    month: int, day: int, year: int | None = None, *, lunar: bool = False, leap_month: bool = False
) -> Birthday:
    """A birthday that can exist, or Refused(BIRTHDAY_INVALID)."""
    longest = 30 if lunar else calendar.monthrange(year or 2000, min(max(month, 1), 12))[1]
    possible = 1 <= month <= 12 and 1 <= day <= longest and (year is None or 1900 <= year <= 2200)
    if not possible or (leap_month and not lunar):
        raise _invalid(month, day, year)
    return Birthday(month, day, year, lunar, leap_month)


def require_born(birthday: Birthday, born: BusinessDate | None, on: BusinessDate) -> None:
    """Nobody has a birthday before they are born: Refused(BIRTHDAY_AHEAD) where the year is known and
    `born`, its date, is after `on`; BIRTHDAY_INVALID where no calendar has it (`born` is None)."""
    if birthday.year is None:
        return
    if birthday.year > on.year or (born is not None and born > on):
        raise Refused(Refusal.BIRTHDAY_AHEAD, {"year": birthday.year})
    if born is None:
        raise _invalid(birthday.month, birthday.day, birthday.year)


def _invalid(month: int, day: int, year: int | None) -> Refused:
    return Refused(Refusal.BIRTHDAY_INVALID, {"month": month, "day": day, "year": year})


def solar_birthday(month: int, day: int, year: int, leap_day: LeapDay) -> BusinessDate:
    """The date of a solar birthday in a year; 29 February moves in common years by the setting."""
    if month == 2 and day == 29 and not calendar.isleap(year):
        return BusinessDate.on(year, 2, 28) if leap_day == "feb28" else BusinessDate.on(year, 3, 1)
    return BusinessDate.on(year, month, day)


def solar_birthdays(
    month: int, day: int, around: BusinessDate, leap_day: LeapDay
) -> tuple[BirthdayOn, ...]:
    """The celebrations of the years before, of and after a date: a window may cross New Year."""
    year = around.year
    return tuple(
        BirthdayOn(solar_birthday(month, day, each, leap_day), each)
        for each in (year - 1, year, year + 1)
    )


def celebrated(
    birthdays: tuple[BirthdayOn, ...], window: BirthdayWindow, on: BusinessDate
) -> BirthdayOn | None:
    """The celebration whose window holds the date, if any."""
    for birthday in birthdays:
        if birthday.on - window.days_before <= on <= birthday.on + window.days_after:
            return birthday
    return None


def days_until_birthday(birthdays: tuple[BirthdayOn, ...], on: BusinessDate) -> int | None:
    """Days to the next celebration; 0 today, None when there is no birthday."""
    ahead = [birthday.on - on for birthday in birthdays if birthday.on >= on]
    return min(ahead) if ahead else None


def check_birthday_change(*, benefit_used_this_year: bool, manager: bool) -> None:
    """A birthday that earned a benefit this year is changed by a manager only."""
    if benefit_used_this_year and not manager:
        raise Refused(Refusal.BIRTHDAY_LOCKED)
