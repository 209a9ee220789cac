"""The cached fold of a member as rows: state, lots, splits, debts, days. All of it can be derived again.

Records are in the order of the columns, so a row is its own parameter list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlcipher3.dbapi2 import Connection


class StateRow(NamedTuple):
    """Sums and standing; `rest` is JSON, `seq` the last event folded in. `tier_until` repeats from
    `rest` until when the standing tier is kept (None without one), for the close of a day."""

    member_id: bytes
    seq: int
    sequence: int
    points: int
    rest: str
    tier_until: int | None

    def without_event(self) -> tuple[object, ...]:
        """What `add_states` takes: all but the last event."""
        return self.member_id, self.sequence, self.points, self.rest, self.tier_until


class LotRow(NamedTuple):
    """What is left of a credit."""

    member_id: bytes
    asset: str
    origin_event: bytes
    origin_n: int
    expires: int
    available_from: int
    remaining: int
    ord: int


class SplitRow(NamedTuple):
    """A part of a debit: the lot that it took, and where it went back when it was restored."""

    member_id: bytes
    ord: int
    asset: str
    debit_event: bytes
    debit_n: int
    kind: str
    origin_event: bytes
    origin_n: int
    expires: int
    available_from: int
    amount: int
    lot_ord: int
    restored_event: bytes | None
    restored_n: int | None
    back_to: int | None


class DebtRow(NamedTuple):
    """The part of a debit that no lot paid yet."""

    member_id: bytes
    asset: str
    debit_event: bytes
    debit_n: int
    amount: int
    ord: int
    kind: str


class DayRow(NamedTuple):
    """The counters of one business date."""

    member_id: bytes
    business_date: int
    counts_from: int
    earned: int
    spend: int
    sales: int


class CachedRows(NamedTuple):
    """Everything that is cached of one member, each list in the order in which the fold has it."""

    state: StateRow | None
    lots: list[LotRow]
    splits: list[SplitRow]
    debts: list[DebtRow]
    days: list[DayRow]


_STATE = "member_id, seq, sequence, points, rest, tier_until"
_LOT = "member_id, asset, origin_event, origin_n, expires, available_from, remaining, ord"
_SPLIT = (
    "member_id, ord, asset, debit_event, debit_n, kind, origin_event, origin_n, expires,"
    " available_from, amount, lot_ord, restored_event, restored_n, back_to"
)
_DEBT = "member_id, asset, debit_event, debit_n, amount, ord, kind"
_DAY = "member_id, business_date, counts_from, earned, spend, sales"

# Not REPLACE: it removes a row without a word to the triggers that keep the sums of these two tables.
_PUT_STATE = (
    f"INSERT INTO member_state ({_STATE}) VALUES (?,?,?,?,?,?) ON CONFLICT (member_id) DO UPDATE SET"
    " seq = excluded.seq, sequence = excluded.sequence, points = excluded.points,"
    " rest = excluded.rest, tier_until = excluded.tier_until"
)
_PUT_LOT = (
    f"INSERT INTO lot ({_LOT}) VALUES (?,?,?,?,?,?,?,?)"
    " ON CONFLICT (member_id, origin_event, origin_n, expires) DO UPDATE SET asset = excluded.asset,"
    " available_from = excluded.available_from, remaining = excluded.remaining, ord = excluded.ord"
)

TABLES = ("member_state", "lot", "split", "debt", "member_day")


def state(conn: Connection, member_id: bytes) -> StateRow | None:
    """The cached sums of a member, None before the first entry."""
    row = conn.execute(
        f"SELECT {_STATE} FROM member_state WHERE member_id = ?", (member_id,)
    ).fetchone()
    return StateRow(*row) if row else None


def put_state(conn: Connection, row: StateRow) -> None:
    """Write the sums of a member."""
    conn.execute(_PUT_STATE, row)


def add_states(conn: Connection, rows: Iterable[tuple[object, ...]], seq: int) -> None:
    """Write the sums of members who have none yet (`StateRow.without_event`). `seq`: the last event in it."""
    conn.executemany(
        "INSERT INTO member_state (member_id, seq, sequence, points, rest, tier_until)"
        f" VALUES (?, {seq:d}, ?, ?, ?, ?)",
        rows,
    )


def lots(conn: Connection, member_id: bytes) -> list[LotRow]:
    """All open lots of a member, in the order in which the fold has them."""
    rows = conn.execute(
        f"SELECT {_LOT} FROM lot WHERE member_id = ? ORDER BY asset, expires, ord", (member_id,)
    )
    return [LotRow(*row) for row in rows]


def put_lots(conn: Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Add or rewrite lots."""
    conn.executemany(_PUT_LOT, rows)


def drop_lots(conn: Connection, keys: Iterable[tuple[bytes, bytes, int, int]]) -> None:
    """Remove lots that are used up, by (member, origin event, origin n, expires)."""
    conn.executemany(
        "DELETE FROM lot WHERE member_id = ? AND origin_event = ? AND origin_n = ? AND expires = ?",
        keys,
    )


def debts(conn: Connection, member_id: bytes) -> list[DebtRow]:
    """All open debts of a member."""
    rows = conn.execute(f"SELECT {_DEBT} FROM debt WHERE member_id = ? ORDER BY ord", (member_id,))
    return [DebtRow(*row) for row in rows]


