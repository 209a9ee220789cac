"""The journal file and the profile file: the second, sealed copy of what the store holds.

Each record is appended and fsynced after the database commit and before "done" is said
(security.md section 6; storage.md, head). At start `app.recovery` lets each mend the other. This module knows
records and files; it does not know what an event means.

A journal folder holds `000001-2026-11-21.rjl`, `000002-…`: one file a day, numbered, because a clock may go
back and numbers don't. A record is

    marker 4 | kind 1 | sequence 8 | length 4 | nonce 12 | AES-256-GCM(hash 32 ‖ event bytes) + tag 16

with everything before the nonce, and the file's number, as associated data: a record can't be moved to
another place, file or till. The first record of a file is its header: number, first sequence, and size and
head of the file before it, so a missing or shortened file shows at the next start.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app import private

_MARKER: Final = b"\x1eRJ1"
_HEAD: Final = struct.Struct(">4sBQI")
_NONCE_BYTES: Final = 12
_OVERHEAD: Final = _HEAD.size + _NONCE_BYTES
_EVENT: Final = 1
_HEADER: Final = 2
_MAX_RECORD: Final = 16 * 1024 * 1024
_PART_BYTES: Final = 1 << 20
HEADER_MOST: Final = 512
"""A file of at most this many bytes can hold no more than its header."""
SUFFIX: Final = ".rjl"


@dataclass(frozen=True, slots=True)
class Record:
    """One event as the file has it."""

    seq: int
    body: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """A place that can't be read: `offset` in bytes in `file`; `tail` when nothing readable follows;
    `after` is the last sequence number read before it in this file, 0 when there is none."""

    file: str
    offset: int
    tail: bool
    why: str
    after: int = 0


@dataclass(frozen=True, slots=True)
class Scan:
    """What a reading of the folder found: the records in order, every damaged place, every gap."""

    records: tuple[Record, ...]
    damages: tuple[Damage, ...]
    files: tuple[Path, ...]
    missing: tuple[int, ...]
    """Numbers of files that are not there although a later one is."""


def derive_key(data_key: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose from the store's data key (HKDF-expand with SHA-256, RFC 5869)."""
    return hmac.digest(data_key, b"regulars " + purpose.encode() + b"\x01", sha256)


