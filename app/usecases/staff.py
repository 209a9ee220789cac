"""Who works at this till: add, disable, give a role, PIN, badge, own account (security.md section 3).

Nobody is ever deleted, nobody gives a right above their own rank, and nobody loosens what binds themselves.
A PIN is typed by its owner while somebody else, who may, stands by; a manager whose PIN is forgotten is helped
by the passphrase. Who adds somebody of their own rank, lets one in again, or gives one a PIN or role, needs a
second person of that rank or the passphrase: else one person would be two. Each act is a STAFF event; names,
phones and PIN verifiers are erasable rows beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from app import posting
from app.above import staff_above
from app.cells import staff_cell
from app.code_ranges import kinds_of
from app.context import Changes, Context, Session, Tx
from app.domain.errors import Refusal, Refused
from app.domain.rights import RANK, Grant, Right, StaffRole, rule
from app.intake import Phone, parse_phone, plain_text
from app.protocol.shop_staff import is_initials
from app.queries.readers import staff_role
from app.usecases.done import Done
from app.usecases.rights import require, require_somebody_else
from app.usecases.sign_in import check_code, is_weak, new_verifier
from db import people, rows, staff_rows
from db.connection import Connection

Act = Literal["add", "disable", "enable", "pin", "role", "badge", "link", "name"]
Proof = Literal["", "passphrase"]
"""What stands for a second person: the caller has proven the store's passphrase a moment ago."""
_BADGE: Final = re.compile(r"[A-Za-z0-9._-]{4,32}")


@dataclass(frozen=True, slots=True)
class AddStaff:
    """A new person, who has typed `pin` themselves. `badge` and `phone` may be ""."""

    command_id: bytes
    session: Session
    initials: str
    name: str
    role: StaffRole
    pin: str
    badge: str = ""
    phone: str = ""
    proof: Proof = ""


@dataclass(frozen=True, slots=True)
class SetActive:
    """Disable a person, or let a disabled one back in."""

    command_id: bytes
    session: Session
    staff_id: bytes
    active: bool
    proof: Proof = ""


@dataclass(frozen=True, slots=True)
class SetRole:
    """Another role."""

    command_id: bytes
    session: Session
    staff_id: bytes
    role: StaffRole
    proof: Proof = ""


@dataclass(frozen=True, slots=True)
class SetBadge:
    """Another badge; "" takes it away."""

    command_id: bytes
    session: Session
    staff_id: bytes
    badge: str


@dataclass(frozen=True, slots=True)
class SetPin:
    """A new PIN, typed by its owner beside the person of `session`."""

    command_id: bytes
    session: Session
    staff_id: bytes
    pin: str
    proof: Proof = ""


@dataclass(frozen=True, slots=True)
class LinkMember:
    """The person's own account and phone, which a second person has to approve from now on (F1).

    `member_id` None takes the account away, `phone` "" the phone; `phone` None leaves it as it is.
    """

    command_id: bytes
    session: Session
    staff_id: bytes
    member_id: bytes | None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class ResetForgottenPin:
    """A new PIN for a manager; the caller has proven the store's passphrase a moment ago."""

    command_id: bytes
    who: str
    pin: str


@dataclass(frozen=True, slots=True)
class ChoosePin:
    """Somebody whom head office let work here sets their own PIN by their first code."""

    command_id: bytes
    who: str
    code: str
    pin: str


def add_staff(ctx: Context, command: AddStaff) -> Done[bytes]:
    """Add a person; the result is their id. Raises Refused: NOT_ALLOWED, STAFF_ABOVE, NAME_NEEDED, PIN_WEAK,
    PHONE_INVALID, STAFF_INITIALS, STAFF_BADGE, STAFF_BADGE_OVERLAPS, STAFF_TAKEN, STAFF_RANK; for one's
    own rank STAFF_PASSPHRASE (nobody else could agree) and APPROVAL_NEEDED, APPROVAL_EXPIRED."""
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(bytes.fromhex(tx.known.doc["staff"]), again=True)
        _may(ctx, tx.conn, command.session, command.command_id)
        if staff_above(tx.conn, ctx.till.device) is not None:
            raise Refused(Refusal.STAFF_ABOVE)
        _check_rank(tx.conn, command.session, command.role)
        person = _new_person(ctx, command)
        _check_badge(tx.conn, person.badge)
        used = staff_rows.staff_using(tx.conn, initials=person.initials, badge=person.badge)
        if used:
            raise Refused(Refusal.STAFF_TAKEN)
        agreed = _agreed(ctx, tx.conn, command, person, command.role, "add")
        _record(ctx, tx, command.session, person, "add", **agreed)
    return Done(person.id, _CHANGED, warning=ctx.warning())