def put_debts(conn: Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Add or rewrite debts."""
    conn.executemany(f"INSERT OR REPLACE INTO debt ({_DEBT}) VALUES (?,?,?,?,?,?,?)", rows)


def drop_debts(conn: Connection, keys: Iterable[tuple[bytes, bytes, int]]) -> None:
    """Remove debts that are paid, by (member, debit event, debit n)."""
    conn.executemany(
        "DELETE FROM debt WHERE member_id = ? AND debit_event = ? AND debit_n = ?", keys
    )


def splits_of_member(conn: Connection, member_id: bytes) -> list[SplitRow]:
    """Every split of a member."""
    rows = conn.execute(
        f"SELECT {_SPLIT} FROM split WHERE member_id = ? ORDER BY ord", (member_id,)
    )
    return [SplitRow(*row) for row in rows]


def splits_touching(conn: Connection, entry_event: bytes, entry_n: int) -> list[SplitRow]:
    """The splits of which an entry is the debit, and those that it restored."""
    rows = conn.execute(
        f"SELECT {_SPLIT} FROM split WHERE debit_event = ?1 AND debit_n = ?2"
        f" UNION ALL SELECT {_SPLIT} FROM split WHERE restored_event = ?1 AND restored_n = ?2"
        " AND NOT (debit_event = ?1 AND debit_n = ?2) ORDER BY ord",
        (entry_event, entry_n),
    )
    return [SplitRow(*row) for row in rows]


def splits_of_event(conn: Connection, debit_event: bytes) -> list[SplitRow]:
    """The splits of every debit of an event."""
    rows = conn.execute(
        f"SELECT {_SPLIT} FROM split WHERE debit_event = ? ORDER BY ord", (debit_event,)
    )
    return [SplitRow(*row) for row in rows]


def put_splits(conn: Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Add or rewrite splits."""
    conn.executemany(
        f"INSERT OR REPLACE INTO split ({_SPLIT}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", rows
    )


def drop_splits(conn: Connection, keys: Iterable[tuple[bytes, int]]) -> None:
    """Remove splits, by (member, ord)."""
    conn.executemany("DELETE FROM split WHERE member_id = ? AND ord = ?", keys)


def days(conn: Connection, member_id: bytes, since: int | None = None) -> list[DayRow]:
    """The day counters of a member from a business date on (all when None)."""
    rows = conn.execute(
        f"SELECT {_DAY} FROM member_day WHERE member_id = ? AND business_date >= ?"
        " ORDER BY business_date",
        (member_id, -(1 << 62) if since is None else since),
    )
    return [DayRow(*row) for row in rows]


def day(conn: Connection, member_id: bytes, business_date: int) -> DayRow | None:
    """The counters of one date."""
    row = conn.execute(
        f"SELECT {_DAY} FROM member_day WHERE member_id = ? AND business_date = ?",
        (member_id, business_date),
    ).fetchone()
    return DayRow(*row) if row else None


def put_days(conn: Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Add or rewrite day counters."""
    conn.executemany(f"INSERT OR REPLACE INTO member_day ({_DAY}) VALUES (?,?,?,?,?,?)", rows)


def cached_of(conn: Connection, members: Sequence[bytes]) -> dict[bytes, CachedRows]:
    """All cached rows of so many members, by one question a table."""
    found = {each: CachedRows(None, [], [], [], []) for each in members}
    some = f"WHERE member_id IN ({','.join('?' * len(members))}) ORDER BY member_id"
    for row in conn.execute(f"SELECT {_STATE} FROM member_state {some}", members):
        found[row[0]] = found[row[0]]._replace(state=StateRow._make(row))
    for row in conn.execute(f"SELECT {_LOT} FROM lot {some}, asset, expires, ord", members):
        found[row[0]].lots.append(LotRow._make(row))
    for row in conn.execute(f"SELECT {_SPLIT} FROM split {some}, ord", members):
        found[row[0]].splits.append(SplitRow._make(row))
    for row in conn.execute(f"SELECT {_DEBT} FROM debt {some}, ord", members):
        found[row[0]].debts.append(DebtRow._make(row))
    for row in conn.execute(f"SELECT {_DAY} FROM member_day {some}, business_date", members):
        found[row[0]].days.append(DayRow._make(row))
    return found


def drop_days(conn: Connection, keys: Iterable[tuple[bytes, int]]) -> None:
    """Remove counters of dates that a member has none of any more."""
    conn.executemany("DELETE FROM member_day WHERE member_id = ? AND business_date = ?", keys)


def drop_member(conn: Connection, member_id: bytes) -> None:
    """Drop a member's whole cache, to write it anew."""
    for table in TABLES:
        conn.execute(f"DELETE FROM {table} WHERE member_id = ?", (member_id,))


def checkpoint(conn: Connection, member_id: bytes) -> tuple[int, str] | None:
    """(event, state as JSON) from which a full fold may begin."""
    found: tuple[int, str] | None = conn.execute(
        "SELECT seq, state FROM state_checkpoint WHERE member_id = ?", (member_id,)
    ).fetchone()
    return found


def put_checkpoint(conn: Connection, member_id: bytes, *, seq: int, state: str) -> None:
    """Keep a whole state as of an event."""
    conn.execute(
        "INSERT OR REPLACE INTO state_checkpoint (member_id, seq, state) VALUES (?,?,?)",
        (member_id, seq, state),
    )


def members_without_account(conn: Connection) -> list[bytes]:
    """Cached states that belong to nobody: there should be none."""
    rows = conn.execute(
        "SELECT member_id FROM member_state WHERE member_id NOT IN (SELECT id FROM member)"
        " ORDER BY member_id"
    )
    return [bytes(row[0]) for row in rows]
