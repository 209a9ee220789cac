"""The business date: its type, the one function that makes it from an instant, and date arithmetic.

No clock is read here; instants come in as aware UTC datetimes.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import Final

_EPOCH: Final = date(1970, 1, 1).toordinal()


class BusinessDate(int):
    """A shop's business date as days since 1970-01-01.

    It is an int, so it compares, sorts, hashes and is stored as one; `iso()` and `from_iso()` give
    the text form. Arithmetic goes through `plus`, which stays a BusinessDate.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"BusinessDate({self.iso()})"

    @classmethod
    def of(cls, day: date) -> BusinessDate:
        """The business date with this calendar date."""
        return cls(day.toordinal() - _EPOCH)

    @classmethod
    def from_iso(cls, text: str) -> BusinessDate:
        """Parse "2026-11-21". ValueError for anything else."""
        if len(text) != 10:
            raise ValueError(text)
        return cls.of(date.fromisoformat(text))

    @classmethod
    def on(cls, year: int, month: int, day: int) -> BusinessDate:
        """The business date with this year, month and day."""
        return cls.of(date(year, month, day))

    def iso(self) -> str:
        """The ISO 8601 text, for example "2026-11-21"; of a day that no calendar has, which only a stranger
        writes, its number: "+12345678d"."""
        if not -_EPOCH < self <= date.max.toordinal() - _EPOCH:
            return f"{int(self):+d}d"
        return self.to_date().isoformat()

    def to_date(self) -> date:
        """The calendar date."""
        return date.fromordinal(self + _EPOCH)

    def plus(self, days: int) -> BusinessDate:
        """This date moved by whole days; never past NEVER."""
        return BusinessDate(min(int(self) + days, int(NEVER)))

    @property
    def weekday(self) -> int:
        """ISO weekday: Monday 1 … Sunday 7. (1970-01-01 was a Thursday.)"""
        return (self + 3) % 7 + 1

    @property
    def year(self) -> int:
        """The calendar year."""
        return self.to_date().year


NEVER: Final = BusinessDate(date(9999, 12, 31).toordinal() - _EPOCH)
"""The expiry of what never expires."""


def business_date_of(
    instant_utc: datetime, *, offset_minutes: int, cut_off_minute: int
) -> BusinessDate:
    """The business date of an instant (domain.md section 3, "Business date").

    `offset_minutes` is local time minus UTC; before `cut_off_minute` of the local day (240 = 04:00)
    the instant still belongs to the day before.
    """
    assert instant_utc.utcoffset() == timedelta(0), "instants are aware UTC"
    shifted = instant_utc.astimezone(UTC) + timedelta(minutes=offset_minutes - cut_off_minute)
    return BusinessDate.of(shifted.date())


def minute_of_day(instant_utc: datetime, *, offset_minutes: int) -> int:
    """Local minutes since midnight of an aware UTC instant, 0 … 1439."""
    local = instant_utc + timedelta(minutes=offset_minutes)
    return local.hour * 60 + local.minute


def month_end(day: BusinessDate) -> BusinessDate:
    """The last day of the date's month."""
    calendar_day = day.to_date()
    last = calendar.monthrange(calendar_day.year, calendar_day.month)[1]
    return BusinessDate.of(calendar_day.replace(day=last))


def plus_months(day: BusinessDate, months: int) -> BusinessDate:
    """The same day of the month `months` later, or that month's last day where there is none."""
    calendar_day = day.to_date()
    index = calendar_day.year * 12 + calendar_day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if year > 9999:
        return NEVER
    last = calendar.monthrange(year, month)[1]
    return BusinessDate.on(year, month, min(calendar_day.day, last))


def year_end(day: BusinessDate, years_later: int = 0) -> BusinessDate:
    """31 December of the date's year, or of that many years later."""
    return BusinessDate.on(min(day.year + years_later, 9999), 12, 31)
