"""Show one personal value of a member in full: for a reason, counted, and written to the journal (F9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from app import posting
from app.context import Changes, Context, Session
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.protocol.events import Event
from app.shut import require_members
from app.usecases.done import Done
from app.usecases.rights import require, role_of
from db import people, rows, staff_rows, till
from db.connection import Connection

REASONS: Final = ("customer_asks", "call_back", "same_name", "other")
Value = Literal["phone", "birthday"]
CASHIER_PER_SHIFT: Final = 5
"""How many a cashier may see in one shift (security.md section 3, "Unmask phone or birthday")."""


@dataclass(frozen=True, slots=True)
class Unmask:
    """The person at the till wants to see this value of this member."""

    command_id: bytes
    session: Session
    member_id: bytes
    what: Value
    reason: str


@dataclass(frozen=True, slots=True)
class Unmasked:
    """The value: a phone as E.164, or a birthday (`year` may be unknown); None where there is none."""

    what: Value
    phone: str | None = None
    birthday: tuple[str, int | None, int, int] | None = None
    """Calendar ("solar", "lunar"), year, month, day."""


def unmask(ctx: Context, command: Unmask) -> Done[Unmasked]:
    """Write down that it is seen, then hand it out.

    Raises Refused: REASON_NEEDED, NOT_ALLOWED, SHIFT_NEEDED (of cashiers), UNMASK_LIMIT,
    MEMBER_UNKNOWN.
    """
    if command.reason not in REASONS:
        raise Refused(Refusal.REASON_NEEDED)
    with ctx.write(command.command_id) as tx:
        again = tx.known is not None
        require_members(tx.conn, tx.now())
        if tx.known is not None:
            _check_same(tx.known, command)
        else:
            require(
                ctx, tx.conn, command.session, Right.UNMASK, command_id=command.command_id,
                member_id=command.member_id, reason=command.reason,
            )  # fmt: skip
            _check_count(tx.conn, command.session)
            shift = till.open_shift(tx.conn)
            tx.record(
                posting.LOOK,
                event_id=ctx.ids(),
                session=Session(command.session.staff_id, shift.id if shift else None),
                business_date=ctx.business_date(),
                member_id=command.member_id,
                doc={"what": command.what, "reason": command.reason},
            )
        profile = people.profile(tx.conn, command.member_id)
        if profile is None:
            raise Refused(Refusal.MEMBER_UNKNOWN)
    shown = Changes(frozenset({command.member_id}), frozenset({"look"}))
    return Done(_value(profile, command.what), shown, again=again, warning=ctx.warning())


def _check_same(event: Event, command: Unmask) -> None:
    """A known id is in the journal, for many to read: only the look that it names is answered again."""
    same = (posting.LOOK, command.session.staff_id, command.member_id)
    doc = {"what": command.what, "reason": command.reason}
    if (event.kind, event.staff_id, event.member_id) != same or event.doc != doc:
        raise Refused(Refusal.NOT_ALLOWED, {"right": Right.UNMASK.value})


def _check_count(conn: Connection, session: Session) -> None:
    """A cashier sees a handful in a shift; whoever needs more asks somebody who answers for it."""
    if role_of(staff_rows.staff_by_id(conn, session.staff_id)) != "cashier":
        return
    shift = till.open_shift(conn)
    if shift is None:
        raise Refused(Refusal.SHIFT_NEEDED)
    mine = session.staff_id.hex()
    bodies = rows.bodies_of_kind(conn, posting.LOOK, after=shift.opened_seq)
    seen = sum(
        look["staff"] == mine and look["doc"]["what"] != "profile"
        for look in map(msgspec.json.decode, bodies)
    )
    if seen >= CASHIER_PER_SHIFT:
        raise Refused(Refusal.UNMASK_LIMIT, {"limit": CASHIER_PER_SHIFT})


def _value(profile: people.ProfileRow, what: Value) -> Unmasked:
    if what == "phone":
        return Unmasked(what, phone=profile.phone)
    if profile.birth_month is None or profile.birth_day is None:
        return Unmasked(what)
    birthday = (profile.birth_calendar, profile.birth_year, profile.birth_month, profile.birth_day)
    return Unmasked(what, birthday=birthday)
