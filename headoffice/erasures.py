"""Who was erased when, and when no till had anything of them any more: what a person or an authority asks for.

Whether a till has forgotten somebody is known from what it has answered (app/protocol/profiles.py); each night
looks at those who are not forgotten everywhere yet (nights.py).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain, Spelt

DUE_MS: Final = 30 * 86_400_000
"""Tills that have not forgotten somebody for so long are alarmed: laws give about a month."""
_NEVER_MS: Final = 1 << 62
_PUT: Final = """
INSERT INTO erasure (tenant_id, dist_key, member_id, at_ms, done_ms) VALUES (?, ?, ?, ?, NULL)
ON CONFLICT (tenant_id, dist_key, member_id) DO NOTHING
"""
_DONE: Final = """
UPDATE erasure SET done_ms = CASE WHEN at_ms > ? THEN at_ms ELSE ? END
WHERE tenant_id = ? AND dist_key = ? AND member_id = ? AND done_ms IS NULL
"""
_OPEN: Final = """
SELECT member_id FROM {}
WHERE tenant_id = ? AND dist_key = ? AND done_ms IS NULL AND member_id > ? ORDER BY member_id LIMIT ?
"""
_COUNT: Final = """
SELECT count(*), CAST(coalesce(sum(CASE WHEN at_ms < ? THEN 1 ELSE 0 END), 0) AS bigint) FROM {}
WHERE tenant_id = ? AND dist_key = ? AND done_ms IS NULL
"""
# SQLite would read everybody who was ever erased.
_BY_OPEN: Final = "erasure INDEXED BY erasure_open"
_OPEN_AFTER: Final = Spelt(sqlite=_OPEN.format(_BY_OPEN), postgresql=_OPEN.format("erasure"))
_WAITING: Final = Spelt(sqlite=_COUNT.format(_BY_OPEN), postgresql=_COUNT.format("erasure"))
_OF_AUDIT: Final = """
INSERT INTO erasure (tenant_id, dist_key, member_id, at_ms, done_ms)
SELECT tenant_id, dist_key, member_id, min(at_ms), CAST(NULL AS bigint) FROM console_audit
WHERE tenant_id = ? AND dist_key = ? AND act = 'erased' AND member_id IS NOT NULL
GROUP BY tenant_id, dist_key, member_id
ON CONFLICT (tenant_id, dist_key, member_id) DO NOTHING
"""
_NEWEST: Final = """
SELECT member_id, at_ms, done_ms FROM erasure
WHERE tenant_id = ? AND dist_key = ? AND at_ms >= ? AND at_ms < ?
    AND (? = 0 OR done_ms IS NULL) AND (? = 0 OR done_ms IS NOT NULL)
    AND (at_ms < ? OR member_id > ?)
ORDER BY at_ms DESC, member_id LIMIT ?
"""


class Erasure(NamedTuple):
    """done_ms: when every till was seen to have forgotten the person; None: one has not, as far as is known."""

    member: bytes
    at_ms: int
    done_ms: int | None


class Waiting(NamedTuple):
    """How many people some till has yet to forget; late: of them those who were erased too long ago."""

    people: int = 0
    late: int = 0


class Wanted(NamedTuple):
    """Which erasures are meant: from when until before when, and done or not; None: both."""

    begin_ms: int
    end_ms: int
    done: bool | None = None


class Erasures:
    """One chain's, inside a transaction."""

    def __init__(self, plain: Plain, tenant: bytes) -> None:
        self._plain = plain
        self._own = (tenant, dist_key(tenant))

    def put(self, member: bytes, now_ms: int) -> None:
        """Somebody is erased; known already changes nothing."""
        self._plain.run(_PUT, (*self._own, member, now_ms))

    def take_up(self) -> None:
        """Those whom the audit knows of alone: they were erased by a version that had no such list."""
        self._plain.run(_OF_AUDIT, self._own)

    def say_done(self, member: bytes, now_ms: int) -> None:
        """No till has anything of them."""
        self._plain.run(_DONE, (now_ms, now_ms, *self._own, member))

    def open_after(self, member: bytes, most: int) -> list[bytes]:
        """Some of those whom a till has yet to forget, by their ids, from behind one on."""
        found = self._plain.rows(_OPEN_AFTER, (*self._own, member, most))
        return [bytes(each) for (each,) in found]

    def waiting(self, now_ms: int) -> Waiting:
        """How many there are."""
        ((people, late),) = self._plain.rows(_WAITING, (now_ms - DUE_MS, *self._own))
        return Waiting(people, late)

    def newest(self, wanted: Wanted, behind: Erasure | None, most: int) -> list[Erasure]:
        """The last ones first, from the beginning or behind one of them."""
        end_ms, at = wanted.end_ms, (_NEVER_MS, b"")
        if behind is not None:
            end_ms, at = behind.at_ms + 1, (behind.at_ms, behind.member)
        which = (int(wanted.done is False), int(wanted.done is True))
        values = (wanted.begin_ms, end_ms, *which, *at, most)
        return [
            Erasure(bytes(one), at, done)
            for one, at, done in self._plain.rows(_NEWEST, (*self._own, *values))
        ]
