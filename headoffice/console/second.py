"""What takes two people of head office: one asks, another one agrees within a week.

Called inside the writer's transaction, but for the reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from headoffice.console.staff import Staff

What = Literal["erase", "choice", "address"]
Answer = Literal["asked", "own", "agreed"]
"""Now it was asked for; the same person asks again; somebody else agrees: it may be done."""
GOOD_MS: Final = 7 * 24 * 3_600_000
_FIRST: Final = """
SELECT what, subject, console_asked.staff_id, initials, at_ms
FROM console_asked JOIN console_staff USING (tenant_id, dist_key, staff_id)
WHERE console_asked.tenant_id = ? AND console_asked.dist_key = ? AND at_ms > ? AND role = 'head_office'
    AND (one_time_until_ms IS NULL OR one_time_until_ms > 0)
"""
_ALL: Final = f"{_FIRST} ORDER BY at_ms, what, subject"
_ONE: Final = f"{_FIRST} AND what = ? AND subject = ?"
_PUT: Final = """
INSERT INTO console_asked (tenant_id, dist_key, what, subject, staff_id, at_ms) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, what, subject) DO UPDATE SET staff_id = excluded.staff_id,
    at_ms = excluded.at_ms
"""
_DROP: Final = (
    "DELETE FROM console_asked WHERE tenant_id = ? AND dist_key = ? AND what = ? AND subject = ?"
)


class Asking(NamedTuple):
    """What somebody of head office, who still is, has asked for."""

    what: What
    subject: str
    staff: bytes
    initials: str
    at_ms: int


class Second:
    """What a chain's people have asked for."""

    def __init__(self, staff: Staff) -> None:
        self._staff = staff

    def all(self, now_ms: int) -> Sequence[Asking]:
        """What waits for somebody else, the oldest first."""
        return [Asking(*row) for row in self._staff.rows(_ALL, now_ms - GOOD_MS)]

    def one(self, what: What, subject: str, now_ms: int) -> Asking | None:
        """Who has asked for this."""
        rows = self._staff.rows(_ONE, now_ms - GOOD_MS, what, subject)
        return Asking(*rows[0]) if rows else None

    def ask(
        self, by: bytes, what: What, subject: str, now_ms: int, *, member: bytes | None = None
    ) -> Answer:
        """Ask for it, or agree to what another one has asked for; then it is to be done in this transaction."""
        first = self.one(what, subject, now_ms)
        if first is None:
            self._staff.run(_PUT, what, subject, by, now_ms)
            self._staff.note(
                now_ms, by, f"{what}_asked", member=member, detail=_detail(what, subject)
            )
            return "asked"
        if first.staff == by:
            return "own"
        self._staff.run(_DROP, what, subject)
        self._staff.note(now_ms, by, "agreed", member=member, detail=first.initials)
        return "agreed"

    def withdraw(
        self, by: bytes, what: What, subject: str, now_ms: int, *, member: bytes | None = None
    ) -> None:
        """It is asked for no more: whoever of head office thinks so."""
        if self.one(what, subject, now_ms) is not None:
            self._staff.run(_DROP, what, subject)
            self._staff.note(now_ms, by, "withdrawn", member=member, detail=_detail(what, subject))


def _detail(what: What, subject: str) -> str:
    return "" if what == "erase" else subject
