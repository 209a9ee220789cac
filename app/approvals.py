"""A second person's yes, bound to one request (security.md section 3, counter-flows.md flow 18).

It lives in memory only: a restart forgets it, and the person is asked again. It is bound to the command's id,
and a command is done once, so it serves once. Sixty seconds by the monotonic clock, whatever the wall clock
does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from app.domain.errors import Refusal, Refused
from app.domain.rights import Right

LIFE_S: Final = 60
Fact = tuple[str, int | str]
"""A code and its value: "act" names which of a right's acts it is, "bound" is a digest that is compared and not
shown; the rest stand on the sheet in their order."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the second person sees and agrees to, whole: any other figure is another request.

    Attributes:
        command_id: the command that waits for it.
        staff_id: who asks.
        member_id: whose account, None without one.
        amount: points or minor units, by the right.
        reason: the reason code, "" where the matrix asks for none.
        of: the event that it is about (the sale that is voided), None without one.
        note: what happened, or whom it is about, in the asker's words; bound with the rest, stored nowhere.
        facts: whatever else changes what a yes means: which way cash goes, a date, each thing left open.
    """

    command_id: bytes
    right: Right
    staff_id: bytes
    member_id: bytes | None
    amount: int
    reason: str = ""
    of: bytes | None = None
    note: str = field(default="", repr=False)
    facts: tuple[Fact, ...] = ()

    @property
    def act(self) -> str:
        """Which of the right's acts it is, "" where there is one only."""
        return str(dict(self.facts).get("act", ""))


class Approvals:
    """The answers that are still good. Used on the db lane alone."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._given: dict[tuple[bytes, Right], tuple[Ask, bytes, float]] = {}
        self._in_time: set[tuple[bytes, Right]] = set()

    def give(self, ask: Ask, approver: bytes) -> None:
        """Keep `approver`'s yes to exactly this request."""
        key = ask.command_id, ask.right
        self._given[key] = (ask, approver, self._monotonic())
        self._in_time.discard(key)

    def of(self, ask: Ask, *, goes_on: bool = False) -> bytes | None:
        """Who said yes to exactly this, None when nobody did.

        `goes_on`: the command asks once more at its last step, and its first one asked in time; it may
        have taken minutes since. Raises Refused(APPROVAL_EXPIRED) when the yes is older than sixty seconds.
        """
        key = ask.command_id, ask.right
        found = self._given.get(key)
        if found is None or found[0] != ask:
            return None
        if goes_on and key in self._in_time:
            return found[1]
        if self._monotonic() - found[2] > LIFE_S:
            self._drop(key)
            raise Refused(Refusal.APPROVAL_EXPIRED)
        self._in_time.add(key)
        return found[1]

    def forget(self, command_id: bytes) -> None:
        """The command is done, or given up: what was said for it is void."""
        for key in [key for key in self._given if key[0] == command_id]:
            self._drop(key)

    def _drop(self, key: tuple[bytes, Right]) -> None:
        del self._given[key]
        self._in_time.discard(key)