def set_active(ctx: Context, command: SetActive) -> Done[None]:
    """Disable or enable. Raises Refused: NOT_ALLOWED, STAFF_UNKNOWN, STAFF_ABOVE, STAFF_RANK, STAFF_OWN,
    STAFF_LAST_MANAGER; to let in somebody of one's own rank as add_staff."""

    def change(conn: Connection, person: staff_rows.StaffRow) -> staff_rows.StaffRow:
        if not command.active:
            _not_oneself(command.session, person)
            _not_the_last(conn, person)
        return replace(person, active=int(command.active))

    return _changed(ctx, command, "enable" if command.active else "disable", change)


def set_role(ctx: Context, command: SetRole) -> Done[None]:
    """Raises Refused as set_active; to or from one's own rank as add_staff."""

    def change(conn: Connection, person: staff_rows.StaffRow) -> staff_rows.StaffRow:
        _not_oneself(command.session, person)
        _check_rank(conn, command.session, command.role)
        if command.role != person.role:
            _not_the_last(conn, person)
        return replace(person, role=command.role)

    return _changed(ctx, command, "role", change)


def set_badge(ctx: Context, command: SetBadge) -> Done[None]:
    """Raises Refused: NOT_ALLOWED, STAFF_UNKNOWN, STAFF_RANK, STAFF_BADGE,
    STAFF_BADGE_OVERLAPS, STAFF_TAKEN."""

    def change(conn: Connection, person: staff_rows.StaffRow) -> staff_rows.StaffRow:
        badge = _badge(command.badge)
        _check_badge(conn, badge)
        used = staff_rows.staff_using(conn, initials=person.initials, badge=badge)
        if any(other.id != person.id for other in used):
            raise Refused(Refusal.STAFF_TAKEN)
        return replace(person, badge=badge)

    return _changed(ctx, command, "badge", change)


def set_pin(ctx: Context, command: SetPin) -> Done[None]:
    """Raises Refused: NOT_ALLOWED, STAFF_UNKNOWN, STAFF_RANK, STAFF_OWN, PIN_WEAK; for one's own rank
    as add_staff."""

    def change(conn: Connection, person: staff_rows.StaffRow) -> staff_rows.StaffRow:
        _not_oneself(command.session, person)
        return _with_pin(ctx, conn, person, command.pin)

    return _changed(ctx, command, "pin", change)


def link_member(ctx: Context, command: LinkMember) -> Done[None]:
    """Raises Refused: NOT_ALLOWED, STAFF_UNKNOWN, STAFF_RANK, STAFF_OWN (another link than the first
    one of one's own), MEMBER_UNKNOWN, PHONE_INVALID."""

    def change(conn: Connection, person: staff_rows.StaffRow) -> staff_rows.StaffRow:
        if person.member_id is not None or person.phone is not None:
            _not_oneself(command.session, person)
        if command.member_id is not None and people.member(conn, command.member_id) is None:
            raise Refused(Refusal.MEMBER_UNKNOWN)
        phone = person.phone if command.phone is None else _phone(command.phone)
        return replace(person, member_id=command.member_id, phone=phone)

    return _changed(ctx, command, "link", change)


def reset_forgotten_pin(ctx: Context, command: ResetForgottenPin) -> Done[str]:
    """The manager's name. Only of somebody who keeps the staff: others are helped by that person.

    Raises Refused: STAFF_UNKNOWN, PIN_WEAK.
    """
    with ctx.write(command.command_id) as tx:
        person = staff_rows.staff_by_initials(tx.conn, command.who.strip())
        if person is None or not _keeps_staff(person.role):
            raise Refused(Refusal.STAFF_UNKNOWN)
        if tx.known is None:
            changed = _with_pin(ctx, tx.conn, person, command.pin)
            _record(ctx, tx, None, changed, "pin", was=person.role, proof="passphrase")
    return Done(person.name, _CHANGED, warning=ctx.warning())


def choose_pin(ctx: Context, command: ChoosePin) -> Done[str]:
    """The person's name. Their first code is used up here by it, and the PIN that they had is no more.

    Raises Refused: PIN_WRONG, PIN_LOCKED, PIN_BLOCKED, PIN_WEAK.
    """
    with ctx.read() as conn:
        known = rows.event_by_command(conn, command.command_id)
        done = staff_rows.staff_by_initials(conn, command.who.strip()) if known else None
    if done is not None:
        return Done(done.name, again=True)
    person, number = check_code(ctx, command.who, command.code)
    salt, hash_ = new_verifier(ctx.data_key, command.pin)
    with ctx.write(command.command_id) as tx:
        person = _still_theirs(ctx, tx.conn, person.id, number)
        if is_weak(command.pin, *_known(tx.conn, person)) or command.pin == command.code:
            raise Refused(Refusal.PIN_WEAK)
        changed = replace(person, pin_salt=salt, pin_hash=hash_, code=number)
        _record(ctx, tx, None, changed, "pin", was=person.role, proof="first_code")
    return Done(person.name, _CHANGED, warning=ctx.warning())


