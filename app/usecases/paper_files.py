"""Slips and member cards as files: PNG and PDF of a slip, and the CR80 card of a member."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.cached_fold import load_state
from app.context import Context
from app.documents.cards import member_card
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.domain.tiers import current_tier
from app.queries.selling_date import selling_date
from app.shut import require_members
from app.slips import shop_of
from db import people, rows, till
from printing.document import from_json
from printing.layout import COLUMNS_58_MM, COLUMNS_80_MM, lay_out


@dataclass(frozen=True, slots=True)
class SlipFiles:
    """Where a slip's picture and page lie."""

    png: Path
    pdf: Path


def save_slip(ctx: Context, event_id: bytes, folder: Path, name: str) -> SlipFiles:
    """Write the newest slip of a document as PNG (at printer dots) and PDF (paper width).

    Raises Refused(DOCUMENT_UNKNOWN), Unavailable(FILE_FAILED).
    """
    from printing.pdf import receipt_pdf
    from printing.raster import png

    with ctx.read() as conn:
        row = rows.event_by_id(conn, event_id)
        jobs = till.jobs_of_event(conn, row.seq) if row else []
    if not jobs:
        raise Refused(Refusal.DOCUMENT_UNKNOWN)
    columns = COLUMNS_58_MM if ctx.settings.receipt.paper_mm == 58 else COLUMNS_80_MM
    page = lay_out(from_json(jobs[-1].document.encode()), columns)
    files = SlipFiles(folder / f"{name}.png", folder / f"{name}.pdf")
    _write(files.png, png(page))
    _write(files.pdf, receipt_pdf(page, title=name))
    return files


def newest_of(ctx: Context, kind: str) -> bytes:
    """The id of the newest event of a kind that is rare, so all of them may be read.

    Raises Refused(DOCUMENT_UNKNOWN).
    """
    newest: bytes | None = None
    with ctx.read() as conn:
        for row in rows.events_of_kind(conn, kind, before=rows.event_count(conn) + 1):
            newest = row.id
    if newest is None:
        raise Refused(Refusal.DOCUMENT_UNKNOWN)
    return newest


def save_card(ctx: Context, member_id: bytes, folder: Path) -> Path:
    """Write the member card, front and back, as a CR80 PDF.

    Raises Refused(MEMBER_UNKNOWN | CARD_UNKNOWN | CARD_NOT_DRAWN), Unavailable(FILE_FAILED).
    """
    from printing.card import CardRefused, card_pdf

    with ctx.read() as conn:
        require_members(conn, ctx.clock())
        known = people.person(conn, member_id)
        profile, number = known or (None, None)
        if profile is None:
            raise Refused(Refusal.MEMBER_UNKNOWN)
        if number is None:
            raise Refused(Refusal.CARD_UNKNOWN)
        levels = ctx.programme_on(conn, selling_date(ctx, conn)).tiers
        tier = current_tier(load_state(conn, member_id, None), levels)
        shop = shop_of(ctx, conn, ctx.offset_min())
    card = member_card(
        shop,
        name=profile.name,
        name_second=profile.name_py.upper() if not profile.name.isascii() else "",
        number=number,
        tier=tier,
        place=levels.levels.index(tier),
    )
    try:
        pdf = card_pdf(card)
    except CardRefused as refused:
        raise Refused(Refusal.CARD_NOT_DRAWN, {"why": str(refused)}) from refused
    path = folder / f"card-{number}.pdf"
    _write(path, pdf)
    return path


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""}) from error
