"""The reports that read kept sums: over random days with points by hand, expiries, reviews and a late event,
every figure and every list equals what the journal's bytes say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Final

import pytest

from app.documents.report import WITHOUT_MEMBER, Drill, Line, Parts, ReportCode, ReportFilter
from app.domain.business_day import BusinessDate
from app.domain.errors import Refused
from app.queries.reports.parts import parts
from app.usecases.adjust import Adjust, adjust, preview_adjust
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.owner_postings import post_all
from app.usecases.verify import verify
from db import report_sums_kept, till
from db.engine import Reader
from tests.conftest import MadeStore
from tests.reports.days import Days
from tests.reports.test_truth import Lived, as_lived, check, living

SEEDS = (5, 71)
STANDING: Final[tuple[ReportCode, ...]] = ("points", "lots", "members")
MONTHS: Final = (1, 5, 9, 11, 13, 14)
"""Days are lived this many months after the first: lots of most ages are left, some lapsed unbooked."""


@pytest.fixture(scope="module", params=SEEDS)
def lived(
    made_store: MadeStore, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Lived]:
    """More than a year, its last shift still open. Lived once: nothing here writes."""
    folder = tmp_path_factory.mktemp("standing") / "store"
    with living(made_store, folder, request.param) as days:
        first, began = days.till.context.business_date(), days.shop.clock.now
        days.live(2, 30)
        for months in MONTHS:
            end_shift(days)
            post_all(days.till.context, days.till.context.business_date(), None)
            days.shop.clock.now = began + timedelta(days=31 * months)
            days.open_day()
            for _ in range(14):
                days.shop.clock.step(minutes=7)
                days._happen()
            by_hand(days, 300)
            by_hand(days, -120)
        # The clock is set back amid the shift: what follows comes "late".
        days.shop.clock.now -= timedelta(hours=3)
        for _ in range(5):
            days._happen()
        yield as_lived(days, first)


def end_shift(days: Days) -> None:
    """The manager ends what is open; nobody counted."""
    ctx = days.till.context
    with ctx.read() as conn:
        shift = till.open_shift(conn)
    assert shift is not None
    close_shift(ctx, CloseShift(ctx.ids(), days.people[-1], shift.id, "person_gone"))


def by_hand(days: Days, points: int) -> None:
    """Points that a supervisor gives or takes and the manager lets through."""
    ctx, asks = days.till.context, days.people[1]
    member = days.members[len(days.members) // 2]
    shown = preview_adjust(ctx, asks, member, points)
    note = "顾客说上周三没给积分，小票看过了"
    command = Adjust(ctx.ids(), asks, member, points, "goodwill", note, shown.balance_after)
    with pytest.raises(Refused) as refused:
        adjust(ctx, command)
    assert refused.value.offer is not None
    ctx.approvals.give(refused.value.offer, days.people[-1].staff_id)  # type: ignore[arg-type]  # an Ask
    adjust(ctx, command)


def filters(lived: Lived) -> Iterator[ReportFilter]:
    whole = ReportFilter(lived.first, lived.last)
    late = ReportFilter(lived.last.plus(-40), lived.last, against="year_before")
    yield from (whole, late, replace(late, against="week_before"))
    for person in lived.days.people:
        yield replace(whole, staff_id=person.staff_id)
    for rank in (0, 10, WITHOUT_MEMBER):
        yield replace(whole, tier_rank=rank)
    yield replace(late, staff_id=lived.days.people[0].staff_id, tier_rank=0)
    yield ReportFilter(lived.first, BusinessDate(lived.last - 200))


def drills(lived: Lived, code: ReportCode, asked: ReportFilter) -> Iterator[tuple[Line, Drill]]:
    """Every figure of a report that opens into events."""
    for line in lived.report(code, asked).lines:
        for figure in line.figures:
            if figure.drill is not None:
                yield line, figure.drill


def test_every_figure_of_the_standing_reports_is_what_the_journal_says(lived: Lived) -> None:
    seen: set[str] = set()
    for n, asked in enumerate(filters(lived)):
        for code in STANDING if n < 2 else ("points", "members"):  # what lies in lots has no filter
            report = lived.report(code, asked)
            for line in report.lines:
                for figure in line.figures:
                    if check(lived, code, line, figure) and figure.value and figure.drill:
                        measure = figure.drill.measure
                        seen.add(f"lots {line.key!s}" if measure == "lots" else measure)
    moved = {"issued", "redeemed", "expired", "points_change"}
    lots = {"lots 30", "lots 90", "lots 180", "lots 365", "lots lapsed"}
    assert seen >= moved | lots | {"enrolled", "active", "upgrades"}


def test_a_list_that_is_cut_has_the_newest_events_and_their_whole_number(lived: Lived) -> None:
    cut = 0
    for asked in filters(lived):
        for line, drill in drills(lived, "points", asked):
            truth = lived.truth(drill)
            found = opened(lived, drill, 3)
            newest = dict(islice(sorted(truth.items(), reverse=True), 3))
            assert {part.seq: part.amount for part in found.parts} == newest, (line, drill)
            assert found.count == len(truth), (line, drill)
            cut += len(truth) > 3
    assert cut > 10


def test_a_list_of_lots_that_is_cut_has_the_youngest_lots_whole(lived: Lived) -> None:
    cut = 0
    for _, drill in drills(lived, "lots", ReportFilter(lived.first, lived.last)):
        if drill.measure != "lots":
            continue
        truth = lived.truth(drill)
        found = opened(lived, drill, 2)
        assert len(found.parts) == min(2, len(truth))
        assert all(truth[part.seq] == part.amount for part in found.parts)
        assert found.count >= len(truth)
        if len(truth) > 2:
            dates = since(lived)
            shown = [dates[part.seq] for part in found.parts]
            others = [dates[seq] for seq in truth if seq not in {part.seq for part in found.parts}]
            assert min(shown) >= max(others), drill
            cut += 1
    assert cut >= 3


def since(lived: Lived) -> dict[int, int]:
    """From the journal's bytes: event → the latest date since when a lot of it may be spent."""
    found: dict[int, int] = {}
    for book in lived.journal.books.values():
        for origin, _, start, _ in book.coins:
            seq = lived.journal.by_id[origin[0]]["seq"]
            found[seq] = max(found.get(seq, 0), start)
    return found


