"""Kill -9 of the serving process while a till sends: what was acknowledged is there, and nothing twice."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import httpx
import pytest

from app.domain.fold import fold
from app.domain.state import EMPTY
from app.protocol.wire import SyncReply
from tests.headoffice.http_office import ANNA, HttpTill, begin_chain, code_for, opened, wait_for
from tests.headoffice.serving_process import Process

pytestmark = pytest.mark.usefixtures("each_store")

KILLS = 6


class Sender:
    """A till that sells and pushes without an end, until its head office is gone."""

    def __init__(self, till: HttpTill) -> None:
        self.till = till
        self.acknowledged = 0
        self._thread = threading.Thread(target=self._send)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _send(self) -> None:
        try:
            while True:
                self.till.earn(ANNA, 1, sales=3)
                reply = self.till.exchange()
                if isinstance(reply, SyncReply):
                    self.acknowledged = reply.have.seq
        except httpx.TransportError:
            return


def moved(till: HttpTill, url: str) -> HttpTill:
    """The same till, whose head office is at another port now."""
    again = HttpTill(url, till.seed)
    again.at, again.rng, again.server_key = till.at, till.rng, till.server_key
    till.client.close()
    return again


@pytest.mark.timeout(200)
def test_what_was_acknowledged_survives_kill_9_and_nothing_is_doubled(tmp_path: Path) -> None:
    rng = random.Random(3)
    begin_chain(tmp_path)
    at = Process(tmp_path)
    tills = [HttpTill(at.url, seed) for seed in (1, 2)]
    for till in tills:
        till.enrol(code_for(tmp_path, "North", f"till {till.seed}"))
    for _ in range(KILLS):
        senders = [Sender(till) for till in tills]
        for sender in senders:
            sender.start()
        wait_for(lambda: all(sender.acknowledged for sender in senders))  # noqa: B023  # now, not later
        time.sleep(rng.random() * 0.05)
        assert at.end(kill=True) != 0
        for sender in senders:
            sender.join()
        look(tmp_path, senders)
        at = Process(tmp_path)
        tills = [moved(till, at.url) for till in tills]
    for till in tills:
        till.sync()
        till.client.close()
    assert at.end() == 0
    with opened(tmp_path) as (store, _), store.reading():
        member = store.member(ANNA)
        assert member is not None
        sold = sum(till.at.store.top() for till in tills)
        closes = sum(device.place.seq for device in store.devices())
        earned = [entry for entry in store.ledger(ANNA) if entry.kind == "earn"]
    assert closes == sold, "each till's whole journal, once"
    assert member.state.balance() == len(earned) == sum(sales(till) for till in tills)


def sales(till: HttpTill) -> int:
    """How many sales a till has made."""
    store = till.at.store
    return sum(len(entries) for _, entries in store.own_entries(ANNA, 0))


def look(folder: Path, senders: list[Sender]) -> None:
    with opened(folder) as (store, _), store.reading():
        for sender in senders:
            device = store.device(sender.till.device)
            assert device is not None
            assert device.place.seq >= sender.acknowledged
        for member_id in store.members():
            member, ledger = store.member(member_id), store.ledger(member_id)
            assert member is not None
            assert member.state == fold(EMPTY, ledger)
            assert len({entry.id for entry in ledger}) == len(ledger)
