"""A real encrypted store in a temporary folder for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import Store, StoreKey

KEY = StoreKey(bytes(range(32)), bytes(range(100, 116)))


@pytest.fixture
def key() -> StoreKey:
    return KEY


@pytest.fixture
def store(tmp_path: Path, key: StoreKey) -> Iterator[Store]:
    opened = Store.create(tmp_path / "store.db", key)
    yield opened
    opened.close()
