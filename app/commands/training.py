"""The store to practise in: a folder of its own inside the live one, with its own key, journal and backups.

It has the live shop's rules and items, none of its members, and no event of it reaches the live store: the two
are never open in one context. Its passphrase is derived from the live key, so it opens by way of the live store
alone. Somebody gets in with the PIN that they have just typed at the live till.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from app.build import DATABASE, NewItem, NewStore, Till, create_store, open_till
from app.commands.demo_data import no_keystore
from app.context import Context
from app.domain.errors import Unavailable
from app.journal import derive_key
from app.settings import BackupSettings
from app.usecases.sign_in import check_pin
from app.usecases.staff import admit
from db import till as till_rows

FOLDER: Final = "training"
_ITEMS_MOST: Final = 100_000
_CARD_PREFIX: Final = "8999"


def begin(ctx: Context, folder: Path, who: str, pin: str, **surroundings: Any) -> tuple[Path, str]:
    """Let a person of the live store practise: (folder, passphrase) of the store to open.

    `folder` is the live store's. Raises Refused: PIN_WRONG, PIN_LOCKED, PIN_BLOCKED; Unavailable.
    """
    person = check_pin(ctx, who, pin)
    training, passphrase = folder / FOLDER, derive_key(ctx.data_key, "training passphrase").hex()
    till = _opened(ctx, training, passphrase, surroundings)
    try:
        admit(till.context, person, pin)
    finally:
        till.close()
    return training, passphrase


def _opened(ctx: Context, training: Path, passphrase: str, surroundings: dict[str, Any]) -> Till:
    if (training / DATABASE).exists():
        try:
            return open_till(
                training, passphrase=passphrase, find_keystore=no_keystore, **surroundings
            )
        except Unavailable:
            pass  # Nothing in it is real: it is made anew.
    shutil.rmtree(training, ignore_errors=True)
    return create_store(
        training, _like(ctx), passphrase=passphrase, find_keystore=no_keystore, **surroundings
    )


def _like(ctx: Context) -> NewStore:
    """The live shop without anybody's data."""
    with ctx.read() as conn:
        version = ctx.programme_on(conn, ctx.business_date()).version
        found = till_rows.programme(conn, version)
        items = till_rows.find_items(conn, "", _ITEMS_MOST)
        codes = [till_rows.item_codes(conn, item.id) for item in items]
    assert found is not None, "the version that holds today is there"
    return NewStore(
        store=ctx.till.store,
        till=ctx.till.till,
        programme=json.loads(found[2]),
        staff=(),
        card_prefix=_CARD_PREFIX,
        items=[NewItem(item, of) for item, of in zip(items, codes, strict=True)],
        training=True,
        settings=replace(ctx.settings, journal_folder="", backup=BackupSettings()),
    )
