"""What the till does when idle, after a command and before the next: nothing here may delay a sale.

The search index moves who was here and forgets what was edited away, the whole fold of the members touched is
compared with the cache, slips past their time go, and the log is moved into the file.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlcipher3.dbapi2 import Connection

from app import bases, cached_fold
from app.context import Context
from app.domain.errors import Outage, Unavailable
from app.domain.fold import fold
from app.domain.state import EMPTY, MemberState
from app.domain.state_rows import state_from_plain, state_to_plain
from app.log import log
from app.protocol.events import micros
from app.queries.search import forget_words, index_visits
from app.translated import translated
from app.usecases.audit import checkpoint_when_due
from db import rows, states, till

CHECKPOINT_ENTRIES: Final = 400
"""Above so many entries a member's fold begins at a stored checkpoint (domain.md section 2)."""
SLIPS_KEPT: Final = timedelta(days=35)
CARDS: Final = "cards"
"""The folder beside the store for cards that are saved as pages."""
ARRIVING: Final = "arriving"
"""That for frames of members that a till begins with (app/sync/shelf.py)."""
CARDS_KEPT: Final = timedelta(days=1)
SAFE_SHEET: Final = "key-for-the-safe.pdf"
"""The page of app/usecases/safe_sheet.py, beside the store only while its sheet is open."""
_INDEXED_AT_ONCE: Final = 50
_PURGED_AT_ONCE: Final = 500
_FORGET_STEPS: Final = 4
"""Parts of 400 KB: a small store forgets an edited-away phone at once, a very large one within a day."""


def tidy(ctx: Context) -> tuple[bytes, ...]:
    """Do the idle work; the members whose cached state is not the fold of their ledger (none, ever).

    Raises Unavailable.
    """
    while index_visits(ctx) >= _INDEXED_AT_ONCE:
        pass
    for _ in range(_FORGET_STEPS):
        if not forget_words(ctx):
            break
    wrong = tuple(member for member in ctx.touched() if not fold_is_cached(ctx, member))
    if wrong:
        with ctx.write_rows() as conn:
            for member in wrong:
                rows.add_incident(
                    conn,
                    at_us=micros(ctx.clock()),
                    code="fold_differs",
                    facts=json.dumps({"member": member.hex()}),
                )
        log.error("cached state differs from the fold: %d members", len(wrong))
    checkpoint_when_due(ctx)
    with translated():
        ctx.store.checkpoint_passive()
    return wrong


def purge_slips(ctx: Context) -> int:
    """Drop the print jobs of long ago, printed or not: they hold personal text, and a later copy is made from
    the event. Cheap where nothing is due; what was let lie goes in parts, between which others write."""
    before = micros(ctx.clock() - SLIPS_KEPT)
    gone = 0
    while True:
        with ctx.read() as conn:
            oldest = till.oldest_job_us(conn)
        if oldest is None or oldest >= before:
            return gone
        with ctx.write_rows() as conn:
            gone += till.purge_jobs(conn, before_us=before, limit=_PURGED_AT_ONCE)


def fold_is_cached(ctx: Context, member_id: bytes) -> bool:
    """Whether a member's cached state equals the full fold; stores a checkpoint on a long ledger."""
    with ctx.read() as conn:
        folded, entries = _folded(conn, member_id)
        cached = cached_fold.load_state(conn, member_id, None)
        row = states.state(conn, member_id)
    equal = not cached_fold.states_equal(folded, cached)
    if equal and row is not None and entries > CHECKPOINT_ENTRIES:
        plain = json.dumps(state_to_plain(folded), separators=(",", ":"))
        with ctx.write_rows() as conn:
            current = states.state(conn, member_id)
            if current is not None and current.seq == row.seq:
                states.put_checkpoint(conn, member_id, seq=row.seq, state=plain)
    return equal


def _folded(conn: Connection, member_id: bytes) -> tuple[MemberState, int]:
    """(state, entries folded since the last checkpoint, or since head office's row of the member)."""
    base, since = bases.started(conn, member_id)
    kept = None if since or base != EMPTY else states.checkpoint(conn, member_id)
    if kept is not None:
        since, base = kept[0], state_from_plain(json.loads(kept[1]))
    ledger = rows.ledger_of_member(conn, member_id, since)
    return fold(base, [cached_fold.entry_of(row) for row in ledger]), len(ledger)


def remove_old_cards(ctx: Context) -> None:
    """Member cards that were saved as pages go after a day: they hold a name and a number, and the store beside
    them is sealed. One that can't be removed stays until the next time."""
    before = ctx.clock() - CARDS_KEPT
    for path in (ctx.folder / CARDS).glob("card-*.pdf"):
        try:
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("an old card page stays: %s", error.strerror)


def remove_safe_sheet(ctx: Context) -> None:
    """The page is on paper, or nobody wants it: it goes. Raises Unavailable(FILE_FAILED)."""
    try:
        (ctx.folder / SAFE_SHEET).unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""}) from error


def in_folder(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where it isn't there. Raises OSError: then nobody knows."""
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def remove(path: Path) -> None:
    """Delete what lies in a folder of ours; a folder that somebody put there with all that is in it, but
    nothing that a link leads to. Gone already is as good. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
