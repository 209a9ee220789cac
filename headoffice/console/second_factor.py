"""The second factor: codes that change every 30 seconds (RFC 6238), and recovery codes for a lost phone.

Everything that writes happens inside the writer's transaction. A code is counted as a wrong try before it is
compared, on the same count as the password, and no step is taken twice.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple

import pyotp
import segno
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headoffice.console.staff import Person, Staff

STEP_MS: Final = 30_000
APART: Final = 1
"""So many steps a phone's clock may be off, either way."""
RECOVERY_CODES: Final = 10
_SECRET_BYTES: Final = 20
_NONCE_BYTES: Final = 12
_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_SIX: Final = re.compile(r"[0-9]{6}")

_FACTOR: Final = """
SELECT secret, since_ms, step FROM console_factor WHERE tenant_id = ? AND dist_key = ? AND staff_id = ?
"""
_PUT: Final = """
INSERT INTO console_factor (tenant_id, dist_key, staff_id, secret, since_ms, step) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, staff_id) DO UPDATE SET step = excluded.step
"""
_PUT_RECOVERY: Final = """
INSERT INTO console_recovery (tenant_id, dist_key, staff_id, code) VALUES (?, ?, ?, ?)
"""
_RECOVERY: Final = """
SELECT code FROM console_recovery WHERE tenant_id = ? AND dist_key = ? AND staff_id = ?
"""
_USE_RECOVERY: Final = """
DELETE FROM console_recovery WHERE tenant_id = ? AND dist_key = ? AND staff_id = ? AND code = ?
"""


def offered_secret(key: bytes, session: bytes) -> str:
    """The secret that a session is offered: the same on every page of it, and nowhere kept."""
    made = hmac.digest(key, b"offered factor\0" + session, "sha256")[:_SECRET_BYTES]
    return base64.b32encode(made).decode()


class Qr(NamedTuple):
    """What an authenticator app scans: the dark squares as the path of a drawing `side` wide."""

    side: int
    path: str


def qr_of(secret: str, chain: str, initials: str) -> Qr:
    """The secret with the names that the app shows beside its code."""
    text = pyotp.TOTP(secret).provisioning_uri(name=initials, issuer_name=f"Regulars {chain}")
    rows = [list(row) for row in segno.make(text, error="m").matrix_iter(border=4)]
    dark = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, one in enumerate(row) if one]
    return Qr(len(rows), "".join(dark))


def step_of(secret: str, typed: str, now_ms: int, after: int) -> int | None:
    """The step whose code this is, if it is one of now and none up to `after`."""
    code = typed.replace(" ", "")
    if not _SIX.fullmatch(code):
        return None
    totp, now = pyotp.TOTP(secret), now_ms // STEP_MS
    for step in range(max(now - APART, after + 1, 0), now + APART + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            return step
    return None


class Factors:
    """The second factors of a chain's staff. `key`: the console's own."""

    def __init__(self, staff: Staff, key: bytes) -> None:
        self._staff = staff
        self._key = hmac.digest(key, b"second factors", "sha256")

    def set_up(
        self, person: bytes, secret: str, typed: str, now_ms: int
    ) -> tuple[bytes, Sequence[str]] | None:
        """Take a secret whose code was typed: a new session's token, all others having ended, and the recovery
        codes. None: the code is not its."""
        step = step_of(secret, typed, now_ms, 0)
        if step is None or self._staff.rows(_FACTOR, person):
            return None
        self._staff.end_sessions(person)
        self._staff.run(_PUT, person, self._sealed(person, secret), now_ms, step)
        codes = [_new_code() for _ in range(RECOVERY_CODES)]
        for code in codes:
            self._staff.run(_PUT_RECOVERY, person, self._digest(code))
        self._staff.note(now_ms, person, "factor_set")
        return self._staff.begin(person, now_ms), codes

    def pass_code(self, initials: str, typed: str, now_ms: int) -> Person | None:
        """Take a code, or a recovery code, which is then used up. None: it was wrong, or too many were."""
        person = self._staff.try_once(initials, now_ms)
        if person is None:
            return None
        how = self._fits(person.id, typed, now_ms)
        if how is None:
            self._staff.note(now_ms, person.id, "refused", detail="code")
            return None
        self._staff.put(person._replace(wrong=0, locked_until_ms=0))
        if how == "recovery":
            self._staff.note(now_ms, person.id, "recovery_used")
        return person

    def begin(self, initials: str, typed: str, half: bytes, now_ms: int) -> bytes | None:
        """Let in who gave the password before: a whole session's token in place of the half one's."""
        person = self.pass_code(initials, typed, now_ms)
        if person is None:
            return None
        self._staff.drop_session(half)
        self._staff.note(now_ms, person.id, "signed_in")
        return self._staff.begin(person.id, now_ms)

    def set_anew(self, initials: str, typed: str, now_ms: int) -> bytes | None:
        """End a second factor with one of its codes: the token of a new session, all others having ended."""
        person = self.pass_code(initials, typed, now_ms)
        if person is None:
            return None
        self._staff.end_sessions(person.id)
        self._staff.drop_factor(person.id)
        self._staff.note(now_ms, person.id, "factor_dropped")
        return self._staff.begin(person.id, now_ms)

    def recovery_left(self, person: bytes) -> int:
        """How many recovery codes were not used."""
        return len(self._staff.rows(_RECOVERY, person))

    def _fits(self, person: bytes, typed: str, now_ms: int) -> str | None:
        found = self._staff.rows(_FACTOR, person)
        if not found:
            return None
        sealed, since_ms, used = found[0]
        step = step_of(self._opened(person, sealed), typed, now_ms, used)
        if step is not None:
            self._staff.run(_PUT, person, sealed, since_ms, step)
            return "code"
        code = self._digest(typed)
        if (code,) in self._staff.rows(_RECOVERY, person):
            self._staff.run(_USE_RECOVERY, person, code)
            return "recovery"
        return None

    def _sealed(self, person: bytes, secret: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, secret.encode(), person)

    def _opened(self, person: bytes, sealed: bytes) -> str:
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return AESGCM(self._key).decrypt(nonce, rest, person).decode()

    def _digest(self, code: str) -> bytes:
        plain = re.sub(r"[\s-]", "", code).lower()
        return hmac.digest(self._key, b"recovery\0" + plain.encode(), "sha256")


def _new_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"
