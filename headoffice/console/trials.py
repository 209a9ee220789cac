"""Trials of drafts that are under way or done: one a chain at a time, each in a thread of its own, in memory.

A trial reads one snapshot of the chain on a connection that can't write; the writer does not wait for it.
"""

from __future__ import annotations

import json
import logging
import threading
from typing import Final

from app.domain.business_day import BusinessDate
from app.domain.programme import Programme
from app.domain.programme_plain import programme_from_plain
from headoffice import simulating
from headoffice.console.snapshot import Snapshot
from headoffice.simulating import Known, Trial
from headoffice.store.plain import Place
from headoffice.watching import bug, note

KEPT_MOST: Final = 200
"""So many trials are remembered; the oldest that is done is forgotten first."""
RUNNING_MOST: Final = 2
"""Of all chains together: each takes a thread, a connection and the members that it works on."""


class Trials:
    """May be used by any thread."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._of: dict[tuple[bytes, bytes], Trial] = {}

    def of(self, tenant: bytes, draft: bytes) -> Trial | None:
        """The last trial of a draft."""
        return self._of.get((tenant, draft))

    def begin(
        self, tenant: bytes, draft: bytes, programme: Programme, weeks: int, today: BusinessDate
    ) -> bool:
        """Begin one. False: another one of the chain is under way, or too many of other chains are."""
        with self._lock:
            running = [one for (one, _), each in self._of.items() if not each.done]
            if tenant in running or len(running) >= RUNNING_MOST:
                return False
            self._of.pop((tenant, draft), None)
            trial = self._of[tenant, draft] = Trial(weeks)
            done = [key for key, each in self._of.items() if each.done]
            for key in done[: max(len(self._of) - KEPT_MOST, 0)]:
                del self._of[key]
        start = today.plus(-7 * weeks)
        threading.Thread(
            target=self._run, args=(trial, tenant, programme, start), name="trial", daemon=True
        ).start()
        return True

    def stop(self, tenant: bytes, draft: bytes) -> None:
        """Ask a trial to end with what it has."""
        trial = self.of(tenant, draft)
        if trial is not None:
            trial.stop = True

    def _run(self, trial: Trial, tenant: bytes, programme: Programme, start: BusinessDate) -> None:
        try:
            with self._place.reading(tenant) as plain:
                simulating.run(trial, known_of(Snapshot(plain, tenant), start), programme, start)
        except Exception as error:  # the thread's edge: the page says that it failed
            trial.failed = True
            note("trial_failed", level=logging.ERROR, chain=tenant, **bug(error))
        finally:
            trial.done = True


def known_of(snapshot: Snapshot, start: BusinessDate) -> Known:
    """What a trial reads of a chain."""
    read: dict[tuple[int, bytes], Programme | None] = {}

    def programme(version: int, device: bytes) -> Programme | None:
        key = (version, device)
        if key not in read:
            body = snapshot.programme_body(version, device)
            read[key] = None if body is None else programme_from_plain(json.loads(body))
        return read[key]

    return Known(
        lambda: snapshot.members_since(start, simulating.MEMBERS_MOST + 1),
        snapshot.whole_ledger,
        snapshot.event_body,
        programme,
    )
