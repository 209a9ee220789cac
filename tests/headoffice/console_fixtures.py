"""A chain that is served, and somebody of head office in its console, for tests of single pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.headoffice.console_browser import Person, signed_in
from tests.headoffice.http_office import Served, begin_chain, served


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Served]:
    """A head office with a chain."""
    begin_chain(tmp_path)
    with served(tmp_path) as made:
        yield made


@pytest.fixture
def anna(at: Served) -> Iterator[Person]:
    """Somebody of head office who has set a password."""
    with signed_in(at) as made:
        yield made


@pytest.fixture
def bela(at: Served) -> Iterator[Person]:
    """Somebody else of head office."""
    with signed_in(at, "BE") as made:
        yield made
