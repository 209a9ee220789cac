"""The right to a restore that a till makes by itself: only one that may hold rights has it."""

from __future__ import annotations

import pytest

from app.protocol.facts import LOCAL
from app.protocol.overlay import own_right
from app.protocol.till_store import Control, Settling
from tests.sim.till_memory import MemoryTillStore

OF_ITS_CHAIN = Control(b"t" * 16, b"d" * 16, ("north",), 1)


def test_a_till_of_its_chain_has_it_and_one_of_its_own_has_none() -> None:
    assert own_right(MemoryTillStore(OF_ITS_CHAIN)) == LOCAL
    assert own_right(None) is None


@pytest.mark.parametrize(
    "control",
    [
        OF_ITS_CHAIN._replace(nonce=b"n" * 16),
        OF_ITS_CHAIN._replace(revoked=True),
        OF_ITS_CHAIN._replace(settling=Settling(True, 3, 0)),
        OF_ITS_CHAIN._replace(settling=Settling(False, 3, 0)),
    ],
    ids=["asks for its place anew", "shut out", "places old events", "tells old fields"],
)
def test_who_may_hold_no_rights_has_none(control: Control) -> None:
    assert own_right(MemoryTillStore(control)) is None
