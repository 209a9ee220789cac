"""The store to practise in: a folder of its own inside the live one, with its own key, journal and backups.

It has the live shop's rules, items and settings as they are at each start, none of its members, and no event
of it reaches the live store: the two are never open in one context. Its passphrase comes from the live key,
so it opens by way of the live store alone. Somebody gets in with the PIN that they have just typed at the live
till.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from app.build import DATABASE, NewItem, NewStore, Till, create_store, open_till, publish
from app.commands.demo_data import no_keystore
from app.context import Context
from app.domain.errors import Outage, Unavailable
from app.journal import derive_key
from app.private import FOLDER_MODE
from app.settings import BackupSettings, Settings, save
from app.usecases.sign_in import check_pin
from app.usecases.staff import admit
from db import till as till_rows
from printing.devices.address import FileAddress, parse_address

FOLDER: Final = "training"
PAPERS: Final = "papers"
_ITEMS_MOST: Final = 100_000
_CARD_PREFIX: Final = "8999"


def begin(ctx: Context, folder: Path, who: str, pin: str, **surroundings: Any) -> tuple[Path, str]:
    """Let a person of the live store practise: (folder, passphrase) of the store to open.

    `folder` is the live store's. Raises Refused: PIN_WRONG, PIN_LOCKED, PIN_BLOCKED; Unavailable, FILE_FAILED
    where the folder can't be written.
    """
    person = check_pin(ctx, who, pin)
    training, passphrase = folder / FOLDER, derive_key(ctx.data_key, "training passphrase").hex()
    settings = _own_folders(ctx.settings, training)
    try:
        till = _opened(ctx, training, passphrase, settings, surroundings)
        try:
            (training / PAPERS).mkdir(mode=FOLDER_MODE, exist_ok=True)
            _bring_up_to_date(ctx, till.context)
            admit(till.context, person, pin)
        finally:
            till.close()
    except OSError as error:
        raise Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""}) from error
    return training, passphrase


def _opened(
    ctx: Context,
    training: Path,
    passphrase: str,
    settings: Settings,
    surroundings: dict[str, Any],
) -> Till:
    if (training / DATABASE).exists():
        try:
            # Before it is opened: what a store of an older version has may still be the live till's folders.
            save(training, settings)
            return open_till(
                training, passphrase=passphrase, find_keystore=no_keystore, **surroundings
            )
        except Unavailable:
            pass  # Nothing in it is real: it is made anew.
    shutil.rmtree(training, ignore_errors=True)
    return create_store(
        training,
        _like(ctx, settings),
        passphrase=passphrase,
        find_keystore=no_keystore,
        **surroundings,
    )


def _own_folders(live: Settings, training: Path) -> Settings:
    """The live till's settings, but nothing is written where the live till writes: journal, backups, reports,
    and slips that go into files. A real printer is shared: every slip says that it is training."""
    printer = live.receipt.printer
    if printer and _writes_files(printer):
        printer = f"file:{training / PAPERS}/"
    return replace(
        live,
        journal_folder="",
        backup=BackupSettings(),
        reports=replace(live.reports, folder=""),
        receipt=replace(live.receipt, printer=printer),
    )


def _writes_files(printer: str) -> bool:
    """Whether slips become files: a folder, a file, or one that the first job would make. A device is none."""
    try:
        address = parse_address(printer)
    except ValueError:
        return False  # It prints nothing at all, and says so.
    if not isinstance(address, FileAddress):
        return False
    path = address.path
    return address.one_per_job or path.is_file() or path.is_dir() or not path.exists()


def _bring_up_to_date(live: Context, practice: Context) -> None:
    """The rules and items of now into a store of an earlier day; what practice made of them goes."""
    programme, items = _rules_and_items(live)
    with practice.read() as conn:
        known = till_rows.programme(conn, programme["version"])
    if known is None:
        publish(practice, programme, today=practice.business_date())
    wanted = {item.row.code for item in items}
    with practice.write_rows() as conn:
        for row in till_rows.find_items(conn, "", _ITEMS_MOST):
            if row.code not in wanted:
                till_rows.replace_item(conn, row, codes=(), active=False)
        for item in items:
            stands = till_rows.item_by_own_code(conn, item.row.code)
            row = item.row if stands is None else replace(item.row, id=stands.id)
            till_rows.replace_item(conn, row, codes=item.codes, active=True)


def _rules_and_items(ctx: Context) -> tuple[dict[str, Any], list[NewItem]]:
    """The programme that holds today, decoded, and every item that is sold."""
    with ctx.read() as conn:
        version = ctx.programme_on(conn, ctx.business_date()).version
        found = till_rows.programme(conn, version)
        items = [
            NewItem(row, till_rows.item_codes(conn, row.id))
            for row in till_rows.find_items(conn, "", _ITEMS_MOST)
        ]
    assert found is not None, "the version that holds today is there"
    return json.loads(found[2]), items


def _like(ctx: Context, settings: Settings) -> NewStore:
    """The live shop without anybody's data."""
    programme, items = _rules_and_items(ctx)
    return NewStore(
        store=ctx.till.store,
        till=ctx.till.till,
        programme=programme,
        staff=(),
        card_prefix=_CARD_PREFIX,
        items=items,
        training=True,
        settings=settings,
    )
