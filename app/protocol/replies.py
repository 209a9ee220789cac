"""How a till applies what head office answers: rows with what they include, cells, grants, holds, timelines."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Final

from app.domain.business_day import BusinessDate
from app.domain.state import EMPTY
from app.protocol import own_chain
from app.protocol.hlc import heard, ms_of
from app.protocol.ids import random_id
from app.protocol.references import is_visited
from app.protocol.till_store import Base, Begun, Control, OwnGrant, TillStore
from app.protocol.wire import (
    ID_BYTES,
    START,
    CellTaken,
    Cursor,
    Grant,
    HoldReply,
    MemberRow,
    NewTimeline,
    ReferenceRow,
    Refusal,
    Reply,
    SentRow,
    SnapshotReply,
    SyncReply,
    SyncRequest,
    unpack_row,
)

REDIRTY_MS: Final = 10 * 60_000
"""Cells of so long before a restored head office's backup are sent again too: clocks differ."""


def has_all(asked: SyncRequest, reply: Reply) -> bool:
    """Whether who answers a poll that tells nothing has all that this till was ever told that head office has.
    An older copy of its store has not, though it answers by the same key: it calls the till's chain a fork, or
    its feeds end before the till's cursors. One that was restored says so by its timeline."""
    if isinstance(reply, SyncReply):
        return all(
            reply.cursors.get(bucket, cursor).feed >= cursor.feed
            for bucket, cursor in asked.cursors.items()
        )
    if isinstance(reply, NewTimeline):
        return reply.timeline > asked.timeline
    return isinstance(reply, Refusal) and reply.why == "revoked"


def apply_sync(
    store: TillStore, reply: SyncReply, now_ms: int, on: BusinessDate, rng: random.Random
) -> None:
    """Take what was acknowledged, then cells, rows, cursors, the grant and the list of open holds."""
    control = store.control()
    assert reply.timeline == control.timeline, "a reply of another timeline is a NewTimeline"
    assert reply.have.epoch == control.epoch, "a reply of another epoch is a Fork"
    included = control.base + reply.have.seq
    store.put_control(control._replace(acked=included, hlc=heard(control.hlc, reply.now_ms)))
    for taken in reply.cells:
        _apply_cell(store, taken)
    _apply_rows(store, reply.rows, included)
    _apply_references(store, reply.references, included)
    _apply_cursors(store, reply)
    _apply_grant(store, reply.grant, reply.now_ms, now_ms)
    _void_unknown_holds(store, reply.open_holds, on, rng)
    _forget_ended(store, included)


def apply_found(store: TillStore, rows: Iterable[SentRow], seq: int) -> int:
    """Take rows that were asked for by themselves, read when head office had this epoch's events to `seq`."""
    included = store.control().base + seq
    _apply_rows(store, rows, included)
    return included


def _apply_rows(store: TillStore, rows: Iterable[SentRow], included: int) -> None:
    generation = store.control().generation
    unpacked = [unpack_row(row) for row in rows]
    store.look_up([row.member for row in unpacked])
    for row in unpacked:
        known = store.base(row.member)
        if known is not None and known.generation == generation and known.row.feed >= row.feed:
            continue
        store.put_base(Base(row, included, generation))
        if row.erased:
            store.drop_dirty(row.member)


def own_bucket(control: Control, row: MemberRow) -> str:
    """The bucket by which a till has a row, "" where by none."""
    if row.bucket in control.buckets or not row.bucket:
        return row.bucket
    return next(filter(is_visited, control.buckets), "")


def _apply_references(store: TillStore, references: Iterable[ReferenceRow], included: int) -> None:
    """Take sets of reference data, and copies of members of other buckets."""
    control, rows = store.control(), list[MemberRow]()
    for each in references:
        if not is_visited(each.bucket):
            store.put_reference(each, control.generation)
        elif each.body is not None:
            rows.append(unpack_row(each.body))
        else:
            _let_leave(store, bytes.fromhex(each.key[-2 * ID_BYTES :]), included)
    _apply_rows(store, rows, included)


def _let_leave(store: TillStore, member: bytes, included: int) -> None:
    """Forget a member whom nobody has seen here for long. One who was here since head office said so stays: it
    will hear of that and go on."""
    base = store.base(member)
    if base is None or base.row.bucket in store.control().buckets:
        return
    if not store.own_entries(member, included) and not store.dirty_of(member):
        store.drop_base(member)


def _apply_cell(store: TillStore, taken: CellTaken) -> None:
    """A cell that was answered is dirty no more, unless it was written again since; what stands at head office
    is shown from now on, though its row may come later."""
    dirty = store.dirty_cell(taken.member, taken.field)
    if dirty is None or dirty.hlc != taken.hlc:
        return
    store.drop_dirty(taken.member, taken.field)
    stands = taken.stands
    if stands is None:
        return
    generation = store.control().generation
    base = store.base(taken.holder) or Base(MemberRow(taken.holder, "", 0, EMPTY), 0, generation)
    others = [cell for cell in base.row.cells if cell.field != stands.field]
    cells = tuple(sorted([*others, stands], key=lambda cell: cell.field))
    store.put_base(base._replace(row=base.row._replace(cells=cells)))


def _apply_cursors(store: TillStore, reply: SyncReply) -> None:
    control = store.control()
    cursors = {**control.cursors, **reply.cursors}
    if reply.upgrade:
        return
    if reply.refetch or reply.differs:
        store.put_control(begin_anew(control))
        return
    control = control._replace(cursors=cursors)
    if reply.buckets and set(reply.buckets) != set(control.buckets):
        store.put_control(_with_buckets(control, cursors, reply.buckets))
        return
    whole = not reply.more and all(bucket in cursors for bucket in control.buckets)
    if control.sweeping and whole and control.settled:
        store.drop_older(control.generation)
        control = control._replace(sweeping=False)
    store.put_control(control)


