"""The start key for paper: for the printer, at once and past the queue, or a page that is removed again.

Nothing of it stays behind: a queued slip would keep the key in the store that it is to judge.
"""

from __future__ import annotations

import os
from datetime import timedelta, timezone
from pathlib import Path

from app.context import Context, Session
from app.documents.safe_sheet import SheetOf, safe_page, safe_sheet
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.i18n import Words
from app.private import FILE_MODE
from app.protocol.evolving import StartKey
from app.slips import shop_of
from app.usecases.audit import show_start_key
from app.usecases.tidy import SAFE_SHEET
from printing.document import Doc


def save_safe_sheet(ctx: Context, session: Session, command_id: bytes, language: str) -> Path:
    """Write it as an A4 page beside the store, for its user alone; `tidy.remove_safe_sheet` follows. Raises
    Refused(NOT_ALLOWED), Unavailable(FILE_FAILED)."""
    from printing.key_sheet_pdf import key_sheet_pdf

    key, words = _key(ctx, session, command_id), ctx.words(language)
    content = key_sheet_pdf(safe_page(words, _sheet_of(ctx, words), key))
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
    key, words = _key(ctx, session, command_id), ctx.words(language)
    return safe_sheet(words, _sheet_of(ctx, words), key)


def _key(ctx: Context, session: Session, command_id: bytes) -> StartKey:
    key = show_start_key(ctx, session, command_id)
    if key is None:
        raise Refused(Refusal.NOT_ALLOWED, {"right": "restore"})
    return key


def _sheet_of(ctx: Context, words: Words) -> SheetOf:
    names, offset_min = ctx.settings.shop, ctx.offset_min()
    with ctx.read() as conn:
        mark = shop_of(ctx, conn, offset_min).mark
    own = (names.name_en, names.name) if words.language == "en" else (names.name, names.name_en)
    made = ctx.clock().astimezone(timezone(timedelta(minutes=offset_min)))
    return SheetOf(
        shop=next(filter(None, own), ctx.till.store),
        till=ctx.till.till,
        made=f"{made:%Y-%m-%d %H:%M}",
        mark=mark,
    )
