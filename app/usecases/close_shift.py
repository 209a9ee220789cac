"""Close a shift: over its count with the difference explained, or signed for where nobody counted.

A difference needs a reason, and above the programme's `cash_difference_minor` what the matrix asks for
(Right.CASH_DIFFERENCE). A shift that was never counted (a power cut, a person gone) is closed by whom
Right.CLOSE_OVER_OPEN names, so that a shop can always sell again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.context import Changes, Context, Session, Tx
from app.domain.business_day import BusinessDate
from app.domain.drawer import DrawerSums, above_limit
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.protocol.events import Event
from app.slips import slip_of
from app.usecases.count import Counted, count_of, shift_sums
from app.usecases.done import Done
from app.usecases.rights import require, role_of
from app.usecases.sign_in import check_pin
from db import staff_rows, till

DIFFERENCE_REASONS: Final = ("wrong_change", "not_entered", "unknown", "other")
UNCOUNTED_REASONS: Final = ("power_cut", "person_gone", "other")


@dataclass(frozen=True, slots=True)
class NextPerson:
    """Who takes the drawer over, by initials or badge and their own PIN: they sign for the count."""

    who: str
    pin: str


@dataclass(frozen=True, slots=True)
class CloseShift:
    """End a shift. `reason` explains a difference, or why nobody counted; "" where there is neither."""

    command_id: bytes
    session: Session
    shift_id: bytes
    reason: str = ""
    to: NextPerson | None = None


@dataclass(frozen=True, slots=True)
class ClosedShift:
    """The shift as closed; `total_minor` and `difference_minor` None where nobody counted."""

    event_id: bytes
    shift_id: bytes
    sums: DrawerSums
    total_minor: int | None
    difference_minor: int | None
    to: bytes | None


def close_shift(ctx: Context, command: CloseShift) -> Done[ClosedShift]:
    """Close the open shift. Raises Refused: SHIFT_NEEDED, REASON_NEEDED, what `require` refuses
    (APPROVAL_NEEDED with the Ask as `offer`), and for the next person PIN_WRONG, PIN_LOCKED,
    PIN_BLOCKED, APPROVAL_OWN."""
    to = None
    if command.to is not None:
        to = check_pin(ctx, command.to.who, command.to.pin).id
        if to == command.session.staff_id:
            raise Refused(Refusal.APPROVAL_OWN)
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_closed(tx.known), again=True)
        event = _commit(ctx, tx, command, to)
    changes = Changes(kinds=frozenset({"shift", "print"}))
    return Done(_closed(event), changes, warning=ctx.warning())


def _commit(ctx: Context, tx: Tx, command: CloseShift, to: bytes | None) -> Event:
    shift = till.open_shift(tx.conn)
    if shift is None or shift.id != command.shift_id:
        raise Refused(Refusal.SHIFT_NEEDED)
    counted = count_of(tx.conn, shift)
    approval = _allowed(ctx, tx.conn, command, shift, counted)
    sums = counted.sums if counted else shift_sums(tx.conn, shift.id)
    event = tx.record(
        posting.SHIFT_CLOSE,
        event_id=ctx.ids(),
        session=Session(command.session.staff_id, shift.id),
        business_date=BusinessDate(shift.business_date),
        doc=close_facts(
            shift.id,
            sums,
            count=(counted.event_id, counted.total_minor) if counted else None,
            reason=command.reason,
            to=to,
            approval=approval,
        ),
    )
    slip = slip_of(ctx, tx.conn, event)
    assert slip is not None, "the end of a shift has a slip"
    tx.print(event, posting.SHIFT_CLOSE, slip)
    return event


def close_facts(
    shift_id: bytes,
    sums: DrawerSums,
    *,
    count: tuple[bytes, int] | None,
    reason: str,
    to: bytes | None = None,
    approval: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What the end of a shift holds; `count` is its count's event and total, None without one."""
    return {
        "closes": shift_id.hex(),
        "count": count[0].hex() if count else None,
        "sums": asdict(sums),
        "expected": sums.expected_minor,
        "total": count[1] if count else None,
        "difference": count[1] - sums.expected_minor if count else None,
        "reason": reason,
        "to": to.hex() if to else None,
        "approval": approval,
    }


def _allowed(
    ctx: Context,
    conn: Connection,
    command: CloseShift,
    shift: till.ShiftRow,
    counted: Counted | None,
) -> dict[str, Any] | None:
    """What the event keeps of the second person. The figure that they see is the difference, which
    is known by now, and nothing where nobody counted."""
    on = BusinessDate(shift.business_date)
    whose = staff_rows.staff_by_id(conn, shift.staff_id)

    def ask(right: Right, amount: int = 0) -> dict[str, Any] | None:
        return require(
            ctx, conn, command.session, right,
            command_id=command.command_id, amount=amount, reason=command.reason, of=shift.id,
            facts=(("act", "shift"), ("date", int(on)), ("shift_of", whose.name if whose else "")),
        )  # fmt: skip

    if counted is None:
        _check_reason(command.reason, UNCOUNTED_REASONS)
        return ask(Right.CLOSE_OVER_OPEN)
    difference = counted.difference_minor
    if difference:
        _check_reason(command.reason, DIFFERENCE_REASONS)
        limits = ctx.programme_on(conn, on).limits
        role = role_of(staff_rows.staff_by_id(conn, command.session.staff_id))
        if above_limit(limits.cash_difference_minor, role, difference):
            return ask(Right.CASH_DIFFERENCE, difference)
    return ask(Right.SHIFT)


def _check_reason(reason: str, known: tuple[str, ...]) -> None:
    if reason not in known:
        raise Refused(Refusal.REASON_NEEDED)


def _closed(event: Event) -> ClosedShift:
    doc = event.doc
    return ClosedShift(
        event.id,
        bytes.fromhex(doc["closes"]),
        DrawerSums(**doc["sums"]),
        doc["total"],
        doc["difference"],
        None if doc["to"] is None else bytes.fromhex(doc["to"]),
    )