def _with_buckets(
    control: Control, cursors: dict[str, Cursor], buckets: tuple[str, ...]
) -> Control:
    """One more bucket is fetched like any that has no cursor yet. Where one is gone all are begun anew, so that
    its rows are found gone, too."""
    less = set(control.buckets) - set(buckets)
    control = control._replace(buckets=buckets, cursors=cursors)
    return begin_anew(control) if less else control


def begin_anew(control: Control) -> Control:
    """Forget the cursors. Rows stay, with what they include, until they are fetched anew or found gone."""
    return control._replace(
        cursors={}, begun=None, generation=control.generation + 1, sweeping=True
    )


def _apply_grant(store: TillStore, grant: Grant | None, served_ms: int, now_ms: int) -> None:
    """Take a grant that is new. One that is past its lease by this till's time alone is left where it is: to
    close it would only bring the next one, again and again, until the clock is right."""
    control = store.control()
    if grant is not None and served_ms < grant.lease_until_ms <= max(now_ms, ms_of(control.hlc)):
        return
    if grant is None or control.grant is not None or control.nonce or grant.epoch != control.epoch:
        return
    if any(closed == grant.id for closed, _ in control.closed_grants):
        return
    store.put_control(control._replace(grant=OwnGrant(*grant)))


def _void_unknown_holds(
    store: TillStore, open_holds: Iterable[bytes], on: BusinessDate, rng: random.Random
) -> None:
    """A hold that this till has never heard of was asked for by a past that is lost: nobody else ends it."""
    known = {hold.id for hold in store.control().holds}
    for hold in open_holds:
        if hold not in known:
            own_chain.void_hold(store, hold, random_id(rng), on)


def _forget_ended(store: TillStore, included: int) -> None:
    """What head office knows to be over needs no memory here."""
    control = store.control()
    store.put_control(
        control._replace(
            closed_grants=tuple(each for each in control.closed_grants if each[1] > included),
            holds=tuple(
                hold for hold in control.holds if hold.standing != "ended" or hold.ended > included
            ),
        )
    )


def end_stale_rights(store: TillStore, now_ms: int, on: BusinessDate, rng: random.Random) -> None:
    """Give back what is of no use: a grant that is used up or past its lease, and rights from credits that head
    office has, so that they can be spent anywhere."""
    control = store.control()
    grant = control.grant
    if grant is not None and (
        not grant.left or grant.lease_until_ms <= max(now_ms, ms_of(control.hlc))
    ):
        own_chain.close_grant(store, random_id(rng), on)
    for right in control.rights:
        if right.number <= control.acked:
            own_chain.release(store, right, random_id(rng), on)


def apply_hold(store: TillStore, reply: HoldReply) -> bool:
    """Take the answer to a hold that is still waited for; False where it comes too late."""
    control = store.control()
    asked = [hold for hold in control.holds if hold.id == reply.hold and hold.standing == "asked"]
    if not asked:
        return False
    others = [hold for hold in control.holds if hold.id != reply.hold]
    if reply.granted:
        others.append(asked[0]._replace(standing="open"))
    store.put_control(control._replace(holds=tuple(others)))
    return True


def apply_frame(store: TillStore, reply: SnapshotReply) -> None:
    """Rows of a snapshot include the own events that head office had when it was taken."""
    control = store.control()
    if reply.timeline != control.timeline or reply.have.epoch != control.epoch:
        # One that was brought back to an older epoch has to hear of it, which only a sync tells.
        cursors = dict.fromkeys(control.buckets, START)
        store.put_control(begin_anew(control)._replace(cursors=cursors))
        return
    included = control.base + reply.have.seq
    left = store.take_frames(reply.frames, included, control.generation)
    _apply_rows(store, reply.rows if left is None else left, included)
    _apply_references(store, reply.references, included)
    after = reply.frame + len(reply.frames)
    if after < reply.of:
        before = 0 if control.begun is None else control.begun.rows
        begun: Begun | None = Begun(
            reply.bucket, reply.snapshot, after, reply.of, before + reply.size
        )
        store.put_control(control._replace(begun=begun))
        return
    cursors = {**control.cursors, reply.bucket: Cursor(reply.feed, reply.feed)}
    store.put_control(control._replace(begun=None, cursors=cursors))


def no_snapshot(store: TillStore) -> None:
    """Page every bucket that has no cursor yet from its start. Frames of a snapshot that is no longer served
    have brought rows whose tombstones may be gone: those are swept."""
    control = store.control()
    if control.begun is not None:
        control = begin_anew(control)
    cursors = {bucket: control.cursors.get(bucket, START) for bucket in control.buckets}
    store.put_control(control._replace(begun=None, cursors=cursors))


def adopt_timeline(store: TillStore, timeline: int, as_of_ms: int) -> None:
    """Head office goes on from a backup: fetch all rows anew, and send again what was written since it."""
    control = store.control()
    if timeline == control.timeline:
        return
    store.put_control(begin_anew(control)._replace(timeline=timeline))
    for base in store.bases():
        for cell in base.row.cells:
            late = ms_of(cell.hlc) > as_of_ms - REDIRTY_MS
            if late and store.dirty_cell(cell.member, cell.field) is None:
                store.put_dirty(cell)
