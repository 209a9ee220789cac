"""The feeds of one transaction: numbers for rows that are put, and pages of what is stored and what was put.

A number is given when its row is put, and nobody else sees it before the commit that makes row and head true
together. A row that was put more than once uses up as many numbers and keeps the last, as in memory.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple, TypeAlias

from app.protocol.store import Member
from app.protocol.wire import ReferenceRow
from headoffice.store import statements as sql
from headoffice.store.row_records import Feed
from headoffice.store.unit import Unit

FeedRow: TypeAlias = Member | ReferenceRow
_NOTHING: Final = Feed()
WINDOW_MOST: Final = 2_000
"""So many stored rows of a bucket are remembered for the tills of one group."""


class _Window(NamedTuple):
    """All rows that are stored behind a feed number."""

    after: int
    rows: list[FeedRow]


class Feeds:
    """Every bucket's feed, as the transaction of `unit` sees it."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._put: dict[str, dict[bytes | str, int]] = {}
        self._taken: dict[str, int] = {}
        self._windows: dict[str, _Window] = {}

    def feed(self, bucket: str) -> Feed:
        """Head and floor; of a bucket that never had a row: nothing."""
        return self._unit.feeds.get(bucket) or _NOTHING

    def number(self, bucket: str, key: bytes | str) -> int:
        """The next number of the bucket, for a member's id or a reference set's key."""
        feed = self.feed(bucket)
        number = feed.head + 1
        self._unit.feeds.put(bucket, feed._replace(head=number))
        self._taken[bucket] = self._taken.get(bucket, 0) + 1
        put = self._put.setdefault(bucket, {})
        put.pop(key, None)
        put[key] = number
        return number

    def raise_floor(self, bucket: str, up_to: int) -> None:
        """Tombstones up to this number are gone from now on."""
        feed = self.feed(bucket)
        if up_to > feed.floor:
            self._unit.feeds.put(bucket, feed._replace(floor=up_to))

    def rows(self, bucket: str, after: int, limit: int) -> list[FeedRow]:
        """What changed after a number, each row once: stored ones first, for their numbers are lower."""
        put = self._put.get(bucket, {})
        found = [
            row
            for row in self._stored(bucket, after, limit + len(put))
            if (row.id if isinstance(row, Member) else row.key) not in put
        ]
        found += [self._row(key) for key, number in put.items() if number > after]
        floor = self.feed(bucket).floor
        return [row for row in found if not _gone(row, floor)][:limit]

    def clear(self) -> None:
        """The transaction is over."""
        self._put.clear()
        self._taken.clear()
        self._windows.clear()

    def _row(self, key: bytes | str) -> FeedRow:
        unit = self._unit
        row = unit.references.get(key) if isinstance(key, str) else unit.members.get(key)
        assert row is not None
        return row

    def _stored(self, bucket: str, after: int, limit: int) -> list[FeedRow]:
        """Stored rows behind a number. Whoever gets fewer than the limit has all of them, and the tills that
        ask after it are answered from the same."""
        feed = self.feed(bucket)
        if after >= feed.head - self._taken.get(bucket, 0):
            return []
        window = self._windows.get(bucket)
        if window is not None and window.after <= after:
            begin = bisect_right(window.rows, after, key=lambda row: row.feed)
            return window.rows[begin : begin + limit]
        ask, whole = self._unit.rows.ask, self._unit.whole
        found = list[FeedRow](whole(ask(sql.MEMBER_ROWS, bucket, after, limit)))
        references = ask(sql.REFERENCE_ROWS, bucket, after, feed.floor, limit)
        found += map(ReferenceRow._make, references)
        found.sort(key=lambda row: row.feed)
        if len(found) < min(limit, WINDOW_MOST):
            self._windows[bucket] = _Window(after, found)
        return found[:limit]


def _gone(row: FeedRow, floor: int) -> bool:
    return isinstance(row, ReferenceRow) and row.body is None and row.feed <= floor
