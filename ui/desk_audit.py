"""What screens ask of the product about the journal: pages, one event, an export, its key, a support file.

The calls block: reading is for the report lane, what leaves the house goes in the three steps of ui.taking_out.
What an export is made with is imported when first asked for, so that the counter starts without it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal

from app.build import Till
from app.context import Session
from app.protocol.evolving import StartKey
from app.queries.audit import AuditFilter, AuditPage, audit_facts, audit_page
from app.queries.event_facts import Fact
from app.queries.health import Health, health_for
from app.usecases.audit import KeepStartKey, keep_start_key, show_start_key
from ui.taking_out import TakingOut


class AuditDesk:
    """The journal of one till. Every method may raise Refused or Unavailable."""

    def __init__(self, till: Till) -> None:
        self._ctx = till.context

    def page(self, session: Session, asked: AuditFilter, before: int) -> AuditPage:
        """Events below a number, newest first."""
        return audit_page(self._ctx, session, asked, before=before)

    def facts(self, session: Session, seq: int) -> tuple[Fact, ...]:
        """What one event says, with what was before."""
        return audit_facts(self._ctx, session, seq)

    def export(
        self,
        command_id: bytes,
        session: Session,
        asked: AuditFilter,
        form: Literal["csv", "xlsx"],
        language: str,
    ) -> TakingOut[Any, Any, Path]:
        """Events out of the house; what comes of it is where the file lies."""
        from app.usecases.export_audit import ExportAudit, read_audit, record_audit, save_audit

        command, ctx = ExportAudit(command_id, session, asked, form, language), self._ctx
        return TakingOut(
            partial(read_audit, ctx, command), partial(record_audit, ctx), partial(save_audit, ctx)
        )

    def start_key(self, session: Session, command_id: bytes) -> StartKey | None:
        """The key for the safe; None once it is there."""
        return show_start_key(self._ctx, session, command_id)

    def print_safe_sheet(self, session: Session, command_id: bytes, language: str) -> None:
        """The key on paper, once (print lane)."""
        from app.spool import send_now
        from app.usecases.safe_sheet import safe_sheet_for

        send_now(
            safe_sheet_for(self._ctx, session, command_id, language), self._ctx.settings.receipt
        )

    def save_safe_sheet(self, session: Session, command_id: bytes, language: str) -> Path:
        """The key as a page to print; `remove_safe_sheet` follows."""
        from app.usecases.safe_sheet import save_safe_sheet

        return save_safe_sheet(self._ctx, session, command_id, language)

    def remove_safe_sheet(self) -> None:
        from app.usecases.tidy import remove_safe_sheet

        remove_safe_sheet(self._ctx)

    def keep_start_key(self, command_id: bytes, session: Session) -> None:
        keep_start_key(self._ctx, KeepStartKey(command_id, session))

    def support_file(self, command_id: bytes, session: Session) -> TakingOut[Any, Any, Path]:
        """A file for whoever helps; what comes of it is where it lies."""
        from app.usecases.support_file import (
            SaveSupportFile,
            read_support,
            record_support,
            write_support,
        )

        command, ctx = SaveSupportFile(command_id, session), self._ctx
        return TakingOut(
            partial(read_support, ctx, command),
            lambda read: (read, record_support(ctx, read)),
            lambda taken: write_support(ctx, *taken),
        )

    def health(self, session: Session) -> Health:
        """How the till is (report lane)."""
        return health_for(self._ctx, session)
