"""What the drawer and a shift refuse, one look at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.context import Session
from app.domain.errors import Refusal
from app.usecases.cash_move import MOST_MINOR, MoveCash, move_cash
from app.usecases.close_shift import close_shift
from app.usecases.count import count_drawer
from app.usecases.drawer import OpenDrawer, open_drawer
from app.usecases.open_shift import OpenShift, open_shift
from tests.app.drawer_acts import FLOAT, closing, counting, refusal
from tests.fakes import Shop


@pytest.fixture
def session(shop: Shop) -> Session:
    return shop.start(float_minor=FLOAT)


def test_only_the_open_shift_is_counted_and_closed(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    other = replace(session, shift_id=bytes(16))
    assert refusal(count_drawer, ctx, counting(shop, other, FLOAT)) is Refusal.SHIFT_NEEDED
    count_drawer(ctx, counting(shop, session, FLOAT))
    assert refusal(close_shift, ctx, closing(shop, other)) is Refusal.SHIFT_NEEDED


def test_the_drawer_opens_for_no_reason_of_ones_own_making(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    assert refusal(open_drawer, ctx, OpenDrawer(ctx.ids(), session, "why not")) is (
        Refusal.REASON_NEEDED
    )


def test_a_shift_that_nobody_counted_ends_for_no_reason_of_ones_own_making(
    shop: Shop, session: Session
) -> None:
    ctx = shop.till.context
    assert refusal(close_shift, ctx, closing(shop, session, "tired")) is Refusal.REASON_NEEDED


def test_no_move_is_larger_than_any_drawer(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    command = MoveCash(ctx.ids(), session, "in", MOST_MINOR + 1, "other")
    assert refusal(move_cash, ctx, command) is Refusal.CASH_AMOUNT_NEEDED


def test_who_only_reads_ends_no_shift(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    count_drawer(ctx, counting(shop, session, FLOAT))
    with ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET role = 'auditor' WHERE id = ?", (session.staff_id,))
    assert refusal(close_shift, ctx, closing(shop, session)) is Refusal.NOT_ALLOWED


def test_no_shift_opens_by_a_clock_that_is_behind_the_last_event(
    shop: Shop, session: Session
) -> None:
    ctx = shop.till.context
    count_drawer(ctx, counting(shop, session, FLOAT))
    close_shift(ctx, closing(shop, session))
    shop.clock.now -= timedelta(minutes=5)
    opening = OpenShift(ctx.ids(), session, 0)
    assert refusal(open_shift, ctx, opening) is Refusal.CLOCK_BEHIND
