"""Answers with frames of a snapshot that were fetched and are not committed yet, in files beside the store: a
till that is killed while it begins fetches none of them again (sync.md section 9, G8).

A file an answer, sealed under the store's key, gone as soon as its frames are committed. It is a memory and no
record: nothing waits for the disk, what can't be opened is dropped, and a full disk ends the keeping alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from app.context import Context
from app.journal import Sealer, derive_key
from app.log import log
from app.protocol import wire
from app.protocol.wire import SnapshotReply, SnapshotRequest
from app.usecases.tidy import ARRIVING

_NAMES: Final = "*-*-*"
"""Snapshot, first frame, how many."""
_ANSWER: Final = 1
"""The kind of its record."""


class Shelf:
    """The answers of one till. Kept and read by the thread that fetches; let go by that which writes."""

    def __init__(self, ctx: Context) -> None:
        self._folder = ctx.folder / ARRIVING
        self._sealer = Sealer(derive_key(ctx.data_key, "frames ahead"), ctx.owner)

    def keep(self, reply: SnapshotReply) -> None:
        """Until its frames are committed."""
        reply = msgspec.structs.replace(reply, references=())
        try:
            sealed = self._sealer.seal(_ANSWER, reply.frame, wire.to_bytes(reply), number=0)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            path = self._folder / f"{_place(reply)}-{reply.frame}-{len(reply.frames)}"
            path.touch(0o600)
            path.write_bytes(sealed)
        except OSError as error:
            log.info("frames are not kept: %s", error.strerror)

    def answer(self, request: SnapshotRequest) -> SnapshotReply | None:
        """What an answer that is here has from the frame on that is asked for; None: it has to be fetched."""
        for path, first, behind in self._of(_place(request)):
            if not first <= request.frame < behind:
                continue
            reply = self._opened(path, first)
            if reply is not None and len(reply.frames) == behind - first:
                frames = reply.frames[request.frame - first :]
                return msgspec.structs.replace(reply, frame=request.frame, frames=frames)
            path.unlink(missing_ok=True)
        return None

    def let_go(self, request: SnapshotRequest | None) -> None:
        """Of all before the frame that comes next and of other snapshots; None: of everything. What stays for a
        fault of the disk is let go the next time."""
        kept = set() if request is None else {
            path for path, _, behind in self._of(_place(request)) if behind > request.frame
        }  # fmt: skip
        try:
            for path in set(self._folder.glob(_NAMES)) - kept:
                path.unlink(missing_ok=True)
        except OSError as error:
            log.info("frames are not let go: %s", error.strerror)

    def _of(self, place: str) -> Iterator[tuple[Path, int, int]]:
        """The files of a snapshot, each with its first frame and the one behind its last."""
        for path in sorted(self._folder.glob(_NAMES)):
            found, first, count = path.name.split("-")
            if found == place:
                yield path, int(first), int(first) + int(count)

    def _opened(self, path: Path, first: int) -> SnapshotReply | None:
        try:
            opened = self._sealer.open_at(path.read_bytes(), 0, 0)
            if opened is None or opened[:2] != (_ANSWER, first):
                return None
            reply = wire.unread_reply_of(opened[2])
        except (OSError, wire.NotAMessage):
            return None
        return reply if isinstance(reply, SnapshotReply) else None


def _place(asked: SnapshotRequest | SnapshotReply) -> str:
    """A snapshot as a part of a file's name."""
    named = f"{asked.timeline}/{asked.snapshot}/{asked.bucket}"
    return hashlib.sha256(named.encode()).hexdigest()[:16]