class JournalFile:
    """Appends events to the newest file of `folder`, and reads them all back.

    `owner` binds records to one till (device id and epoch). One thread at a time.
    """

    def __init__(self, folder: Path, *, data_key: bytes, owner: bytes) -> None:
        self.folder = folder
        self._sealer = Sealer(derive_key(data_key, "journal file"), owner)
        self._fd: int | None = None
        self._number = 0
        self._day = ""
        self._head = bytes(32)

    def append(self, records: list[Record], *, day: str) -> None:
        """Write records and fsync them. `day` is ISO text and names a new file when it is later than the last.

        Raises OSError; then nothing may be taken as written, and the caller must stop selling.
        """
        if not records:
            return
        if self._fd is None or day > self._day:
            self._start_file(day=day, first=records[0].seq)
        assert self._fd is not None
        blob = b"".join(
            self._sealer.seal(_EVENT, r.seq, r.hash + r.body, number=self._number) for r in records
        )
        _append_durably(self._fd, blob)
        self._head = records[-1].hash

    def resume(self, *, head: bytes) -> None:
        """Go on with the newest file, which a scan has found sound to its end; `head` is its last hash."""
        self.close()
        files = self.files()
        if files:
            self._number, self._day = _parse_name(files[-1])
            self._head = head
            self._fd = os.open(files[-1], os.O_WRONLY | os.O_APPEND)

    def close(self) -> None:
        """Let the file go; everything in it is on disk already."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def files(self) -> list[Path]:
        """The journal's files, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(p for p in self.folder.iterdir() if p.suffix == SUFFIX)

    def scan(self, *, newest: int | None = None) -> Scan:
        """Read and authenticate the `newest` files whole (all when None); of older ones, that they are there.

        Every link between files is checked through the headers: number, size and head of the file before.
        """
        files = self.files()
        whole = files if newest is None else files[max(0, len(files) - newest) :]
        records: list[Record] = []
        damages: list[Damage] = []
        numbers = {number_of(path) for path in files}
        missing = tuple(n for n in range(1, max(numbers, default=0)) if n not in numbers)
        before = files[-len(whole) - 1] if len(whole) < len(files) else None
        head = None
        for path in whole:
            if before is not None and number_of(before) != number_of(path) - 1:
                before = head = None  # its neighbour is missing, there is nothing to compare with
            found, bad = self._read_file(path, before=before, head=head)
            records += found
            damages += bad
            before = path
            head = found[-1].hash if found else None
        return Scan(tuple(records), tuple(damages), tuple(files), missing)

    def read(self, path: Path) -> list[Record]:
        """The readable records of one file."""
        return self._read_file(path, before=None)[0]

    def first_in(self, path: Path) -> int | None:
        """The sequence number with which a file begins, as its header has it; None when that can't be read, or
        when there was none yet (a file that was written anew empty)."""
        try:
            with path.open("rb") as file:
                opened = self._sealer.open_at(file.read(HEADER_MOST), 0, number_of(path))
        except OSError:
            return None
        return opened[1] or None if opened is not None and opened[0] == _HEADER else None

    def each_of(self, path: Path) -> Iterator[Record]:
        """The readable records of one file, as `read` has them, of a file that memory need not hold."""
        number = number_of(path)
        blob, at = b"", 0
        try:
            with path.open("rb") as file:
                while part := file.read(_PART_BYTES):
                    blob, at = blob[at:] + part, 0
                    while (opened := self._sealer.open_at(blob, at, number)) is not None:
                        kind, seq, plain, at = opened
                        if kind == _EVENT:
                            yield Record(seq, plain[32:], plain[:32])
        except OSError:
            return
        # What is left is nothing, or begins with a record that does not open: some later one may.
        for _, kind, seq, found in self._sealer.records(blob[at:], number):
            if kind == _EVENT and found is not None:
                yield Record(seq, found[32:], found[:32])

    def read_checked(self, path: Path, *, before: Path | None) -> tuple[list[Record], list[Damage]]:
        """The records of one file and its damaged places; `before` is the file before it."""
        return self._read_file(path, before=before)

    def read_part(
        self, path: Path, *, before: Path | None, at: int, most: int
    ) -> tuple[int | None, Damage | None]:
        """Authenticate one file's records from offset `at`, as many as lie whole in `most` bytes, one at
        least. Returns where to go on, None at the end of the file, and the first damage found."""
        number = number_of(path)
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(at)
                blob = file.read(most)
                if not self._sealer.sound_bytes(blob, number):
                    blob += file.read(_OVERHEAD + _MAX_RECORD)
        except OSError as error:
            return None, Damage(path.name, at, False, error.strerror or "unreadable")
        sound = self._sealer.sound_bytes(blob, number)
        if not sound and at < max(size, 1):
            return None, Damage(path.name, at, False, "unreadable record")
        if at == 0:
            _, kind, _, plain = next(self._sealer.records(blob, number))
            if kind != _HEADER or plain is None:
                return None, Damage(path.name, 0, False, "no header")
            for damage in _check_header(plain, before, None):
                return None, damage
        return (at + sound if at + sound < size else None), None

    def cut(self, path: Path, offset: int) -> None:
        """Cut off a record that a crash left half written: it was never acknowledged."""
        self.close()
        with path.open("r+b") as file:
            file.truncate(offset)
            file.flush()
            os.fsync(file.fileno())

    def set_aside(self, path: Path) -> Path:
        """Rename a damaged file so that it is kept for the auditor and no longer read."""
        self.close()
        n = 1
        while (target := path.with_name(f"{path.name}.damaged-{n}")).exists():
            n += 1
        os.replace(path, target)
        fsync_folder(self.folder)
        return target

    def rewrite(
        self, path: Path, records: list[Record], *, previous: Path | None, head: bytes
    ) -> None:
        """Write `path` anew from `records` of the database (temp file, fsync, replace, fsync folder)."""
        self.close()
        number = number_of(path)
        temp = path.with_suffix(".tmp")
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            write_all(fd, self._header(number, records[0].seq if records else 0, previous, head))
            for r in records:
                write_all(fd, self._sealer.seal(_EVENT, r.seq, r.hash + r.body, number=number))
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temp, path)
        fsync_folder(self.folder)

    # -- inside ------------------------------------------------------------------------------------

    def _start_file(self, *, day: str, first: int) -> None:
        self.folder.mkdir(mode=private.FOLDER_MODE, parents=True, exist_ok=True)
        files = self.files()
        previous = files[-1] if files else None
        number = number_of(previous) + 1 if previous else 1
        path = self.folder / f"{number:06d}-{day}{SUFFIX}"
        self.close()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            write_all(fd, self._header(number, first, previous, self._head))
            os.fsync(fd)
            fsync_folder(self.folder)
        except OSError:
            # A file without a header must not stay: the next start would take it for a damaged one.
            os.close(fd)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self._fd, self._number, self._day = fd, number, day

    def _header(self, number: int, first: int, previous: Path | None, head: bytes) -> bytes:
        facts = {
            "number": number,
            "first": first,
            "previous_bytes": previous.stat().st_size if previous else 0,
            "previous_head": head.hex() if previous else "",
        }
        plain = json.dumps(facts, sort_keys=True).encode()
        return self._sealer.seal(_HEADER, first, plain, number=number)

    def _read_file(
        self, path: Path, *, before: Path | None, head: bytes | None = None
    ) -> tuple[list[Record], list[Damage]]:
        """`head` is the last hash of the file before, where that one was read."""
        try:
            blob = path.read_bytes()
        except OSError as error:
            return [], [Damage(path.name, 0, True, error.strerror or "unreadable")]
        records: list[Record] = []
        damages: list[Damage] = []
        saw_header = False
        for offset, kind, seq, plain in self._sealer.records(blob, number_of(path)):
            if plain is None:
                after = records[-1].seq if records else 0
                damages.append(Damage(path.name, offset, kind == 0, "unreadable record", after))
            elif kind == _HEADER:
                saw_header = True
                damages += _check_header(plain, before, head)
            else:
                records.append(Record(seq, plain[32:], plain[:32]))
        if not saw_header:
            damages.insert(0, Damage(path.name, 0, not records, "no header"))
        return records, damages


