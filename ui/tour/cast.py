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
from ui.tour.office import TourOffice
from ui.tour.script import Cast

NEW_PHONE: Final = "13900001357"
_SCAN_GAP_MS: Final = 55
"""As for a slow scanner: on a busy machine the hands that scan are kept waiting in the middle of a code.
What is typed comes 65 ms apart."""
_POINTS_LEAST: Final = 1500
_RICH_POINTS: Final = 6500
_REGULARS: Final = ("6608", "6621", "6690")
"""Last four digits of the demo's members that come most often."""


class NobodyToShow(RuntimeError):
    """The demo store has no member that the tour can use."""


def find_cast(
    store: Path,
    printer: str,
    *,
    close_printer: Callable[[], None],
    open_printer: Callable[[], None],
    office: TourOffice,
) -> Cast:
    """Open the store once before the window does."""
    till = open_till(store, passphrase=PASSPHRASE)
    try:
        ctx = till.context
        receipt = replace(ctx.settings.receipt, printer=printer)
        scanner = replace(ctx.settings.scanner, gap_ms=_SCAN_GAP_MS)
        save(store, replace(ctx.settings, receipt=receipt, scanner=scanner))
        last_four, initial, card = _somebody(ctx)
        rich_member, rich_card = _rich(ctx)
        codes = tuple(barcode(int(item.code)) for item in find_items(ctx, "")[:3])
    finally:
        till.close()
    lin, second, manager = STAFF
    return Cast(
        passphrase=PASSPHRASE,
        initials=lin.initials,
        pin=lin.pin,
        last_four=last_four,
        initial=initial,
        card=card,
        badge=second.badge or "",
        badge_pin=second.pin,
        manager=manager.initials,
        manager_badge=manager.badge or "",
        manager_pin=manager.pin,
        rich_card=rich_card,
        rich_member=rich_member,
        new_phone=NEW_PHONE,
        barcodes=codes,
        close_printer=close_printer,
        open_printer=open_printer,
        office=office,
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


def _rich(ctx: Context) -> tuple[bytes, str]:
    """(id, card) of a regular with more points than a cashier may take alone."""
    for last_four in _REGULARS:
        for hit in search(ctx, last_four).hits:
            panel = member_panel(ctx, hit.member_id)
            if panel.card_no is not None and panel.points_available > _RICH_POINTS:
                return hit.member_id, panel.card_no
    raise NobodyToShow("no member with enough points to ask a second person")


def _initial(ctx: Context, digits: str, member_id: bytes) -> str:
    """The letter that together with the digits leads to this member alone."""
    for letter in "chlwzxymsdfgjkqtabeopnr":
        hits = search(ctx, f"{letter}{digits}").hits
        if [hit.member_id for hit in hits] == [member_id]:
            return letter
    return ""
