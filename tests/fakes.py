"""What tests may fake: the clock, ids, and a key store that answers at once. Everything else is real."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import resources
from app import keyslots
from app.build import NewItem, NewStaff, NewStore, Till, create_store, open_till
from app.context import Session
from app.queries import counter
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.sign_in import SignIn, sign_in
from db.till import ItemRow

PASSPHRASE = "correct horse battery staple"
PINS = {"lx": "135790", "wm": "246802", "zg": "975310"}
ZONE_MIN = 480


@dataclass(slots=True)
class SteppedClock:
    """A clock that stands until it is stepped. Starts on 2026-11-21 at 10:00 in China."""

    now: datetime = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def step(self, **by: int) -> None:
        """Move on, e.g. step(days=1, hours=2)."""
        self.now += timedelta(**by)


@dataclass(slots=True)
class MemoryKeystore:
    """A system key store that is always there."""

    kept: dict[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return "memory"

    def get(self, key_id: str) -> bytes:
        if key_id not in self.kept:
            raise keyslots.KeystoreUnavailable(keyslots.KeystoreUnavailable.EMPTY)
        return self.kept[key_id]

    def put(self, key_id: str, key: bytes) -> None:
        self.kept[key_id] = key


def demo_programme(**changes: Any) -> dict[str, Any]:
    """The demo programme as decoded JSON, with top-level keys replaced."""
    plain: dict[str, Any] = json.loads(resources.programme_path("demo.json").read_text("utf-8"))
    return {**plain, **changes}


def shop(programme: dict[str, Any] | None = None) -> NewStore:
    """A small shop: three staff, two items, a block of cards."""
    return NewStore(
        store="S1",
        till="01",
        programme=programme or demo_programme(),
        staff=(
            NewStaff("lx", "林晓", "cashier", PINS["lx"], badge="B100001"),
            NewStaff("wm", "王敏", "supervisor", PINS["wm"]),
            NewStaff("zg", "张国", "manager", PINS["zg"]),
        ),
        card_prefix="8800",
        items=(
            NewItem(
                item("乌龙茶", "Oolong tea", "茶 Tea", 2800, "wu long cha", "wlc", 1),
                ("6901234567892",),
            ),
            NewItem(
                item("拿铁", "Latte", "咖啡 Coffee", 3200, "na tie", "nt", 2), ("6901234567908",)
            ),
        ),
    )


def item(
    name: str, name_en: str, category: str, price: int, py: str, ini: str, number: int
) -> ItemRow:
    """An item of the catalogue."""
    return ItemRow(
        number.to_bytes(16, "big"),
        f"P{number:04d}",
        name,
        name_en,
        category,
        price,
        1,
        600,
        1,
        py,
        ini,
    )


@dataclass(slots=True)
class Shop:
    """An open till with its clock and key store, to be closed and opened again."""

    till: Till
    clock: SteppedClock
    keystore: MemoryKeystore

    def reopen(self) -> Till:
        """Close and open the store again, as after a quiet night."""
        self.till.close()
        return self.open()

    def open(self) -> Till:
        """Open the store without the passphrase."""
        self.till = open_till(
            self.till.folder,
            find_keystore=lambda: self.keystore,
            clock=self.clock,
            offset_min=lambda: ZONE_MIN,
        )
        return self.till

    def start(self, initials: str = "lx", float_minor: int = 50000) -> Session:
        """Sign in and open a shift; the manager signs for one that another day left open."""
        ctx = self.till.context
        left = counter.open_shift(ctx)
        if left is not None:
            manager = sign_in(ctx, SignIn(ctx.ids(), "zg", PINS["zg"])).result
            close_shift(ctx, CloseShift(ctx.ids(), manager, left.shift_id, "person_gone"))
        session = sign_in(ctx, SignIn(ctx.ids(), initials, PINS[initials])).result
        return open_shift(ctx, OpenShift(ctx.ids(), session, float_minor)).result


def make_shop(folder: Path, programme: dict[str, Any] | None = None) -> Shop:
    """Create a store in an empty folder."""
    clock, keystore = SteppedClock(), MemoryKeystore()
    till = create_store(
        folder,
        shop(programme),
        passphrase=PASSPHRASE,
        find_keystore=lambda: keystore,
        clock=clock,
        offset_min=lambda: ZONE_MIN,
    )
    return Shop(till, clock, keystore)
