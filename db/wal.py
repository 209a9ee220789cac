"""Whether the write-ahead log beside a database is that database's own.

SQLite believes any log whose checksums hold, and its checksums need no key. With the log of
another store in place (a folder copied together from two) it reads nonsense, and when that
connection closes it copies the nonsense over the database: the last chance to look is before the
first open. Frames are SQLCipher pages, so the store's key tells whose they are.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from pathlib import Path
from typing import Final

_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">6I")
_PAGE_BYTES: Final = 4096
_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 64
_TAG_SALT_MASK: Final = 0x3A
_WORD: Final = 0xFFFFFFFF


def log_path(path: Path) -> Path:
    """Where the log of a database lies."""
    return path.with_name(f"{path.name}-wal")


def is_foreign(path: Path, *, data_key: bytes, salt: bytes) -> bool:
    """True when SQLite would take the log beside `path` for good and it isn't of this key.

    A log that SQLite itself would pass over (missing, empty, cut or flipped in its first frame)
    is not foreign: nothing of it reaches the database, and what was lost with it is found by
    comparing with the journal file.
    """
    try:
        with log_path(path).open("rb") as file:
            head = file.read(_HEADER.size)
            frame = file.read(_FRAME.size + _PAGE_BYTES)
    except FileNotFoundError:
        return False
    if len(head) < _HEADER.size or len(frame) < _FRAME.size + _PAGE_BYTES:
        return False
    if not _accepted(head, frame):
        return False
    number = _FRAME.unpack_from(frame)[0]
    page = frame[_FRAME.size :]
    return not hmac.compare_digest(_tag(page, number, data_key, salt), page[-_TAG_BYTES:])


def has_rollback_journal(path: Path) -> bool:
    """True when a `-journal` file lies beside `path`. A store is in WAL mode from its first page
    and never has one, and SQLite would write its pages back over the database."""
    try:
        return _journal_path(path).stat().st_size > 0
    except FileNotFoundError:
        return False


def put_aside(path: Path) -> tuple[Path, ...]:
    """Move log and rollback journal beside `path` away, keeping them, so that the database opens.

    For foreign ones. What the store's own log held must then come back from the journal file.
    Returns the new places. Raises OSError.
    """
    moved = []
    for file in (log_path(path), _journal_path(path)):
        if os.path.lexists(file):
            numbered = (file.with_name(f"{file.name}.foreign-{n}") for n in range(1, 10_000))
            place = next(place for place in numbered if not os.path.lexists(place))
            file.rename(place)
            moved.append(place)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)  # the index of that log
    return tuple(moved)


def _journal_path(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


def _accepted(head: bytes, frame: bytes) -> bool:
    """SQLite's own test of a log's header and first frame (file format, section 4.1)."""
    magic, _, _, _, salt_1, salt_2, *header_sum = _HEADER.unpack(head)
    order = ">" if magic & 1 else "<"  # its lowest bit says in which order words are summed
    sums = _checksum(head[:24], (0, 0), order)
    if sums != tuple(header_sum):
        return False
    number, _, *rest = _FRAME.unpack_from(frame)
    frame_salts, frame_sum = tuple(rest[:2]), tuple(rest[2:])
    sums = _checksum(frame[:8] + frame[_FRAME.size :], sums, order)
    return number > 0 and frame_salts == (salt_1, salt_2) and frame_sum == sums


def _checksum(blob: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = start
    words = struct.unpack(f"{order}{len(blob) // 4}I", blob)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & _WORD
        second = (second + odd + first) & _WORD
    return first, second


def _tag(page: bytes, number: int, data_key: bytes, salt: bytes) -> bytes:
    """SQLCipher 4's authentication of a page: HMAC-SHA512 over ciphertext, IV and page number."""
    masked = bytes(byte ^ _TAG_SALT_MASK for byte in salt)
    key = hashlib.pbkdf2_hmac("sha512", data_key, masked, 2, 32)
    begun = _SALT_BYTES if number == 1 else 0
    return hmac.digest(key, page[begun:-_TAG_BYTES] + struct.pack("<I", number), "sha512")
