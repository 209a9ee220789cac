"""Put the MAC beside an event as it is posted, and move the key on (app/protocol/evolving.py)."""

from __future__ import annotations

import os
from collections.abc import Sequence

from app.protocol.evolving import KEY_BYTES, mac, next_key
from db import macs
from db.connection import Connection


def stamp(conn: Connection, events: Sequence[tuple[int, bytes]]) -> None:
    """MACs for events (number, hash) in the transaction that appends them; the old key is gone with it.

    A store without a key, new or older than this, begins with the first of these events.
    """
    found = macs.mac_key(conn)
    if found is None:
        start = os.urandom(KEY_BYTES)
        found = macs.MacKey(events[0][0], start, events[0][0], start)
        macs.begin(conn, found)
    key = found.key
    made = []
    for seq, hash_ in events:
        made.append((seq, mac(key, seq, hash_)))
        key = next_key(key)
    macs.add(conn, made, next_seq=events[-1][0] + 1, key=key)
