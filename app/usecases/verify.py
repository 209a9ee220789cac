"""Prove every balance from the journal's bytes: `regulars verify`, and later the day close.

The event bytes are read, not the rows: rows are derived from them again and compared one by one; every balance,
lot and tier is folded anew; the chain and the journal file are checked link by link, no sampling.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from sqlcipher3.dbapi2 import Connection

from app import cached_fold, posting
from app.context import Context
from app.protocol.events import Event, NotCanonical, chain
from app.usecases.verify_drawer import DrawerWalk
from app.usecases.verify_members import check_members, code_of
from app.usecases.verify_report import Fault, Progress, Report, quiet
from app.usecases.verify_rows import EventRows
from app.usecases.verify_sums import PointsWalk, check_standing, rewrite
from db import people, rows, staff_rows, states, till
from db.engine import Reader

Folding = Callable[[Context, Report, Progress], None]
_BATCH = 2000
_UNKNOWN = bytes(32)
"""In place of the hash of an event that is missing."""


def verify(
    ctx: Context,
    *,
    progress: Progress = quiet,
    rebuild: bool = False,
    members: Folding | None = None,
) -> Report:
    """Check everything; with `rebuild` also write caches anew that differ. Raises Unavailable.

    `members` folds all of them, here by default (app/apart.py has processes for it).
    """
    report = Report()
    hashes = _check_journal(ctx, report, progress)
    _check_files(ctx, report, hashes, progress)
    (members or fold_all)(ctx, report, progress)
    _check_nobodys(ctx, report)
    with ctx.read(Reader.REPORT) as conn:
        tiers = tiers_by_rank(ctx, conn)
    check_standing(ctx, report, tiers, progress)
    if rebuild:
        _rebuild_wrong(ctx, report, tiers)
        if report.total:
            rewrite(ctx, progress)
    _check_cards(ctx, report, rebuild=rebuild)
    return report


# Events, ledger and documents -----------------------------------------------------------------------


def _check_journal(ctx: Context, report: Report, progress: Progress) -> bytearray:
    """Walk the journal once beside the rows that it stands for; returns the 32-byte hashes."""
    previous: bytes | None = ctx.chain_start()
    expected = 1
    staff = _Staff()
    hashes = bytearray()
    with ctx.read(Reader.REPORT) as conn:
        total = rows.event_count(conn)
        beside, cash, points = EventRows(conn), DrawerWalk(conn), PointsWalk()
        for row in rows.events_after(conn, 0):
            while expected < row.seq:
                report.add(Fault.GAP, expected, "event is missing")
                # What it stood for goes with it, and what follows has nothing to chain onto.
                beside.lost(expected)
                cash.lost(expected)
                previous = None
                hashes += _UNKNOWN
                expected += 1
            event = check_event(row, previous, ctx.till.epoch, report)
            points.take(beside.compare(row.seq, event, report))
            if event is not None:
                check_projections(conn, event, report)
                staff.take(event)
                for what in cash.take(event):
                    report.add(Fault.PROJECTION, row.seq, what)
            report.events += 1
            previous = row.hash
            hashes += row.hash
            expected += 1
            if report.events % _BATCH == 0:
                progress("events", report.events, total)
        beside.rest(report)
        for seq, what in cash.rest():
            report.add(Fault.PROJECTION, seq, what)
        staff.compare(conn, report)
        points.compare(conn, report)
    report.head = previous or b""
    return hashes


def check_event(
    row: rows.EventRow, previous: bytes | None, epoch: int, report: Report
) -> Event | None:
    """The event in a row, None when its bytes are none; notes what is wrong with bytes, chain, columns."""
    if previous is not None and chain(previous, row.body) != row.hash:
        report.add(Fault.EVENT, row.seq, "its bytes do not chain onto the event before")
    try:
        event = posting.event_of(row)
        posting.ledger_rows(event)
    except (NotCanonical, ValueError, TypeError, AssertionError) as error:
        report.add(Fault.EVENT, row.seq, f"its bytes are not an event: {error}")
        return None
    beside = (epoch, event.id, event.command_id, event.kind)
    if beside != (row.epoch, row.id, row.command_id, row.kind):
        report.add(Fault.EVENT, row.seq, "the columns beside its bytes say something else")
    return event


def check_projections(conn: Connection, event: Event, report: Report) -> None:
    """The rows that an event stands for besides entries and documents."""

    def same(what: str, wanted: object, found: object) -> None:
        if wanted != found:
            report.add(Fault.PROJECTION, event.seq, f"{what} differs")

    if event.kind == posting.PROGRAMME:
        version, starts, body = posting.programme_row(event)
        same("programme", (version, starts, body), till.programme(conn, version))
    elif event.kind == posting.SETUP:
        for key, value in posting.setup_facts(event).items():
            same(key, value, rows.meta(conn, key))
        cards = posting.setup_cards(event)
        if cards is not None:
            report.blocks.append(cards)
    elif event.kind == posting.CARDS:
        report.blocks[:] = posting.leased_cards(event)
    consents = posting.consent_rows(event)
    if consents and event.member_id is not None:
        given = [c for c in people.consents_of(conn, event.member_id) if c.seq == event.seq]
        same("consent", sorted(consents, key=repr), sorted(given, key=repr))


class _Staff:
    """Who works here, in which role, and who is signed in, as the events have it."""

    def __init__(self) -> None:
        self._standing: dict[bytes, tuple[int, posting.StaffStanding]] = {}
        self._signs: dict[bytes, tuple[int, int]] = {}

    def take(self, event: Event) -> None:
        """The next event of the journal."""
        if event.kind == posting.STAFF:
            staff_id = bytes.fromhex(event.doc["staff"])
            _, before = self._standing.get(staff_id, (0, None))
            self._standing[staff_id] = event.seq, posting.staff_standing(event, before)
        sign = posting.staff_sign(event)
        if sign is not None:
            self._signs[sign[0]] = event.seq, sign[1]

    def compare(self, conn: Connection, report: Report) -> None:
        """With the rows."""
        found = {row.id: row for row in staff_rows.all_staff(conn)}
        for staff_id, (seq, wanted) in self._standing.items():
            row = found.pop(staff_id, None)
            if row is None or (row.role, row.active, row.member_id) != wanted:
                report.add(Fault.PROJECTION, seq, "role or standing of a person differs")
        for _ in found:
            report.add(Fault.PROJECTION, 0, "person of no event")
        signs = staff_rows.staff_signs(conn)
        for staff_id in self._signs.keys() | signs.keys():
            seq = self._signs.get(staff_id, (0, 0))[0]
            if self._signs.get(staff_id) != signs.get(staff_id):
                report.add(Fault.PROJECTION, seq, "sign-in of a person differs")


# The journal file ---------------------------------------------------------------------------------


def _check_files(ctx: Context, report: Report, hashes: bytearray, progress: Progress) -> None:
    files = ctx.journal.files()
    seen = 0
    links = ctx.journal.scan(newest=0)
    for number in links.missing:
        report.add(Fault.JOURNAL_FILE, 0, f"file {number:06d} is missing")
    before = None
    for done, path in enumerate(files, 1):
        records, damages = ctx.journal.read_checked(path, before=before)
        for damage in damages:
            after = max(damage.after, seen)
            report.add(
                Fault.JOURNAL_FILE, after + 1, f"{damage.file}@{damage.offset}: {damage.why}"
            )
        for record in records:
            while seen + 1 < record.seq:
                seen += 1
                report.add(Fault.JOURNAL_FILE, seen, "not in the journal file")
            here = bytes(hashes[(record.seq - 1) * 32 : record.seq * 32])
            if here not in (record.hash, _UNKNOWN):
                report.add(Fault.JOURNAL_FILE, record.seq, "another event in the journal file")
            seen = max(seen, record.seq)
        before = path
        report.files += 1
        progress("journal files", done, len(files))
    for missing in range(seen + 1, len(hashes) // 32 + 1):
        report.add(Fault.JOURNAL_FILE, missing, "not in the journal file")


# Caches -------------------------------------------------------------------------------------------


def fold_all(ctx: Context, report: Report, progress: Progress) -> None:
    """Every member, in this process."""
    verify_span(ctx, report, progress, first=None, end=None)


def verify_span(
    ctx: Context, report: Report, progress: Progress, *, first: bytes | None, end: bytes | None
) -> None:
    """The members from `first` up to and without `end`; None is where they begin and end."""
    with ctx.read(Reader.REPORT) as conn:
        members = people.members_between(conn, first or b"", end)
        total = people.member_count(conn)
        tiers = tiers_by_rank(ctx, conn)
        check_members(conn, members, report, tiers, progress=progress, total=total)


def spans(ctx: Context, count: int) -> list[tuple[bytes | None, bytes | None]]:
    """All members in so many spans of about the same size for `verify_span`, or fewer."""
    with ctx.read(Reader.REPORT) as conn:
        ends = people.members_at(conn, range(1, count), of=count)
    inner = sorted(set(ends))
    return list(itertools.pairwise([None, *inner, None]))


def _rebuild_wrong(ctx: Context, report: Report, tiers: dict[int, str]) -> None:
    for member_id in report.wrong:
        _rebuild(ctx, member_id, tiers)
        report.rebuilt += 1


def _check_nobodys(ctx: Context, report: Report) -> None:
    with ctx.read(Reader.REPORT) as conn:
        for member_id in states.members_without_account(conn):
            report.add(Fault.CACHE, 0, f"cached state of no member {member_id.hex()}")


def tiers_by_rank(ctx: Context, conn: Connection) -> dict[int, str]:
    """The codes of the newest programme's tiers."""
    return {tier.rank: tier.code for tier in ctx.programmes(conn)[-1].tiers.levels}


