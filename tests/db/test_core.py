"""Composed questions: SQLAlchemy's select() on the store's own connection."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from sqlalchemy import select

from db import journal
from db.core import rows
from db.engine import Store
from db.migrate import migrate
from db.tables import METADATA, event


def test_every_declared_column_is_in_the_schema(store: Store) -> None:
    migrate(store, before=lambda found, wanted: None)
    with store.read() as conn:
        for table in METADATA.sorted_tables:
            real = {row[1] for row in conn.execute(f"PRAGMA table_info({table.name})")}
            assert {column.name for column in table.columns} <= real, table.name


def test_values_are_bound_in_the_order_of_the_text(store: Store) -> None:
    migrate(store, before=lambda found, wanted: None)
    with store.write() as conn:
        for seq, kind in enumerate(("sale", "void", "'; --", "sale"), 1):
            conn.execute(
                "INSERT INTO event VALUES (?, 0, ?, ?, ?, ?, ?)",
                (seq, seq.to_bytes(16, "big"), seq.to_bytes(16, "little"), kind, b"{}", bytes(32)),
            )
    asked = (
        select(event.c.seq)
        .where(event.c.seq > 1, event.c.kind.in_(["sale", "'; --"]), event.c.seq < 9)
        .order_by(event.c.seq)
        .limit(5)
    )
    with store.read() as conn:
        assert [row[0] for row in rows(conn, asked)] == [3, 4]


def test_a_span_of_dates_found_by_the_figures_loses_no_event(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dates rise with the numbers, but a day's last events lie among the next day's."""
    monkeypatch.setattr(journal, "STRETCH", 17)
    monkeypatch.setattr(journal, "SHIFT_DAYS", 1)
    migrate(store, before=lambda found, wanted: None)
    chance = random.Random(5)
    dates = {seq: seq // 10 + (chance.random() < 0.3) for seq in range(1, 200)}
    with store.write() as conn:
        for seq, date in dates.items():
            body = f'{{"bd":{date}}}'.encode()
            key = seq.to_bytes(16, "big")
            conn.execute(
                "INSERT INTO event VALUES (?, 0, ?, ?, 'sale', ?, ?)",
                (seq, key, key, body, bytes(32)),
            )
            if chance.random() < 0.4:
                conn.execute(
                    "INSERT INTO event_figures VALUES"
                    " (?, ?, 'sale', NULL, ?, 0, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0)",
                    (seq, key, date),
                )
    with store.read() as conn:
        for since in range(0, 22, 3):
            asked = journal.EventFilter(since=since, until=since + 2)
            found, before = [], 1 << 62
            while before:
                more, before = journal.stretch(conn, asked, before=before, most=7)
                found += [row.seq for row in more]
            wanted = [seq for seq, date in dates.items() if since <= date <= since + 2]
            assert found == wanted[::-1]


def test_the_counter_starts_without_sqlalchemy() -> None:
    code = "import sys, ui.shell, ui.window; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
