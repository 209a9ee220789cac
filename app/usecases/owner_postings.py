"""What the ledger's owner posts by itself at the close of a date: expiries, and reviews of tiers.

One small transaction a batch, so that the counter sells in between and a kill anywhere loses nothing: what is
due is found again from the rows. An event's id is derived from its member and cause (`owner_event_id`), so
posting twice is a no-op (domain.md section 2).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final, Literal

from app import cached_fold, posting
from app.context import Context, Tx
from app.domain.business_day import BusinessDate
from app.domain.entries import TIER, Entry, owner_event_id
from app.domain.errors import Refusal, Refused
from app.domain.expiry import expire_entries, expire_event_id
from app.domain.fold import fold
from app.domain.programme import Programme
from app.domain.state import EMPTY, MemberState
from app.domain.state_rows import Needs, needs
from app.domain.tiers import review_entries
from db import day, due, rows, till
from db.connection import Connection

BATCH_MEMBERS: Final = 25
"""Members a transaction: each takes about a millisecond of the write lock, and a sale may be waiting."""

Phase = Literal["expire", "tiers", "pending", "done"]
_AFTER: Final[dict[Phase, Phase]] = {"expire": "tiers", "tiers": "pending", "pending": "done"}
_NOTHING: Final = Needs(frozenset(), frozenset(), frozenset())
_REVIEWS: Final = ("raised", "lowered", "kept")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the postings of a date have come, and what this run of them posted so far (`posted_on` has all
    runs). `since` is the date whose close came before; `place` the last candidate looked at, `looked` how many
    that were."""

    on: BusinessDate
    since: BusinessDate | None
    phase: Phase = "expire"
    place: due.Due = due.FIRST
    members: int = 0
    points: int = 0
    raised: int = 0
    lowered: int = 0
    kept: int = 0
    looked: int = 0

    @property
    def finished(self) -> bool:
        """Whether nothing is left to look at."""
        return self.phase == "done"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is due at the close of a date: shown where another owns the ledger, and before a close."""

    members: int
    points: int


def owns_ledger(ctx: Context) -> bool:
    """Whether this till is the owner of its members' ledger: true until it joins a head office."""
    with ctx.read() as conn:
        return ctx.owns_ledger(conn)


def outlook(ctx: Context, on: BusinessDate) -> Outlook:
    """The members and points that a close of `on` books as expired."""
    with ctx.read() as conn:
        return Outlook(*due.lapsed_sum(conn, int(on)))


def candidates(ctx: Context, begun: Progress) -> int:
    """How many candidates the postings that begin will look at; one that comes meanwhile is not among them."""
    with ctx.read() as conn:
        lowest = ctx.programme_on(conn, begun.on).tiers.levels[0].code
        return due.count(conn, _since(begun), int(begun.on), lowest=lowest)


def post_all(ctx: Context, on: BusinessDate, since: BusinessDate | None) -> Progress:
    """Every batch one after the other: for a till where nobody sells."""
    progress = Progress(on, since)
    while not progress.finished:
        progress = post_batch(ctx, progress)
    return progress


def post_batch(ctx: Context, progress: Progress) -> Progress:
    """One transaction of postings, BATCH_MEMBERS candidates at most; call it until `finished`.

    Nothing is posted where another owns the ledger. Raises Refused(SHIFT_OPEN) while a shift of that
    date can still sell, since points are good through their last date.
    """
    if not owns_ledger(ctx):
        return replace(progress, phase="done")
    on = progress.on
    with ctx.write(ctx.ids()) as tx:
        shift = till.open_shift(tx.conn)
        if shift is not None and shift.business_date <= on:
            raise Refused(Refusal.SHIFT_OPEN)
        programme = ctx.programme_on(tx.conn, on)
        found = _candidates(tx.conn, progress, programme)
        for candidate in found:
            progress = _post(tx, progress, candidate.member_id, programme)
    progress = replace(progress, looked=progress.looked + len(found))
    if len(found) < BATCH_MEMBERS:
        return replace(progress, phase=_AFTER[progress.phase], place=due.FIRST)
    return replace(progress, place=found[-1])


