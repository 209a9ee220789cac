"""The idle work after a command: index, fold check, checkpoints, purge."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from app.domain.documents import LineRequest
from app.queries import search
from app.usecases import tidy as idle
from app.usecases.reprint import Reprint, reprint
from app.usecases.tidy import CARDS, fold_is_cached, purge_slips, remove_old_cards, tidy
from app.usecases.verify import verify
from db import rows, states, till
from tests.fakes import Shop
from tests.flows.test_counter_day import new_member, sale


def test_who_was_here_last_stands_first(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    first = new_member(ctx, session, "李敏", "13912346621")
    second = new_member(ctx, session, "李明", "13812346621")
    tidy(ctx)
    sale(ctx, session, first, LineRequest(5000))
    assert [hit.member_id for hit in search.search(ctx, "6621").hits] == [second, first]
    tidy(ctx)
    assert [hit.member_id for hit in search.search(ctx, "6621").hits] == [first, second]


def test_a_cache_that_is_not_the_fold_is_found_and_noted(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sale(ctx, session, member, LineRequest(5000))
    assert tidy(ctx) == ()
    sale(ctx, session, member, LineRequest(5000))
    with ctx.write_rows() as conn:
        conn.execute("UPDATE lot SET remaining = remaining + 1 WHERE member_id = ?", (member,))
    assert tidy(ctx) == (member,)
    assert tidy(ctx) == (), "asked once"


def test_a_long_ledger_folds_from_a_checkpoint_to_the_same_state(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    monkeypatch.setattr(idle, "CHECKPOINT_ENTRIES", 10)
    for n in range(8):
        sale(ctx, session, member, LineRequest(60000 + n), redeem=500 if n > 4 else 0)
        assert fold_is_cached(ctx, member)
    with ctx.read() as conn:
        kept = states.checkpoint(conn, member)
    assert kept is not None
    assert kept[0] > 0
    assert verify(ctx).findings == []


def test_slips_go_after_their_time_printed_or_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "_PURGED_AT_ONCE", 2)
    ctx, session = shop.till.context, shop.start()
    for _ in range(5):
        sale(ctx, session, None, LineRequest(5000))
    with ctx.write_rows() as conn:
        first = till.waiting_jobs(conn)[0]
        till.set_job_state(conn, first.id, state="printed", problem=None, attempt=False)
    shop.clock.step(days=34)
    young = sale(ctx, session, None, LineRequest(5000)).event_id
    assert purge_slips(ctx) == 0
    shop.clock.step(days=2)
    assert purge_slips(ctx) == 5
    with ctx.read() as conn:
        (left,) = till.waiting_jobs(conn)
        event = rows.event_by_id(conn, young)
    assert event is not None
    assert left.seq == event.seq


def test_a_slip_that_is_gone_can_still_be_had_as_a_copy(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    sold = sale(ctx, session, None, LineRequest(5000)).event_id
    shop.clock.step(days=36)
    purge_slips(ctx)
    reprint(ctx, Reprint(ctx.ids(), session, sold, "lost"))
    with ctx.read() as conn:
        assert [job.copy_no for job in till.waiting_jobs(conn)] == [1]


def test_copies_are_counted_on_once_the_slips_are_gone(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    sold = sale(ctx, session, None, LineRequest(5000)).event_id
    for expected in (1, 2, 3):
        assert reprint(ctx, Reprint(ctx.ids(), session, sold, "lost")).result == expected
        shop.clock.step(days=36)
        assert purge_slips(ctx)


def test_the_log_is_moved_into_the_file_between_commands(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    wal = shop.till.folder / "regulars.db-wal"
    sizes = []
    for _ in range(60):
        sale(ctx, session, None, LineRequest(5000))
        tidy(ctx)
        sizes.append(wal.stat().st_size)
    assert max(sizes[30:]) <= max(sizes[:30]), "the log grows without end"


def test_a_card_page_goes_after_a_day(shop: Shop) -> None:
    ctx = shop.till.context
    folder = ctx.folder / CARDS
    folder.mkdir()
    old, young, other = (folder / name for name in ("card-1.pdf", "card-2.pdf", "notes.txt"))
    for path, hours in ((old, 25), (young, 23), (other, 99)):
        path.touch()
        at = (ctx.clock() - timedelta(hours=hours)).timestamp()
        os.utime(path, (at, at))
    remove_old_cards(ctx)
    assert sorted(path.name for path in folder.iterdir()) == ["card-2.pdf", "notes.txt"]
