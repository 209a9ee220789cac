"""The counter's own tills and a serving head office, for tests of both together over real HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.sync import exchange, leasing_cards, looking_up, returns
from app.sync.exchange import Exchange
from app.sync.join import join
from tests.app.kiosk import (
    Kiosk,
    Template,
    kiosk,
    made_template,
    make_template,
    other_till,
    template,
)
from tests.headoffice.http_office import Served, begin_chain, code_for, served
from tests.headoffice.serving_process import DSN_FILE

__all__ = [
    "kiosk",
    "let_in",
    "lines",
    "made_template",
    "office",
    "second",
    "template",
    "till",
    "twin",
]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Served]:
    """A head office with a chain of two stores."""
    folder = tmp_path / "office"
    folder.mkdir()
    if (tmp_path / DSN_FILE).exists():  # conftest.each_store
        shutil.copyfile(tmp_path / DSN_FILE, folder / DSN_FILE)
    begin_chain(folder)
    with served(folder) as found:
        yield found


@pytest.fixture
def till(kiosk: Kiosk) -> Kiosk:
    """A till whose clock is right: head office answers no other."""
    kiosk.clock.now = datetime.now(UTC)
    return kiosk


@pytest.fixture
def second(template: Template, tmp_path: Path) -> Iterator[Kiosk]:
    """Another till."""
    found = other_till(template, tmp_path / "second")
    found.clock.now = datetime.now(UTC)
    yield found
    found.close()


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Kiosk]:
    """The first till of another shop, which gives out the same numbers."""
    found = make_template(tmp_path / "their", "01")
    twin = Kiosk(found.copy_to(tmp_path / "twin"), found)
    twin.clock.now = datetime.now(UTC)
    yield twin
    twin.close()


PATIENT_S = 30.0


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exchange]]:
    """Exchanges that are let go at the end. They wait for head office longer than a cashier would: what these
    tests are about is what it answers, and a busy machine takes longer than the counter's own limits. Those are
    tested where an answer is held back on purpose (tests/app)."""
    monkeypatch.setattr(exchange, "HOLD_WITHIN_S", PATIENT_S)
    monkeypatch.setattr(returns, "RETURN_WITHIN_S", PATIENT_S)
    monkeypatch.setattr(looking_up, "LOOK_WITHIN_S", PATIENT_S)
    monkeypatch.setattr(leasing_cards, "WITHIN_S", PATIENT_S)
    found: list[Exchange] = []
    yield found
    for each in found:
        each.close()


def let_in(
    till: Kiosk, office: Served, lines: list[Exchange], name: str = "till 1", shop: str = "North"
) -> Exchange:
    """The till joins the chain, and its exchange."""
    joined = join(till.ctx, office.url, code_for(office.folder, shop, name))
    assert (joined.store, joined.till) == (shop, name)
    found = Exchange(till.ctx)
    lines.append(found)
    return found
