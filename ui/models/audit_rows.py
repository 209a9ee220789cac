"""The journal as a table, and what one event says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.documents.audit_words import kind_name
from app.documents.event_fields import detail_words, fact_name, fact_value
from app.domain.business_day import BusinessDate
from app.formats import number, signed_number
from app.i18n import mark
from app.queries.audit import AuditLine
from app.queries.event_facts import Fact
from ui.kit import Kit
from ui.models.record_rows import RecordColumns

_LOUD: Final = frozenset({"void", "adjust", "pin_locked", "not_approved", "drawer", "restored"})
"""Kinds that a person who looks for something wants to see first."""


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
            detail_words(kit.formats, record.kind, record.details),
            "" if record.total_minor is None else kit.formats.money(record.total_minor),
            signed_number(record.points) if record.points else "",
        )

    def tone(self, record: AuditLine, column: int) -> str:
        return "danger" if column == 2 and record.kind in _LOUD else ""


class FactRows(RecordColumns[Fact]):
    """What an event of a kind says, in words."""

    heads = (mark("What"), mark("Before"), mark("After"))

    def __init__(self, kit: Kit, today: Callable[[], BusinessDate], kind: str) -> None:
        super().__init__(kit, today)
        self._kind = kind

    def cells(self, record: Fact) -> tuple[str, ...]:
        formats, kind, name = self._kit.formats, self._kind, record.name
        return (
            fact_name(formats.words, kind, name),
            fact_value(formats, kind, name, record.before),
            fact_value(formats, kind, name, record.after),
        )
