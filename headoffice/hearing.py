"""What tills let head office know by talking at all: when, of themselves, and by which of its addresses.

Any thread that serves requests tells; the writer's thread writes it down now and then. What is in memory is
this process's; of several each writes what it heard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from app.protocol.wire import Reply, Request, SyncReply, SyncRequest
from headoffice.directory import Directory


class Told(NamedTuple):
    """What a till said in its last poll. apart_s: its clock less ours. waiting: events still with it."""

    at_ms: int
    apart_s: int
    waiting: int
    protos: tuple[int, int]


class Came(NamedTuple):
    """By which of head office's addresses a till came, as its request named it: host, and port if that is
    unusual."""

    at_ms: int
    host: str


class Hearing:
    """`heard`: when each till talked, whoever of several processes heard it."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.heard: dict[bytes, int] = {}
        self.told: dict[bytes, Told] = {}
        self.came: dict[bytes, Came] = {}
        self._unwritten: set[bytes] = set()

    def hear(self, device: bytes, host: str = "") -> None:
        """A till has talked."""
        self.heard[device] = now_ms = self._now_ms()
        if host:
            self.came[device] = Came(now_ms, host)
        self._unwritten.add(device)

    def hear_of(self, message: Request, reply: Reply, apart_s: int) -> None:
        """What a till's poll says of itself; it is not kept over a restart, the next poll says it anew."""
        if isinstance(message, SyncRequest) and isinstance(reply, SyncReply):
            waiting = max(message.top - reply.have.seq, 0)
            self.told[message.device] = Told(self._now_ms(), apart_s, waiting, message.protos)

    def unwritten(self) -> Sequence[bytes]:
        """The tills that talked since this was asked last."""
        devices, self._unwritten = self._unwritten, set()
        return tuple(devices)

    def write(self, directory: Directory, tenant: bytes, device: bytes) -> None:
        """Write down when a till talked, and by which address it came if it said so here."""
        came = self.came.get(device)
        directory.heard(tenant, device, self.heard[device], came.host if came else "")
