"""Sign in by initials or badge and PIN (security.md section 3, counter-flows.md flows 15 and 16).

The verifier is argon2id over an HMAC of the PIN under the till's pepper, so a stolen row is no help without the
store's key. Wrong PINs are counted in the store: a restart or another clock doesn't forget them.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Final

from argon2.low_level import Type, hash_secret_raw
from sqlcipher3.dbapi2 import Connection

from app import posting
from app.context import Changes, Context, Session
from app.domain.errors import Refusal, Refused
from app.journal import derive_key
from app.protocol.events import micros
from app.queries.records import StaffView
from app.usecases.done import Done
from db import people, till

TRIES_BEFORE_WAIT: Final = 5
TRIES_BEFORE_SUPERVISOR: Final = 10
WAIT: Final = timedelta(minutes=5)
PIN_DIGITS: Final = 6
SUPERVISORS: Final = ("supervisor", "manager")
BLOCKED_US: Final = 1 << 62
"""In place of an instant: no waiting helps, a supervisor has to sign in."""
_MEMORY_KIB: Final = 64 * 1024
_WEAK: Final = frozenset({"000000", "123456", "654321", "111111", "666666", "888888"})


@dataclass(frozen=True, slots=True)
class SignIn:
    """`who` is typed initials or a scanned badge number; `pin` six digits."""

    command_id: bytes
    who: str
    pin: str


def verifier(data_key: bytes, salt: bytes, pin: str) -> bytes:
    """The 32-byte PIN verifier: argon2id, 64 MiB, one pass (about 80 ms)."""
    peppered = hmac.digest(derive_key(data_key, "pin pepper"), pin.encode(), sha256)
    return hash_secret_raw(
        peppered, salt, time_cost=1, memory_cost=_MEMORY_KIB, parallelism=1, hash_len=32,
        type=Type.ID,
    )  # fmt: skip


def is_weak(pin: str) -> bool:
    """Whether a PIN may not be chosen: too short, not digits, one digit repeated, or a usual one."""
    return len(pin) < PIN_DIGITS or not pin.isdigit() or len(set(pin)) == 1 or pin in _WEAK


def new_verifier(data_key: bytes, pin: str) -> tuple[bytes, bytes]:
    """(salt, verifier) for a new PIN."""
    salt = os.urandom(16)
    return salt, verifier(data_key, salt, pin)


def find_staff(ctx: Context, who: str) -> StaffView | None:
    """The person of initials or badge, to show the name before the PIN is typed."""
    with ctx.read() as conn:
        row = _find(conn, who)
    return StaffView(row.id, row.initials, row.name, row.role) if row else None


def sign_in(ctx: Context, command: SignIn) -> Done[Session]:
    """Check the PIN and start a session. Raises Refused(PIN_WRONG | PIN_LOCKED).

    The answer takes as long for an unknown person as for a known one.
    """
    row = check_pin(ctx, command.who, command.pin)
    with ctx.write(command.command_id) as tx:
        people.set_staff_failures(tx.conn, row.id, failures=0, locked_until_us=None)
        if row.role in SUPERVISORS:
            people.unblock_staff(tx.conn)
        shift = till.open_shift(tx.conn)
        session = Session(row.id, shift.id if shift else None)
        if tx.known is None:
            tx.record(
                posting.SIGN_IN,
                event_id=ctx.ids(),
                session=session,
                business_date=ctx.business_date(),
                doc={},
            )
    return Done(session, Changes(kinds=frozenset({"session"})), warning=ctx.warning())


def check_pin(ctx: Context, who: str, pin: str) -> people.StaffRow:
    """The person whose PIN this is; a wrong one is counted. Raises Refused(PIN_WRONG | PIN_LOCKED |
    PIN_BLOCKED)."""
    with ctx.read() as conn:
        row = _find(conn, who)
    now_us = micros(ctx.clock())
    if row is not None:
        _check_lock(row, now_us)
    given = verifier(ctx.data_key, row.pin_salt if row else bytes(16), pin)
    if row is None or not hmac.compare_digest(given, row.pin_hash):
        _count_failure(ctx, row, now_us)
    assert row is not None
    return row


def _find(conn: Connection, who: str) -> people.StaffRow | None:
    text = who.strip()
    by_initials = people.staff_by_initials(conn, text)
    return by_initials or people.staff_by_badge(conn, text)


def _check_lock(row: people.StaffRow, now_us: int) -> None:
    until = row.locked_until_us
    if until == BLOCKED_US:
        raise Refused(Refusal.PIN_BLOCKED)
    if until is not None and now_us < until:
        raise Refused(Refusal.PIN_LOCKED, {"minutes": _minutes(until - now_us)})


def _count_failure(ctx: Context, row: people.StaffRow | None, now_us: int) -> None:
    """5 wrong: five minutes; 10: until a supervisor signs in, where there is another one."""
    if row is None:
        raise Refused(Refusal.PIN_WRONG, {"left": TRIES_BEFORE_WAIT - 1})
    failures = row.failures + 1
    locked = None
    with ctx.write_rows() as conn:
        if failures >= TRIES_BEFORE_SUPERVISOR and people.others_of_role(conn, row.id, SUPERVISORS):
            locked = BLOCKED_US
        elif failures % TRIES_BEFORE_WAIT == 0:
            locked = now_us + WAIT // timedelta(microseconds=1)
        people.set_staff_failures(conn, row.id, failures=failures, locked_until_us=locked)
    _check_lock(replace(row, locked_until_us=locked), now_us)
    raise Refused(Refusal.PIN_WRONG, {"left": TRIES_BEFORE_WAIT - failures % TRIES_BEFORE_WAIT})


def _minutes(microseconds: int) -> int:
    return -(-microseconds // 60_000_000)