def _rebuild(ctx: Context, member_id: bytes, tiers: dict[int, str]) -> None:
    with ctx.write_rows() as conn:
        entries = rows.ledger_of_member(conn, member_id)
        folded = cached_fold.folded(conn, member_id)
        cached_fold.rewrite_state(
            conn, member_id, seq=entries[-1].seq if entries else 0, state=folded
        )
        account = people.member(conn, member_id)
        if account is not None:
            code = code_of(folded, tiers) or tiers[min(tiers)]
            people.update_member(conn, member_id, tier=code, last_visit=account.last_visit)


def _is_left(
    wanted: people.CardBlock | None, found: people.CardBlock | None, *, owner: bool
) -> bool:
    """Of a chain's members some were forgotten whose numbers are not given out again."""
    if owner or wanted is None or found is None:
        return wanted == found
    return found == replace(wanted, next=max(wanted.next, found.next))


def _check_cards(ctx: Context, report: Report, *, rebuild: bool) -> None:
    """Blocks as the set-up or head office gave them, less the numbers that cards have. A block that hands out
    a number twice would give two members one card. Nothing can be said when those events are unreadable."""
    if not report.blocks:
        return
    with ctx.read(Reader.REPORT) as conn:
        wanted = {block.prefix: posting.less_cards(conn, block) for block in report.blocks}
        found = {block.prefix: block for block in people.card_blocks(conn)}
        owner = ctx.owns_ledger(conn)
    wrong = [
        each
        for each in sorted({*wanted, *found})
        if not _is_left(wanted.get(each), found.get(each), owner=owner)
    ]
    for prefix in wrong:
        report.add(Fault.CACHE, 0, f"card block {prefix}: {found.get(prefix)} is not what is left")
    if rebuild and wrong:
        with ctx.write_rows() as conn:
            for prefix in wrong:
                people.drop_card_block(conn, prefix)
            for prefix in {*wrong} & {*wanted}:
                people.put_card_block(conn, wanted[prefix])
