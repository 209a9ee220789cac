"""The side files beside a store: how far its journal had come. `head.rwf` is written when a shift or a day is
closed, from the set-up on; `head.now` with each event, without waiting for the disk.

A database and a journal file that are both put back to an older state agree with each other; these files, which
no backup holds, then know of a later event (security.md section 5, A4; sync.md section 3). Sealed under the
store's key; their number only ever rises.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from app.journal import Record, Sealer, derive_key, fsync_folder, write_all

FILE_NAME: Final = "head.rwf"
NEWEST_NAME: Final = "head.now"
_RECORD, _NEWEST = 3, 4
_PLACE: Final = struct.Struct(">Q32s")


@dataclass(frozen=True, slots=True)
class Witness:
    """The event `seq` was there, with this hash; `close` is the number of the last Z, 0 before the first."""

    seq: int
    head: bytes
    close: int


Standing = Literal["", "missing", "damaged"]
"""What is wrong with the file itself, "" when it can be read."""


class WitnessFile:
    """One sealed record, replaced as a whole. `owner` binds it to one till (device id and epoch)."""

    def __init__(self, path: Path, *, data_key: bytes, owner: bytes) -> None:
        self.path = path
        self._sealer = Sealer(derive_key(data_key, "witness file"), owner)

    def read(self) -> Witness | None:
        """What was written last; None without a file. Raises OSError, and ValueError for a file that
        this till did not write."""
        if not self.path.exists():
            return None
        found = [plain for _, kind, _, plain in self._opened() if kind == _RECORD]
        if len(found) != 1 or found[0] is None:
            raise ValueError("the side file is not this till's")
        plain = json.loads(found[0])
        return Witness(plain["seq"], bytes.fromhex(plain["head"]), plain["close"])

    def look(self) -> tuple[Witness | None, Standing]:
        """What was written last, or why it can't be had. Raises nothing: to an auditor a file that can't be
        read is a finding."""
        try:
            found = self.read()
        except (OSError, ValueError):
            return None, "damaged"
        return found, "" if found else "missing"

    def keep(
        self, seq: int, head: bytes, close: int | None, has: Callable[[int, bytes], bool]
    ) -> None:
        """Write a later event down; `close` None keeps the number. `has` says whether the store has an event
        with this hash: what the file tells of an event that is gone stays, for the auditor, and so does an
        unreadable file. Raises OSError, and what `has` raises."""
        try:
            before = self.read()
        except ValueError:
            return
        if before is not None and (before.seq >= seq or not has(before.seq, before.head)):
            return
        number = (before.close if before else 0) if close is None else close
        plain = {"seq": seq, "head": head.hex(), "close": number}
        sealed = self._sealer.seal(_RECORD, seq, json.dumps(plain).encode(), number=0)
        temp = self.path.with_suffix(".tmp")
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            write_all(fd, sealed)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temp, self.path)
        fsync_folder(self.path.parent)

    def follow(
        self,
        records: Sequence[Record],
        closed: tuple[int, bytes, int | None] | None,
        has: Callable[[int, bytes], bool],
    ) -> None:
        """Write down what a command recorded, and the close among it. Raises what `note` and `keep` raise."""
        if records:
            self.note(records[-1].seq, records[-1].hash)
        if closed is not None:
            self.keep(*closed, has)

    def note(self, seq: int, head: bytes) -> None:
        """The newest event, after it is durable. It costs no wait for the disk: after a power failure the file
        may tell of an earlier event or be torn, and then nothing is concluded from it. Raises OSError."""
        sealed = self._sealer.seal(_NEWEST, seq, _PLACE.pack(seq, head), number=1)
        fd = os.open(self.path.with_name(NEWEST_NAME), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            write_all(fd, sealed)
        finally:
            os.close(fd)

    def newest(self) -> tuple[int, bytes] | None:
        """(sequence, hash) of the event that was noted last; None where there is none, or none to be read."""
        try:
            blob = self.path.with_name(NEWEST_NAME).read_bytes()
        except OSError:
            return None
        found = [plain for _, kind, _, plain in self._sealer.records(blob, 1) if kind == _NEWEST]
        if len(found) != 1 or found[0] is None:
            return None
        seq, head = _PLACE.unpack(found[0])
        return seq, head

    def _opened(self) -> list[tuple[int, int, int, bytes | None]]:
        return list(self._sealer.records(self.path.read_bytes(), 0))
