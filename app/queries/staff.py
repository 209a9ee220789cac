"""Reads about the people who work here: the list of the staff screen, and who stands behind a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app import posting
from app.above import staff_above
from app.approvals import Ask
from app.context import Context, Session
from app.domain.member import mask_phone
from app.domain.rights import Right, StaffRole
from app.protocol.events import instant_of
from app.protocol.shop_staff import ShopPerson
from app.queries.readers import place_of, require_look
from app.queries.records import StaffView
from app.shut import profile_shown
from db import people, rows, staff_rows


@dataclass(frozen=True, slots=True)
class StaffLine:
    """One person of the list. `signed_at` is their newest sign-in or sign-out at this till, None before
    the first; `till` names the till where they are signed in, "" nowhere. `wait_s` seconds are still to
    wait after wrong PINs; `blocked` until a supervisor comes. `member_name` is their own account's.
    `above`: head office says what they are. `code_until`: until then they may set a PIN by a first code that
    they have not used here, None where they can't."""

    staff: StaffView
    badge: str
    phone_masked: str
    active: bool
    till: str
    signed_at: datetime | None
    wait_s: int
    blocked: bool
    member_id: bytes | None
    member_name: str
    above: bool = False
    code_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AskView:
    """A request as the second person reads it; `member_name` "" without a member."""

    ask: Ask
    asker: StaffView
    asker_role: StaffRole
    member_name: str
    receipt_no: str


def staff_list(ctx: Context, session: Session) -> tuple[StaffLine, ...]:
    """Everybody, those who work here first, by initials. Raises Refused(NOT_ALLOWED)."""
    with ctx.read() as conn:
        require_look(conn, session, Right.STAFF)
        signs = staff_rows.staff_signs(conn)
        # One person at a time: whoever signs in ends what a crash left of the one before.
        newest = rows.last_sign_in(conn)
        above = staff_above(conn, ctx.till.device) or {}
        lines = []
        for person in staff_rows.all_staff(conn):
            seq, signed_in = signs.get(person.id, (0, 0))
            event = rows.event_by_seq(conn, seq) if seq else None
            own = people.profile(conn, person.member_id) if person.member_id else None
            lines.append(
                StaffLine(
                    _view(person),
                    person.badge or "",
                    mask_phone(person.phone) if person.phone else "",
                    bool(person.active),
                    ctx.till.till if signed_in and seq == newest and person.active else "",
                    instant_of(posting.event_of(event).at_us) if event else None,
                    ctx.lockout.left_s(person.id, person.wait_s),
                    bool(person.blocked),
                    person.member_id,
                    own.name if own else "",
                    person.id in above,
                    _code_until(ctx, person, above.get(person.id)),
                )
            )
    return tuple(sorted(lines, key=lambda line: (not line.active, line.staff.initials)))


def ask_view(ctx: Context, ask: Ask) -> AskView:
    """Who asks, and about whom and which slip."""
    with ctx.read() as conn:
        asker = staff_rows.staff_by_id(conn, ask.staff_id)
        role = place_of(asker)
        profile = profile_shown(conn, ask.member_id, ctx.clock())
        document = rows.document_by_event(conn, ask.of) if ask.of else None
    assert asker is not None, "somebody asked"
    number = document.receipt_no if document else None
    return AskView(ask, _view(asker), role, profile.name if profile else "", number or "")


def _code_until(
    ctx: Context, person: staff_rows.StaffRow, above: ShopPerson | None
) -> datetime | None:
    code = above.code if above else None
    if code is None or code.number <= person.code:
        return None
    until = instant_of(code.until_ms * 1000)
    return until if ctx.clock() < until else None


def _view(person: staff_rows.StaffRow) -> StaffView:
    return StaffView(person.id, person.initials, person.name, person.role)
