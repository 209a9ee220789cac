"""Every figure of every report equals what the journal's bytes say, and so does what it opens into."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from app.build import open_till
from app.documents.report import (
    WITHOUT_MEMBER,
    Drill,
    Figure,
    Key,
    Line,
    Report,
    ReportCode,
    ReportFilter,
)
from app.domain.business_day import BusinessDate
from app.queries.reports.parts import amounts
from app.queries.reports.sales import GROUPED
from app.usecases.read_report import report_of
from app.usecases.verify import verify
from db import report_sums, rows, till
from db.engine import Reader
from tests.conftest import MadeStore
from tests.fakes import ZONE_MIN, Shop, SteppedClock
from tests.reports.days import Days
from tests.reports.second_figures import Journal

SEEDS = (11, 23, 37)
TILLS = ("01", "02")
"""The number that the till had first, and the one that it went on under."""
CODES: tuple[ReportCode, ...] = get_args(ReportCode)


@dataclass
class Lived:
    """A shop after some random days, the last shift still open."""

    shop: Shop
    days: Days
    journal: Journal
    first: BusinessDate
    last: BusinessDate
    hidden_shift: str | None

    def report(self, code: ReportCode, asked: ReportFilter) -> Report:
        ctx = self.shop.till.context
        with ctx.read(Reader.REPORT) as conn:
            return report_of(ctx, conn, code, asked)

    def amounts(self, drill: Drill) -> dict[int, int]:
        ctx = self.shop.till.context
        with ctx.read(Reader.REPORT) as conn:
            found = amounts(ctx, conn, drill)
        assert len(dict(found)) == len(found), "no event is listed twice"
        return dict(found)

    def truth(self, drill: Drill) -> dict[int, int]:
        """What the second code says is behind a figure."""
        asked, journal = drill.filter, self.journal
        first, last = int(asked.first), int(asked.last)
        match drill.measure:
            case "active":
                return journal.active(first, last, **self.more(asked))
            case "upgrades":
                return journal.rises(first, last, *self.who(asked))[0]
            case "downgrades":
                return journal.rises(first, last, *self.who(asked))[1]
            case "lots":
                return journal.lots(int(self.last), self.hidden_shift)[str(drill.key)]
            case "owed":
                return journal.owed()
        return journal.figure(
            drill.measure, first, last, group=drill.group, key=_plain(drill.key), **self.more(asked)
        )

    def who(self, asked: ReportFilter) -> tuple[str | None, int | None, str]:
        return asked.staff_id.hex() if asked.staff_id else None, asked.tier_rank, asked.till

    def more(self, asked: ReportFilter) -> dict[str, Any]:
        return {
            "staff": asked.staff_id.hex() if asked.staff_id else None,
            "tier": asked.tier_rank,
            "hidden_shift": self.hidden_shift,
            "till": asked.till,
        }

    @property
    def today(self) -> ReportFilter:
        """The last day, against the one of which it is a week later."""
        return ReportFilter(self.last, self.last, against="week_before")

    def filters(self) -> Iterator[ReportFilter]:
        whole = ReportFilter(self.first, self.last)
        yield whole
        yield ReportFilter(self.last, self.last)
        yield replace(whole, staff_id=self.days.people[0].staff_id)
        yield replace(whole, tier_rank=0)
        yield replace(whole, tier_rank=WITHOUT_MEMBER)
        yield from (replace(whole, till=number) for number in TILLS)
        yield replace(whole, till=TILLS[0], staff_id=self.days.people[0].staff_id, tier_rank=0)
        yield self.today


@contextmanager
def living(made: MadeStore, folder: Path, seed: int) -> Iterator[Days]:
    """A shop of its own on the first of its random days."""
    shutil.copytree(made.folder, folder)
    clock = SteppedClock(made.clock.now)
    opened = open_till(
        folder, find_keystore=lambda: made.keystore, clock=clock, offset_min=lambda: ZONE_MIN
    )
    try:
        yield Days(Shop(opened, clock, made.keystore), seed)
    finally:
        opened.close()


def as_lived(days: Days, first: BusinessDate) -> Lived:
    """What was lived from a date on, with the journal as it is now."""
    with days.till.context.read() as conn:
        bodies = [row.body for row in rows.events_after(conn, 0)]
        shift = till.open_shift(conn)
    assert shift is not None
    last = BusinessDate(shift.business_date)
    return Lived(days.shop, days, Journal(bodies), first, last, shift.id.hex())


@pytest.fixture(scope="module", params=SEEDS)
def lived(
    made_store: MadeStore, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Lived]:
    """Lived once for all tests of this file: nothing here writes."""
    folder = tmp_path_factory.mktemp("lived") / "store"
    with living(made_store, folder, request.param) as days:
        first = days.till.context.business_date()
        days.live(2, 40)
        ctx = days.till.context
        ctx.till = replace(ctx.till, till=TILLS[1])
        days.live(1, 40)
        days.shop.clock.step(days=5)
        days.open_day()
        for _ in range(12):
            days._happen()
        assert {"_sell", "_return", "_void", "_enrol"} <= set(days.done), "each kind happened"
        yield as_lived(days, first)


def test_every_figure_of_every_report_is_what_the_journal_says(lived: Lived) -> None:
    checked = 0
    for asked in lived.filters():
        for code in CODES:
            report = lived.report(code, asked)
            for line in (*report.lines, Line("total", None, report.total)):
                for figure in line.figures:
                    checked += check(lived, report.code, line, figure)
    assert checked > 400


def check(lived: Lived, code: str, line: Line, figure: Figure) -> int:
    if figure.drill is None or figure.drill.measure in ("tier_now", "tier_expiring"):
        return 0
    wanted = lived.truth(figure.drill)
    where = f"{code} {line.kind} {line.key!r} {figure.drill}"
    assert lived.amounts(figure.drill) == wanted, where
    if figure.unit != "share":
        assert figure.value == sum(wanted.values()), where
    return 1


def test_the_tills_whose_slips_the_store_has_add_up_to_the_whole(lived: Lived) -> None:
    ctx = lived.shop.till.context
    with ctx.read(Reader.REPORT) as conn:
        assert report_sums.tills(conn) == TILLS
    whole = ReportFilter(lived.first, lived.last)
    parts = [lived.report("day", replace(whole, till=number)) for number in TILLS]
    assert all(report.lines for report in parts)
    for n, figure in enumerate(lived.report("day", whole).total):
        assert figure.value == sum(report.total[n].value or 0 for report in parts)
    assert lived.report("day", replace(whole, till="03")).lines == ()


def test_no_line_is_missing_and_none_is_too_many(lived: Lived) -> None:
    for asked in lived.filters():
        for code, spec in GROUPED.items():
            report = lived.report(code, asked)
            found = [_plain(line.key) for line in report.lines]
            first, last = int(asked.first), int(asked.last)
            wanted = lived.journal.keys(spec.group, spec.measures, first, last, **lived.more(asked))
            if asked.against and code != "shift":
                earlier, later = asked.week_before(), 7 if spec.group == "date" else 0
                before = lived.journal.keys(
                    spec.group, (spec.charted,), int(earlier.first), int(earlier.last),
                    **lived.more(earlier),
                )  # fmt: skip
                wanted |= {key + later if later else key for key in before}
            assert set(found) == wanted, code
            assert len(found) == len(wanted), code


def test_shares_are_the_part_of_the_whole(lived: Lived) -> None:
    asked = ReportFilter(lived.first, lived.last)
    report = lived.report("overview", asked)
    figures = {str(line.key): line.figures[0] for line in report.lines}

    def sum_of(measure: str) -> int:
        first, last = int(asked.first), int(asked.last)
        found = lived.journal.figure(measure, first, last, hidden_shift=lived.hidden_shift)
        return sum(found.values())

    assert figures["member_share"].value == 10_000 * sum_of("member_sales") // sum_of("sales")
    assert figures["points_share"].value == 10_000 * sum_of("points_value") // sum_of("gross")


def test_members_by_tier_are_those_of_the_journal(lived: Lived) -> None:
    assert verify(lived.shop.till.context).findings == []
    report = lived.report("members", ReportFilter(lived.first, lived.last))
    ranks = list(lived.journal.tiers().values())
    tiers = [line for line in report.lines if line.kind == "tier"]
    assert sum(line.figures[0].value or 0 for line in tiers) == len(ranks)
    for line in tiers:
        drill = line.figures[0].drill
        assert drill is not None
        assert line.figures[0].value == ranks.count(int(line.key or 0)), line
        assert sum(lived.amounts(drill).values()) == line.figures[0].value


def test_what_is_outstanding_is_what_lies_in_lots_less_what_is_owed_without_the_open_shift(
    lived: Lived,
) -> None:
    asked = ReportFilter(lived.first, lived.last)
    points = {str(line.key): line.figures[0] for line in lived.report("points", asked).lines}
    lots = lived.report("lots", asked)
    first, last, journal = int(asked.first), int(asked.last), lived.journal
    held = sum(len(book.coins) - len(book.owed) for book in journal.books.values())
    given = sum(
        sum(journal.figure("points_change", first, last, hidden_shift=hidden).values())
        * (1 if hidden is None else -1)
        for hidden in (None, lived.hidden_shift)
    )
    assert given, "the open shift gave points"
    assert points["outstanding"].value == held - given != 0
    hidden_left = sum(
        sum(amounts.values()) * (1 if hidden is None else -1)
        for hidden in (None, lived.hidden_shift)
        for amounts in journal.lots(last, hidden).values()
    )
    assert lots.total[0].value == held - hidden_left


def test_tenders_of_a_shift_that_is_not_counted_are_nowhere(lived: Lived) -> None:
    today = ReportFilter(lived.last, lived.last)
    report = lived.report("tender", today)
    assert report.lines == ()
    assert report.notes == ("open_shift",)
    cash = lived.journal.figure(
        "tender_net", int(lived.last), int(lived.last), group="share", key="cash"
    )
    assert cash, "there is something to hide"
    assert lived.amounts(Drill("tender_net", today, "share", "cash")) == {}


def test_the_money_of_a_shift_that_is_not_counted_is_told_nowhere(lived: Lived) -> None:
    """Its sales are counted, their sums are not: neither as figures nor by what a figure opens into."""
    today = ReportFilter(lived.last, lived.last)
    assert sum(lived.journal.figure("takings", int(lived.last), int(lived.last)).values())
    lines_of: dict[ReportCode, Key] = {
        "overview": "takings", "day": int(lived.last), "shift": None,
    }  # fmt: skip
    for code, key in lines_of.items():
        report = lived.report(code, today)
        assert report.notes == ("open_shift",), code
        lines = [line for line in report.lines if key in (None, line.key)]
        figures = [
            figure
            for line in lines
            for figure in line.figures[: 1 if code == "overview" else None]
            if figure.unit == "money"
        ]
        assert figures, code
        assert all(figure.withheld and figure.value is None for figure in figures), code
    assert lived.amounts(Drill("takings", today)) == {}
    assert lived.amounts(Drill("sales", today))


def test_every_report_that_can_be_compared_is(lived: Lived) -> None:
    for code in CODES:
        report = lived.report(code, lived.today)
        compared = "week_before" in report.columns
        assert compared is (code not in ("shift", "hours", "lots")), code
        assert len({len(line.figures) for line in report.lines}) <= 1, code
    cashiers = lived.report("cashier", lived.today)
    assert sum(cashiers.before) == cashiers.total[-1].value != 0
    year = lived.report("cashier", replace(lived.today, against="year_before"))
    assert year.columns[-1] == "year_before"
    assert lived.report("cashier", replace(lived.today, against="")).before == ()


def test_what_nobody_can_be_told_apart_by_says_so(lived: Lived) -> None:
    for code in ("members", "points", "lots"):
        assert "not_narrowed" not in lived.report(code, lived.today).notes
        for narrowed in (
            replace(lived.today, staff_id=lived.days.people[0].staff_id),
            replace(lived.today, till=TILLS[0]),
        ):
            assert "not_narrowed" in lived.report(code, narrowed).notes


def test_last_week_and_last_year_are_the_same_weekdays(lived: Lived) -> None:
    one = ReportFilter(lived.last, lived.last)
    assert one.week_before().first == lived.last - 7
    assert one.year_before().first.weekday == lived.last.weekday
    month = ReportFilter(lived.last.plus(-29), lived.last)
    assert month.week_before().last == lived.last - 35
    assert month.week_before().days == month.days


def _plain(key: object) -> object:
    return key.hex() if isinstance(key, bytes) else key
