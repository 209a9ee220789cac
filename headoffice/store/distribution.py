"""Where a row lives once a store is spread over machines (sync.md section 5, day-one rules 1 and 2)."""

from __future__ import annotations

from hashlib import sha256


def dist_key(tenant: bytes) -> int:
    """The signed 32-bit key of a tenant whose rows stay together. Never changes: it is in every primary key."""
    return int.from_bytes(sha256(tenant).digest()[:4], "big", signed=True)