def _still_theirs(
    ctx: Context, conn: Connection, staff_id: bytes, number: int
) -> staff_rows.StaffRow:
    """The person as they are now: while their code was stretched head office may have let them go, made them
    another, or given them a newer code. Raises Refused(PIN_WRONG)."""
    person = staff_rows.staff_by_id(conn, staff_id)
    above = (staff_above(conn, ctx.till.device) or {}).get(staff_id)
    code = above.code if above is not None and above.active else None
    if (
        person is None
        or not person.active
        or code is None
        or not code.number == number > person.code
    ):
        raise Refused(Refusal.PIN_WRONG)
    return person


def admit(ctx: Context, person: staff_rows.StaffRow, pin: str) -> None:
    """Into a store to practise in: a person of the live one, with the PIN that they have just typed."""
    salt, hash_ = new_verifier(ctx.data_key, pin)
    here = replace(person, pin_salt=salt, pin_hash=hash_, member_id=None, phone=None)
    with ctx.write(ctx.ids()) as tx:
        known = staff_rows.staff_by_id(tx.conn, person.id)
        act: Act = "add" if known is None else "role"
        _record(ctx, tx, None, here, act, was=known.role if known else None)
        staff_rows.set_staff_failures(tx.conn, person.id, failures=0, wait_s=0, blocked=0)


def check_initials(typed: str) -> str:
    """Initials as they are kept. Raises Refused(STAFF_INITIALS)."""
    initials = plain_text(typed).strip().lower()
    if not is_initials(initials):
        raise Refused(Refusal.STAFF_INITIALS)
    return initials


def staff_facts(staff_id: bytes, role: str, act: Act, **more: Any) -> dict[str, Any]:
    """What a STAFF event holds (docs/decisions/the-shops-day.md)."""
    return {"staff": staff_id.hex(), "role": role, "act": act, "approval": None, **more}


# One change of one person ------------------------------------------------------------------------

_CHANGED: Final = Changes(kinds=frozenset({"staff"}))
_Change = SetActive | SetRole | SetBadge | SetPin | LinkMember


def _changed(
    ctx: Context,
    command: _Change,
    act: Act,
    change: Callable[[Connection, staff_rows.StaffRow], staff_rows.StaffRow],
) -> Done[None]:
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(None, again=True)
        _may(ctx, tx.conn, command.session, command.command_id)
        person = staff_rows.staff_by_id(tx.conn, command.staff_id)
        if person is None:
            raise Refused(Refusal.STAFF_UNKNOWN)
        if isinstance(command, SetActive | SetRole):
            _not_above(ctx, tx.conn, person)
        _check_rank(tx.conn, command.session, _role(person))
        more: dict[str, Any] = {}
        changed = change(tx.conn, person)
        if act == "link":
            more["member"] = None if changed.member_id is None else changed.member_id.hex()
        if isinstance(command, SetPin | SetRole) or (
            isinstance(command, SetActive) and command.active
        ):
            more = _agreed(ctx, tx.conn, command, changed, _role(person), act)
        _record(ctx, tx, command.session, changed, act, was=person.role, **more)
    return Done(None, _CHANGED, warning=ctx.warning())


def _record(
    ctx: Context,
    tx: Tx,
    session: Session | None,
    person: staff_rows.StaffRow,
    act: Act,
    **more: Any,
) -> None:
    if act == "pin":
        staff_rows.set_staff_failures(tx.conn, person.id, failures=0, wait_s=0, blocked=0)
    tx.record(
        posting.STAFF,
        event_id=ctx.ids(),
        session=session,
        business_date=ctx.business_date(),
        doc=staff_facts(person.id, person.role, act, **more),
        cells=(staff_cell(person),),
    )


def _may(ctx: Context, conn: Connection, session: Session, command_id: bytes) -> None:
    require(ctx, conn, session, Right.STAFF, command_id=command_id)


