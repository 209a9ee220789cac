"""Frames of a snapshot fetched ahead by a thread and made ready by another process, while the till writes.

What is ahead lies in files too until it is committed (app/sync/shelf.py). Whatever goes wrong here ends the
fetching ahead and no more: the exchange then asks by itself, and hears the reason.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from typing import Final, NamedTuple, TypeAlias

import msgspec

from app.log import log
from app.protocol import endpoints, wire
from app.protocol.ids import random_id
from app.protocol.till_store import Begun
from app.protocol.wire import FRAMES_MOST, SnapshotReply, SnapshotRequest
from app.sync.asking import Line
from app.sync.client import NoAnswer, Refused
from app.sync.readying import Ended, Readying
from app.sync.shelf import Shelf

FRAMES_AHEAD: Final = 64
"""So many are kept at most, fetched and not written: some 16,000 members, 20 MB."""
JOIN_S: Final = 5
PATIENCE_S: Final = 60
"""Another process that is silent for so long hangs. A frame is some hundredths of a second."""


Made: TypeAlias = dict[bytes, bytes]
"""By frame what `app.arrivals.readied` made of it."""


class _Ready(NamedTuple):
    """A frame, and the reply that begins with it."""

    reply: SnapshotReply
    frame: bytes
    made: bytes


class Ahead:
    """The frames from that of `request` on. Made and asked by one thread; `close` from any.

    Attributes:
        useless: the other process ended before it made anything ready; the next one would, too.
    """

    def __init__(self, line: Line, request: SnapshotRequest, epoch: int, shelf: Shelf) -> None:
        """Raises Ended."""
        self._line = line
        self._shelf = shelf
        self._epoch = epoch
        self._readying = Readying()
        self._ready = deque[_Ready]()
        self._changed = threading.Condition()
        self._over = False
        self._made_any = False
        self.useless = False
        self._thread = threading.Thread(target=self._run, args=(request,), daemon=True)
        self._thread.start()

    def wait(self, enough: int) -> bool:
        """Until so many frames are ready, or all that will be; False where none are."""
        with self._changed:
            heard = self._changed.wait_for(
                lambda: self._over or len(self._ready) >= enough, PATIENCE_S
            )
            if not heard:
                log.warning("frames are not made ready")
            return bool(self._ready)

    def take(self, request: SnapshotRequest, most: int) -> tuple[SnapshotReply, Made] | None:
        """The frames that are asked for, so many at most, if they are the next ones and ready."""
        with self._changed:
            if not self._ready or _place(self._ready[0].reply) != _place(request):
                return None
            first, found = self._ready[0].reply, Made()
            while self._ready and len(found) < most and self._ready[0].frame not in found:
                each = self._ready.popleft()
                found[each.frame] = each.made
            self._changed.notify()
        reply = msgspec.structs.replace(first, rid=request.rid, frames=tuple(found))
        return reply, found

    def close(self) -> None:
        """Fetch no more, and let what is waited for go."""
        with self._changed:
            self._over = True
            self._ready.clear()
            self._changed.notify_all()
        self._line.close()
        self._readying.end()
        self._thread.join(JOIN_S)

    def _run(self, request: SnapshotRequest) -> None:
        try:
            self._shelf.let_go(request)
            reply = self._next(request)
            while reply is not None:
                self._readying.give(reply.frames)
                later = self._after(reply, request)
                self._add(reply, self._readying.take())
                reply = later
        except (Ended, NoAnswer, Refused, wire.NotAMessage) as error:
            self.useless = isinstance(error, Ended) and not self._made_any
            log.info("frames ahead: %s", error)
        finally:
            self._end()

    def _end(self) -> None:
        """What is ready stays; nothing is added."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._line.close()
        self._readying.close()

    def _after(self, reply: SnapshotReply, request: SnapshotRequest) -> SnapshotReply | None:
        """The frames behind those of a reply, once there is room for them."""
        frame = reply.frame + len(reply.frames)
        with self._changed:
            self._changed.wait_for(
                lambda: self._over or len(self._ready) + 2 * FRAMES_MOST <= FRAMES_AHEAD
            )
            if self._over or frame >= reply.of:
                return None
        return self._next(msgspec.structs.replace(request, frame=frame))

    def _next(self, request: SnapshotRequest) -> SnapshotReply | None:
        """The frames that are asked for, from the shelf or from head office."""
        found = self._shelf.answer(request)
        if found is None:
            found = self._fetched(request)
            if found is not None:
                self._shelf.keep(found)
        return found

    def _fetched(self, request: SnapshotRequest) -> SnapshotReply | None:
        """The frames that are asked for; None where the answer is another one, which the exchange will hear."""
        rid = random_id(random.SystemRandom())
        request = msgspec.structs.replace(request, rid=rid, most=FRAMES_MOST)
        body = self._line.ask(endpoints.SNAPSHOT, rid, self._epoch, wire.to_bytes(request))
        reply = wire.unread_reply_of(body)
        if isinstance(reply, SnapshotReply) and reply.frames and _place(reply) == _place(request):
            return reply
        return None

    def _add(self, reply: SnapshotReply, made: list[bytes]) -> None:
        bare = msgspec.structs.replace(reply, frames=(), references=())
        found = [
            _Ready(msgspec.structs.replace(bare, frame=reply.frame + number), frame, body)
            for number, (frame, body) in enumerate(zip(reply.frames, made, strict=True))
        ]
        self._made_any = True
        with self._changed:
            if not self._over:
                self._ready.extend(found)
                self._changed.notify_all()


def coming(begun: Begun | None) -> int:
    """How many members of a snapshot are still to come, by those that came."""
    if begun is None or not begun.frame:
        return 0
    return (begun.of - begun.frame) * begun.rows // begun.frame


def _place(asked: SnapshotRequest | SnapshotReply) -> tuple[int, str, int, int]:
    return asked.timeline, asked.bucket, asked.snapshot, asked.frame
