"""Who may sign in to the console, who is signed in, and what they did: rows, and the steps of signing in.

Everything here happens inside the writer's transaction, on its connection; each method names its tenant.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple, get_args

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import ARGON2_VERSION

from app.keyslots.errors import WeakPassphrase
from app.keyslots.passphrase import require_strong
from headoffice import audit
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

Role = Literal["manager", "head_office", "auditor"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
Stage = Literal["code", "whole"]
"""A session that waits for its second factor, and one that is let in."""
WRONG_MOST: Final = 5
LOCKED_MS: Final = 15 * 60_000
SESSION_MS: Final = 12 * 3_600_000
IDLE_MS: Final = 30 * 60_000
"""A session that did nothing for so long is over."""
CODE_SESSION_MS: Final = 5 * 60_000
INVITATION: Final = "/console/invitation"
_SECRET_BYTES: Final = 24
INVITED_MS: Final = 24 * 3_600_000
"""So long an invitation is good."""
INITIALS_MOST: Final = 12
PASSWORD_LEAST: Final = 15
PASSWORD_MOST: Final = 200
_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


class Person(NamedTuple):
    """Somebody who may sign in. invited_until_ms: None once they have set a password of their own, 0: shut out.

    invitation  the digest of what the link to set one carries, until it is used
    """

    id: bytes
    initials: str
    role: Role
    verifier: str
    invited_until_ms: int | None = None
    wrong: int = 0
    locked_until_ms: int = 0
    invitation: bytes | None = None


class Session(NamedTuple):
    """Somebody who is signed in."""

    staff: bytes
    initials: str
    role: Role
    stage: Stage = "whole"
    seen_ms: int = 0
    factor: bool = False
    """Whether their sign-in has a second factor."""


_PEOPLE: Final = """
SELECT staff_id, initials, role, verifier, one_time_until_ms, wrong, locked_until_ms, invitation
FROM console_staff WHERE tenant_id = ? AND dist_key = ?
"""
_PERSON: Final = f"{_PEOPLE} AND initials = ?"
_INVITED: Final = f"{_PEOPLE} AND invitation = ? AND one_time_until_ms > ?"
_PUT_PERSON: Final = """
INSERT INTO console_staff (
    tenant_id, dist_key, staff_id, initials, role, verifier, one_time_until_ms, wrong, locked_until_ms,
    invitation
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, staff_id) DO UPDATE SET role = excluded.role, verifier = excluded.verifier,
    one_time_until_ms = excluded.one_time_until_ms, wrong = excluded.wrong,
    locked_until_ms = excluded.locked_until_ms, invitation = excluded.invitation
"""
_SESSION: Final = """
SELECT console_staff.staff_id, initials, role, stage, seen_ms, since_ms
FROM console_session JOIN console_staff USING (tenant_id, dist_key, staff_id)
LEFT JOIN console_factor USING (tenant_id, dist_key, staff_id)
WHERE console_session.tenant_id = ? AND console_session.dist_key = ? AND session_id = ? AND until_ms > ?
    AND seen_ms > ? AND one_time_until_ms IS NULL
"""
_PUT_SESSION: Final = """
INSERT INTO console_session (tenant_id, dist_key, session_id, staff_id, until_ms, stage, seen_ms)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_SEEN: Final = """
UPDATE console_session SET seen_ms = ? WHERE tenant_id = ? AND dist_key = ? AND session_id = ?
"""
_PROVED: Final = """
SELECT proved_until_ms FROM console_session WHERE tenant_id = ? AND dist_key = ? AND session_id = ?
"""
_PROVE: Final = """
UPDATE console_session SET proved_until_ms = ? WHERE tenant_id = ? AND dist_key = ? AND session_id = ?
"""
_HAS_FACTOR: Final = """
SELECT count(*) FROM console_factor WHERE tenant_id = ? AND dist_key = ? AND staff_id = ?
"""
_DROP_FACTOR: Final = (
    "DELETE FROM console_factor WHERE tenant_id = ? AND dist_key = ? AND staff_id = ?"
)
_DROP_RECOVERY: Final = """
DELETE FROM console_recovery WHERE tenant_id = ? AND dist_key = ? AND staff_id = ?
"""
_END_SESSION: Final = (
    "DELETE FROM console_session WHERE tenant_id = ? AND dist_key = ? AND session_id = ?"
)
_END_SESSIONS: Final = """
DELETE FROM console_session WHERE tenant_id = ? AND dist_key = ? AND staff_id = ?
"""
_END_OLD: Final = """
DELETE FROM console_session WHERE tenant_id = ? AND dist_key = ? AND staff_id = ? AND until_ms <= ?
"""


