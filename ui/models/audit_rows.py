"""The journal as a table, and what one event says."""

from __future__ import annotations

from typing import Final

from app.documents.audit_words import kind_name
from app.formats import number, signed_number
from app.i18n import mark
from app.queries.audit import AuditLine, Fact
from ui.models.record_rows import RecordColumns

_LOUD: Final = frozenset({"void", "adjust", "pin_locked", "not_approved", "drawer", "restored"})
"""Kinds that a person who looks for something wants to see first."""
_NAMES: Final = {
    "balance.points": mark("Balance of points"),
    "person.role": mark("Role"),
    "receipt_no": mark("Receipt"),
    "total": mark("Amount"),
    "earned": mark("Points earned"),
    "spent": mark("Points used"),
    "reason": mark("Reason"),
    "approval.by": mark("Agreed by"),
    "approval.right": mark("Agreed to"),
}


class AuditRows(RecordColumns[AuditLine]):
    """Events, newest first."""

    heads = (
        mark("No."),
        mark("Time"),
        mark("Kind"),
        mark("By"),
        mark("Agreed by"),
        mark("Member"),
        mark("Receipt"),
        mark("Detail"),
        mark("Amount"),
        mark("Points"),
    )
    right = (0, 8, 9)

    def cells(self, record: AuditLine) -> tuple[str, ...]:
        kit = self._kit
        return (
            number(record.seq),
            kit.formats.moment(record.at, today=self._today().to_date()),
            kind_name(kit.words, record.kind),
            record.staff.initials.upper() if record.staff else "",
            record.approver.initials.upper() if record.approver else "",
            record.member,
            record.receipt_no,
            record.detail,
            "" if record.total_minor is None else kit.formats.money(record.total_minor),
            signed_number(record.points) if record.points else "",
        )

    def tone(self, record: AuditLine, column: int) -> str:
        return "danger" if column == 2 and record.kind in _LOUD else ""


class FactRows(RecordColumns[Fact]):
    """What an event says: known values by their words, the others by their name in the journal."""

    heads = (mark("What"), mark("Before"), mark("After"))

    def cells(self, record: Fact) -> tuple[str, ...]:
        known = _NAMES.get(record.name)
        name = self._kit.words.say(known) if known else record.name
        return name, record.before, record.after
