"""Who works at a till, as head office says it: the body of the set `staff@<device>`, and first codes. Pure.

Head office decides who works where and as what; a PIN is its owner's and stays at the till where they set it.
To set one they type a first code there, of 12 digits. What travels of a code is good at one till and tells it
only to whoever tries 10^12 of them at 32 MiB each (security.md section 3).
"""

from __future__ import annotations

import hmac
import re
from hashlib import scrypt, sha256
from typing import Final, NamedTuple

import msgspec

from app.protocol.links import Int64
from app.protocol.packing import Packing

STAFF: Final = "staff"
"""Name of the set."""
STAFF_MOST: Final = 2_000
"""So many people at one till, those who left too."""
CODE_DIGITS: Final = 12
CODE_GOOD_MS: Final = 7 * 24 * 3_600_000
SALT_BYTES: Final = 16
_INITIALS: Final = re.compile(r"[a-z][a-z0-9]{1,5}")
_ROUNDS: Final = 1 << 15
_BLOCK: Final = 8
_MEMORY_MOST: Final = 64 * 1024 * 1024


class FirstCode(NamedTuple):
    """A first code as one till has it. `number`: the person's later codes have higher ones, and each is taken
    once at a till. `verifier`: `at_till` of what the code was stretched to."""

    number: int
    salt: bytes
    verifier: bytes
    until_ms: int


class ShopPerson(NamedTuple):
    """Somebody whom head office has at a till. `id`: theirs there; initials in lower case."""

    id: bytes
    initials: str
    name: str
    role: str
    active: bool
    code: FirstCode | None = None


class WorksHere(NamedTuple):
    """Somebody of a till's own list of staff: their id there, never their PIN."""

    id: bytes
    initials: str
    name: str
    role: str
    active: bool


class StaffRequest(msgspec.Struct, frozen=True, tag="staff"):
    """Who works at the till, whole, as it was after its event `at`."""

    rid: bytes
    device: bytes
    epoch: Int64
    timeline: Int64
    at: Int64
    people: tuple[WorksHere, ...]


class StaffReply(msgspec.Struct, frozen=True, tag="staff_told"):
    """Head office has the list. `kept` False: the till's epoch or timeline is over, and it tells it anew."""

    rid: bytes
    kept: bool


_PACKING: Final = Packing[tuple[ShopPerson, ...]](tuple[ShopPerson, ...])


def staff_body(people: tuple[ShopPerson, ...]) -> bytes:
    """The set's body."""
    return _PACKING.pack(people)


def staff_of(body: bytes | None) -> tuple[ShopPerson, ...]:
    """The people of a set; None: there is no such set. Raises ValueError."""
    try:
        return () if body is None else _PACKING.unpack(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error


def is_initials(text: str) -> bool:
    """Whether these can be somebody's initials, in lower case as they are kept."""
    return _INITIALS.fullmatch(text) is not None


def is_code(typed: str) -> bool:
    """Whether this could be a first code."""
    return len(typed) == CODE_DIGITS and typed.isascii() and typed.isdigit()


def stretched(code: str, salt: bytes) -> bytes:
    """What a code is stretched to: 32 bytes, about 0.1 s and 32 MiB."""
    return scrypt(code.encode(), salt=salt, n=_ROUNDS, r=_BLOCK, p=1, maxmem=_MEMORY_MOST, dklen=32)


def at_till(stretched_code: bytes, device: bytes) -> bytes:
    """What one till checks a code by: of no use at another one."""
    return hmac.digest(stretched_code, device, sha256)
