"""The start key for paper: for the printer, at once and past the queue, or a page that is removed again.

Nothing of it stays behind: a queued slip would keep the key in the store that it is to judge.
"""

from __future__ import annotations

import os
from pathlib import Path

from app.context import Context, Session
from app.documents.safe_sheet import key_lines, safe_sheet
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.private import FILE_MODE
from app.usecases.audit import show_start_key
from app.usecases.tidy import SAFE_SHEET
from printing.document import Doc


def save_safe_sheet(ctx: Context, session: Session, command_id: bytes, language: str) -> Path:
    """Write it as a page beside the store, for its user alone; `tidy.remove_safe_sheet` follows. Raises
    Refused(NOT_ALLOWED), Unavailable(FILE_FAILED)."""
    from printing.layout import COLUMNS_80_MM, lay_out
    from printing.pdf import receipt_pdf

    words = ctx.words(language)
    page = lay_out(safe_sheet_for(ctx, session, command_id, language), COLUMNS_80_MM)
    content = receipt_pdf(page, title=words.say("Key for the safe"))
    path = ctx.folder / SAFE_SHEET
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb"
        ) as file:
            file.write(content)
    except OSError as error:
        raise Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""}) from error
    return path


def safe_sheet_for(ctx: Context, session: Session, command_id: bytes, language: str) -> Doc:
    """The sheet, to be sent to a printer at once. Raises Refused(NOT_ALLOWED)."""
    key = show_start_key(ctx, session, command_id)
    if key is None:
        raise Refused(Refusal.NOT_ALLOWED, {"right": "restore"})
    store = ctx.settings.shop.name or ctx.till.store
    return safe_sheet(ctx.words(language), store, ctx.till.till, key_lines(key.text()))
