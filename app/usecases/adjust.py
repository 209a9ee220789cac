"""Points by hand (domain.md, Adjustment): a reason, a note, two people, and a limit for a day.

The note is free text and may name somebody: it goes to a row of its own and to the profile file, and the event
keeps its length and its digest under the member's key (docs/decisions/the-shops-day.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlcipher3.dbapi2 import Connection

from app import cached_fold, posting
from app.account import member_context, shown_after
from app.context import Changes, Context, Session
from app.domain.adjustment import adjust_entries, check_adjust
from app.domain.business_day import BusinessDate
from app.domain.entries import Entry
from app.domain.errors import Refusal, Refused
from app.domain.expiry import as_good
from app.domain.fold import fold
from app.domain.fraud import verdicts
from app.domain.programme import Programme, Role
from app.domain.rights import Grant, Right, rule
from app.domain.state import MemberState, owed_points
from app.domain.tiers import current_tier
from app.protocol.events import Event
from app.queries.readers import staff_role
from app.shut import require_members
from app.usecases.done import Done
from app.usecases.enrol import cell_digest
from app.usecases.give_back import state_before
from app.usecases.rights import is_own_card, require, require_somebody_else
from db import people, rows, till

REASONS: Final = ("goodwill", "missed_sale", "correction", "other")


@dataclass(frozen=True, slots=True)
class Adjust:
    """Give (`points` above zero) or take points. `balance_after` is what was previewed."""

    command_id: bytes
    session: Session
    member_id: bytes
    points: int
    reason: str
    note: str
    balance_after: int


@dataclass(frozen=True, slots=True)
class AdjustPreview:
    """What an adjustment would do; balances without what has lapsed. `expires` is the last good
    date of points given, None for points taken; `owed_after` is what the member would owe."""

    balance_before: int
    balance_after: int
    owed_after: int
    expires: BusinessDate | None
    note_chars: int


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The adjustment as committed."""

    event_id: bytes
    points: int
    balance: int


def preview_adjust(
    ctx: Context, session: Session, member_id: bytes, points: int = 0
) -> AdjustPreview:
    """What `points` would do; 0 asks for the balance alone, before anything is typed.

    Raises Refused: SHIFT_NEEDED, MEMBER_UNKNOWN, NOT_ALLOWED, ADJUST_OWN_ACCOUNT, ADJUST_NOT_ALLOWED,
    ADJUST_ALONE, ADJUST_ABOVE_DAY.
    """
    with ctx.read() as conn:
        shift = till.open_shift(conn)
        if shift is None:
            raise Refused(Refusal.SHIFT_NEEDED)
        on = BusinessDate(shift.business_date)
        programme = ctx.programme_on(conn, on)
        _check(conn, session, programme, member_id, points or 1)
        _check_before(conn, session, programme, member_id, points, made=_made_on(conn, on))
        before, entries = _entries(conn, member_id, programme, on, points, bytes(16))
    good = as_good(before, on)
    after = fold(good, entries)
    return AdjustPreview(
        shown_after(good, programme, on)["balance"],
        shown_after(after, programme, on)["balance"],
        owed_points(after),
        entries[0].expires if points > 0 else None,
        programme.guard.adjust_note_chars,
    )


def adjust(ctx: Context, command: Adjust) -> Done[Adjusted]:
    """Commit an adjustment. Raises Refused: REASON_NEEDED, ADJUST_ZERO, ADJUST_NOTE_SHORT,
    ADJUST_OWN_ACCOUNT, ADJUST_NOT_ALLOWED, ADJUST_ALONE, ADJUST_ABOVE_DAY, ADJUST_OVER_DAY,
    MEMBER_UNKNOWN, QUOTE_CHANGED, SHIFT_NEEDED, SHIFT_COUNTED, NOT_ALLOWED, APPROVAL_NEEDED with the
    Ask as `offer`, APPROVAL_EXPIRED."""
    if command.reason not in REASONS:
        raise Refused(Refusal.REASON_NEEDED)
    note = " ".join(command.note.split())
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_adjusted(tx.known), again=True)
        conn, shift = tx.conn, tx.shift()
        require_members(conn, tx.now())
        on = BusinessDate(shift.business_date)
        programme = ctx.programme_on(conn, on)
        _check(conn, command.session, programme, command.member_id, command.points)
        if len(note) < programme.guard.adjust_note_chars:
            raise Refused(Refusal.ADJUST_NOTE_SHORT, {"least": programme.guard.adjust_note_chars})
        made = _made_on(conn, on)
        _check_before(
            conn, command.session, programme, command.member_id, command.points, made=made
        )
        event_id = ctx.ids()
        before, entries = _entries(conn, command.member_id, programme, on, command.points, event_id)
        before = state_before(tx, command.member_id, before, entries, programme, on)
        posted = cached_fold.Posted(before, fold(before, entries))
        shown = shown_after(posted.after, programme, on)
        if shown["balance"] != command.balance_after:
            raise Refused(Refusal.QUOTE_CHANGED)
        approval = require(
            ctx, conn, command.session, Right.ADJUST, command_id=command.command_id,
            member_id=command.member_id, amount=command.points, reason=command.reason, note=note,
        )  # fmt: skip
        assert approval is not None, "the matrix lets nobody adjust alone"
        _check_day(ctx, programme, command, note, approval["by"], made=made)
        key = people.member_key(conn, command.member_id)
        if key is None:
            raise Refused(Refusal.MEMBER_UNKNOWN)
        cell = note_cell(event_id, command.member_id, note)
        event = tx.record(
            posting.ADJUST,
            event_id=event_id,
            session=Session(command.session.staff_id, shift.id),
            business_date=on,
            member_id=command.member_id,
            programme=programme.version,
            entries=entries,
            doc={
                "points": command.points,
                "reason": command.reason,
                "note_chars": len(note),
                "note_digest": cell_digest(key, cell),
                "approval": approval,
                "shown": shown,
                "tier_code": current_tier(posted.after, programme.tiers).code,
            },
            posted=posted,
            cells=(cell,),
        )
    changes = Changes(frozenset({command.member_id}), frozenset({"document"}))
    return Done(_adjusted(event), changes, warning=ctx.warning())


