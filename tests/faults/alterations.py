"""What somebody with the store's own key can do to its past, and the scene that it is done to (A1).

The journal's rows are read, changed, and written back to a real encrypted file without its triggers; then
`examine` looks at the file with one kind of evidence. The one who alters knows the format: bodies stay
canonical, hashes are computed anew, numbers and columns are mended. He has not got the start key.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import dbapi2
from sqlcipher3.dbapi2 import Connection

from app.journal import JournalFile
from app.protocol.checkpoints import Anchor
from app.protocol.events import chain, decode, encode
from app.protocol.evolving import StartKey
from app.usecases.audit import start_key
from app.usecases.verify_audit import Audit, Evidence, Identity, Verdict, examine
from app.witness import Witness
from db import rows
from db.connection import StoreKey
from db.rows import EventRow
from tests.app.kiosk import Kiosk, Template, make_template


@dataclass(frozen=True, slots=True)
class Scene:
    """A sound store with some days behind it, an older state of it, and another till's journal."""

    database: bytes
    older: bytes
    older_last: int
    events: tuple[EventRow, ...]
    foreign: tuple[EventRow, ...]
    key: StoreKey
    identity: Identity
    journal: JournalFile
    start_key: StartKey

    @property
    def last(self) -> int:
        return len(self.events)


@dataclass(frozen=True, slots=True)
class Altered:
    """What the journal became, and what must be said of it."""

    events: list[EventRow]
    first_bad: int
    verdict: Verdict = Verdict.ALTERED


Alteration = Callable[[random.Random, Scene], Altered]


def make_scene(template: Template, folder: Path) -> Scene:
    """Four days of trade; the older state is that of the second evening."""
    kiosk = Kiosk(template.copy_to(folder / "store"), template)
    older = b""
    older_last = 0
    for day in range(4):
        if day == 0:
            kiosk.busy_morning()
        for _ in range(6):
            kiosk.quote_and_sell()
        if day == 1:
            kiosk.ctx.store.checkpoint_truncate()
            older, older_last = kiosk.database.read_bytes(), len(kiosk.events())
        kiosk.clock.now += timedelta(days=1)
    ctx = kiosk.ctx
    with ctx.read() as conn:
        events = tuple(rows.events_after(conn, 0))
    start = start_key(ctx)
    assert start is not None
    identity = Identity(ctx.chain_start(), ctx.till.device, ctx.till.epoch)
    owner = ctx.till.device + ctx.till.epoch.to_bytes(8, "big")
    journal = JournalFile(ctx.journal.folder, data_key=ctx.data_key, owner=owner)
    kiosk.close()
    database = kiosk.database.read_bytes()
    key = StoreKey(ctx.data_key, database[:16])
    return Scene(
        database, older, older_last, events, _foreign(folder), key, identity, journal,
        start,
    )  # fmt: skip


def _foreign(folder: Path) -> tuple[EventRow, ...]:
    """The journal of a second till of the same shop."""
    second = make_template(folder / "second")
    kiosk = Kiosk(second.folder, second)
    for _ in range(12):
        kiosk.quote_and_sell()
    with kiosk.ctx.read() as conn:
        found = tuple(rows.events_after(conn, 0))
    kiosk.close()
    return found


# What is done -----------------------------------------------------------------------------------------


def edit(chance: random.Random, scene: Scene) -> Altered:
    """One column of one event, sometimes with its own hash made to fit."""
    at = chance.randrange(scene.last)
    row = scene.events[at]
    plain = decode(row.body)
    match chance.randrange(7):
        case 0:
            row = replace(row, body=_with(plain, at=plain["at"] + 1))
        case 1:
            body = _with(plain, bd=plain["bd"] + 1)
            row = replace(row, body=body, hash=chain(_before(scene, at), body))
        case 2:
            place = chance.randrange(len(row.body))
            flipped = bytearray(row.body)
            flipped[place] ^= 1 << chance.randrange(8)
            row = replace(row, body=bytes(flipped))
        case 3:
            row = replace(row, hash=chance.randbytes(32))
        case 4:
            row = replace(
                row, kind=chance.choice([k for k in ("sale", "void", "x") if k != row.kind])
            )
        case 5:
            row = replace(row, command_id=chance.randbytes(16))
        case _:
            row = replace(row, id=chance.randbytes(16))
    return Altered([*scene.events[:at], row, *scene.events[at + 1 :]], at + 1)


