"""Looks in the demo store for somebody worth showing, and points the till at the tour's printer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.build import open_till
from app.commands.demo_data import PASSPHRASE, STAFF
from app.commands.demo_people import barcode
from app.context import Context
from app.queries.counter import find_items
from app.queries.members import member_panel
from app.queries.search import search
from app.settings import save
from ui.tour.script import Cast

NEW_PHONE: Final = "13900001357"
_POINTS_LEAST: Final = 1500


class NobodyToShow(RuntimeError):
    """The demo store has no member that the tour can use."""


def find_cast(store: Path, printer: str, *, close_printer: Callable[[], None]) -> Cast:
    """Open the store once before the window does."""
    till = open_till(store, passphrase=PASSPHRASE)
    try:
        ctx = till.context
        receipt = replace(ctx.settings.receipt, printer=printer)
        save(store, replace(ctx.settings, receipt=receipt))
        last_four, initial, card = _somebody(ctx)
        codes = tuple(barcode(int(item.code)) for item in find_items(ctx, "")[:3])
    finally:
        till.close()
    lin, second = STAFF[0], STAFF[1]
    return Cast(
        passphrase=PASSPHRASE,
        initials=lin.initials,
        pin=lin.pin,
        last_four=last_four,
        initial=initial,
        card=card,
        badge=second.badge or "",
        badge_pin=second.pin,
        new_phone=NEW_PHONE,
        barcodes=codes,
        close_printer=close_printer,
    )


def _somebody(ctx: Context) -> tuple[str, str, str]:
    """(last four digits that nobody else has, initial, card) of a member with points to spend."""
    for text in ("6621", *(f"{n}8" for n in range(10)), *(f"{n}6" for n in range(10))):
        for hit in search(ctx, text, limit=60).hits:
            panel = member_panel(ctx, hit.member_id)
            digits = hit.phone_masked[-4:]
            local = hit.phone_masked.startswith("1") and len(hit.phone_masked) == 13
            if not local or panel.card_no is None or panel.points_available < _POINTS_LEAST:
                continue
            initial = _initial(ctx, digits, hit.member_id)
            if initial and search(ctx, digits).total <= 3:
                return digits, initial, panel.card_no
    raise NobodyToShow("no member with points, a card and a phone of their own")


def _initial(ctx: Context, digits: str, member_id: bytes) -> str:
    """The letter that together with the digits leads to this member alone."""
    for letter in "chlwzxymsdfgjkqtabeopnr":
        hits = search(ctx, f"{letter}{digits}").hits
        if [hit.member_id for hit in hits] == [member_id]:
            return letter
    return ""
