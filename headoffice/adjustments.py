"""Points that head office or another system changes by hand (domain.md section 3, "Adjustment"): a reason, a
note, and a second person of head office above a limit.

One alone changes what one approver lets through at a till: up to the manager's limit at once, and in a day
what the programme's guard allows one asker and one member. More waits a week for somebody else of head
office. Nothing is taken that is not free. Inside the writer's transaction, but for the reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from app.domain.adjustment import adjust_entries, check_adjust
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, owner_event_id
from app.domain.errors import Refusal, Refused
from app.domain.expiry import as_good
from app.domain.fraud.verdicts import AdjustedToday, adjusted_enough
from app.domain.programme import Programme
from app.domain.sale import MemberContext
from app.protocol.server import Server
from app.protocol.store import Member
from headoffice import settlement
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

Reason = Literal["goodwill", "missed_sale", "correction", "other"]
Standing = Literal["waiting", "done", "dropped"]
NOTE_MOST: Final = 200
GOOD_MS: Final = 7 * 24 * 3_600_000
"""So long one waits for somebody else."""

_FROM: Final = """
SELECT adjustment_id, member_id, points, reason, note, adjustment.staff_id, system, at_ms, standing,
    business_date, coalesce(initials, system)
FROM adjustment LEFT JOIN console_staff USING (tenant_id, dist_key, staff_id)
WHERE adjustment.tenant_id = ? AND adjustment.dist_key = ?
"""
_ONE: Final = f"{_FROM} AND adjustment_id = ?"
_STILL: Final = """AND standing = 'waiting' AND at_ms > ? AND (adjustment.staff_id IS NULL
    OR role = 'head_office' AND (one_time_until_ms IS NULL OR one_time_until_ms > 0))"""
_WAITING: Final = f"{_FROM} {_STILL} ORDER BY at_ms, adjustment_id"
_OF_MEMBER: Final = (
    f"{_FROM} AND member_id = ? AND standing = 'done' ORDER BY at_ms DESC, adjustment_id LIMIT ?"
)
_PUT: Final = """
INSERT INTO adjustment (
    tenant_id, dist_key, adjustment_id, member_id, points, reason, note, staff_id, system, at_ms, standing,
    business_date
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_END: Final = """
UPDATE adjustment SET standing = ?, business_date = ?, second_id = ?
WHERE tenant_id = ? AND dist_key = ? AND adjustment_id = ?
"""
_FORGET: Final = """
UPDATE adjustment SET note = '', standing = CASE standing WHEN 'waiting' THEN 'dropped' ELSE standing END
WHERE tenant_id = ? AND dist_key = ? AND member_id = ?
"""
_ASKED: Final = """
SELECT coalesce(CAST(sum(abs(points)) AS bigint), 0) FROM adjustment
WHERE tenant_id = ? AND dist_key = ? AND standing = 'done' AND business_date = ? AND second_id IS NULL
    AND (staff_id = ? OR system = ? AND system <> '')
"""
_GAINED: Final = """
SELECT coalesce(CAST(sum(points) AS bigint), 0) FROM adjustment
WHERE tenant_id = ? AND dist_key = ? AND standing = 'done' AND business_date = ? AND member_id = ?
"""


class Wish(NamedTuple):
    """What somebody wants: points above zero to give, below zero to take. `staff` of head office, or a `system`
    by its name."""

    id: bytes
    member: bytes
    points: int
    reason: Reason
    note: str
    staff: bytes | None = None
    system: str = ""


class Adjustment(NamedTuple):
    """One as it is kept. on: the date that it was asked for, then that of its entry; by: who asked."""

    id: bytes
    member: bytes
    points: int
    reason: str
    note: str
    staff: bytes | None
    system: str
    at_ms: int
    standing: Standing
    on: int
    by: str


class Day(NamedTuple):
    """The date on which it is done, and the rules of it."""

    on: BusinessDate
    rules: Programme


class Adjustments:
    """One chain's."""

    def __init__(self, plain: Plain, tenant: bytes) -> None:
        self._plain, self._own = plain, (tenant, dist_key(tenant))

    def one(self, adjustment: bytes) -> Adjustment | None:
        """One of them, done or not."""
        rows = self._plain.rows(_ONE, (*self._own, adjustment))
        return Adjustment(*rows[0]) if rows else None

    def waiting(self, now_ms: int) -> Sequence[Adjustment]:
        """What waits for a second person, the oldest first."""
        rows = self._plain.rows(_WAITING, (*self._own, now_ms - GOOD_MS))
        return [Adjustment(*row) for row in rows]

    def of(self, member: bytes, most: int) -> Sequence[Adjustment]:
        """A member's, the last first."""
        rows = self._plain.rows(_OF_MEMBER, (*self._own, member, most))
        return [Adjustment(*row) for row in rows]

    def forget(self, member: bytes) -> None:
        """Nothing is left of what was written about somebody, and nothing waits for them."""
        self._plain.run(_FORGET, (*self._own, member))

    def needs_second(self, wish: Wish, day: Day) -> bool:
        """Whether it takes somebody else's yes."""
        limit = day.rules.limits.adjust_points["manager"]
        if limit is not None and abs(wish.points) > limit:
            return True
        own, on = self._own, int(day.on)
        asked = self._plain.rows(_ASKED, (*own, on, wish.staff, wish.system))[0][0]
        gained = self._plain.rows(_GAINED, (*own, on, wish.member))[0][0]
        today = AdjustedToday(0, asked, gained)
        return adjusted_enough(wish.points, today, day.rules.guard) is not None

    def ask(self, server: Server, wish: Wish, day: Day, now_ms: int) -> Standing:
        """Do it, or keep it for a second person. Its id is new.

        Raises Refused: ADJUST_ZERO, ADJUST_NOTE_SHORT, ADJUST_NOT_ALLOWED, ADJUST_BELOW_AVAILABLE,
        MEMBER_UNKNOWN."""
        check_note(wish.note, day.rules)
        entries = entries_of(known_of(server, wish.member), wish, day)
        standing: Standing = "waiting" if self.needs_second(wish, day) else "done"
        if standing == "done":
            self._adjust(server, wish.member, entries)
        row = (
            wish.id, wish.member, wish.points, wish.reason, wish.note, wish.staff, wish.system, now_ms,
            standing, int(day.on),
        )  # fmt: skip
        self._plain.run(_PUT, (*self._own, *row))
        return standing

    def agree(self, server: Server, asked: Adjustment, by: bytes, day: Day) -> None:
        """Do what somebody else has asked for. Raises Refused where it can't be done any more."""
        assert asked.staff != by, "it takes two"
        assert asked.standing == "waiting", "it is done once"
        entries = entries_of(known_of(server, asked.member), asked, day)
        self._adjust(server, asked.member, entries)
        self._plain.run(_END, ("done", int(day.on), by, *self._own, asked.id))

    def _adjust(self, server: Server, member: bytes, entries: Sequence[Entry]) -> None:
        event = entries[0].id.event
        server.adjust(member, event, entries)
        settlement.adjusted(server.store, self._plain, self._own[0], member, event)

    def drop(self, asked: Adjustment, by: bytes) -> None:
        """It is not to be done."""
        assert asked.standing == "waiting", "what is done stays done"
        self._plain.run(_END, ("dropped", asked.on, by, *self._own, asked.id))


def check_note(note: str, rules: Programme) -> None:
    """A note says something. Raises Refused: ADJUST_NOTE_SHORT."""
    least = rules.guard.adjust_note_chars
    if len(note) < least:
        raise Refused(Refusal.ADJUST_NOTE_SHORT, {"least": least})


def plain_note(text: str) -> str:
    """A note as it is kept."""
    return " ".join(text.split())


def known_of(server: Server, member: bytes) -> Member:
    """Who stands for a member today."""
    known = server.store.member(member)
    while known is not None and known.alias is not None:
        known = server.store.member(known.alias)
    assert known is not None, "who asks has looked"
    return known


def entries_of(known: Member, wish: Wish | Adjustment, day: Day) -> tuple[Entry, ...]:
    """What it would post: up a lot with the programme's expiry, down never below what is free, whoever
    agrees: a till may have the rest. Whoever was erased gets nothing more. Raises Refused."""
    if known.erased:
        raise Refused(Refusal.MEMBER_UNKNOWN)
    limits = day.rules.limits
    check_adjust(limits, "manager", wish.points, own_account=False, second_person=True)
    account = known.accounts.get(POINTS)
    context = MemberContext(as_good(known.state, day.on), account.reserved if account else 0)
    event = owner_event_id(wish.member, f"adjust:{wish.id.hex()}")
    return adjust_entries(wish.points, context, day.rules, on=day.on, event_id=event)
