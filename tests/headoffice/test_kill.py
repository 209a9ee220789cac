"""A head office that is killed leaves a file that opens, with whole requests alone and all that it promised."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from tests.headoffice.killed_office import Kills
from tests.headoffice.office import Shop, opened

KILLS = 8


def test_after_kills_in_the_midst_of_commits_only_whole_requests_are_there(tmp_path: Path) -> None:
    kills = Kills(tmp_path / "office.db", random.Random(11))
    for seed in range(KILLS):
        kills.kill_one(seed)
    assert kills.kills == KILLS
    assert kills.inside, "no kill fell between a request's begin and the word that it is done"
    assert kills.requests > KILLS


@pytest.mark.parametrize(
    "cut",
    [
        "DELETE FROM ledger WHERE number = (SELECT max(number) FROM ledger)",
        "UPDATE feed_head SET head = head - 1",
        "UPDATE device SET seq = seq - 1",
    ],
)
def test_a_request_that_is_not_whole_would_be_seen(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "office.db"
    with opened(path) as store:
        shop = Shop(1)
        shop.enrol(store)
        for _ in range(3):
            shop.sell()
            shop.sync(store)
    kills = Kills(path, random.Random(1))
    kills.look(shop.at.device, shop.at.store.top())
    damage(path, cut)
    with pytest.raises(AssertionError):
        kills.look(shop.at.device, shop.at.store.top())


def damage(path: Path, statement: str) -> None:
    """Do to the file what the triggers forbid."""
    raw = sqlite3.connect(path)
    raw.execute("DROP TRIGGER ledger_is_kept")
    assert raw.execute(statement).rowcount > 0
    raw.commit()
    raw.close()