def delete(chance: random.Random, scene: Scene) -> Altered:
    """One event amid the others is gone; the rest stays, or closes the gap."""
    at = chance.randrange(scene.last - 1)
    left = [*scene.events[:at], *scene.events[at + 1 :]]
    if chance.random() < 0.5:
        left = _mended(scene, left, at)
    return Altered(left, at + 1)


def insert(chance: random.Random, scene: Scene) -> Altered:
    """An event that never was, amid the others or behind them, all numbers and hashes mended."""
    at = chance.randrange(scene.last)
    made = _invented(chance, scene.events[chance.randrange(scene.last)])
    return Altered(_mended(scene, [*scene.events[:at], made, *scene.events[at:]], at), at + 1)


def swap(chance: random.Random, scene: Scene) -> Altered:
    """Two events change places, with mended numbers and hashes or as they are."""
    one, other = sorted(chance.sample(range(scene.last), 2))
    moved = list(scene.events)
    moved[one], moved[other] = (
        replace(moved[other], seq=moved[one].seq),
        replace(moved[one], seq=moved[other].seq),
    )
    if chance.random() < 0.5:
        moved = _mended(scene, moved, one)
    return Altered(moved, one + 1)


def duplicate(chance: random.Random, scene: Scene) -> Altered:
    """A sale once more, under new ids in its columns, and perhaps in its bytes."""
    source = chance.randrange(scene.last)
    at = chance.randrange(source + 1, scene.last + 1) if source + 1 < scene.last else scene.last - 1
    row = scene.events[source]
    twin = replace(row, id=chance.randbytes(16), command_id=chance.randbytes(16))
    if chance.random() < 0.5:
        twin = _invented(chance, row)
    return Altered(_mended(scene, [*scene.events[:at], twin, *scene.events[at:]], at), at + 1)


def truncate(chance: random.Random, scene: Scene) -> Altered:
    """The last events are gone."""
    kept = chance.randrange(scene.last)
    return Altered(list(scene.events[:kept]), kept + 1, Verdict.TRUNCATED)


def rechain(chance: random.Random, scene: Scene) -> Altered:
    """A changed event, and every hash after it made to fit."""
    at = chance.randrange(scene.last)
    plain = decode(scene.events[at].body)
    row = replace(scene.events[at], body=_with(plain, bd=plain["bd"] - 1))
    return Altered(_mended(scene, [*scene.events[:at], row, *scene.events[at + 1 :]], at), at + 1)


def splice(chance: random.Random, scene: Scene) -> Altered:
    """From some event on, the journal of another till; its events renamed to this till or not."""
    at = chance.randrange(min(scene.last, len(scene.foreign)))
    count = chance.randrange(1, len(scene.foreign) - at + 1)
    taken = list(scene.foreign[at : at + count])
    if chance.random() < 0.5:
        device = scene.identity.device.hex()
        taken = [replace(row, body=_with(decode(row.body), device=device)) for row in taken]
    return Altered(
        _mended(scene, [*scene.events[:at], *taken, *scene.events[at + count :]], at), at + 1
    )


ALTERATIONS: Final[dict[str, Alteration]] = {
    "edit": edit,
    "delete": delete,
    "insert": insert,
    "swap": swap,
    "duplicate": duplicate,
    "truncate": truncate,
    "rechain": rechain,
    "splice": splice,
}


def _before(scene: Scene, at: int) -> bytes:
    return scene.events[at - 1].hash if at else scene.identity.start


def _with(plain: dict[str, Any], **changed: Any) -> bytes:
    return encode({**plain, **changed})


def _invented(chance: random.Random, row: EventRow) -> EventRow:
    one, other = chance.randbytes(16), chance.randbytes(16)
    body = _with(decode(row.body), id=one.hex(), cmd=other.hex())
    return replace(row, id=one, command_id=other, body=body)


