"""Fixtures that many folders share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import MemoryKeystore, Shop, SteppedClock, make_shop


@pytest.fixture(autouse=True)
def _own_machine_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes the id of this installation into the user's own folder."""
    monkeypatch.setenv("REGULARS_MACHINE", str(tmp_path / "machine"))


@pytest.fixture(scope="session")
def made_store(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, MemoryKeystore, SteppedClock, Path]:
    """One store, made once a run and copied for each test: making keys costs half a second."""
    base = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_MACHINE", str(base / "machine"))
        made = make_shop(base / "store")
        made.till.close()
    return base / "store", made.keystore, made.clock, base / "machine"


@pytest.fixture
def shop(
    tmp_path: Path,
    made_store: tuple[Path, MemoryKeystore, SteppedClock, Path],
) -> Iterator[Shop]:
    """A till on a fresh copy of the made store, with a clock that stands."""
    source, keystore, clock, machine = made_store
    folder = tmp_path / "store"
    shutil.copytree(source, folder)
    shutil.copytree(machine, tmp_path / "machine")
    own = SteppedClock(clock.now)
    from app.build import open_till

    till = open_till(folder, find_keystore=lambda: keystore, clock=own, offset_min=lambda: 480)
    opened = Shop(till, own, keystore)
    yield opened
    opened.till.close()
