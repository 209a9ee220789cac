"""Ids that follow from what is there already, or from the random numbers that the caller hands in.

Ids of what a person does are made at the till by app/ids.py; here are those that both sides derive.
"""

from __future__ import annotations

import random
import uuid
from typing import Final

_FORWARD: Final = uuid.UUID("0c4d3c1e-7a55-5d0e-8a6c-5a1f5b0e7d21")


def forward_id(event_id: bytes) -> bytes:
    """The id of the event that carries one for a merged member on to the survivor: UUIDv5(event, "fwd")."""
    return uuid.uuid5(_FORWARD, event_id.hex() + ":fwd").bytes


def random_id(rng: random.Random) -> bytes:
    """16 random bytes: nonces, request ids, ids of grants and of what the protocol itself records."""
    return rng.randbytes(16)
