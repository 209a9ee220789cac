"""What tills let head office know by talking at all: when, of themselves, and by which of its addresses.

Any thread that serves requests tells; the writer's thread writes it down now and then. What is in memory is
this process's; of several each writes what it heard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from app.protocol.wire import Reply, Request, SyncReply, SyncRequest
from headoffice.directory import Directory
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

_PUT: Final = """
INSERT INTO till_said (
    tenant_id, dist_key, device_id, at_ms, apart_s, waiting, first_proto, last_proto, app, schema_no
)
SELECT tenant_id, dist_key, device_id, ?, ?, ?, ?, ?, ?, ?
FROM device WHERE tenant_id = ? AND dist_key = ? AND device_id = ?
ON CONFLICT (tenant_id, dist_key, device_id) DO UPDATE SET at_ms = excluded.at_ms, apart_s = excluded.apart_s,
    waiting = excluded.waiting, first_proto = excluded.first_proto, last_proto = excluded.last_proto,
    app = excluded.app, schema_no = excluded.schema_no
WHERE till_said.at_ms < excluded.at_ms
"""
_SAID: Final = """
SELECT device_id, at_ms, apart_s, waiting, first_proto, last_proto, app, schema_no FROM till_said
WHERE tenant_id = ? AND dist_key = ?
"""


class Told(NamedTuple):
    """What a till said in its last poll. apart_s: its clock less ours. waiting: events still with it. app,
    schema: its program and its store's schema, "" and 0 where it is too old to say."""

    at_ms: int
    apart_s: int
    waiting: int
    protos: tuple[int, int]
    app: str = ""
    schema: int = 0


def put_said(plain: Plain, tenant: bytes, device: bytes, told: Told) -> None:
    """Keep what a till said, unless another process heard it later, or a store that was put back knows no such
    till."""
    said = (told.at_ms, told.apart_s, told.waiting, *told.protos, told.app, told.schema)
    plain.run(_PUT, (*said, tenant, dist_key(tenant), device))


def said(plain: Plain, tenant: bytes) -> dict[bytes, Told]:
    """What each till of a chain said last, as whichever process of head office wrote it down."""
    found = plain.rows(_SAID, (tenant, dist_key(tenant)))
    return {
        bytes(device): Told(at_ms, apart_s, waiting, (first, last), app, schema)
        for device, at_ms, apart_s, waiting, first, last, app, schema in found
    }


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
        """What a till's poll says of itself."""
        if isinstance(message, SyncRequest) and isinstance(reply, SyncReply):
            waiting = max(message.top - reply.have.seq, 0)
            said = (waiting, message.protos, message.app, message.schema)
            self.told[message.device] = Told(self._now_ms(), apart_s, *said)

    def unwritten(self) -> Sequence[bytes]:
        """The tills that talked since this was asked last."""
        devices, self._unwritten = self._unwritten, set()
        return tuple(devices)

    def write(self, plain: Plain, tenant: bytes, device: bytes) -> None:
        """Write down when a till talked, by which address it came if it said so here, and what it said."""
        told = self.told.get(device)
        if told is not None:
            put_said(plain, tenant, device, told)
        came = self.came.get(device)
        Directory(plain).heard(tenant, device, self.heard[device], came.host if came else "")
