"""Which state of a profile somebody has read (RFC 9110 section 8.8.3): a digest of its fields' stamps alone."""

from __future__ import annotations

from hashlib import sha256

from app.protocol.store import Member


def etag_of(known: Member) -> str:
    """Changes with every field, and says nothing about any."""
    told = [f"{name} {cell.hlc} {cell.device.hex()}" for name, cell in sorted(known.cells.items())]
    return '"' + sha256("\n".join([known.id.hex(), *told]).encode()).hexdigest()[:32] + '"'
