"""Fixtures that many folders share."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from app.build import open_till
from tests.costs import lower
from tests.fakes import ZONE_MIN, MemoryKeystore, Shop, SteppedClock, make_shop
from tests.headoffice import ran as on_postgresql
from tests.headoffice.ran import pytest_sessionfinish as pytest_sessionfinish
from tests.sim import ran as simulated

_WINDOWS: Final = Path(__file__).parent / "ui"
_MEMORY: Final = Path("/dev/shm")
_ROOM_BYTES: Final = 2 << 30
_LONGEST: Final = ("tests/flows/test_tour.py", "tests/bench/test_bench.py")
"""Of a minute or so each."""


def pytest_configure() -> None:
    """Tests have their folders in memory where there is such a place: a third of their time was waiting for the
    disk, and none can see whether the disk has what was written (a process that is killed takes nothing with
    it; tests/faults/test_power_loss.py replays what was recorded)."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first: begun last, one of them would go on alone when all the others are done."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The windows' tests stop Python's collector (tests/ui/conftest.py). What is left of those ends here, in
    the thread that made it, before other tests begin threads."""
    if not gc.isenabled() and _WINDOWS not in item.path.parents:
        gc.collect()
        gc.enable()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What ran, which a quiet run would not show."""
    simulated.tell(terminalreporter)
    on_postgresql.tell(terminalreporter, config)


@pytest.fixture(scope="session", autouse=True)
def _own_machine_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test writes the id of this installation into the user's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_MACHINE", str(tmp_path_factory.mktemp("machine")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _cheap_argon2id() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        lower(patch)
        yield


@dataclass(frozen=True, slots=True)
class MadeStore:
    """A closed store, to be copied."""

    folder: Path
    keystore: MemoryKeystore
    clock: SteppedClock


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> MadeStore:
    """One store, made once a run and copied for each test: making keys costs half a second."""
    folder = tmp_path_factory.mktemp("made") / "store"
    made = make_shop(folder)
    made.till.close()
    return MadeStore(folder, made.keystore, made.clock)


@pytest.fixture
def shop(tmp_path: Path, made_store: MadeStore) -> Iterator[Shop]:
    """A till on a fresh copy of the made store, with a clock that is stepped."""
    folder = tmp_path / "store"
    shutil.copytree(made_store.folder, folder)
    clock = SteppedClock(made_store.clock.now)
    till = open_till(
        folder,
        find_keystore=lambda: made_store.keystore,
        clock=clock,
        offset_min=lambda: ZONE_MIN,
    )
    opened = Shop(till, clock, made_store.keystore)
    yield opened
    opened.till.close()
