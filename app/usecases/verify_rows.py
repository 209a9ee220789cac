"""The rows that events stand for, beside the journal: walked in its order, and compared row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app import posting
from app.protocol.events import Event
from app.usecases.verify_report import Fault, Report
from db import figures, rows
from db.connection import Connection


class EventRows:
    """Entries, documents, sums and shares of the events above `after` up to `upto`: four walks, one beside the
    other, so that no event is asked for by itself."""

    def __init__(self, conn: Connection, after: int = 0, upto: int = rows.LAST) -> None:
        self._ledger = _Walk(rows.all_ledger(conn, after, upto))
        self._documents = _Walk(rows.all_documents(conn, after, upto))
        self._sums = _Walk(figures.all_rows(conn, after, upto))
        self._shares = _Walk(figures.all_shares(conn, after, upto))

    def lost(self, seq: int) -> None:
        """An event is missing: what it stood for goes with it."""
        for walk in (self._ledger, self._documents, self._sums, self._shares):
            walk.take(seq)

    def compare(self, seq: int, event: Event | None, report: Report) -> figures.FiguresRow | None:
        """Note what differs from what an event stands for; None is one whose bytes say nothing. Returns the
        sums that it stands for, None where it has none."""
        entries, documents = self._ledger.take(seq), self._documents.take(seq)
        sums, shares = self._sums.take(seq), self._shares.take(seq)
        report.entries += len(entries)
        if event is None:
            return None
        _compare(report, Fault.LEDGER, seq, posting.ledger_rows(event), entries)
        _compare(report, Fault.PROJECTION, seq, _known(posting.document_row(event)), documents)
        wanted_sums, wanted_shares = posting.figures_rows(event)
        _compare(report, Fault.PROJECTION, seq, _known(wanted_sums), sums)
        _compare(report, Fault.PROJECTION, seq, wanted_shares, shares)
        return wanted_sums

    def rest(self, report: Report) -> None:
        """Note what is left after the last event."""
        for seq in self._ledger.rest():
            report.add(Fault.LEDGER, seq, "entry of no event")
        for seq in self._documents.rest():
            report.add(Fault.PROJECTION, seq, "document of no event")
        for walk in (self._sums, self._shares):
            for seq in walk.rest():
                report.add(Fault.PROJECTION, seq, "figures of no event")


class _Walk:
    """Rows in order of their sequence number, taken one number at a time."""

    def __init__(self, source: Iterator[Any]) -> None:
        self._source = source
        self._next = next(source, None)

    def take(self, seq: int) -> list[Any]:
        """The rows of a sequence number; rows of lower ones come with it, and so show up."""
        found = []
        while self._next is not None and self._next.seq <= seq:
            found.append(self._next)
            self._next = next(self._source, None)
        return found

    def rest(self) -> Iterator[int]:
        """The numbers of what is left."""
        while self._next is not None:
            yield self._next.seq
            self._next = next(self._source, None)


def _known(row: rows.DocumentRow | figures.FiguresRow | None) -> list[Any]:
    return [] if row is None else [row]


def _compare(report: Report, fault: Fault, seq: int, wanted: list[Any], found: list[Any]) -> None:
    """Note each place where the rows of an event are not those that it stands for."""
    if wanted == found:
        return
    for n in range(max(len(wanted), len(found))):
        one = wanted[n] if n < len(wanted) else None
        other = found[n] if n < len(found) else None
        if one != other:
            name = "row" if other is None or one is None else _first_difference(one, other)
            verb = "is missing" if other is None else ("is too many" if one is None else "differs")
            report.add(fault, seq, f"{n}: {name} {verb}")


def _first_difference(one: Any, other: Any) -> str:
    names: tuple[str, ...] = one._fields
    return next(name for name in names if getattr(one, name) != getattr(other, name))
