"""A head office that is killed leaves a file that opens, with whole requests alone and all that it promised."""

from __future__ import annotations

import random

import pytest

from tests.headoffice.killed_office import Kills
from tests.headoffice.office import Database, Shop

KILLS = 8


def test_after_kills_in_the_midst_of_commits_only_whole_requests_are_there(
    office: Database,
) -> None:
    kills = Kills(office, random.Random(11))
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
def test_a_request_that_is_not_whole_would_be_seen(office: Database, cut: str) -> None:
    with office.opened() as store:
        shop = Shop(1)
        shop.enrol(store)
        for _ in range(3):
            shop.sell()
            shop.sync(store)
    kills = Kills(office, random.Random(1))
    kills.look(shop.at.device, shop.at.store.top())
    assert office.damage(cut) > 0
    with pytest.raises(AssertionError):
        kills.look(shop.at.device, shop.at.store.top())
