"""A second person's yes, bound to one request (security.md section 3, counter-flows.md flow 18).

It lives in memory only: a restart forgets it, and the person is asked again. It is bound to the command's id,
and a command is done once, so it serves once. Sixty seconds by the monotonic clock, whatever the wall clock
does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.domain.errors import Refusal, Refused
from app.domain.rights import Right

LIFE_S: Final = 60


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
    """

    command_id: bytes
    right: Right
    staff_id: bytes
    member_id: bytes | None
    amount: int
    reason: str = ""
    of: bytes | None = None


class Approvals:
    """The answers that are still good. Used on the db lane alone."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._given: dict[tuple[bytes, Right], tuple[Ask, bytes, float]] = {}

    def give(self, ask: Ask, approver: bytes) -> None:
        """Keep `approver`'s yes to exactly this request."""
        self._given[ask.command_id, ask.right] = (ask, approver, self._monotonic())

    def of(self, ask: Ask) -> bytes | None:
        """Who said yes to exactly this, None when nobody did.

        Raises Refused(APPROVAL_EXPIRED) when it is older than sixty seconds.
        """
        found = self._given.get((ask.command_id, ask.right))
        if found is None or found[0] != ask:
            return None
        if self._monotonic() - found[2] > LIFE_S:
            del self._given[ask.command_id, ask.right]
            raise Refused(Refusal.APPROVAL_EXPIRED)
        return found[1]

    def forget(self, command_id: bytes) -> None:
        """The command is done, or given up: what was said for it is void."""
        for key in [key for key in self._given if key[0] == command_id]:
            del self._given[key]
