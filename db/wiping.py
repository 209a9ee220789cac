"""Removing every personal value of members from the store, for a till that was shut out.

The journal, ledgers and balances stay: they hold random ids. `secure_delete` (db/connection.py) overwrites what
goes; the write-ahead log keeps old pages until it is emptied, which is the caller's to do.
"""

from __future__ import annotations

from typing import Final

from sqlcipher3.dbapi2 import Connection

TABLES: Final = {
    "profile": "member_id",
    "member_key": "member_id",
    "credential": "kind, value",
    "arriving_card": "member_id",
    "event_note": "event_id",
    "member_base": "member_id",
    "consent_base": "member_id, purpose, channel",
    "dirty_cell": "member_id, field",
    "print_job": "id",
    "cart": "id",
    "search_dirty": "member_id",
    "member_seq": "seq",
}
"""Tables that hold a member's name, number, answers, words or slips, each with its key."""
PORTION: Final = 2_000


def wipe_some(conn: Connection) -> bool:
    """Remove a portion of a table that has more; False when none has. So no transaction grows large."""
    for table, key in TABLES.items():
        if len(conn.execute(f"SELECT 1 FROM {table} LIMIT {PORTION + 1}").fetchall()) > PORTION:
            portion = f"SELECT {key} FROM {table} LIMIT {PORTION}"
            conn.execute(f"DELETE FROM {table} WHERE ({key}) IN ({portion})")
            return True
    return False


def wipe_rest(conn: Connection) -> None:
    """Empty the tables and the search index, root pages too: what a page held beside its rows goes as well."""
    for table in TABLES:
        conn.execute(f"DELETE FROM {table}")
    conn.execute("INSERT INTO member_fx (member_fx) VALUES ('delete-all')")
    conn.execute("DELETE FROM meta WHERE key = 'search_forget'")
