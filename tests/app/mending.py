"""What tests do to a kiosk's files and rows, and what they ask of it afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.usecases.verify import verify
from db.connection import Connection
from tests.app.kiosk import (
    Kiosk,
)


def codes(kiosk: Kiosk) -> list[str]:
    return [code for code, _ in kiosk.till.findings.found]


def lose_log(kiosk: Kiosk) -> None:
    """The till stops, and the database's write-ahead log is gone."""
    kiosk.crash()
    kiosk.log.unlink()


def assert_sound(kiosk: Kiosk) -> None:
    assert [finding.what for finding in verify(kiosk.ctx).findings] == []


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def record_starts(kiosk: Kiosk, path: Path, number: int) -> list[int]:
    sealer = kiosk.ctx.journal._sealer
    return [found[0] for found in sealer.records(path.read_bytes(), number)]


def sell_for_days(kiosk: Kiosk, days: int) -> None:
    for _ in range(days):
        kiosk.quote_and_sell()
        kiosk.quote_and_sell()
        kiosk.clock.now += timedelta(days=1)


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_missing_file_is_found_and_written_anew_with_what_it_held(
    kiosk: Kiosk, gone: int
) -> None:
    sell_for_days(kiosk, 4)
    files = kiosk.journal_files()
    before = {path: kiosk.ctx.journal.read(path) for path in files}
    kiosk.crash()
    files[gone - 1].unlink()
    kiosk.open()
    assert ("journal_file_missing", {"number": gone}) in kiosk.till.findings.found
    assert [kiosk.ctx.journal.read(path) for path in kiosk.journal_files()] == list(before.values())
    kiosk.reopen()
    assert kiosk.till.findings.found == []
    assert_sound(kiosk)


@contextlib.contextmanager
def without_triggers(kiosk: Kiosk) -> Iterator[Connection]:
    """The open store, where nothing keeps anybody from altering it."""
    with kiosk.ctx.write_rows() as conn:
        named = conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in named:
            conn.execute(f"DROP TRIGGER {name}")
        conn.execute("PRAGMA defer_foreign_keys = ON")
        yield conn
