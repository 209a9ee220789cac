"""Answers with frames of a snapshot that were fetched and are not committed yet, in files beside the store: a
till that is killed while it begins fetches none of them again (sync.md section 9, G8).

A file an answer, sealed under the store's key, gone as soon as its frames are committed. It is a memory and no
record: nothing waits for the disk, what can't be opened is dropped, and a full disk ends the keeping alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from app.context import Context
from app.journal import Sealer, derive_key
from app.log import log
from app.protocol import wire
from app.protocol.wire import SnapshotReply, SnapshotRequest
from app.usecases.tidy import ARRIVING, in_folder, remove

_NAME: Final = re.compile(r"([0-9a-f]{16})-([0-9]{1,12})-([0-9]{1,4})")
"""Snapshot, first frame, how many."""
_ANSWER: Final = 1
"""The kind of its record."""


class Shelf:
    """The answers of one till. Kept and read by the thread that fetches; let go by that which writes."""

    def __init__(self, ctx: Context) -> None:
        self._folder = ctx.folder / ARRIVING
        self._may_hold = True
        """Whether anything may lie there: of before the program began, or because it could not be let go."""
        self._sealer = Sealer(derive_key(ctx.data_key, "frames ahead"), ctx.owner)

    def keep(self, reply: SnapshotReply) -> None:
        """Until its frames are committed."""
        reply = msgspec.structs.replace(reply, references=())
        self._may_hold = True
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
        try:
            files = self._files()
        except OSError as error:
            log.info("frames that came can't be read: %s", error.strerror)
            return None
        for path, found, first, behind in files:
            if found != _place(request) or not first <= request.frame < behind:
                continue
            reply = self._opened(path, first)
            if reply is not None and len(reply.frames) == behind - first:
                frames = reply.frames[request.frame - first :]
                return msgspec.structs.replace(reply, frame=request.frame, frames=frames)
            self._drop([path])
        return None

    def let_go(self, request: SnapshotRequest | None) -> None:
        """Of all before the frame that comes next and of other snapshots; None: of everything, also of what lay
        there when the program began. What a fault of the disk keeps is let go the next time."""
        if request is None and not self._may_hold:
            return
        # One look at the folder, and what is said of it said before: the other thread adds to it meanwhile.
        self._may_hold = self._may_hold and request is not None
        place = None if request is None else _place(request)
        try:
            files = self._files()
        except OSError as error:
            log.info("frames are not let go: %s", error.strerror)
            self._may_hold = True
            return
        gone = self._drop(
            path
            for path, found, _, behind in files
            if request is None or found != place or behind <= request.frame
        )
        self._may_hold = self._may_hold or not gone

    def _drop(self, paths: Iterable[Path]) -> bool:
        """Delete files; False where one could not be."""
        gone = True
        for path in paths:
            try:
                remove(path)
            except OSError as error:
                log.info("frames are not let go: %s", error.strerror)
                gone = False
        return gone

    def _files(self) -> list[tuple[Path, str, int, int]]:
        """All that lie there, each with its snapshot, its first frame and the one behind its last. What has no
        name of ours (a copy that a backup program left, a folder) is of no snapshot. Raises OSError."""
        paths = sorted(in_folder(self._folder))
        named = [(path, _NAME.fullmatch(path.name)) for path in paths]
        return [
            (path, "", 0, 0)
            if fits is None
            else (path, fits[1], int(fits[2]), int(fits[2]) + int(fits[3]))
            for path, fits in named
        ]

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