@pytest.mark.parametrize("limit", [1, 2, -1])
def test_the_lists_of_tiers_are_the_newest_events_that_brought_them(
    lived: Lived, limit: int
) -> None:
    asked = ReportFilter(lived.first, lived.last)
    ranks, brought = lived.journal.tiers(), last_tier_events(lived)
    for line in lived.report("members", asked).lines:
        drill = line.figures[0].drill
        if line.kind != "tier" or drill is None:
            continue
        wanted = sorted((brought[m] for m, rank in ranks.items() if rank == line.key), reverse=True)
        found = opened(lived, drill, limit)
        assert [part.seq for part in found.parts] == (wanted if limit < 0 else wanted[:limit])
        assert found.count == line.figures[0].value == len(wanted)


def last_tier_events(lived: Lived) -> dict[str, int]:
    """From the journal's bytes: member → the event of their last change of tier, else of their enrolment."""
    found: dict[str, int] = {}
    for event in lived.journal.events:
        changed = any(entry[1] == "tier" for entry in event["entries"])
        if event["kind"] == "enrol" or changed:
            found[event["member"]] = event["seq"]
    return found


def test_tiers_that_end_soon_are_those_of_the_journal(lived: Lived) -> None:
    ctx = lived.shop.till.context
    with ctx.read() as conn:
        kept = report_sums_kept.kept_tiers(conn)
    untils = {until for (tier, until) in kept if tier != "regular"}
    assert untils, "somebody rose"
    figure = lived.report("members", ReportFilter(lived.first, lived.last)).lines[4].figures[0]
    assert figure.drill is not None
    assert figure.drill.measure == "tier_expiring"
    last = lived.last
    soon = sum(
        n for (tier, until), n in kept.items() if tier != "regular" and last <= until <= last + 30
    )
    assert figure.value == soon == opened(lived, figure.drill, -1).count
    assert len(opened(lived, figure.drill, -1).parts) == soon


def test_the_sums_are_proven_by_verify(lived: Lived) -> None:
    assert verify(lived.shop.till.context).findings == []


def opened(lived: Lived, drill: Drill, limit: int) -> Parts:
    ctx = lived.shop.till.context
    with ctx.read(Reader.REPORT) as conn:
        return parts(ctx, conn, drill, limit=limit, names=True)
