"""A member's open lots as a table: where they came from, when they are usable, what is left."""

from __future__ import annotations

from app.domain.business_day import NEVER
from app.i18n import mark
from app.queries.records import LotLine
from ui.models.record_rows import RecordColumns

_STATES = {
    "available": mark("Usable"),
    "pending": mark("Pending"),
    "lapsed": mark("Lapsed"),
}


class LotRows(RecordColumns[LotLine]):
    """Lots as they came, the next to expire first."""

    heads = (
        mark("Earned"),
        mark("Receipt"),
        mark("Usable from"),
        mark("Good through"),
        mark("Points"),
        mark("State"),
    )
    right = (4,)

    def cells(self, record: LotLine) -> tuple[str, ...]:
        words, formats = self._kit.words, self._kit.formats
        today = self._today().to_date()
        never = record.expires >= NEVER
        return (
            formats.day_named(record.earned_on.to_date(), today=today),
            record.receipt_no or "",
            formats.day(record.available_from.to_date(), today=today),
            words.say("Never expires")
            if never
            else formats.day(record.expires.to_date(), today=today),
            formats.points(record.remaining),
            words.say(_STATES[record.state]),
        )
