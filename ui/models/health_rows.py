"""The health of the till as rows: what, how it is, and whether it needs a hand."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from app.backup import is_stale
from app.domain.business_day import BusinessDate
from app.formats import disk_size, number
from app.i18n import mark
from app.queries.health import DISK_LEAST, Health
from ui.kit import Kit
from ui.models.record_rows import RecordColumns


class HealthLine(NamedTuple):
    """A marked name, its value, and whether it is an alarm."""

    name: str
    value: str
    alarm: bool


class HealthRows(RecordColumns[HealthLine]):
    """Alarms in red, with a sign beside the colour."""

    heads = (mark("What"), mark("How it is"))

    def cells(self, record: HealthLine) -> tuple[str, ...]:
        return self._kit.words.say(record.name), ("! " if record.alarm else "") + record.value

    def tone(self, record: HealthLine, column: int) -> str:
        return "danger" if record.alarm else ""


def health_lines(
    kit: Kit, found: Health, now: datetime, today: BusinessDate
) -> tuple[HealthLine, ...]:
    """What the sheet shows, in its order."""
    words = kit.words

    def moment(at: datetime | None) -> str:
        if at is None:
            return words.say("never")
        return kit.formats.moment(at, today=today.to_date())

    old = is_stale(None if found.last_backup is None else now - found.last_backup)
    clock = words.say("right")
    if found.clock_behind_s:
        clock = words.say("{seconds} s behind the last event", seconds=number(found.clock_behind_s))
    return (
        HealthLine(
            mark("Room on the disk"), disk_size(found.free_bytes), found.free_bytes < DISK_LEAST
        ),
        HealthLine(mark("Clock"), clock, found.clock_behind_s > 0),
        HealthLine(mark("Last backup"), moment(found.last_backup), old),
        HealthLine(mark("Last day close"), moment(found.last_close), False),
        HealthLine(
            mark("Journal file"),
            found.journal_problem or disk_size(found.journal_bytes),
            bool(found.journal_problem),
        ),
        HealthLine(mark("Store"), disk_size(found.store_bytes), False),
        HealthLine(mark("Events"), number(found.events), False),
        HealthLine(
            mark("Key for the safe"),
            words.say("not in the safe") if found.start_key_open else words.say("in the safe"),
            found.start_key_open,
        ),
        HealthLine(mark("Mended at start"), number(len(found.incidents)), False),
    )