def _agreed(
    ctx: Context,
    conn: Connection,
    command: AddStaff | SetPin | SetRole | SetActive,
    person: staff_rows.StaffRow,
    was: StaffRole,
    act: Act,
) -> dict[str, Any]:
    """Who or what stands for it that `person` is, or is to be, of the rank of whoever does this: the part
    of the event that says so, empty for lower ranks (security.md section 3, "lower rank")."""
    own = RANK[staff_role(conn, command.session.staff_id)]
    if max(RANK[was], RANK[_role(person)]) < own:
        return {}
    if command.proof == "passphrase":
        return {"proof": command.proof}
    require_somebody_else(conn, command.session, Right.STAFF, None, Refusal.STAFF_PASSPHRASE)
    note = f"{person.name} ({person.initials.upper()})"
    approval = require(
        ctx, conn, command.session, Right.STAFF, command_id=command.command_id, note=note,
        facts=(("act", act), ("role", person.role)), alone=False,
    )  # fmt: skip
    return {"approval": approval}


def _role(person: staff_rows.StaffRow) -> StaffRole:
    role: StaffRole = person.role  # type: ignore[assignment]  # the column's CHECK names these five
    return role


def _check_rank(conn: Connection, session: Session, role: StaffRole) -> None:
    """Neither a person nor a role above one's own."""
    if RANK[role] > RANK[staff_role(conn, session.staff_id)]:
        raise Refused(Refusal.STAFF_RANK)


def _not_above(ctx: Context, conn: Connection, person: staff_rows.StaffRow) -> None:
    """Who works where and as what is head office's to say, once it has."""
    if person.id in (staff_above(conn, ctx.till.device) or ()):
        raise Refused(Refusal.STAFF_ABOVE)


def _not_oneself(session: Session, person: staff_rows.StaffRow) -> None:
    if session.staff_id == person.id:
        raise Refused(Refusal.STAFF_OWN)


def _keeps_staff(role: str) -> bool:
    return role in RANK and rule(role, Right.STAFF).grant is Grant.ALONE  # type: ignore[arg-type]  # a key of RANK is a StaffRole


def _not_the_last(conn: Connection, person: staff_rows.StaffRow) -> None:
    """The shop must keep a manager of its own, whoever of head office may still come in."""
    others = [
        other
        for other in staff_rows.all_staff(conn)
        if other.active and other.id != person.id and other.role == "manager"
    ]
    if person.role == "manager" and not others:
        raise Refused(Refusal.STAFF_LAST_MANAGER)


# What was typed ----------------------------------------------------------------------------------


def _new_person(ctx: Context, command: AddStaff) -> staff_rows.StaffRow:
    initials = check_initials(command.initials)
    name = " ".join(plain_text(command.name).split())
    if not name:
        raise Refused(Refusal.NAME_NEEDED)
    phone = _phone(command.phone)
    if is_weak(command.pin, phone or ""):
        raise Refused(Refusal.PIN_WEAK)
    salt, hash_ = new_verifier(ctx.data_key, command.pin)
    badge = _badge(command.badge)
    return staff_rows.StaffRow(
        ctx.ids(), initials, name, command.role, badge, salt, hash_, 1, None, phone
    )


def _badge(typed: str) -> str | None:
    badge = plain_text(typed).strip()
    # Letters alone could be somebody's initials.
    if badge and (not _BADGE.fullmatch(badge) or badge.isalpha()):
        raise Refused(Refusal.STAFF_BADGE)
    return badge or None


def _check_badge(conn: Connection, badge: str | None) -> None:
    """A badge is read before anything else that is scanned: it may not hide a card, item or receipt."""
    if badge is not None and kinds_of(conn, badge) - {"badge"}:
        raise Refused(Refusal.STAFF_BADGE_OVERLAPS)


def _phone(typed: str) -> str | None:
    if not typed.strip():
        return None
    phone = parse_phone(typed)
    if not isinstance(phone, Phone):
        raise Refused(Refusal.PHONE_INVALID)
    return phone.e164


def _with_pin(
    ctx: Context, conn: Connection, person: staff_rows.StaffRow, pin: str
) -> staff_rows.StaffRow:
    if is_weak(pin, *_known(conn, person)):
        raise Refused(Refusal.PIN_WEAK)
    salt, hash_ = new_verifier(ctx.data_key, pin)
    return replace(person, pin_salt=salt, pin_hash=hash_)


def _known(conn: Connection, person: staff_rows.StaffRow) -> list[str]:
    """What others may know of the person: their phones and the ways to write their birthday."""
    own = people.profile(conn, person.member_id) if person.member_id else None
    known = [person.phone or "", (own.phone if own else None) or ""]
    if own is not None and own.birth_month is not None and own.birth_day is not None:
        year, month, day = own.birth_year or 0, own.birth_month, own.birth_day
        known += [
            f"{year:04d}{month:02d}{day:02d}",
            f"{day:02d}{month:02d}{year:04d}",
            f"{month:02d}{day:02d}{year:04d}",
            f"{day:02d}{month:02d}{year % 100:02d}",
            f"{month:02d}{day:02d}{year % 100:02d}",
        ]
    return known
