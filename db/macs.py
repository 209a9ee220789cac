"""The MACs beside the events and the one row that holds the key of the next event.

What they mean is app/protocol/evolving.py's. A key is overwritten in the transaction that used it; the store's
`secure_delete` clears what it leaves in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from db.connection import Connection


class MacKey(NamedTuple):
    """The key of event `next_seq`; events from `first_seq` on have a MAC. `start` is the first key until
    somebody has put it into the safe."""

    next_seq: int
    key: bytes
    first_seq: int
    start: bytes | None


def mac_key(conn: Connection) -> MacKey | None:
    """The key of the next event, None before the first."""
    row = conn.execute(
        "SELECT next_seq, key, first_seq, start FROM mac_key WHERE id = 1"
    ).fetchone()
    return MacKey(*row) if row else None


def begin(conn: Connection, key: MacKey) -> None:
    """Set the first key."""
    conn.execute(
        "INSERT INTO mac_key (id, next_seq, key, first_seq, start) VALUES (1,?,?,?,?)", key
    )


def add(conn: Connection, macs: Iterable[tuple[int, bytes]], *, next_seq: int, key: bytes) -> None:
    """Put (number, MAC) beside events, and the next key over the one that was used.

    A MAC that is there already stays: somebody took its event away, and that must remain to be seen.
    """
    conn.executemany("INSERT INTO event_mac (seq, mac) VALUES (?,?) ON CONFLICT DO NOTHING", macs)
    conn.execute("UPDATE mac_key SET next_seq = ?, key = ? WHERE id = 1", (next_seq, key))


def forget_start(conn: Connection) -> None:
    """The start key is in the safe: the store must not have it any longer."""
    conn.execute("UPDATE mac_key SET start = NULL WHERE id = 1")


def all_macs(conn: Connection) -> Iterator[tuple[int, bytes]]:
    """(number of the event, MAC) in order."""
    return iter(conn.execute("SELECT seq, mac FROM event_mac ORDER BY seq"))