class ProfileFile:
    """The short-lived second copy of profile values (domain.md section 2, "Nothing personal").

    One sealed file; a record is (sequence of its event, JSON of the cell with the instant it was
    written). Emptied after a verified backup, never older than seven days, rewritten at once on
    an erasure.
    """

    def __init__(self, path: Path, *, data_key: bytes, owner: bytes) -> None:
        self.path = path
        self._sealer = Sealer(derive_key(data_key, "profile file"), owner)

    def append(self, seq: int, cell: bytes) -> None:
        """Write one cell and fsync it. Raises OSError."""
        new = not self.path.exists()
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _append_durably(fd, self._sealer.seal(_EVENT, seq, cell, number=0))
        finally:
            os.close(fd)
        if new:
            fsync_folder(self.path.parent)

    def cells(self) -> list[tuple[int, bytes]]:
        """(sequence, cell) of every readable record, in the order written."""
        if not self.path.exists():
            return []
        found = self._sealer.records(self.path.read_bytes(), 0)
        return [(seq, plain) for _, _, seq, plain in found if plain is not None]

    def rewrite(self, cells: list[tuple[int, bytes]]) -> None:
        """Keep only these cells (temp file, fsync, replace)."""
        temp = self.path.with_suffix(".tmp")
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            for seq, cell in cells:
                write_all(fd, self._sealer.seal(_EVENT, seq, cell, number=0))
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temp, self.path)
        fsync_folder(self.path.parent)


