"""What a till signs at the close of a day: the statement, its signature, and the file that proves it anywhere.

A statement is canonical JSON, like an event: the same bytes for the same facts. It is signed with the till's
own Ed25519 key, which never leaves the store; the public half is in the statement and on each printed Z. The
file `…-Z000132-….json` holds both, and `check` needs nothing else: no store, no key, no network.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.protocol.events import NotCanonical, encode

FORMAT: Final = "regulars day close 1"
SEED_BYTES: Final = 32


class BadStatement(ValueError):
    """A file that is no statement, or one that its signature does not fit."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement whose signature fits. `public` is the key's 32 bytes: compare it with a printed Z."""

    facts: dict[str, Any]
    public: bytes


def new_seed() -> bytes:
    """A till's new private key."""
    return os.urandom(SEED_BYTES)


def public_of(seed: bytes) -> bytes:
    """The public half of a key, 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, facts: dict[str, Any]) -> bytes:
    """The signature, 64 bytes, over the canonical bytes of `facts`."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(encode(facts))


def to_file(facts: dict[str, Any], signature: bytes) -> bytes:
    """The bytes of a file that `check` takes."""
    return encode({"statement": facts, "signature": signature.hex()}) + b"\n"


def check(blob: bytes) -> Checked:
    """Read a file and check its signature by the key that it names. Raises BadStatement."""
    try:
        plain = json.loads(blob)
        facts, signature = plain["statement"], bytes.fromhex(plain["signature"])
        public = bytes.fromhex(facts["key"])
        if facts["format"] != FORMAT:
            raise BadStatement(f"not a {FORMAT!r}")
        Ed25519PublicKey.from_public_bytes(public).verify(signature, encode(facts))
    except InvalidSignature:
        raise BadStatement("the signature does not fit: something was altered") from None
    except (ValueError, KeyError, TypeError, AttributeError, NotCanonical) as error:
        if isinstance(error, BadStatement):
            raise
        raise BadStatement(f"not a day close: {error}") from error
    return Checked(facts, public)
