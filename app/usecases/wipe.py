"""A till that head office has shut out forgets its members (sync.md section 7): rows, words of the search,
slips, the profile file, cards and exports that it made, and the backups in which they still are. Its journal
stays as it is, sealed, in the store, in the journal file and in one new backup: what head office lacks is told
from there.

Done in steps that a kill may end anywhere; the next start goes on. What lies on other disks can't be reached.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app import backup
from app.context import Context
from app.domain.errors import Outage, Unavailable
from app.log import log
from app.protocol.events import micros
from app.translated import translated
from app.usecases.back_up import NoteBackup, make_backup, note_backup
from app.usecases.take_out import reports_folder
from app.usecases.tidy import ARRIVING, CARDS, SAFE_SHEET, in_folder, remove
from db import rows, wiping

WIPED: Final = "till_wiped"
"""The incident that says so, and the mark in meta."""
_MEMBERS_AT_ONCE: Final = 200
"""Some 0.1 s in which nobody else writes."""
_EXPORTS: Final = frozenset({".csv", ".pdf", ".xlsx"})


def is_wiped(ctx: Context) -> bool:
    """Whether it is through."""
    with ctx.read() as conn:
        return rows.meta(conn, WIPED) is not None


def wipe(ctx: Context) -> None:
    """Forget all members. Called again it goes on; once through it changes nothing. Raises Unavailable."""
    if is_wiped(ctx):
        return
    _wipe_rows(ctx)
    _wipe_files(ctx)
    made = make_backup(ctx)
    note_backup(ctx, NoteBackup(ctx.ids(), made))
    try:
        backup.remove_others(made.path.parent, ctx.till.device, keep=made.path)
    except OSError as error:
        raise _failed(error) from error
    with ctx.write_rows() as conn:
        rows.set_meta(conn, WIPED, "1")
        facts = json.dumps({"name": made.name})
        rows.add_incident(conn, at_us=micros(ctx.clock()), code=WIPED, facts=facts)
    log.warning("shut out by head office: members are wiped")


def _wipe_rows(ctx: Context) -> None:
    more = True
    while more:
        with ctx.write(ctx.ids()) as tx:
            more = tx.dealings is not None and tx.dealings.forget_some(_MEMBERS_AT_ONCE)
    more = True
    while more:
        with ctx.write_rows() as conn:
            more = wiping.wipe_some(conn)
    with ctx.write_rows() as conn:
        wiping.wipe_rest(conn)
    ctx.found_cases = {}
    with translated():
        # Old pages lie in the log until it is emptied; whoever reads just now keeps it.
        if ctx.store.checkpoint_truncate().blocked:
            raise Unavailable(Outage.STORE_BUSY, {}, retry_after_s=1)


def _wipe_files(ctx: Context) -> None:
    try:
        ctx.forget_cells(_in_profiles(ctx))
        if _in_profiles(ctx):
            raise Unavailable(Outage.FILE_FAILED, {"why": ctx.profiles.path.name})
        for path in _files(ctx):
            remove(path)
    except OSError as error:
        raise _failed(error) from error


def _in_profiles(ctx: Context) -> set[bytes]:
    """The members of whom the profile file has something; the staff's cells stay."""
    found = (json.loads(cell).get("member_id") for _, cell in ctx.profiles.cells())
    return {bytes.fromhex(member) for member in found if member}


def _files(ctx: Context) -> Iterator[Path]:
    """Cards, frames that came and the key's page beside the store, and the exports of this till: of a folder
    that may be shared, those alone that have its name. An export of the items has no member in it."""
    yield from (ctx.folder / CARDS).glob("card-*.pdf")
    yield from in_folder(ctx.folder / ARRIVING)
    yield ctx.folder / SAFE_SHEET
    own = re.compile(rf"(?!catalogue-)[a-z_]+-{re.escape(ctx.till.till)}-\d.*")
    folder = reports_folder(ctx)
    if folder.is_dir():
        for path in folder.iterdir():
            if path.suffix in _EXPORTS and own.fullmatch(path.name):
                yield path


def _failed(error: OSError) -> Unavailable:
    return Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""})