class Sealer:
    """Seals and opens records. `owner` (device id and epoch) is bound into each."""

    def __init__(self, key: bytes, owner: bytes) -> None:
        self._aead = AESGCM(key)
        self._owner = owner

    def seal(self, kind: int, seq: int, plain: bytes, *, number: int) -> bytes:
        """The bytes of one record for file `number`."""
        start = _HEAD.pack(_MARKER, kind, seq, len(plain) + 16)
        nonce = os.urandom(_NONCE_BYTES)
        return start + nonce + self._aead.encrypt(nonce, plain, self._bound(start, number))

    def records(self, blob: bytes, number: int) -> Iterator[tuple[int, int, int, bytes | None]]:
        """(offset, kind, sequence, plaintext); plaintext None is damage, kind 0 when nothing follows."""
        at = 0
        while at < len(blob):
            opened = self.open_at(blob, at, number)
            if opened is not None:
                kind, seq, plain, end = opened
                yield at, kind, seq, plain
                at = end
                continue
            # Go on at the next marker that opens: what follows a flipped byte may be whole.
            following = blob.find(_MARKER, at + 1)
            while following != -1 and self.open_at(blob, following, number) is None:
                following = blob.find(_MARKER, following + 1)
            yield at, (0 if following == -1 else _EVENT), 0, None
            at = len(blob) if following == -1 else following

    def sound_bytes(self, blob: bytes, number: int) -> int:
        """How many bytes at the beginning are whole records."""
        at = 0
        while (opened := self.open_at(blob, at, number)) is not None:
            at = opened[3]
        return at

    def open_at(self, blob: bytes, at: int, number: int) -> tuple[int, int, bytes, int] | None:
        """(kind, sequence, plaintext, end) of the record at `at`; None when there is no whole sound one."""
        if at + _OVERHEAD > len(blob):
            return None
        start = blob[at : at + _HEAD.size]
        marker, kind, seq, length = _HEAD.unpack(start)
        end = at + _OVERHEAD + length
        if marker != _MARKER or not 16 <= length <= _MAX_RECORD or end > len(blob):
            return None
        nonce = blob[at + _HEAD.size : at + _OVERHEAD]
        sealed = blob[at + _OVERHEAD : end]
        try:
            plain = self._aead.decrypt(nonce, sealed, self._bound(start, number))
        except InvalidTag:
            return None
        return kind, seq, plain, end

    def _bound(self, start: bytes, number: int) -> bytes:
        return start + self._owner + number.to_bytes(4, "big")


def number_of(path: Path) -> int:
    """The number in a journal file's name."""
    return _parse_name(path)[0]


def _check_header(plain: bytes, before: Path | None, head: bytes | None) -> list[Damage]:
    facts = json.loads(plain)
    if before is None or not before.exists():
        return []
    if facts["previous_bytes"] != before.stat().st_size:
        return [Damage(before.name, before.stat().st_size, True, "not the size its successor saw")]
    if head is not None and facts["previous_head"] != head.hex():
        return [Damage(before.name, before.stat().st_size, True, "not what its successor saw")]
    return []


def _parse_name(path: Path) -> tuple[int, str]:
    number, _, day = path.name.removesuffix(SUFFIX).partition("-")
    return int(number), day


def _append_durably(fd: int, blob: bytes) -> None:
    """Write at the end and fsync. When either fails, what was written is taken back: after a failed
    fsync the kernel may call the lost bytes clean, and a reader would find them there until the
    power goes. Raises OSError."""
    size = os.fstat(fd).st_size
    try:
        write_all(fd, blob)
        os.fsync(fd)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, size)
        raise


def write_all(fd: int, blob: bytes) -> None:
    """Write until everything is written: the system may take less at a time. Raises OSError."""
    view = memoryview(blob)
    while view:
        view = view[os.write(fd, view) :]


def fsync_folder(folder: Path) -> None:
    """Make renames and new names in a folder survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
