"""Members that tills asked for: who has a phone or card, who fits four digits of one, and that it was asked.

What was asked for is not kept, only which till asked for a phone or a card, when, and how many it heard of.
Four digits fit strangers, too: so a till may ask by them so often in an hour and in a day, counted in the
store, over restarts and processes. Inside the store's `writing()`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from app.protocol.few_digits import ENDING, FEW, OFTEN
from app.protocol.looking_up import ENDINGS_MOST
from app.protocol.server import Server
from app.protocol.wire import LookReply, LookRequest, Reply
from headoffice.console.snapshot import Snapshot
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain
from headoffice.watching import note

CANDIDATES_MOST: Final = 50
HOUR_MOST: Final = 20
DAY_MOST: Final = 60
"""So many questions by four digits, and so many members taken after them, a till has in an hour and in a day:
who owns a till and tries all 10,000 endings hears of 300 masked members a day at most, and of 60 whole."""
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_STORES_NAMED_MOST: Final = 3
_PUT: Final = """
INSERT INTO till_look (tenant_id, dist_key, rid, device_id, at_ms, field, found) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, rid) DO NOTHING
"""
_ASKED: Final = """
SELECT at_ms FROM till_few_digits
WHERE tenant_id = ? AND dist_key = ? AND device_id = ? AND what = ? AND at_ms > ?
ORDER BY at_ms DESC LIMIT ?
"""
_PUT_FEW: Final = """
INSERT INTO till_few_digits (tenant_id, dist_key, device_id, what, at_ms, rid, found)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, device_id, what, at_ms, rid) DO NOTHING
"""
_STORES: Final = """
SELECT name FROM store WHERE tenant_id = ? AND dist_key = ? AND bucket = ? ORDER BY name LIMIT ?
"""


def people(plain: Plain, tenant: bytes, field: str, value: str) -> Sequence[bytes]:
    """Members of whom a value ever came that begins so, or ends so: whose it is today is the asker's to look
    at."""
    if field == ENDING:
        return Snapshot(plain, tenant).ends(value, ENDINGS_MOST + 1)
    return Snapshot(plain, tenant).begins(field, value, CANDIDATES_MOST)


def where(plain: Plain, tenant: bytes, bucket: str) -> str:
    """The stores of a bucket by name; empty where they are too many to say anything."""
    rows = plain.rows(_STORES, (tenant, dist_key(tenant), bucket, _STORES_NAMED_MOST + 1))
    return ", ".join(row[0] for row in rows) if len(rows) <= _STORES_NAMED_MOST else ""


def answer(
    plain: Plain, server: Server, request: LookRequest, now_ms: int, rng: random.Random
) -> Reply:
    """What head office says to a till that asks for members, and that it was asked."""
    own = (server.store.tenant().id, dist_key(server.store.tenant().id))
    few = request.field in FEW
    if few and _too_often(plain, own, request, now_ms):
        note("few_digits_too_often", tenant=own[0], device=request.device)
        return LookReply(request.rid, why=OFTEN)
    reply = server.handle(request, now_ms, rng)
    if isinstance(reply, LookReply) and few:
        found = len(reply.offered) + len(reply.rows)
        plain.run(_PUT_FEW, (*own, request.device, request.field, now_ms, request.rid, found))
    elif isinstance(reply, LookReply):
        values = (request.rid, request.device, now_ms, request.field, len(reply.rows))
        plain.run(_PUT, (*own, *values))
    return reply


def _too_often(plain: Plain, own: tuple[bytes, int], request: LookRequest, now_ms: int) -> bool:
    values = (*own, request.device, request.field, now_ms - _DAY_MS, DAY_MOST)
    asked = [row[0] for row in plain.rows(_ASKED, values)]
    return len(asked) >= DAY_MOST or sum(at > now_ms - _HOUR_MS for at in asked) >= HOUR_MOST
