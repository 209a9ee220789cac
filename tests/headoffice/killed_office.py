"""A head office that serves pushes until it is killed: `python -m tests.headoffice.killed_office SEED PLACE…`,
PLACE a file of SQLite or the two connection strings of OnPostgres.

It says `begin N` before each request's transaction and `done N` after the commit; N: the events that the till
will then have pushed. Kills and what must be left of them: `Kills`.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from app.domain.fold import fold
from app.domain.state import EMPTY
from headoffice.store.records import Records
from tests.headoffice.office import BUCKET, Database, OnPostgres, OnSqlite, Shop

EVENTS: Final = 3
"""Of each request."""


def serve(database: Database, seed: int) -> None:
    """Requests of one till without an end."""
    shop = Shop(seed)
    with database.opened() as store:
        shop.enrol(store)
        shop.sync(store)
        number = 0
        while True:
            number += EVENTS
            shop.sell(EVENTS)
            print("begin", number, flush=True)
            shop.sync(store)
            print("done", number, flush=True)


class Kills:
    """Kills of such processes, one store for all of them."""

    def __init__(self, database: Database, rng: random.Random) -> None:
        self._database, self._rng = database, rng
        self.kills = self.inside = self.undone = self.requests = 0
        self._pushed: dict[bytes, int] = {}

    def kill_one(self, seed: int) -> None:
        """Start a process, kill it while it serves, and look at what is left. Raises AssertionError."""
        command = [
            sys.executable,
            "-m",
            "tests.headoffice.killed_office",
            str(seed),
            *self._database.place,
        ]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        try:
            for _ in range(self._rng.randint(1, 12)):
                line = child.stdout.readline()
            time.sleep(self._rng.random() * 0.004)
        finally:
            child.kill()
        lines = [line, *child.stdout.read().splitlines()]
        child.stdout.close()
        assert child.wait() != 0
        whole = [line for line in lines if len(line.split()) == 2]
        word, number = whole[-1].split()
        promised = int(number) - (EVENTS if word == "begin" else 0)
        self.kills += 1
        self.inside += word == "begin"
        self.requests += promised // EVENTS
        self.look(Shop(seed).at.device, promised)

    def look(self, device: bytes, promised: int) -> None:
        """Whether the store is sound and holds what was promised to this device and the ones before."""
        self._database.check()
        links, events, entries = (
            len(self._database.rows(table)) for table in ("link", "event", "ledger")
        )
        with self._database.opened() as store, store.reading():
            known = store.device(device)
            assert known is not None
            # A commit that was never told may be there, whole; one that was told must be.
            assert known.place.seq in (promised, promised + EVENTS)
            self._pushed[device] = known.place.seq
            self.undone += known.place.seq == promised
            pushed = {each.id: each.place.seq for each in store.devices()}
            assert pushed == self._pushed
            assert links == events == entries == sum(pushed.values())
            _same_sums(store)


def _same_sums(store: Records) -> None:
    """States are their ledgers' folds, and feed numbers go up to the head."""
    feeds = []
    for member_id in store.members():
        member = store.member(member_id)
        assert member is not None
        assert member.state == fold(EMPTY, store.ledger(member_id))
        feeds.append(member.feed)
    assert len(set(feeds)) == len(feeds)
    assert max(feeds, default=0) == store.head(BUCKET)


if __name__ == "__main__":
    _, own_seed, *place = sys.argv
    on = OnSqlite(Path(place[0])) if len(place) == 1 else OnPostgres(*place)
    serve(on, int(own_seed))