def posted_on(conn: Connection, on: BusinessDate) -> dict[str, int]:
    """What the postings of a date came to (members, points, raised, lowered, kept), all runs together: a close
    that was broken off and begun anew finds what it posted before and posts it no second time.

    From the events of that date alone, so that postings that come back from the journal file count too.
    """
    members, points = day.expired_on(conn, int(on), posting.EXPIRE)
    reviews = Counter(
        _came_to(conn, seq, member_id)
        for seq, member_id in day.booked_on(conn, int(on), posting.TIER_REVIEW)
    )
    return {"members": members, "points": points, **{name: reviews[name] for name in _REVIEWS}}


def _came_to(conn: Connection, seq: int, member_id: bytes) -> str:
    """What the review in event `seq` did to the member's tier, by _REVIEWS; "" for one that moved nothing."""
    changes = rows.ledger_of_asset(conn, member_id, TIER)
    ranks = [row.amount for row in changes if row.seq == seq]
    if not ranks:
        return ""
    before = fold(EMPTY, (cached_fold.entry_of(row) for row in changes if row.seq < seq)).standing
    if before is None or ranks[0] > before.rank:
        return "raised"
    return "lowered" if ranks[0] < before.rank else "kept"


def _candidates(conn: Connection, progress: Progress, programme: Programme) -> list[due.Due]:
    on, after, limit = int(progress.on), progress.place, BATCH_MEMBERS
    if progress.phase == "expire":
        return due.lapsed_lots(conn, on, after=after, limit=limit)
    if progress.phase == "tiers":
        lowest = programme.tiers.levels[0].code
        return due.tiers_past_end(conn, on, lowest=lowest, after=after, limit=limit)
    return due.pending_counting(conn, _since(progress), on, after=after, limit=limit)


def _since(progress: Progress) -> int:
    return int(progress.since) if progress.since is not None else due.FIRST.on


def _post(tx: Tx, progress: Progress, member_id: bytes, programme: Programme) -> Progress:
    if progress.phase == "expire":
        return _expire(tx, progress, member_id, programme)
    return _review(tx, progress, member_id, programme)


def _expire(tx: Tx, progress: Progress, member_id: bytes, programme: Programme) -> Progress:
    on = progress.on
    event_id = expire_event_id(member_id, on)
    if rows.event_by_id(tx.conn, event_id) is not None:
        return progress  # posted before; what lapsed since waits for the next close
    state = cached_fold.load_state(tx.conn, member_id, _NOTHING)
    entries = expire_entries(state, on, event_id)
    if not entries:
        return progress
    state = cached_fold.load_state(tx.conn, member_id, needs(entries))
    record(tx, posting.EXPIRE, event_id, member_id, programme, on, entries, {}, state)
    points = -sum(entry.amount for entry in entries)
    return replace(progress, members=progress.members + 1, points=progress.points + points)


def _review(tx: Tx, progress: Progress, member_id: bytes, programme: Programme) -> Progress:
    on = progress.on
    event_id = owner_event_id(member_id, f"review:{on.iso()}")
    if rows.event_by_id(tx.conn, event_id) is not None:
        return progress
    state = cached_fold.load_state(tx.conn, member_id, None)
    entries = tuple(review_entries(state, programme.tiers, on, event_id))
    if not entries:
        return progress
    before = state.standing
    rank_before = before.rank if before is not None else programme.tiers.levels[0].rank
    rank = entries[0].amount
    code = programme.tiers.at(rank).code
    facts = {"tier_code": code}
    record(tx, posting.TIER_REVIEW, event_id, member_id, programme, on, entries, facts, state)
    if rank > rank_before:
        return replace(progress, raised=progress.raised + 1)
    if rank < rank_before:
        return replace(progress, lowered=progress.lowered + 1)
    return replace(progress, kept=progress.kept + 1)


def record(
    tx: Tx,
    kind: str,
    event_id: bytes,
    member_id: bytes,
    programme: Programme,
    on: BusinessDate,
    entries: tuple[Entry, ...],
    facts: dict[str, str],
    state: MemberState,
) -> MemberState:
    """Post a member's `entries` as an event of the owner's, on their `state`; the state after them."""
    after = fold(state, entries)
    tx.record(
        kind,
        event_id=event_id,
        command_id=event_id,
        session=None,
        business_date=on,
        member_id=member_id,
        programme=programme.version,
        entries=entries,
        doc={"due": int(on), **facts},
        posted=cached_fold.Posted(state, after),
    )
    return after
