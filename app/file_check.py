"""Older journal files, read again a part at a time while nobody is served: at start only the newest are.

What rots on a disk shows while the store still has every event; the next start writes the file anew
(app.recovery). The newest file is left alone, it is being written. `look` only reads, `note` writes rows.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlcipher3.dbapi2 import Connection

from app.context import Context
from app.journal import number_of
from app.log import log
from app.protocol.events import micros
from db import rows
from db.engine import Reader

PART_BYTES: Final = 2 * 1024 * 1024
"""Some 20 ms of reading and opening; a longer record is read whole."""
_PLACE: Final = "journal_checked"
_DAMAGED: Final = "journal_files_damaged"


@dataclass(frozen=True, slots=True)
class Looked:
    """How far the reading came: the next part begins at `offset` of file `number`. `damaged` is the name
    of a file that isn't as it was written, "" where all is well."""

    number: int
    offset: int
    damaged: str = ""


def look(ctx: Context) -> Looked | None:
    """Read the next part; after the last older file the first one again. None where there is none.

    Raises Unavailable.
    """
    files = ctx.journal.files()[:-1]
    if not files:
        return None
    with ctx.read(Reader.REPORT) as conn:
        number, offset = _place(conn)
    neighbours: list[tuple[Path | None, Path]] = [
        (None, files[0]),
        *itertools.pairwise(files),
    ]
    before, path = next(
        (pair for pair in neighbours if number_of(pair[1]) >= number), neighbours[0]
    )
    if number_of(path) != number:
        number, offset = number_of(path), 0
    going_on, damage = ctx.journal.read_part(path, before=before, at=offset, most=PART_BYTES)
    if damage is not None:
        return Looked(number + 1, 0, damage.file)
    return Looked(number + 1, 0) if going_on is None else Looked(number, going_on)


def note(ctx: Context, looked: Looked) -> bool:
    """Keep the place; True when a file is damaged that was not known to be. Raises Unavailable."""
    with ctx.write_rows() as conn:
        rows.set_meta(conn, _PLACE, f"{looked.number} {looked.offset}")
        known = damaged_files(conn)
        if not looked.damaged or looked.damaged in known:
            return False
        rows.set_meta(conn, _DAMAGED, json.dumps([*known, looked.damaged]))
        rows.add_incident(
            conn,
            at_us=micros(ctx.clock()),
            code="journal_file_damaged",
            facts=json.dumps({"file": looked.damaged}),
        )
    log.error("an older journal file is damaged: %s", looked.damaged)
    return True


def damaged_files(conn: Connection) -> tuple[str, ...]:
    """The names of the files that were found damaged and are not written anew yet."""
    return tuple(json.loads(rows.meta(conn, _DAMAGED) or "[]"))


def forget_damaged(conn: Connection) -> None:
    """They were written anew."""
    rows.set_meta(conn, _DAMAGED, "[]")


def _place(conn: Connection) -> tuple[int, int]:
    number, _, offset = (rows.meta(conn, _PLACE) or "0 0").partition(" ")
    return int(number), int(offset)
