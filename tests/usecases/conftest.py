"""A staffed shop, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.build import open_till
from tests.conftest import MadeStore
from tests.fakes import ZONE_MIN, Shop, SteppedClock
from tests.usecases.counter import Counter, make_counter, with_limits

LIMITS = {"redeem_points": 400, "return_minor": 20000, "void_minor": 20000}


@pytest.fixture(scope="session")
def made_counter(tmp_path_factory: pytest.TempPathFactory) -> tuple[MadeStore, bytes]:
    """(closed store, member) of a shop whose cashiers have low limits."""
    folder = tmp_path_factory.mktemp("staffed") / "store"
    made = make_counter(folder, with_limits(**LIMITS))
    made.shop.till.close()
    return MadeStore(folder, made.shop.keystore, made.shop.clock), made.member_id


@pytest.fixture
def counter(tmp_path: Path, made_counter: tuple[MadeStore, bytes]) -> Iterator[Counter]:
    """An open till on a copy of it."""
    made, member_id = made_counter
    folder = tmp_path / "store"
    shutil.copytree(made.folder, folder)
    clock = SteppedClock(made.clock.now)
    till = open_till(
        folder, find_keystore=lambda: made.keystore, clock=clock, offset_min=lambda: ZONE_MIN
    )
    opened = Counter(Shop(till, clock, made.keystore), member_id)
    yield opened
    opened.shop.till.close()
