"""Polls that bring nothing and find nothing: answered from memory, the store is not asked (sync.md section 5).

Most polls are such. What is remembered of a till is its last answer from the store; it counts as long as
the till says the same again, no feed of its buckets has moved, and nobody dealt with this till's rights since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from app.protocol.store import Tenant
from app.protocol.wire import PROTOS, Cursor, SyncReply, SyncRequest
from headoffice.directory import KnownTill


class Known(NamedTuple):
    """A chain as of the last commit."""

    tenant: Tenant
    heads: Mapping[str, int]


class _Last(NamedTuple):
    cursors: Mapping[str, Cursor]
    reply: SyncReply


class QuietPolls:
    """Remembered by the writer's thread after each commit, asked by the one that serves requests. Each entry is
    replaced whole, so either thread sees an old one or a new one."""

    def __init__(self) -> None:
        self._last: dict[bytes, _Last] = {}

    def remember(self, request: SyncRequest, reply: SyncReply) -> None:
        """Take the answer to a till, if the same poll again would change nothing."""
        if reply.more or reply.refetch or reply.differs or reply.upgrade:
            self.forget(request.device)
            return
        bare = msgspec.structs.replace(reply, rows=(), references=(), cells=(), clock_skew=False)
        self._last[request.device] = _Last(dict(request.cursors), bare)

    def forget(self, device: bytes) -> None:
        """Something was done with this till's rights or chain: ask the store."""
        self._last.pop(device, None)

    def forget_chain(self, tenant: bytes, tills: Mapping[bytes, KnownTill]) -> None:
        """Somebody else has written something of a chain."""
        for device in tuple(self._last):
            till = tills.get(device)
            if till is None or till.tenant == tenant:
                self.forget(device)

    def forget_all(self) -> None:
        """Somebody else has written."""
        self._last.clear()

    def answer(self, request: SyncRequest, known: Known, now_ms: int) -> SyncReply | None:
        """The answer to a poll that brings and finds nothing; None: the store has to be asked."""
        last = self._last.get(request.device)
        if last is None or request.events or request.cells or request.digests:
            return None
        reply = last.reply
        same = (
            request.acked == reply.have
            and request.top == reply.have.seq
            and request.timeline == reply.timeline == known.tenant.timeline
            and request.cursors == last.cursors
            and request.protos == PROTOS
        )
        at_heads = all(
            cursor.feed == known.heads.get(bucket, 0) for bucket, cursor in request.cursors.items()
        )
        # Where there is no room, asking for a grant finds none in the store either.
        grant_due = request.wants_grant and (reply.grant is not None or known.tenant.room > 0)
        if not same or not at_heads or grant_due:
            return None
        return msgspec.structs.replace(reply, rid=request.rid, now_ms=now_ms)
