"""The chain's people who may use the console: all of them, what they may see, and how they are shut out.

Changes happen inside the writer's transaction. What the chain chooses for all of them is kept here, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, get_args

from headoffice.console.staff import Person, Role, Staff, nobodys

FactorRule = Literal["asked", "required"]
FACTOR_RULES: Final[tuple[FactorRule, ...]] = get_args(FactorRule)
FACTOR_RULE: Final = "second_factor"
NEEDS_FACTOR: Final[frozenset[Role]] = frozenset(("head_office", "auditor"))
"""Who can't go on without one where the chain requires it."""

_ALL: Final = """
SELECT staff_id, initials, role, one_time_until_ms, locked_until_ms, since_ms
FROM console_staff LEFT JOIN console_factor USING (tenant_id, dist_key, staff_id)
WHERE console_staff.tenant_id = ? AND console_staff.dist_key = ? ORDER BY initials
"""
_SESSIONS: Final = """
SELECT staff_id, count(*) FROM console_session
WHERE tenant_id = ? AND dist_key = ? AND until_ms > ? AND seen_ms > ? GROUP BY staff_id
"""
_STORES: Final = """
SELECT staff_id, store_id FROM console_staff_store WHERE tenant_id = ? AND dist_key = ?
ORDER BY staff_id, store_id
"""
_STORES_OF: Final = """
SELECT store_id FROM console_staff_store WHERE tenant_id = ? AND dist_key = ? AND staff_id = ?
"""
_DROP_STORES: Final = """
DELETE FROM console_staff_store WHERE tenant_id = ? AND dist_key = ? AND staff_id = ?
"""
_PUT_STORE: Final = """
INSERT INTO console_staff_store (tenant_id, dist_key, staff_id, store_id) VALUES (?, ?, ?, ?)
"""
_CHOICE: Final = (
    "SELECT value FROM console_choice WHERE tenant_id = ? AND dist_key = ? AND name = ?"
)
_CHOOSE: Final = """
INSERT INTO console_choice (tenant_id, dist_key, name, value) VALUES (?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, name) DO UPDATE SET value = excluded.value
"""


class Known(NamedTuple):
    """Somebody of the staff. invited_until_ms: 0: shut out; None: has a password of their own.

    factor_ms  since when they have a second factor    stores  a manager's; none: all of the chain
    """

    id: bytes
    initials: str
    role: Role
    invited_until_ms: int | None
    locked_until_ms: int
    factor_ms: int | None
    sessions: int
    stores: frozenset[bytes]

    @property
    def shut_out(self) -> bool:
        """Whether they can't sign in until they are invited anew."""
        return self.invited_until_ms == 0


class People:
    """A chain's people."""

    def __init__(self, staff: Staff) -> None:
        self._staff = staff

    def all(self, now_ms: int, idle_ms: int) -> Sequence[Known]:
        """Everybody, by initials."""
        stores: dict[bytes, set[bytes]] = {}
        for staff, store in self._staff.rows(_STORES):
            stores.setdefault(staff, set()).add(store)
        sessions = dict(self._staff.rows(_SESSIONS, now_ms, now_ms - idle_ms))
        return [
            Known(
                staff, initials, role, invited, locked, since, sessions.get(staff, 0),
                frozenset(stores.get(staff, ())),
            )
            for staff, initials, role, invited, locked, since in self._staff.rows(_ALL)
        ]  # fmt: skip

    def stores_of(self, staff: bytes) -> frozenset[bytes]:
        """A manager's stores; none: all of the chain."""
        return frozenset(row[0] for row in self._staff.rows(_STORES_OF, staff))

    def choice(self, name: str, otherwise: str) -> str:
        """What the chain has chosen."""
        found = self._staff.rows(_CHOICE, name)
        return str(found[0][0]) if found else otherwise

    def choose(self, by: bytes, name: str, value: str, now_ms: int) -> None:
        """Choose for the chain."""
        self._staff.run(_CHOOSE, name, value)
        self._staff.note(now_ms, by, "chosen", detail=f"{name} {value}")

    # What head office does with somebody

    def invite(self, by: bytes, initials: str, role: Role, invitation: bytes, now_ms: int) -> bytes:
        """Let somebody in, or anew, by an invitation with this digest. Returns who."""
        staff = self._staff.invite(initials, role, invitation, now_ms)
        self._staff.note(now_ms, by, "let_in_other", detail=initials)
        return staff

    def withdraw(self, by: bytes, person: Person, now_ms: int) -> None:
        """An invitation opens nothing any more; nothing changes where it was used."""
        if person.invitation is None:
            return
        self._staff.put(person._replace(invitation=None, invited_until_ms=0))
        self._staff.note(now_ms, by, "invitation_withdrawn", detail=person.initials)

    def set_role(
        self, by: bytes, person: Person, role: Role, stores: Sequence[bytes], now_ms: int
    ) -> None:
        """Another role, or other stores; their sessions end."""
        self._staff.put(person._replace(role=role))
        self._staff.run(_DROP_STORES, person.id)
        for store in stores if role == "manager" else ():
            self._staff.run(_PUT_STORE, person.id, store)
        self._staff.end_sessions(person.id)
        self._staff.note(now_ms, by, "role_set", detail=f"{person.initials} {role}")

    def end_sessions(self, by: bytes, person: Person, now_ms: int) -> None:
        """Sign somebody out everywhere."""
        self._staff.end_sessions(person.id)
        self._staff.note(now_ms, by, "sessions_ended", detail=person.initials)

    def shut_out(self, by: bytes, person: Person, now_ms: int) -> None:
        """No password of theirs fits any more, no invitation opens anything."""
        self._staff.end_sessions(person.id)
        self._staff.drop_factor(person.id)
        out = person._replace(verifier=nobodys(), invited_until_ms=0, invitation=None)
        self._staff.put(out)
        self._staff.note(now_ms, by, "shut_out", detail=person.initials)
