"""`regulars demo-data`: a demo store with members and two years of history, made in one go.

It is filled under another name and takes its own when it is whole, so a half-made one is never
opened. Its passphrase and PINs are known to everybody: it is for looking and measuring only.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import resources
from app.build import DATABASE, NewStaff, NewStore, create_store, local_offset_min, now_utc
from app.commands import WRONG_USE, demo_people
from app.commands.console import bar, say_cannot
from app.commands.demo_history import History, Plan, Progress
from app.domain.business_day import BusinessDate, business_date_of
from app.domain.errors import Outage, Unavailable
from app.formats import number
from app.i18n import Words, mark
from app.ids import Uuid7
from app.keyslots import Keystore, KeystoreUnavailable
from app.protocol.events import micros
from app.settings import Settings, ShopTexts
from db import staff_rows

PASSPHRASE: Final = "tea for everybody, please"
STAFF: Final = (
    NewStaff("lx", "林晓", "cashier", "246810", badge="STAFF-0001"),
    NewStaff("wq", "王强", "supervisor", "135791", badge="STAFF-0002"),
    NewStaff("zm", "赵敏", "manager", "112358", badge="STAFF-0003"),
)
_ROLES: Final = {
    "cashier": mark("Cashier"),
    "supervisor": mark("Supervisor"),
    "manager": mark("Manager"),
}
CARD_PREFIX: Final = "8801"
DAYS: Final = 730
SEED: Final = 20261
# Above this many members, visits come closer together, so that fewer of them are in memory.
_CALM_MOST: Final = 100_000
_BYTES_PER_MEMBER: Final = 24_000


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Make the store that the command line names; returns the exit code."""
    if chosen.members < 1:
        say_cannot(chosen.command, words.say("--members needs a number above zero."))
        return WRONG_USE
    began = time.monotonic()
    make(chosen.store, members=chosen.members, progress=bar)
    size = sum(path.stat().st_size for path in chosen.store.rglob("*") if path.is_file())
    took = time.monotonic() - began
    print(
        words.say(
            "{members} members, {size} MB, in {seconds} s: {folder}",
            members=number(chosen.members), size=number(size // 1_000_000),
            seconds=number(round(took)), folder=chosen.store,
        )
    )  # fmt: skip
    print(words.say("Passphrase: {passphrase}", passphrase=PASSPHRASE))
    for person in STAFF:
        role = words.say(_ROLES[person.role])
        print(
            words.say(
                "{role}: {initials}, PIN {pin}", role=role, initials=person.initials, pin=person.pin
            )
        )
    return 0


def make(
    folder: Path,
    *,
    members: int,
    progress: Progress,
    days: int = DAYS,
    seed: int = SEED,
    now: datetime | None = None,
) -> None:
    """Make a demo store in `folder`, which must not hold one.

    History ends the day before `now`. Raises Unavailable: STORE_EXISTS; STORE_FULL when the volume
    has too little room for so many members (about 24 KB each, journal file included).
    """
    if (folder / DATABASE).exists():
        raise Unavailable(Outage.STORE_EXISTS, {"folder": folder.name})
    _require_room(folder, members)
    half = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    last = _yesterday(now or now_utc())
    _fill(half, last, members=members, days=days, seed=seed, progress=progress)
    if folder.exists():
        folder.rmdir()  # an empty one; anything in it is not ours to remove
    half.rename(folder)


def _fill(
    folder: Path, last: BusinessDate, *, members: int, days: int, seed: int, progress: Progress
) -> None:
    first = last.plus(1 - days)
    offset_min = local_offset_min()
    # The first events are of the evening before, so that time only goes forward in the journal.
    opening = datetime.fromisoformat(f"{first.plus(-1).iso()}T20:00:00+00:00")
    opening -= timedelta(minutes=offset_min)
    rng = random.Random(seed)  # noqa: S311  people are drawn with it, no secret is
    new_id = Uuid7(lambda: micros(opening), rng.randbytes)
    items = demo_people.catalogue(new_id)
    programme = json.loads(resources.programme_path("demo.json").read_text(encoding="utf-8"))
    till = create_store(
        folder,
        NewStore(
            store="S1",
            till="01",
            programme=programme,
            staff=STAFF,
            card_prefix=CARD_PREFIX,
            items=items,
            demo=True,
            settings=_settings(),
        ),
        passphrase=PASSPHRASE,
        find_keystore=no_keystore,
        clock=lambda: opening,
        offset_min=lambda: offset_min,
    )
    try:
        with till.context.read() as conn:
            found = [staff_rows.staff_by_initials(conn, person.initials) for person in STAFF]
        history = History(
            till.context,
            Plan(
                members=members,
                days=days,
                last=last,
                gap_days=45 if members <= _CALM_MOST else 15,
                card_prefix=CARD_PREFIX,
                staff=tuple(row.id for row in found if row is not None),
            ),
            demo_people.People(rng),
            demo_people.Carts(rng, [item.row for item in items]),
            seed,
        )
        history.write(progress)
    finally:
        till.close()


def no_keystore() -> Keystore:
    """A demo store asks for its passphrase: it leaves nothing in the system's key store."""
    raise KeystoreUnavailable(KeystoreUnavailable.NONE)


def _yesterday(now: datetime) -> BusinessDate:
    """The business date before now's, so that the day is still to be opened."""
    programme = json.loads(resources.programme_path("demo.json").read_text(encoding="utf-8"))
    today = business_date_of(
        now, offset_minutes=local_offset_min(), cut_off_minute=programme["cut_off_minute"]
    )
    return today.plus(-1)


def _require_room(folder: Path, members: int) -> None:
    near = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    needed = members * _BYTES_PER_MEMBER
    if shutil.disk_usage(near).free < needed:
        raise Unavailable(Outage.STORE_FULL, {"needed_mb": needed // 1_000_000})


def _settings() -> Settings:
    return Settings(
        shop=ShopTexts(
            name="常来茶铺",
            name_en="The Regulars Tea House",
            address="示范路 8 号 · 8 Sample Road",
            phone="021 5555 0100",
            footer="谢谢光临，欢迎再来",
            footer_en="Thank you, come again",
        )
    )
