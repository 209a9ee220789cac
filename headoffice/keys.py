"""Head office's own key in its file, and Ed25519 for signing.py. The private key never leaves this module."""

from __future__ import annotations

import functools
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.protocol.signing import Sign, Verify

FILE_NAME: Final = "server.key"
ENVIRONMENT: Final = "REGULARS_HEADOFFICE_KEY"
"""Names another file for the key, on a volume of its own."""
KEY_BYTES: Final = 32
_PRIVATE: Final = 0o600


class BadKeyFile(Exception):
    """The file of the server's key can't be used. `why`: "open" (others may read it) or "content"."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True)
class ServerKey:
    """What head office signs with, and what tills know it by."""

    sign: Sign
    public: bytes


def server_key(path: Path) -> ServerKey:
    """The key in the file, made where there is none. Raises BadKeyFile or OSError."""
    if not path.exists():
        _write_new(path)
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadKeyFile(path, "open")
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
        private = Ed25519PrivateKey.from_private_bytes(secret)
    except ValueError as error:
        raise BadKeyFile(path, "content") from error
    return ServerKey(private.sign, private.public_key().public_bytes_raw())


def _write_new(path: Path) -> None:
    """A whole file under this name or none: it is written under another one first."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw().hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@functools.lru_cache(maxsize=65_536)
def verifier(public_key: bytes) -> Verify | None:
    """What checks the signatures of this key; None: it is no key."""
    if len(public_key) != KEY_BYTES:
        return None
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError:
        return None

    def verify(signature: bytes, signed: bytes) -> bool:
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    return verify
