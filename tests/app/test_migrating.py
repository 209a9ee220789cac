"""A store of an earlier schema, full of data, opens: a checked copy first, then every step, then as before."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.usecases.reprint import Reprint, reprint
from app.usecases.sign_in import SignIn, sign_in
from app.usecases.tidy import purge_slips
from app.usecases.verify import verify
from db import migrate, rows
from db.backup import Head, copy_into
from db.connection import Connection, Key, connect
from db.migrate import schema_version, shipped
from tests.app.kiosk import PIN, Kiosk
from tests.app.test_owner_postings import TO_SILVER, members_who_bought
from tests.app.test_verify import raw
from tests.db.golden_schema import GOLDEN, dump


def back_to(kiosk: Kiosk, schema: int) -> None:
    """Undo every later step by hand, newest first: what they add has one statement each."""
    later = "".join(step.sql for step in shipped()[schema:])
    with raw(kiosk, without=re.findall(r"CREATE TRIGGER (\w+)", later)) as conn:
        for step in reversed(shipped()[schema:]):
            for sql in reversed(list(migrate.statements(step.sql))):
                _undo(conn, re.sub(r"--[^\n]*", "", sql).strip())
            conn.execute("DELETE FROM schema_step WHERE number = ?", (step.number,))


def _undo(conn: Connection, sql: str) -> None:
    added = re.match(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", sql)
    if added:
        conn.execute(f"ALTER TABLE {added[1]} DROP COLUMN {added[2]}")
    dropped = re.match(r"ALTER TABLE (\w+) DROP COLUMN (\w+)", sql)
    if dropped:
        was = re.search(rf"^ +({dropped[2]} [^,]+),", shipped()[0].sql, re.MULTILINE)
        assert was, f"the first schema has no {dropped[2]}"
        conn.execute(f"ALTER TABLE {dropped[1]} ADD COLUMN {was[1]}")
    gone = re.match(r"DROP INDEX (\w+)", sql)
    if gone:
        earlier = "".join(step.sql for step in shipped())
        found = re.search(rf"CREATE (?:UNIQUE )?INDEX {gone[1]} [^;]+", earlier)
        assert found, f"no step made {gone[1]}"
        conn.execute(found[0])
    made = re.match(r"CREATE (?:UNIQUE )?(TABLE|INDEX|VIEW) (\w+)", sql)
    if made:
        conn.execute(f"DROP {made[1]} {made[2]}")


@pytest.fixture
def old(kiosk: Kiosk) -> Kiosk:
    """A closed till of the first schema with sales, tiers, returns and voids in it."""
    kiosk.busy_morning()
    members_who_bought(kiosk, 2, TO_SILVER)
    back_to(kiosk, 1)
    return kiosk


def test_every_figure_is_there_after_all_steps_and_derived_as_if_it_were_new(old: Kiosk) -> None:
    old.open()
    with old.ctx.read() as conn:
        assert schema_version(conn) == len(shipped())
        found = conn.execute("SELECT count(*) FROM member_state WHERE tier_until > 0").fetchone()
    assert found == (2,)
    assert verify(old.ctx).findings == []


@pytest.mark.parametrize("schema", range(1, len(shipped())))
def test_a_store_of_any_earlier_schema_comes_to_the_same_one(kiosk: Kiosk, schema: int) -> None:
    kiosk.busy_morning()
    events = kiosk.events()
    back_to(kiosk, schema)
    kiosk.open()
    assert dump(kiosk.ctx.store) == GOLDEN.read_text("utf-8")
    assert kiosk.events() == events
    assert verify(kiosk.ctx).findings == []
    with kiosk.ctx.read() as conn:
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    kiosk.quote_and_sell()


@pytest.mark.parametrize("purged", [False, True])
def test_copies_that_were_made_before_the_steps_are_counted_on(
    kiosk: Kiosk, *, purged: bool
) -> None:
    sold = kiosk.quote_and_sell().result.event_id
    again = partial(Reprint, session=kiosk.session, event_id=sold, reason="lost")
    for _ in range(2):
        reprint(kiosk.ctx, again(kiosk.ctx.ids()))
    if purged:
        kiosk.clock.now += timedelta(days=36)
        assert purge_slips(kiosk.ctx)
    back_to(kiosk, 9)
    kiosk.open()
    assert reprint(kiosk.ctx, again(kiosk.ctx.ids())).result == 3


def test_whoever_was_shut_out_before_the_steps_still_is(kiosk: Kiosk) -> None:
    back_to(kiosk, 1)
    with raw(kiosk) as conn:
        conn.execute("UPDATE staff SET failures = 10, locked_until_us = ?", (1 << 62,))
    kiosk.open()
    with pytest.raises(Refused) as refused:
        sign_in(kiosk.ctx, SignIn(kiosk.ctx.ids(), "lx", PIN))
    assert refused.value.code is Refusal.PIN_BLOCKED


def test_a_copy_of_the_store_as_it_was_lies_beside_it(old: Kiosk) -> None:
    old.open()
    copy = old.folder / "regulars.db.schema-1"
    conn = connect(copy, old.ctx.store.key, cache_kib=1024, writer=False)
    try:
        assert schema_version(conn) == 1
        assert rows.head(conn) == (old.events()[-1].seq, old.events()[-1].hash)
    finally:
        conn.close()


def another_event(path: Path, key: Key, target: Path, *watched: object) -> Head:
    """A copy that does not end where the store ends."""
    seq, _ = copy_into(path, key, target)
    return seq, bytes(32)


def test_without_a_sound_copy_nothing_is_changed(
    old: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = old.database.read_bytes()
    monkeypatch.setattr("app.upgrading.copy_into", another_event)
    with pytest.raises(Unavailable) as caught:
        old.open()
    assert caught.value.code is Outage.STORE_DAMAGED
    assert old.database.read_bytes() == before
    assert not (old.folder / "regulars.db.schema-1").exists()


def test_a_copy_that_a_crash_left_half_is_made_anew(old: Kiosk) -> None:
    half = old.folder / ".regulars.db.schema-1.new"
    half.write_bytes(b"half")
    old.open()
    assert not half.exists()
    assert (old.folder / "regulars.db.schema-1").stat().st_size > 4096
