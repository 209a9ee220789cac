"""Sign in by initials or badge and PIN, and out again (security.md section 3, counter-flows.md flows 15, 16).

The verifier is argon2id over an HMAC of the PIN under the till's pepper, so a stolen row is no help without the
store's key. Wrong PINs are counted in the store, and the wait after them by the monotonic clock (app.lockout):
a restart or another clock doesn't shorten it.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Literal

from argon2.low_level import Type, hash_secret_raw
from sqlcipher3.dbapi2 import Connection

from app import posting
from app.above import staff_above
from app.context import Changes, Context, Session
from app.domain.errors import Refusal, Refused
from app.journal import derive_key
from app.protocol.shop_staff import SALT_BYTES, at_till, is_code, stretched
from app.queries.records import StaffView
from app.usecases.done import Done
from db import rows, staff_rows, till

TRIES_BEFORE_WAIT: Final = 5
TRIES_BEFORE_SUPERVISOR: Final = 10
WAIT_S: Final = 300
PIN_DIGITS: Final = 6
SUPERVISORS: Final = ("supervisor", "manager")
SignOutWhy = Literal["switch", "lock", "idle", "close"]
_MEMORY_KIB: Final = 64 * 1024
_USUAL: Final = frozenset({"121212", "123123", "520520", "888666", "112233"})
_ROWS: Final = ("01234567890123456789", "98765432109876543210")
_NOBODY_TRIES: Final = "pins_of_nobody"


@dataclass(frozen=True, slots=True)
class SignIn:
    """`who` is typed initials or a scanned badge number; `pin` six digits."""

    command_id: bytes
    who: str
    pin: str
    after_training: bool = False
    """Whether training has just ended at this till (security.md section 4, F12)."""


@dataclass(frozen=True, slots=True)
class SignOut:
    """The person of a session leaves the till: somebody else came, it was locked, or it closes."""

    command_id: bytes
    session: Session
    why: SignOutWhy


def verifier(data_key: bytes, salt: bytes, pin: str) -> bytes:
    """The 32-byte PIN verifier: argon2id, 64 MiB, one pass (about 80 ms)."""
    peppered = hmac.digest(derive_key(data_key, "pin pepper"), pin.encode(), sha256)
    return hash_secret_raw(
        peppered, salt, time_cost=1, memory_cost=_MEMORY_KIB, parallelism=1, hash_len=32,
        type=Type.ID,
    )  # fmt: skip


def is_weak(pin: str, *known: str) -> bool:
    """Whether a PIN may not be chosen: too short, not digits, a usual one, a row, or part of what
    is `known` of the person (phone, birthday)."""
    if len(pin) < PIN_DIGITS or not (pin.isascii() and pin.isdigit()):
        return True
    if len(set(pin)) < 3 or pin in _USUAL or any(pin in row for row in _ROWS):
        return True
    return any(pin in text for text in known)


def new_verifier(data_key: bytes, pin: str) -> tuple[bytes, bytes]:
    """(salt, verifier) for a new PIN."""
    salt = os.urandom(16)
    return salt, verifier(data_key, salt, pin)


def find_staff(ctx: Context, who: str) -> StaffView | None:
    """The person of initials or badge, to show the name before the PIN is typed."""
    with ctx.read() as conn:
        row = _find(conn, who)
    return StaffView(row.id, row.initials, row.name, row.role) if row else None


def is_badge(ctx: Context, code: str) -> bool:
    """Whether a scanned code is the badge of somebody who works here. Initials are typed, never scanned:
    goods may be called as somebody is."""
    with ctx.read() as conn:
        return staff_rows.staff_by_badge(conn, code.strip()) is not None


def sign_in(ctx: Context, command: SignIn) -> Done[Session]:
    """Check the PIN and start a session. Raises Refused(PIN_WRONG | PIN_LOCKED | PIN_BLOCKED).

    The answer takes as long for an unknown person as for a known one.
    """
    row = check_pin(ctx, command.who, command.pin)
    with ctx.write(command.command_id) as tx:
        if row.role in SUPERVISORS:
            staff_rows.unblock_staff(tx.conn)
        shift = till.open_shift(tx.conn)
        session = Session(row.id, shift.id if shift else None)
        if tx.known is None:
            tx.record(
                posting.SIGN_IN,
                event_id=ctx.ids(),
                session=session,
                business_date=ctx.business_date(),
                doc={"staff": row.id.hex()}
                | ({"after_training": 1} if command.after_training else {}),
            )
    return Done(session, Changes(kinds=frozenset({"session"})), warning=ctx.warning())


def sign_out(ctx: Context, command: SignOut) -> Done[None]:
    """Note that the person left, and why. Their shift stays as it is."""
    with ctx.write(command.command_id) as tx:
        if tx.known is None:
            tx.record(
                posting.SIGN_OUT,
                event_id=ctx.ids(),
                session=command.session,
                business_date=ctx.business_date(),
                doc={"staff": command.session.staff_id.hex(), "why": command.why},
            )
    return Done(None, Changes(kinds=frozenset({"session"})), warning=ctx.warning())


def check_pin(ctx: Context, who: str, pin: str) -> staff_rows.StaffRow:
    """The person whose PIN this is; a wrong one is counted. Raises Refused(PIN_WRONG | PIN_LOCKED |
    PIN_BLOCKED); PIN_TO_CHOOSE for a first code that holds, which does nothing but set a PIN."""
    row = _may_try(ctx, who)
    given = verifier(ctx.data_key, row.pin_salt if row else bytes(16), pin)
    fits = row is not None and hmac.compare_digest(given, row.pin_hash)
    if not fits and is_code(pin) and _number_of(ctx, row, pin):
        raise Refused(Refusal.PIN_TO_CHOOSE)
    if not fits:
        _count_failure(ctx, row)
    assert row is not None
    if row.failures:
        with ctx.write_rows() as conn:
            staff_rows.set_staff_failures(conn, row.id, failures=0, wait_s=0, blocked=0)
    return row


def check_code(ctx: Context, who: str, code: str) -> tuple[staff_rows.StaffRow, int]:
    """Whose first code this is, and its number; a wrong one is counted as a wrong PIN. Raises
    Refused(PIN_WRONG | PIN_LOCKED | PIN_BLOCKED)."""
    row = _may_try(ctx, who)
    number = _number_of(ctx, row, code) if is_code(code) else 0
    if not number:
        _count_failure(ctx, row)
    assert row is not None
    return row, number


def _may_try(ctx: Context, who: str) -> staff_rows.StaffRow | None:
    with ctx.read() as conn:
        row = _find(conn, who)
    if row is not None:
        _check_lock(ctx, row)
    return row


def _number_of(ctx: Context, row: staff_rows.StaffRow | None, code: str) -> int:
    """The number of the person's first code if this is it and it still holds, else 0; as slow for nobody."""
    with ctx.read() as conn:
        above = staff_above(conn, ctx.till.device) or {}
    person = above.get(row.id) if row else None
    known = person.code if person else None
    given = at_till(stretched(code, known.salt if known else bytes(SALT_BYTES)), ctx.till.device)
    if row is None or known is None or not hmac.compare_digest(given, known.verifier):
        return 0
    in_time = ctx.clock().timestamp() * 1000 < known.until_ms
    return known.number if in_time and known.number > row.code else 0


