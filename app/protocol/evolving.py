"""The evolving key of the audit: each event gets a MAC under a key that is hashed on and the old one destroyed.

Pure: keys in, keys and MACs out (security.md section 5, first witness; after Schneier and Kelsey, "Secure audit
logs to support computer forensics"). Who breaks into a till holds today's key only, and can't make the MACs of
yesterday. The start key, from which all others follow, lies in the owner's safe or at head office.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

KEY_BYTES: Final = 32
MAC_BYTES: Final = 16
_CHECK_BYTES: Final = 4
_GROUP: Final = 4


class BadStartKey(ValueError):
    """What was typed is not a start key: too short, a foreign sign, or its last group doesn't fit."""


@dataclass(frozen=True, slots=True, repr=False)
class StartKey:
    """The key of event `first_seq`; events before it have no MAC. `repr` doesn't show it."""

    first_seq: int
    key: bytes

    def __repr__(self) -> str:
        return f"StartKey(first_seq={self.first_seq}, …)"

    def text(self) -> str:
        """As it is printed: 64 letters and digits in groups of four, the end checks the rest."""
        body = self.first_seq.to_bytes(4, "big") + self.key
        signs = base64.b32encode(body + _check(body)).decode()
        return " ".join(signs[at : at + _GROUP] for at in range(0, len(signs), _GROUP))

    @classmethod
    def of_text(cls, typed: str) -> StartKey:
        """Read what was typed from the sheet; blanks, dashes and case don't matter. Raises BadStartKey."""
        signs = "".join(typed.split()).replace("-", "").upper().translate(_ALIKE)
        try:
            whole = base64.b32decode(signs)
        except (binascii.Error, ValueError) as error:
            raise BadStartKey("not a start key") from error
        body, check = whole[:-_CHECK_BYTES], whole[-_CHECK_BYTES:]
        if len(body) != 4 + KEY_BYTES or check != _check(body):
            raise BadStartKey("a sign is wrong or missing")
        return cls(int.from_bytes(body[:4], "big"), body[4:])


_ALIKE: Final = str.maketrans("018", "OIB")
"""Signs that the alphabet lacks and that a hand writes for others."""


def _check(body: bytes) -> bytes:
    return sha256(b"regulars start key" + body).digest()[:_CHECK_BYTES]


def mac(key: bytes, seq: int, hash_: bytes) -> bytes:
    """The 16-byte MAC of an event under the key of its number; the chain's hash covers all before it."""
    return hmac.digest(key, seq.to_bytes(8, "big") + hash_, "sha256")[:MAC_BYTES]


def next_key(key: bytes) -> bytes:
    """The key of the event after."""
    return sha256(b"regulars evolve" + key).digest()