def note_cell(event_id: bytes, member_id: bytes, text: str) -> dict[str, str]:
    """The note as the profile file keeps it."""
    return {"t": "note", "event_id": event_id.hex(), "member_id": member_id.hex(), "text": text}


def _check(
    conn: Connection, session: Session, programme: Programme, member_id: bytes, points: int
) -> None:
    found = staff_role(conn, session.staff_id)
    if rule(found, Right.ADJUST).grant is not Grant.SECOND:
        raise Refused(Refusal.NOT_ALLOWED, {"right": Right.ADJUST.value})
    # Whether a second person is needed is the matrix's to say: it always is.
    role: Role = "supervisor" if found == "supervisor" else "manager"
    own = is_own_card(conn, session.staff_id, member_id)
    check_adjust(programme.limits, role, points, own_account=own, second_person=True)


def _entries(
    conn: Connection,
    member_id: bytes,
    programme: Programme,
    on: BusinessDate,
    points: int,
    event_id: bytes,
) -> tuple[MemberState, tuple[Entry, ...]]:
    member = member_context(conn, member_id, programme, on, None)
    assert member is not None, "an adjustment has a member"
    stored = member.stored or member.state
    if points == 0:
        return stored, ()
    entries = adjust_entries(
        points, member, programme, on=on, event_id=event_id, second_person=True
    )
    return stored, entries


def _check_before(
    conn: Connection,
    session: Session,
    programme: Programme,
    member_id: bytes,
    points: int,
    *,
    made: Sequence[Event],
) -> None:
    """What would be refused after the second person's PIN, whoever that is, is said before anybody types."""
    require_somebody_else(conn, session, Right.ADJUST, member_id, Refusal.ADJUST_ALONE)
    today = _today(made, session, member_id)
    stop = verdicts.adjusted_enough(points, today, programme.guard)
    if stop is not None:
        raise Refused(Refusal.ADJUST_ABOVE_DAY, {"points": stop.counted, "limit": stop.limit})


def _made_on(conn: Connection, on: BusinessDate) -> list[Event]:
    return [posting.event_of(row) for row in rows.adjustments_on(conn, on)]


def _today(
    made: Sequence[Event], session: Session, member_id: bytes, approver: str = ""
) -> verdicts.AdjustedToday:
    approved = asked = member = 0
    for event in made:
        points: int = event.doc["points"]
        approved += abs(points) if event.doc["approval"]["by"] == approver else 0
        asked += abs(points) if event.staff_id == session.staff_id else 0
        member += points if event.member_id == member_id else 0
    return verdicts.AdjustedToday(approved, asked, member)


def _check_day(
    ctx: Context,
    programme: Programme,
    command: Adjust,
    note: str,
    approver: str,
    *,
    made: Sequence[Event],
) -> None:
    """F5: what one approver lets through in a day; above it head office decides."""
    today = _today(made, command.session, command.member_id, approver)
    stop = verdicts.adjustment(
        command.reason, len(note), command.session.staff_id.hex(), approver, command.points,
        today, programme.guard,
    )  # fmt: skip
    if stop is not None:
        ctx.approvals.forget(command.command_id)  # So that somebody else can be asked.
        raise Refused(Refusal.ADJUST_OVER_DAY, {"points": stop.counted, "limit": stop.limit})


def _adjusted(event: Event) -> Adjusted:
    return Adjusted(event.id, event.doc["points"], event.doc["shown"]["balance"])
