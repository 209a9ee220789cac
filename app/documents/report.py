"""What a report is made of: figures with their units, and the way from each to the events behind it.

Frozen records only. Words for codes are made in report_words.py; money is in minor units, shares in
basis points, dates are BusinessDate.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias

from app.domain.business_day import BusinessDate

Key: TypeAlias = int | str | bytes | None
Unit = Literal["money", "points", "count", "share"]
ChartKind = Literal["bars", "lines", "heat", ""]
ReportCode = Literal[
    "overview", "day", "shift", "cashier", "tier", "tender", "category", "tax", "hours",
    "members", "points", "lots", "undone", "reasons",
]  # fmt: skip

Against = Literal["", "week_before", "year_before"]

PARTS_SHOWN: Final = 500
WITHOUT_MEMBER: Final = -1
"""In the place of a tier: what was sold to nobody known."""
WEEK: Final = 7
YEAR: Final = 364
"""Fifty-two weeks: the same weekday of last year."""


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """What a report is about: business dates `first` to `last`, one person's doing or everybody's, one tier
    (at the time of the sale; WITHOUT_MEMBER) or all, one till's or all that the store has documents of ("");
    and the period that it is held `against`."""

    first: BusinessDate
    last: BusinessDate
    staff_id: bytes | None = None
    tier_rank: int | None = None
    against: Against = ""
    till: str = ""

    @property
    def days(self) -> int:
        """How many business dates it spans."""
        return self.last - self.first + 1

    def earlier(self) -> ReportFilter | None:
        """The period that it is held against, None without one."""
        if not self.against:
            return None
        return self.week_before() if self.against == "week_before" else self.year_before()

    def week_before(self) -> ReportFilter:
        """As many days on the same weekdays, whole weeks earlier."""
        return self._earlier(-(-self.days // WEEK) * WEEK)

    def year_before(self) -> ReportFilter:
        """The same weekdays a year (or as many as it spans) earlier."""
        return self._earlier(-(-self.days // YEAR) * YEAR)

    def _earlier(self, days: int) -> ReportFilter:
        return replace(self, first=self.first.plus(-days), last=self.last.plus(-days))


@dataclass(frozen=True, slots=True)
class Drill:
    """The way from a figure to its events: the measure, within a filter, of one key of a group."""

    measure: str
    filter: ReportFilter
    group: str = "all"
    key: Key = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `value` is None where there is none; `withheld` where it may not be known yet (the money
    of a shift before its count)."""

    value: int | None
    unit: Unit
    drill: Drill | None = None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report. `kind` says what `key` is; `name` is a person's or shift's where it is one."""

    kind: str
    key: Key
    figures: tuple[Figure, ...]
    name: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report as numbers.

    Attributes:
        columns: codes of the columns, one for each figure of a line.
        total: the totals row, () where adding up has no meaning.
        chart: how it is drawn; `charted` is the column that is.
        before: the charted column in the earlier period, one for each line, () without a comparison.
        notes: codes of sentences that belong under the table ("open_shift").
    """

    code: ReportCode
    filter: ReportFilter
    made_at: datetime
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    total: tuple[Figure, ...] = ()
    chart: ChartKind = ""
    charted: int = 0
    before: tuple[int, ...] = ()
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Part:
    """One event behind a figure and what it adds. `member` is already masked for the reader."""

    event_id: bytes
    seq: int
    kind: str
    receipt_no: str
    at: datetime
    business_date: BusinessDate
    operator: str
    member: str
    amount: int


@dataclass(frozen=True, slots=True)
class Parts:
    """The newest events behind a figure; `count` is how many there are in all."""

    drill: Drill
    unit: Unit
    parts: tuple[Part, ...]
    count: int
