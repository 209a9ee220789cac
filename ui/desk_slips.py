"""What the window asks of the slips and their printer. Every call blocks; the lane of each is in its words."""

from __future__ import annotations

from app import spool
from app.build import Till
from app.context import Session
from app.queries import counter
from app.queries.records import DocumentLine, PrintStatus
from app.usecases.reprint import Reprint, reprint
from app.usecases.tidy import purge_slips, remove_old_cards, remove_safe_sheet


class SlipsDesk:
    """The slips of one till, on their way to paper and as copies. It may raise Refused or Unavailable."""

    def __init__(self, till: Till) -> None:
        self._ctx = till.context

    def status(self) -> PrintStatus:
        return counter.print_status(self._ctx)

    def check_printer(self, text: str) -> None:
        """Raises Unavailable for what can't be one or can't be written on (print lane)."""
        spool.check_printer(text)

    def claim(self) -> spool.Job | None:
        """The next slip, marked as being sent; None when nothing waits (db lane)."""
        return spool.claim(self._ctx)

    def deliver(self, job: spool.Job) -> spool.Delivery:
        """Send it once (print lane; talks to the device, writes nothing)."""
        return spool.deliver(job, self._ctx.settings.receipt)

    def settle(self, delivery: spool.Delivery) -> None:
        """Write down how it went (db lane)."""
        spool.settle(self._ctx, delivery)

    def recover(self) -> int:
        """At start: what was being sent when the till stopped may or may not be on paper (db lane)."""
        purge_slips(self._ctx)
        remove_old_cards(self._ctx)
        remove_safe_sheet(self._ctx)  # of a till that stopped while it was open
        return spool.recover(self._ctx)

    def newest(self) -> DocumentLine | None:
        """The document whose slip came last in this shift: what F10 prints again."""
        found = counter.documents_of_shift(self._ctx, limit=1)
        return found[0] if found else None

    def confirm(self, job_id: int, *, printed: bool) -> None:
        """A person has looked at the paper."""
        spool.confirm(self._ctx, job_id, printed=printed)

    def of(self, event_id: bytes) -> str | None:
        """The newest slip of a document as document JSON."""
        return counter.slip_preview(self._ctx, event_id)

    def reprint(self, command_id: bytes, session: Session, event_id: bytes, reason: str) -> int:
        """Queue another copy; returns its number."""
        return reprint(self._ctx, Reprint(command_id, session, event_id, reason)).result
