"""What the reports page asks of the product. The calls block: made on the report lane, an export in the three
steps of ui.taking_out.

Reports are read by the report lane's own connection, so the counter never waits for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from app.build import Till
from app.context import Session
from app.documents.report import Drill, Parts, Report, ReportCode, ReportFilter
from app.documents.report_words import sheet_of
from app.usecases.export_report import (
    Exported,
    ExportReport,
    Form,
    Made,
    Taken,
    naming_of,
    read_export,
    record_taken,
    save_taken,
)
from app.usecases.read_report import Choices, call_off, choices, open_parts, open_report
from printing.report import ReportSheet
from ui.taking_out import TakingOut


@dataclass(frozen=True, slots=True)
class Shown:
    """A report as numbers and in words."""

    report: Report
    sheet: ReportSheet


class ReportsDesk:
    """The reports of one till. Every method may raise Refused or Unavailable."""

    def __init__(self, till: Till) -> None:
        self._ctx = till.context

    def choices(self, session: Session) -> Choices:
        return choices(self._ctx, session)

    def open(self, session: Session, code: ReportCode, asked: ReportFilter, language: str) -> Shown:
        report = open_report(self._ctx, session, code, asked)
        with self._ctx.read() as conn:
            return Shown(report, sheet_of(report, naming_of(self._ctx, conn, asked, language)))

    def parts(self, session: Session, drill: Drill) -> Parts:
        """The events behind a figure."""
        return open_parts(self._ctx, session, drill)

    def export(
        self,
        command_id: bytes,
        session: Session,
        code: ReportCode,
        asked: ReportFilter,
        form: Form,
        language: str,
    ) -> TakingOut[Made, Taken, Exported]:
        """A report out of the house; what comes of it is where it lies."""
        command, ctx = ExportReport(command_id, session, (code,), asked, form, language), self._ctx
        return TakingOut(
            partial(read_export, ctx, command), partial(record_taken, ctx), partial(save_taken, ctx)
        )

    def call_off(self) -> None:
        """Stop the report that is being read; callable from any thread."""
        call_off(self._ctx)
