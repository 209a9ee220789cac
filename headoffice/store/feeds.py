"""The feeds of one transaction: numbers for rows that are put, and pages of what is stored and what was put.

A number is given when its row is put, and nobody else sees it before the commit that makes row and head true
together. A row that was put more than once uses up as many numbers and keeps the last, as in memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from msgspec import Raw

from app.protocol.store import FeedPage, Member
from app.protocol.wire import ReferenceRow, SentRow
from headoffice.store import statements as sql
from headoffice.store.row_records import Feed, Row
from headoffice.store.unit import Unit

FeedRow: TypeAlias = Member | ReferenceRow
FeedEntry: TypeAlias = tuple[int, bytes | str, bytes | None]
"""A row's number, its member or reference set, and a member's row packed, where it is known so."""
MemberEntry: TypeAlias = tuple[int, bytes, bytes | None]
_NOTHING: Final = Feed()
WINDOW_MOST: Final = 2_000
"""So many stored rows of a bucket are remembered for the tills of one group."""


class _Window(NamedTuple):
    """All rows that are stored behind a feed number."""

    after: int
    rows: list[FeedEntry]


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
        self._unit.feeds.put(bucket, Feed(number, feed.floor))
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
        """What changed after a number, each row once."""
        found = self._behind(bucket, after, limit)
        self._unit.members.fetch(key for _, key, _ in found if isinstance(key, bytes))
        return [self._row(key) for _, key, _ in found]

    def page(self, bucket: str, after: int, room: int) -> FeedPage:
        """The same as tills see it: what is stored goes on as the bytes that it was written as."""
        found = self._behind(bucket, after, room + 1)
        taken = found[:room]
        members, references = list[SentRow](), list[ReferenceRow]()
        for _, key, row in taken:
            if isinstance(key, bytes):
                members.append(Raw(row if row is not None else self.wire(key)))
            else:
                references.append(self._reference(key))
        last = taken[-1][0] if taken else after
        return FeedPage(members, references, last, len(found) > room)

    def by_member(self, bucket: str, after: bytes, limit: int) -> Sequence[MemberEntry]:
        """Members' rows that are stored behind a member, in the order of members."""
        return self._unit.rows.ask(sql.MEMBERS_BY_ID, bucket, after, limit)

    def wire(self, member: bytes) -> bytes:
        """A member's row of this transaction, or one that was written before rows were kept packed."""
        known = self._unit.members.get(member)
        assert known is not None
        return self._unit.wire(known)

    def clear(self) -> None:
        """The transaction is over."""
        self._put.clear()
        self._taken.clear()
        self._windows.clear()

    def _behind(self, bucket: str, after: int, limit: int) -> list[FeedEntry]:
        """Stored rows first, for their numbers are lower; those that were put have no bytes yet."""
        put = self._put.get(bucket, {})
        found = self._stored(bucket, after, limit + len(put))
        if put:
            found = [each for each in found if each[1] not in put]
            found += [(number, key, None) for key, number in put.items() if number > after]
        floor = self.feed(bucket).floor
        if floor > after:
            found = [each for each in found if not self._gone(each, floor)]
        return found[:limit]

    def _gone(self, entry: FeedEntry, floor: int) -> bool:
        feed, key, _ = entry
        return feed <= floor and isinstance(key, str) and self._reference(key).body is None

    def _row(self, key: bytes | str) -> FeedRow:
        if isinstance(key, str):
            return self._reference(key)
        member = self._unit.members.get(key)
        assert member is not None
        return member

    def _reference(self, key: str) -> ReferenceRow:
        row = self._unit.references.get(key)
        assert row is not None
        return row

    def _stored(self, bucket: str, after: int, limit: int) -> list[FeedEntry]:
        """Stored rows behind a number. Whoever gets fewer than the limit has all of them, and the tills that
        ask after it are answered from the same."""
        feed = self.feed(bucket)
        if after >= feed.head - self._taken.get(bucket, 0):
            return []
        window = self._windows.get(bucket)
        if window is not None and window.after <= after:
            begin = bisect_right(window.rows, after, key=itemgetter(0))
            return window.rows[begin : begin + limit]
        found = list[FeedEntry](self._unit.rows.ask(sql.MEMBER_ROWS, bucket, after, limit))
        references = self._unit.rows.ask(sql.REFERENCE_ROWS, bucket, after, feed.floor, limit)
        if references:
            found += [(row.feed, row.key, None) for row in map(self._known, references)]
            found.sort(key=itemgetter(0))
        if len(found) < min(limit, WINDOW_MOST):
            self._windows[bucket] = _Window(after, found)
        return found[:limit]

    def _known(self, row: Row) -> ReferenceRow:
        """A stored set as it was before this transaction, which may know it otherwise."""
        found = ReferenceRow._make(row)
        self._unit.references.found(found.key, found)
        return found