class Staff:
    """One chain's console staff on an open database."""

    def __init__(self, plain: Plain, tenant: bytes) -> None:
        self._plain = plain
        self._own = (tenant, dist_key(tenant))

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a statement finds whose first two values are the chain's."""
        return self._plain.rows(statement, (*self._own, *values))

    def run(self, statement: str, *values: object) -> None:
        """Do a statement whose first two values are the chain's."""
        self._plain.run(statement, (*self._own, *values))

    def person(self, initials: str) -> Person | None:
        """The one with these initials."""
        rows = self.rows(_PERSON, initials)
        return Person(*rows[0]) if rows else None

    def invited(self, invitation: bytes, now_ms: int) -> Person | None:
        """Who may set a password by what has this digest."""
        rows = self.rows(_INVITED, invitation, now_ms)
        return Person(*rows[0]) if rows else None

    def put(self, person: Person) -> None:
        """Keep somebody."""
        self._plain.run(_PUT_PERSON, (*self._own, *person))

    def session(self, token: bytes, now_ms: int) -> Session | None:
        """Who holds this token; None: it is over."""
        rows = self.rows(_SESSION, digest(token), now_ms, now_ms - IDLE_MS)
        for staff, initials, role, stage, seen_ms, since_ms in rows:
            return Session(staff, initials, role, stage, seen_ms, since_ms is not None)
        return None

    def seen(self, token: bytes, now_ms: int) -> None:
        """Whoever holds this token did something."""
        self._plain.run(_SEEN, (now_ms, *self._own, digest(token)))

    def proved_until(self, token: bytes) -> int:
        """Until when whoever holds this token has proved anew who they are; 0: they have not."""
        rows = self.rows(_PROVED, digest(token))
        return int(rows[0][0]) if rows else 0

    def prove(self, token: bytes, staff: bytes, until_ms: int, now_ms: int) -> None:
        """Whoever holds this token has proved who they are."""
        self._plain.run(_PROVE, (until_ms, *self._own, digest(token)))
        self.note(now_ms, staff, "proved")

    def end(self, token: bytes, staff: bytes, now_ms: int) -> None:
        """Sign out."""
        self.drop_session(token)
        self.note(now_ms, staff, "signed_out")

    def note(
        self,
        now_ms: int,
        staff: bytes | None,
        act: str,
        *,
        member: bytes | None = None,
        detail: str = "",
    ) -> None:
        """Write down what somebody did. `detail` is a code or a count, never a personal value."""
        audit.append(self._plain, self._own[0], audit.Row(0, now_ms, staff, act, member, detail))

    # Signing in

    def invite(self, initials: str, role: Role, invitation: bytes, now_ms: int) -> bytes:
        """Let somebody in, or anew: they set a password by an invitation with this digest, and an earlier one
        opens nothing. Their sessions end, their password and second factor are none any more. Returns who."""
        known = self.person(initials)
        staff = secrets.token_bytes(16) if known is None else known.id
        self.end_sessions(staff)
        self.drop_factor(staff)
        until_ms = now_ms + INVITED_MS
        self.put(Person(staff, initials, role, nobodys(), until_ms, invitation=invitation))
        self.note(now_ms, staff, "let_in", detail=role)
        return staff

    def accept(self, invitation: bytes, verifier: str, now_ms: int) -> bytes | None:
        """Set the password of who is invited, once, and begin a session: its token. None: nobody is by this."""
        person = self.invited(invitation, now_ms)
        if person is None:
            return None
        self.put(Person(person.id, person.initials, person.role, verifier))
        self.note(now_ms, person.id, "password_set")
        return self.begin(person.id, now_ms)

    def try_once(self, initials: str, now_ms: int) -> Person | None:
        """Count a try as wrong before anything is compared: many at once are no more than many in a row.

        None: nobody who may try now.
        """
        person = self.person(initials)
        if person is None or person.locked_until_ms > now_ms:
            staff = None if person is None else person.id
            self.note(now_ms, staff, "refused", detail="unknown" if person is None else "locked")
            return None
        wrong = person.wrong + 1
        if wrong >= WRONG_MOST:
            counted = person._replace(wrong=0, locked_until_ms=now_ms + LOCKED_MS)
        else:
            counted = person._replace(wrong=wrong)
        self.put(counted)
        return person

    def was_wrong(self, person: Person, now_ms: int) -> None:
        """The password was not the right one."""
        self.note(now_ms, person.id, "refused", detail="password")

    def was_right(self, person: Person, now_ms: int) -> bytes | None:
        """Begin a session: its token. None: the password was changed, or they have none of their own."""
        known = self.person(person.initials)
        if known is None or known.verifier != person.verifier:
            return None
        if known.invited_until_ms is not None:
            self.note(now_ms, person.id, "refused", detail="invited")
            return None
        if self.rows(_HAS_FACTOR, person.id)[0][0]:
            # Until the second factor came, this try is not counted as wrong, and those before it still are.
            before = WRONG_MOST - 1 if known.wrong == 0 else known.wrong - 1
            self.put(known._replace(wrong=before, locked_until_ms=0))
            self.note(now_ms, person.id, "half_in")
            return self.begin(person.id, now_ms, CODE_SESSION_MS, "code")
        self.put(known._replace(wrong=0, locked_until_ms=0))
        self.note(now_ms, person.id, "signed_in")
        return self.begin(person.id, now_ms)

    def begin(
        self, staff: bytes, now_ms: int, good_ms: int = SESSION_MS, stage: Stage = "whole"
    ) -> bytes:
        """Begin a session: its token."""
        token = secrets.token_bytes(32)
        self.run(_END_OLD, staff, now_ms)
        self.run(_PUT_SESSION, digest(token), staff, now_ms + good_ms, stage, now_ms)
        return token

    def drop_session(self, token: bytes) -> None:
        """End one session."""
        self.run(_END_SESSION, digest(token))

    def end_sessions(self, staff: bytes) -> None:
        """Sign somebody out wherever they are signed in."""
        self.run(_END_SESSIONS, staff)

    def drop_factor(self, staff: bytes) -> None:
        """Somebody's second factor is none any more."""
        self.run(_DROP_RECOVERY, staff)
        self.run(_DROP_FACTOR, staff)