def _mended(scene: Scene, events: list[EventRow], at: int) -> list[EventRow]:
    """From place `at` on: numbers without a gap, and hashes that fit."""
    previous = events[at - 1].hash if at else scene.identity.start
    mended = events[:at]
    for seq, row in enumerate(events[at:], at + 1):
        previous = chain(previous, row.body)
        mended.append(replace(row, seq=seq, hash=previous))
    return mended


# How it is looked at ------------------------------------------------------------------------------------


def evidence_of(chance: random.Random, scene: Scene) -> tuple[str, Evidence]:
    """The journal file, the start key, or both: each alone must find everything."""
    journal, start = Evidence(journal=scene.journal), Evidence(start_key=scene.start_key)
    both = Evidence(journal=scene.journal, start_key=scene.start_key)
    return chance.choice([("journal", journal), ("start key", start), ("both", both)])


def evidence_of_older(chance: random.Random, scene: Scene) -> tuple[str, Evidence, Verdict]:
    """Against an older state as a whole: each witness that lay outside the store."""
    seq = chance.randrange(scene.older_last + 1, scene.last + 1)
    head = scene.events[seq - 1].hash
    earlier = chance.randrange(1, scene.older_last + 1)
    good = Anchor(earlier, scene.events[earlier - 1].hash, chance.random() < 0.5)
    anchors = (good, Anchor(seq, head, False))
    signed = (good, Anchor(seq, head, True))
    return chance.choice([
        ("journal", Evidence(journal=scene.journal), Verdict.TRUNCATED),
        ("side file", Evidence(witness=Witness(seq, head, 0)), Verdict.TRUNCATED),
        ("checkpoints", Evidence(anchors=anchors), Verdict.TRUNCATED),
        ("head office", Evidence(anchors=signed), Verdict.GAP),
    ])  # fmt: skip


def one_round(name: str, chance: random.Random, scene: Scene, disk: Path) -> str:
    """Alter a copy of the store and look at it; "" when what is said is exact, else the difference."""
    path = disk / f"{name}-{os.getpid()}.db"
    if name == "older":
        held, evidence, verdict = evidence_of_older(chance, scene)
        path.write_bytes(scene.older)
        wanted = (int(verdict), scene.older_last + 1)
    else:
        held, evidence = evidence_of(chance, scene)
        altered = ALTERATIONS[name](chance, scene)
        path.write_bytes(scene.database)
        write_events(path, scene, altered.events)
        wanted = (int(altered.verdict), altered.first_bad)
    audit = look(path, scene, evidence)
    path.unlink()
    found = (audit.exit_code, audit.first.seq if audit.first else 0)
    return "" if found == wanted else f"{name} against the {held}: {found}, not {wanted}"


def look(path: Path, scene: Scene, evidence: Evidence) -> Audit:
    """Examine a file by a connection of its own."""
    conn = _open(path, scene)
    try:
        return examine(conn, scene.identity, evidence)
    finally:
        conn.close()


def _open(path: Path, scene: Scene) -> Connection:
    conn = dbapi2.connect(str(path), isolation_level=None)
    scene.key.unlock(conn)
    conn.execute("PRAGMA journal_mode=DELETE").fetchall()
    conn.execute("PRAGMA synchronous=OFF")
    return conn


def write_events(path: Path, scene: Scene, events: list[EventRow]) -> None:
    """Make the event table of a file this one; behind an end that was cut, mend what the key's row says."""
    conn = _open(path, scene)
    conn.execute("BEGIN")
    for name in ("event_no_update", "event_no_delete", "event_mac_no_delete"):
        conn.execute(f"DROP TRIGGER {name}")
    had = {row.seq: row for row in scene.events}
    changed = [row for row in events if had.get(row.seq) != row]
    gone = had.keys() - {row.seq for row in events}
    conn.executemany("DELETE FROM event WHERE seq = ?", [(s,) for s in gone])
    conn.executemany("DELETE FROM event WHERE seq = ?", [(row.seq,) for row in changed])
    for row in changed:
        rows.insert_event(conn, row)
    last = events[-1].seq if events else 0
    conn.execute("DELETE FROM event_mac WHERE seq > ?", (last,))
    conn.execute("UPDATE mac_key SET next_seq = ?", (last + 1,))
    conn.execute("COMMIT")
    conn.close()
