"""A small day at the till, run under strace: `python -m tests.faults.recorded_day PLAN`.

PLAN is a JSON file: folder, keys of the key store, staff, shift and member, and the sabotage ("", "normal",
"no journal sync" or both). Every acknowledgement is a line in the file `acks` beside the store.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlcipher3.dbapi2 import Connection

from app import spool
from app.build import Till
from app.context import Session
from app.usecases.enrol import ProfileInput
from app.usecases.keep_cart import CartLine, OpenCart, keep_cart
from db import connection
from tests.app.kiosk import Kiosk, Template
from tests.keys.conftest import FakeKeystore

SALES = 24


def main(plan_path: Path) -> None:
    plan = json.loads(plan_path.read_text(encoding="utf-8"))
    folder = Path(plan["folder"])
    keystore = FakeKeystore()
    keystore.keys = {name: bytes.fromhex(key) for name, key in plan["keys"].items()}
    session = Session(bytes.fromhex(plan["staff"]), bytes.fromhex(plan["shift"]))
    if "normal" in plan["sabotage"]:
        _relax_commits()
    if "no journal sync" in plan["sabotage"]:
        _skip_journal_syncs()
    acks = os.open(folder.with_name("acks"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    kiosk = Kiosk(folder, Template(folder, keystore, session, bytes.fromhex(plan["member"])))
    for number in range(1, SALES + 1):
        _one_customer(kiosk, acks, number)
    kiosk.close()


def _one_customer(kiosk: Kiosk, acks: int, number: int) -> None:
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(1000 + number),)))
    sold = kiosk.quote_and_sell(1000 + number, member=number % 4 != 0).result
    _say(acks, "event", sold.seq, sold.event_id.hex())
    if number % 5 == 0:
        back = kiosk.take_back(sold.event_id).result
        _say(acks, "event", sold.seq + 1, back.event_id.hex())
    if number % 7 == 0:
        phone = f"139{number:08d}"
        kiosk.enrol(ProfileInput(f"客人{number}", phone))
        _say(acks, "member", f"+86{phone}")
    _print_all(kiosk.till)
    if number == 6:
        kiosk.ctx.store.checkpoint_passive()
    if number == 10:
        kiosk.clock.now += timedelta(days=1)  # the journal goes on in a new file
    if number == 13:
        kiosk.ctx.store.checkpoint_truncate()
    if number == 18:
        kiosk.reopen()


def _print_all(till: Till) -> None:
    ctx = till.context
    while (job := spool.claim(ctx)) is not None:
        spool.settle(ctx, spool.deliver(job, ctx.settings.receipt))


def _say(acks: int, *words: object) -> None:
    os.write(acks, " ".join(map(str, words)).encode() + b"\n")


def _relax_commits() -> None:
    """Sabotage: a commit returns before it is on disk."""
    sound: Callable[..., None] = connection._set_pragmas

    def relaxed(raw: Connection, *, cache_kib: int, writer: bool) -> None:
        sound(raw, cache_kib=cache_kib, writer=writer)
        raw.execute("PRAGMA synchronous=NORMAL")

    connection._set_pragmas = relaxed


def _skip_journal_syncs() -> None:
    """Sabotage: the journal file is appended and never synced."""
    sound = os.fsync

    def careless(handle: int) -> None:
        if not os.readlink(f"/proc/self/fd/{handle}").endswith(".rjl"):
            sound(handle)

    os.fsync = careless  # type: ignore[assignment]  # a plain handle is all that the product gives it


def plan_for(folder: Path, template: Template, sabotage: str) -> Path:
    """The plan file of a run on a copy of the template's store."""
    plan = {
        "folder": str(folder),
        "keys": {name: key.hex() for name, key in template.keystore.keys.items()},
        "staff": template.session.staff_id.hex(),
        "shift": dataclasses.asdict(template.session)["shift_id"].hex(),
        "member": template.member_id.hex(),
        "sabotage": sabotage,
    }
    path = folder.with_name("plan.json")
    path.write_text(json.dumps(plan), encoding="utf-8")
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]))