def initials_of(typed: str) -> str:
    """Initials as they are kept."""
    return typed.strip().upper()[:INITIALS_MOST]


def digest(token: bytes) -> bytes:
    """What is kept of a session's token."""
    return sha256(token).digest()


def fits(person: Person | None, password: str) -> bool:
    """Whether this is the person's password; as slow where there is nobody."""
    try:
        _HASHER.verify(nobodys() if person is None else person.verifier, password[:PASSWORD_MOST])
    except VerifyMismatchError:
        return False
    return person is not None


def nobodys() -> str:
    """In the form and at the cost of a verifier, made without paying it: no password is known to fit."""
    salt, hashed = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    costs = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${hashed}"


class Invitation(NamedTuple):
    """What the link carries, and what the store keeps of it."""

    secret: str
    digest: bytes

    def path(self, tenant: bytes) -> str:
        """Where it leads to, behind head office's address."""
        return f"{INVITATION}?code={tenant.hex()}.{self.secret}"


def new_invitation() -> Invitation:
    """One that nobody can guess."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    return Invitation(secret, digest(secret.encode()))


def verifier_of(password: str) -> str:
    """What is kept of a password: argon2id, 64 MiB, three passes."""
    return _HASHER.hash(password)


def is_strong(password: str) -> bool:
    """15 characters or more, and none of the first that a guesser tries (security.md section 11)."""
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        return False
    try:
        require_strong(password)
    except WeakPassphrase:
        return False
    return True