def _find(conn: Connection, who: str) -> staff_rows.StaffRow | None:
    text = who.strip()
    by_initials = staff_rows.staff_by_initials(conn, text)
    return by_initials or staff_rows.staff_by_badge(conn, text)


def _check_lock(ctx: Context, row: staff_rows.StaffRow) -> None:
    if row.blocked:
        raise Refused(Refusal.PIN_BLOCKED)
    left = ctx.lockout.left_s(row.id, row.wait_s)
    if row.wait_s and left < row.wait_s:
        # What was waited is waited: a restart goes on from here.
        _keep_wait(ctx, row, left)
    if left:
        raise Refused(Refusal.PIN_LOCKED, {"minutes": -(-left // 60)})


def _keep_wait(ctx: Context, row: staff_rows.StaffRow, left_s: int) -> None:
    with ctx.write_rows() as conn:
        staff_rows.set_staff_failures(
            conn, row.id, failures=row.failures, wait_s=left_s, blocked=row.blocked
        )
    ctx.lockout.stored(row.id)


def _count_failure(ctx: Context, row: staff_rows.StaffRow | None) -> None:
    """5 wrong: five minutes; 10: until a supervisor signs in, or the passphrase sets a new PIN."""
    if row is None:
        # As much work as for somebody: who works here can't be told from the time that "no" takes.
        with ctx.write_rows() as conn:
            tries = int(rows.meta(conn, _NOBODY_TRIES) or "0") + 1
            rows.set_meta(conn, _NOBODY_TRIES, str(tries))
        raise Refused(Refusal.PIN_WRONG, {"left": TRIES_BEFORE_WAIT - 1})
    failures = row.failures + 1
    blocked = int(failures >= TRIES_BEFORE_SUPERVISOR)
    wait_s = WAIT_S if failures % TRIES_BEFORE_WAIT == 0 and not blocked else 0
    locked = replace(row, failures=failures, wait_s=wait_s, blocked=blocked)
    if wait_s or blocked:
        _lock(ctx, locked)
        _check_lock(ctx, locked)
    _keep_wait(ctx, locked, 0)
    raise Refused(Refusal.PIN_WRONG, {"left": TRIES_BEFORE_WAIT - failures % TRIES_BEFORE_WAIT})


def _lock(ctx: Context, row: staff_rows.StaffRow) -> None:
    """Shut out, in one transaction with the event that says so."""
    with ctx.write(ctx.ids()) as tx:
        staff_rows.set_staff_failures(
            tx.conn, row.id, failures=row.failures, wait_s=row.wait_s, blocked=row.blocked
        )
        tx.record(
            posting.PIN_LOCKED,
            event_id=ctx.ids(),
            session=None,
            business_date=ctx.business_date(),
            doc={"staff": row.id.hex(), "failures": row.failures},
        )
    ctx.lockout.stored(row.id)
