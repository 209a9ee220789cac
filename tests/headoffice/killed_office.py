"""A head office that serves pushes until it is killed: `python -m tests.headoffice.killed_office FILE SEED`.

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
from headoffice.store.sqlite import SqliteStore
from tests.headoffice.office import BUCKET, Shop, connected, opened

EVENTS: Final = 3
"""Of each request."""


def serve(path: Path, seed: int) -> None:
    """Requests of one till without an end."""
    shop = Shop(seed)
    with opened(path) as store:
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

    def __init__(self, path: Path, rng: random.Random) -> None:
        self._path, self._rng = path, rng
        self.kills = self.inside = self.undone = self.requests = 0
        self._pushed: dict[bytes, int] = {}

    def kill_one(self, seed: int) -> None:
        """Start a process, kill it while it serves, and look at what is left. Raises AssertionError."""
        command = [
            sys.executable,
            "-m",
            "tests.headoffice.killed_office",
            str(self._path),
            str(seed),
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
        """Whether the file is sound and holds what was promised to this device and the ones before."""
        with connected(self._path) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
            links, events, entries = raw.execute(
                "SELECT (SELECT count(*) FROM link), (SELECT count(*) FROM event), "
                "(SELECT count(*) FROM ledger)"
            ).fetchone()
        with opened(self._path) as store, store.reading():
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


def _same_sums(store: SqliteStore) -> None:
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
    serve(Path(sys.argv[1]), int(sys.argv[2]))
