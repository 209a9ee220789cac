"""Counter documents as a table: when, what, receipt, who, money, points."""

from __future__ import annotations

from app.formats import signed_number
from app.i18n import mark
from app.queries.records import DocumentLine
from ui.models.record_rows import RecordColumns

_KINDS = {"sale": mark("Sale"), "return": mark("Return"), "void": mark("Void")}


class DocumentRows(RecordColumns[DocumentLine]):
    """Documents as they came, newest first."""

    heads = (
        mark("Time"),
        mark("Kind"),
        mark("Receipt"),
        mark("Member"),
        mark("Amount"),
        mark("Points"),
    )
    right = (4, 5)

    def cells(self, record: DocumentLine) -> tuple[str, ...]:
        formats = self._kit.formats
        kind = _KINDS.get(record.kind)
        change = record.points_earned - record.points_spent
        return (
            formats.moment(record.at, today=self._today().to_date()),
            self._kit.words.say(kind) if kind else record.kind,
            record.receipt_no,
            record.member_name,
            formats.money(record.total_minor),
            signed_number(change) if change else "",
        )
