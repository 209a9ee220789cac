"""`verify` in portions, for the close of a day: what is new since the last one, and a seventh of all members.

The same checks as the whole verify makes, on fewer rows: every new event against its rows, its link and its
copy in the journal file, and every member that it moved. In seven closes every member is folded once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.context import Context
from app.journal import Record
from app.usecases.verify import check_event, check_projections, tiers_by_rank
from app.usecases.verify_members import check_members
from app.usecases.verify_report import Fault, Progress, Report, quiet
from app.usecases.verify_rows import EventRows
from db import day, people, rows
from db.connection import Connection
from db.engine import Reader

SHARES: Final = 7
_SHARE_DAYS: Final = "verified_shares"
_TOLD_EVERY: Final = 500
"""Events."""
WORTH_A_PROCESS: Final = 5000
"""Events with their members: below that one process is done in two seconds, of which its start is a good
part, and another core is the counter's."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of several equal parts of a proof of what came up to event `upto`: a stretch of the events, and
    those of the members moved whose ids end so. The first one also sums all balances."""

    number: int
    of: int
    upto: int

    def stretch(self, since: int) -> tuple[int, int]:
        """The event before the part's first one, and its last one."""
        events = self.upto - since
        after, last = (since + events * end // self.of for end in (self.number, self.number + 1))
        return after, last

    def has(self, member_id: bytes) -> bool:
        """Whether a member is this part's to fold."""
        return member_id[-1] % self.of == self.number


def parts_since(ctx: Context, seq: int, *, most: int) -> list[Part]:
    """What came after event `seq` in as many parts as are worth a process each, `most` at most."""
    with ctx.read(Reader.REPORT) as conn:
        upto = _last(conn)
    count = max(1, min(most, (upto - seq) // WORTH_A_PROCESS))
    return [Part(number, count, upto) for number in range(count)]


def verify_since(
    ctx: Context,
    seq: int,
    points: int = 0,
    *,
    part: Part | None = None,
    progress: Progress = quiet,
) -> Report:
    """Check every event after `seq`, whose chain starts at that event as stored, and the members moved; or a
    part of both, whose report `Report.take` adds to that of the part before.

    `points` are those of all members up to `seq`: with what came since they must be the sum of all
    cached balances. Works on one snapshot of the report reader.
    """
    report = Report()
    with ctx.read(Reader.REPORT) as conn:
        part = part or Part(0, 1, _last(conn))
        unwritten = _check_events(ctx, conn, part.stretch(seq), report, progress)
        found = rows.members_moved_since(conn, seq, upto=part.upto)
        moved = [member_id for member_id in found if part.has(member_id)]
        tiers = tiers_by_rank(ctx, conn)
        check_members(conn, moved, report, tiers, progress=progress, total=len(moved))
        if part.number == 0:
            _check_sum(conn, seq, points, report)
    _check_late(ctx, unwritten, report)
    return report


def _last(conn: Connection) -> int:
    head = rows.head(conn)
    return head[0] if head else 0


def _check_events(
    ctx: Context,
    conn: Connection,
    stretch: tuple[int, int],
    report: Report,
    progress: Progress,
) -> list[rows.EventRow]:
    """The events of a stretch; those that the journal files did not have yet."""
    after, upto = stretch
    before = rows.event_by_seq(conn, after) if after else None
    report.start = report.head = before.hash if before else ctx.chain_start()
    report.last = after
    records = _records_after(ctx, after)
    beside = EventRows(conn, after, upto)
    unwritten: list[rows.EventRow] = []
    expected = after + 1
    for row in rows.events_after(conn, after, upto=upto):
        while expected < row.seq:
            beside.lost(expected)
            expected += 1
        event = check_event(row, report.head, ctx.till.epoch, report)
        beside.compare(row.seq, event, report)
        if event is not None:
            check_projections(conn, event, report)
        copy = next(records, None)
        if copy is None:
            unwritten.append(row)
        elif (copy.seq, copy.hash) != (row.seq, row.hash):
            report.add(Fault.JOURNAL_FILE, row.seq, "another event in the journal file")
        report.events += 1
        report.last = row.seq
        report.head = row.hash
        expected += 1
        if report.events % _TOLD_EVERY == 0:
            progress("events", report.events, upto - after)
    if after + report.events != upto:
        report.add(Fault.GAP, after + 1, f"{report.events} events up to {upto}")
    return unwritten


def _check_late(ctx: Context, unwritten: list[rows.EventRow], report: Report) -> None:
    """Events that the files did not have while they were read: a command appends after its commit, so
    the last one may have come since; anything else is missing."""
    if not unwritten:
        return
    late = {record.seq: record.hash for record in _records_after(ctx, unwritten[0].seq - 1)}
    for row in unwritten:
        if late.get(row.seq) != row.hash:
            report.add(Fault.JOURNAL_FILE, row.seq, "not in the journal file")


def _records_after(ctx: Context, seq: int) -> Iterator[Record]:
    """The journal files' records after an event, in order; files that end before it are not read."""
    files = ctx.journal.files()
    first = len(files)
    while first > 0:
        first -= 1
        begins = ctx.journal.first_in(files[first])
        if begins is not None and begins <= seq + 1:
            break
    for path in files[first:]:
        yield from (record for record in ctx.journal.each_of(path) if record.seq > seq)


def _check_sum(conn: Connection, seq: int, points: int, report: Report) -> None:
    _, since = day.ledger_since(conn, seq)
    cached = day.cached_points(conn)
    if cached != points + since:
        report.add(Fault.CACHE, 0, f"all balances are {cached}, all entries {points + since}")


# A share of all members -------------------------------------------------------------------------


def verify_share(ctx: Context, share: int, *, progress: Progress = quiet) -> Report:
    """Fold the members of one of the seven shares, and note the date; what differs is kept as an
    incident by the caller."""
    report = Report()
    with ctx.read(Reader.REPORT) as conn:
        members = (m for m in people.all_members(conn) if m[-1] % SHARES == share)
        total = people.member_count(conn) // SHARES
        tiers = tiers_by_rank(ctx, conn)
        check_members(conn, members, report, tiers, progress=progress, total=total)
    return report


def next_share(ctx: Context) -> int:
    """The share whose turn it is: the one that was looked at the longest time ago."""
    dates = _dates(ctx)
    return dates.index(min(dates))


def note_share(ctx: Context, share: int) -> None:
    """Note that a share was looked at today."""
    dates = _dates(ctx)
    dates[share] = int(ctx.business_date())
    with ctx.write_rows() as conn:
        rows.set_meta(conn, _SHARE_DAYS, json.dumps(dates))


def oldest_share(ctx: Context) -> int:
    """The business date since when every member has been folded once; 0 when some never were."""
    return min(_dates(ctx))


def shares_verified(conn: Connection) -> tuple[int, int]:
    """Business dates: since when every member has been folded once, and of the last share; 0 for never."""
    dates = _kept_dates(conn)
    return min(dates), max(dates)


def _dates(ctx: Context) -> list[int]:
    with ctx.read() as conn:
        return _kept_dates(conn)


def _kept_dates(conn: Connection) -> list[int]:
    kept = rows.meta(conn, _SHARE_DAYS)
    return [0] * SHARES if kept is None else [int(date) for date in json.loads(kept)]
