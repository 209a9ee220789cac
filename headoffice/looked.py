"""Members that tills asked for by a phone or card number: who has it, and that it was asked.

What was asked for is not kept, only which till asked for a phone or a card, when, and how many it heard of.
Written inside the store's `writing()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.protocol.wire import LookReply, LookRequest
from headoffice.console.snapshot import Snapshot
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

CANDIDATES_MOST: Final = 50
_PUT: Final = """
INSERT INTO till_look (tenant_id, dist_key, rid, device_id, at_ms, field, found) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, rid) DO NOTHING
"""


def people(plain: Plain, tenant: bytes, field: str, value: str) -> Sequence[bytes]:
    """Members of whom a value ever came that begins so: whose it is today is the asker's to look at."""
    return Snapshot(plain, tenant).begins(field, value, CANDIDATES_MOST)


def note(plain: Plain, tenant: bytes, request: LookRequest, reply: LookReply, now_ms: int) -> None:
    """Keep that a till asked."""
    values = (request.rid, request.device, now_ms, request.field, len(reply.rows))
    plain.run(_PUT, (tenant, dist_key(tenant), *values))
