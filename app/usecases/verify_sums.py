"""The part of `verify` about the sums that reports read: are they what the journal says, and writing them anew.

Points by date are held against the events' own bytes, gathered while the journal is walked. Lots and tiers are
held against the members' rows, each of which is proven by its member's fold: so the chain of proof is the
journal, the fold, the row, the sum. Both on one snapshot each; a sale meanwhile is no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import cached_fold
from app.context import Context
from app.domain.entries import POINTS
from app.usecases.verify_members import code_of
from app.usecases.verify_report import Fault, Progress, Report
from db import figures, people, report_sums_kept, states
from db.connection import Connection
from db.engine import Reader
from db.report_sums_kept import LotKey, LotSum, PointsKey, PointsSum, TierKey


class PointsWalk:
    """What the events of the journal, one by one, move by date, person and tier."""

    def __init__(self) -> None:
        self._sums: dict[PointsKey, PointsSum] = {}

    def take(self, row: figures.FiguresRow | None) -> None:
        """What the next event adds to the figures, as its bytes say; None where nothing."""
        added = None if row is None else report_sums_kept.points_of(row)
        if added is not None:
            report_sums_kept.add_points(self._sums, [added])

    def compare(self, conn: Connection, report: Report) -> None:
        """With the sums that are kept, on the snapshot of the walk."""
        _compare(report, "points", self._sums, report_sums_kept.kept_points(conn))


def check_standing(
    ctx: Context, report: Report, tiers: Mapping[int, str], progress: Progress
) -> None:
    """Compare the sums of lots and of tiers with the members' rows; for `report.wrong`, whose rows are not what
    the journal says, with their folds. `tiers` is the tier's code by rank."""
    with ctx.read(Reader.REPORT) as conn:
        lots, by_tier = report_sums_kept.standing(conn, lambda done, of: progress("sums", done, of))
        for member_id in report.wrong:
            _take_the_fold(conn, member_id, tiers, lots, by_tier)
        kept = report_sums_kept.kept_lots(conn), report_sums_kept.kept_tiers(conn)
    _compare(report, "lots", {key: sum_ for key, sum_ in lots.items() if any(sum_)}, kept[0])
    _compare(report, "tiers", {key: count for key, count in by_tier.items() if count}, kept[1])


def _take_the_fold(
    conn: Connection,
    member_id: bytes,
    tiers: Mapping[int, str],
    lots: dict[LotKey, LotSum],
    by_tier: dict[TierKey, int],
) -> None:
    """In sums of rows, put a member's fold in the place of what the rows say."""
    folded = cached_fold.folded(conn, member_id)
    for row in states.lots(conn, member_id):
        if row.asset == POINTS:
            _add_lot(lots, (row.available_from, row.expires), -1, -row.remaining)
    for lot in folded.lots:
        if lot.asset == POINTS:
            _add_lot(lots, (int(lot.available_from), int(lot.expires)), 1, lot.remaining)
    state, account = states.state(conn, member_id), people.member(conn, member_id)
    if account is None:
        return
    had = account.tier, (state.tier_until or 0) if state is not None else 0
    standing = folded.standing
    has = code_of(folded, tiers) or account.tier, int(standing.until) if standing else 0
    by_tier[had] = by_tier.get(had, 0) - 1
    by_tier[has] = by_tier.get(has, 0) + 1


def _add_lot(lots: dict[LotKey, LotSum], key: LotKey, count: int, points: int) -> None:
    had = lots.get(key, (0, 0))
    lots[key] = had[0] + count, had[1] + points


def rewrite(ctx: Context, progress: Progress) -> None:
    """Write all sums anew from the rows."""
    with ctx.write_rows() as conn:
        sums = report_sums_kept.added_up(conn, lambda done, of: progress("sums", done, of))
        report_sums_kept.write(conn, sums)


def _compare(
    report: Report, of: str, wanted: Mapping[Any, object], found: Mapping[Any, object]
) -> None:
    for key in sorted({*wanted, *found}, key=repr):
        if wanted.get(key) != found.get(key):
            what = f"sum of {of} {_named(key)}: {found.get(key)}, not {wanted.get(key)}"
            report.add(Fault.SUM, 0, what)


def _named(key: tuple[object, ...]) -> str:
    return "/".join(each.hex() if isinstance(each, bytes) else str(each) for each in key)
