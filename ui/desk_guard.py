"""What screens ask of the product about exceptions: the report, what lies behind a case, and a word about it.

The calls block: the report is read on the report lane, a word is written on the db lane (see ui.desk).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from app.apart import Apart
from app.build import Till
from app.context import Session
from app.domain.fraud.facts import Case
from app.queries import counter
from app.queries.audit import AuditLine, lines_of
from app.queries.exceptions import Exceptions
from app.usecases.exceptions import (
    SayOfCase,
    exceptions_of,
    journal_of_case,
    say_of_case,
)


class GuardDesk:
    """The guard of one till. Every method may raise Refused or Unavailable."""

    def __init__(self, till: Till) -> None:
        self._ctx = till.context
        self._apart = Apart(self._ctx)

    def exceptions(self, session: Session, days: int) -> Exceptions:
        """The report of so many business dates that end with today's, and of the next one where it is sold on
        already; its journal is read in a process of its own, and the counter goes on. Raises Cancelled when
        that is called off."""
        ctx, today = self._ctx, self._ctx.business_date()
        last = max(today, counter.date_now(ctx))
        return exceptions_of(ctx, session, today.plus(1 - days), last, self._apart.walk)

    def call_off(self) -> None:
        """Nobody waits any more for the report that is being read. Callable from any thread."""
        self._apart.call_off()

    def stop(self) -> None:
        """The window closes: no report is read any more. Callable from any thread."""
        self._apart.stop()

    def journal(self, session: Session, case: Case) -> Sequence[AuditLine]:
        return journal_of_case(self._ctx, session, case)

    def events(self, session: Session, seqs: Sequence[int]) -> Sequence[AuditLine]:
        """The events behind a count, newest first."""
        return lines_of(self._ctx, session, sorted(seqs, reverse=True))

    def say(
        self,
        command_id: bytes,
        session: Session,
        key: str,
        state: Literal["seen", "explained"],
        reason: str,
    ) -> None:
        say_of_case(self._ctx, SayOfCase(command_id, session, key, state, reason))
