"""The drawer on a real store: cash moved, counted once and blind, shifts closed and handed over."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app import posting
from app.context import Session
from app.domain.drawer import DrawerSums
from app.domain.errors import Refusal, Refused, Unavailable
from app.domain.rights import Right
from app.queries import counter, drawer
from app.usecases.approve import Approve, approve
from app.usecases.cash_move import MoveCash, move_cash
from app.usecases.close_day import end_shift_unattended
from app.usecases.close_shift import CloseShift, NextPerson, close_shift
from app.usecases.count import CountDrawer, count_drawer
from app.usecases.drawer import OpenDrawer, open_drawer
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.print_x import PrintX, print_x
from app.usecases.sign_in import SignIn, sign_in
from app.usecases.verify import verify
from app.usecases.void import preview_void
from db import drawer as drawer_rows
from db import rows
from tests.app.drawer_acts import (
    FLOAT,
    closing,
    counting,
    give_back,
    move,
    pieces,
    refusal,
    sale,
    slips,
    undo,
)
from tests.fakes import PINS, Shop


@pytest.fixture
def session(shop: Shop) -> Session:
    return shop.start(float_minor=FLOAT)


# What is expected -----------------------------------------------------------------------------------


def test_expected_cash_is_float_and_cash_net_of_change_and_refunds_and_moves(
    shop: Shop, session: Session
) -> None:
    sale(shop, session, 3_680, given=10_000)
    sale(shop, session, 8_800, "qr")
    back = sale(shop, session, 1_200)
    give_back(shop, session, back.event_id)
    undo(shop, session, sale(shop, session, 2_000).event_id)
    again = sale(shop, session, 700)
    undo(shop, session, give_back(shop, session, again.event_id))
    move(shop, session, "in", 10_000)
    move(shop, session, "out", 30_000, "bank")
    counted = count_drawer(shop.till.context, counting(shop, session, 30_000)).result
    sums = counted.sums
    assert sums.float_minor == FLOAT
    assert sums.sales_minor == 3_680 + 1_200 + 2_000 + 700
    assert sums.refunds_minor == 1_200 + 2_000
    assert (sums.paid_in_minor, sums.paid_out_minor) == (10_000, 30_000)
    assert sums.expected_minor == FLOAT + 3_680 + 700 + 10_000 - 30_000
    assert counted.difference_minor == 30_000 - sums.expected_minor


def test_the_cash_of_a_voided_return_is_in_the_drawer_again_once(
    shop: Shop, session: Session
) -> None:
    back = give_back(shop, session, sale(shop, session, 3_000).event_id)
    assert preview_void(shop.till.context, back)[0].refunds == (("cash", -3_000),)
    undo(shop, session, back)
    sums = count_drawer(shop.till.context, counting(shop, session, FLOAT + 3_000)).result.sums
    assert (sums.refunds_minor, sums.expected_minor) == (0, FLOAT + 3_000)
    assert verify(shop.till.context).findings == []


def test_the_refund_of_a_sale_by_card_takes_nothing_out_of_the_drawer(
    shop: Shop, session: Session
) -> None:
    give_back(shop, session, sale(shop, session, 1_200, "card").event_id)
    assert count_drawer(shop.till.context, counting(shop, session, FLOAT)).result.sums == (
        DrawerSums(float_minor=FLOAT)
    )


def test_the_same_count_sent_again_gives_the_first_outcome(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    command = counting(shop, session, FLOAT)
    first = count_drawer(ctx, command)
    changed_mind = replace(command, counted=pieces(FLOAT - 1_000))
    second = count_drawer(ctx, changed_mind)
    assert (second.again, second.result) == (True, first.result)


# Counted once -----------------------------------------------------------------------------------------


def test_a_second_count_is_impossible_for_anybody(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    count_drawer(ctx, counting(shop, session, FLOAT))
    manager = sign_in(ctx, SignIn(ctx.ids(), "zg", PINS["zg"])).result
    for person in (session, manager):
        assert refusal(count_drawer, ctx, counting(shop, person, FLOAT)) is Refusal.SHIFT_COUNTED


def test_the_store_itself_keeps_the_first_count(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    count_drawer(ctx, counting(shop, session, FLOAT))
    assert session.shift_id is not None
    with pytest.raises(Unavailable) as refused, ctx.write_rows() as conn:
        drawer_rows.set_counted(conn, session.shift_id, 1)
    assert "a shift is counted once" in str(refused.value.facts["why"])


def test_after_the_count_nothing_moves_the_cash_any_more(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    sold = sale(shop, session, 1_200)
    count_drawer(ctx, counting(shop, session, FLOAT))
    for attempt in (
        lambda: sale(shop, session, 100),
        lambda: give_back(shop, session, sold.event_id),
        lambda: undo(shop, session, sold.event_id),
        lambda: move(shop, session, "in", 100),
        lambda: open_drawer(ctx, OpenDrawer(ctx.ids(), session, "check")),
    ):
        assert refusal(attempt) is Refusal.SHIFT_COUNTED


@pytest.mark.parametrize(
    "counted", [((7, 1),), ((100, -1),), ((100, 1), (100, 1)), ((100, 100_000),), ((25, 4),)]
)
def test_a_count_that_no_drawer_can_hold_is_refused_and_nothing_is_kept(
    shop: Shop, session: Session, counted: tuple[tuple[int, int], ...]
) -> None:
    ctx = shop.till.context
    assert session.shift_id is not None
    command = CountDrawer(ctx.ids(), session, session.shift_id, counted)
    assert refusal(count_drawer, ctx, command) is Refusal.COUNT_INVALID
    sale(shop, session, 100)


# The end of a shift -------------------------------------------------------------------------------------


def test_a_shift_without_a_difference_closes_and_the_next_one_opens(
    shop: Shop, session: Session
) -> None:
    ctx = shop.till.context
    count_drawer(ctx, counting(shop, session, FLOAT))
    closed = close_shift(ctx, closing(shop, session)).result
    assert (closed.total_minor, closed.difference_minor) == (FLOAT, 0)
    assert counter.open_shift(ctx) is None
    open_shift(ctx, OpenShift(ctx.ids(), session, FLOAT))
    assert verify(ctx).findings == []


def test_a_small_difference_needs_a_reason_and_nobody_else(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    count_drawer(ctx, counting(shop, session, FLOAT - 1_000))
    assert refusal(close_shift, ctx, closing(shop, session)) is Refusal.REASON_NEEDED
    closed = close_shift(ctx, closing(shop, session, "wrong_change")).result
    assert closed.difference_minor == -1_000


@pytest.mark.parametrize("minor", [FLOAT - 1_010, FLOAT + 1_010])
def test_a_difference_above_the_limit_needs_a_second_person_who_sees_it(
    shop: Shop, session: Session, minor: int
) -> None:
    ctx = shop.till.context
    count_drawer(ctx, counting(shop, session, minor))
    command = closing(shop, session, "unknown")
    with pytest.raises(Refused) as refused:
        close_shift(ctx, command)
    assert refused.value.code is Refusal.APPROVAL_NEEDED
    ask = refused.value.offer
    assert ask.right is Right.CASH_DIFFERENCE  # type: ignore[attr-defined]  # an Ask
    assert ask.amount == minor - FLOAT  # type: ignore[attr-defined]  # an Ask
    approve(ctx, Approve(ask, "wm", PINS["wm"]))  # type: ignore[arg-type]  # an Ask
    assert close_shift(ctx, command).result.difference_minor == minor - FLOAT


def test_a_manager_alone_closes_over_any_difference_with_a_reason(
    shop: Shop, session: Session
) -> None:
    ctx = shop.till.context
    count_drawer(ctx, counting(shop, session, 0))
    manager = sign_in(ctx, SignIn(ctx.ids(), "zg", PINS["zg"])).result
    assert close_shift(ctx, closing(shop, manager, "other")).result.difference_minor == -FLOAT


def test_a_shift_that_nobody_counted_is_signed_for_by_a_manager(
    shop: Shop, session: Session
) -> None:
    ctx = shop.till.context
    sale(shop, session, 1_230)
    with pytest.raises(Refused) as refused:
        close_shift(ctx, closing(shop, session, "power_cut"))
    assert refused.value.code is Refusal.APPROVAL_NEEDED
    assert refused.value.offer.amount == 0  # type: ignore[attr-defined]  # an Ask
    manager = sign_in(ctx, SignIn(ctx.ids(), "zg", PINS["zg"])).result
    closed = close_shift(ctx, closing(shop, manager, "power_cut")).result
    assert (closed.total_minor, closed.sums.expected_minor) == (None, FLOAT + 1_230)


def test_a_shift_of_yesterday_is_closed_before_a_new_one_opens(
    shop: Shop, session: Session
) -> None:
    ctx = shop.till.context
    opening = OpenShift(ctx.ids(), session, FLOAT)
    assert refusal(open_shift, ctx, opening) is Refusal.SHIFT_OPEN
    shop.clock.step(days=1)
    assert refusal(open_shift, ctx, opening) is Refusal.SHIFT_UNCLOSED
    count_drawer(ctx, counting(shop, session, FLOAT))
    assert refusal(open_shift, ctx, opening) is Refusal.SHIFT_UNCLOSED
    close_shift(ctx, closing(shop, session))
    assert open_shift(ctx, opening).result.shift_id != session.shift_id


def test_a_till_that_closes_by_itself_keeps_a_count_that_was_made(
    shop: Shop, session: Session
) -> None:
    ctx = shop.till.context
    on = ctx.business_date()
    count_drawer(ctx, counting(shop, session, FLOAT - 700))
    shop.clock.step(days=1)
    assert end_shift_unattended(ctx, on)
    (row,) = drawer.shifts_on(ctx, on)
    assert row.count is not None
    assert (row.count.difference_minor, row.reason) == (-700, "unattended")
    assert verify(ctx).findings == []


def test_who_takes_over_signs_with_their_own_pin(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    count_drawer(ctx, counting(shop, session, FLOAT))
    assert session.shift_id is not None

    def handing(who: str, pin: str) -> CloseShift:
        assert session.shift_id is not None
        return CloseShift(ctx.ids(), session, session.shift_id, "", NextPerson(who, pin))

    assert refusal(close_shift, ctx, handing("wm", PINS["lx"])) is Refusal.PIN_WRONG
    assert refusal(close_shift, ctx, handing("lx", PINS["lx"])) is Refusal.APPROVAL_OWN
    closed = close_shift(ctx, handing("wm", PINS["wm"])).result
    next_person = counter.staff(ctx, closed.to or b"")
    assert next_person is not None
    assert next_person.initials == "wm"
    assert "WM" in slips(shop, posting.SHIFT_CLOSE)[0]


# In, out, open --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_large_move_needs_a_second_person_of_a_cashier_and_none_of_a_supervisor(
    shop: Shop, session: Session, direction: str
) -> None:
    ctx = shop.till.context
    move(shop, session, direction, 50_000)
    with pytest.raises(Refused) as refused:
        move(shop, session, direction, 50_001)
    assert refused.value.code is Refusal.APPROVAL_NEEDED
    supervisor = sign_in(ctx, SignIn(ctx.ids(), "wm", PINS["wm"])).result
    move(shop, supervisor, direction, 50_001)


@pytest.mark.parametrize(("direction", "other"), [("in", "out"), ("out", "in")])
def test_small_moves_of_one_person_come_to_one_sum_a_shift_and_each_way(
    shop: Shop, session: Session, direction: str, other: str
) -> None:
    ctx = shop.till.context
    for _ in range(2):
        move(shop, session, direction, 25_000)
    assert refusal(move, shop, session, direction, 1) is Refusal.APPROVAL_NEEDED
    move(shop, session, other, 50_000)
    supervisor = sign_in(ctx, SignIn(ctx.ids(), "wm", PINS["wm"])).result
    move(shop, supervisor, direction, 25_000)
    assert refusal(move, shop, session, direction, 1) is Refusal.APPROVAL_NEEDED


def test_the_second_person_of_a_move_is_kept_in_its_event(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    command = MoveCash(ctx.ids(), session, "out", 60_000, "bank")
    with pytest.raises(Refused) as refused:
        move_cash(ctx, command)
    approver = approve(ctx, Approve(refused.value.offer, "wm", PINS["wm"])).result  # type: ignore[arg-type]  # an Ask
    move_cash(ctx, command)
    assert session.shift_id is not None
    with ctx.read() as conn:
        (use,) = drawer_rows.uses_of_shift(conn, session.shift_id)
    assert (use.amount_minor, use.approved_by) == (-60_000, approver.staff_id)
    assert "WM" in slips(shop, posting.CASH)[0]


def test_a_move_needs_an_amount_and_a_reason_of_its_direction(shop: Shop, session: Session) -> None:
    assert refusal(move, shop, session, "in", 0) is Refusal.CASH_AMOUNT_NEEDED
    assert refusal(move, shop, session, "in", 100, "bank") is Refusal.REASON_NEEDED
    assert refusal(move, shop, session, "out", 100, "") is Refusal.REASON_NEEDED


def test_the_same_command_moves_cash_once(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    command = MoveCash(ctx.ids(), session, "in", 500, "other")
    first = move_cash(ctx, command)
    second = move_cash(ctx, command)
    assert (first.again, second.again) == (False, True)
    assert first.result == second.result
    assert len(slips(shop, posting.CASH)) == 1


def test_the_drawer_opens_without_a_sale_only_for_a_reason(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    wrong = OpenDrawer(ctx.ids(), session, "")
    assert refusal(open_drawer, ctx, wrong) is Refusal.REASON_NEEDED
    open_drawer(ctx, OpenDrawer(ctx.ids(), session, "give_change"))
    assert drawer.x_report(ctx).openings == 1


# On paper -------------------------------------------------------------------------------------------------


def test_the_x_report_has_cash_only_after_the_count(shop: Shop, session: Session) -> None:
    ctx = shop.till.context
    sale(shop, session, 4_321)
    sale(shop, session, 8_800, "qr")
    give_back(shop, session, sale(shop, session, 1_100, "qr").event_id)
    before = drawer.x_report(ctx)
    assert (before.cash, before.tenders) == (None, ())
    assert (before.sales, before.returns, before.voids) == (3, 1, 0)
    print_x(ctx, PrintX(ctx.ids(), session))
    count_drawer(ctx, counting(shop, session, 54_320))
    counted = drawer.x_report(ctx)
    after = counted.cash
    assert after is not None
    assert counted.tenders == (("qr", 8_800),)
    assert (after.sums.expected_minor, after.difference_minor) == (54_321, -1)
    print_x(ctx, PrintX(ctx.ids(), session))
    blind, open_ = slips(shop, posting.EXPORT)
    assert "543.21" not in blind
    assert "543.21" in open_


def test_the_count_slip_says_what_was_counted_and_the_end_what_was_expected(
    shop: Shop, session: Session
) -> None:
    ctx = shop.till.context
    sale(shop, session, 4_320)
    count_drawer(ctx, counting(shop, session, 54_000))
    assert "543.20" not in slips(shop, posting.COUNT)[0]
    close_shift(ctx, closing(shop, session, "wrong_change"))
    end = slips(shop, posting.SHIFT_CLOSE)[0]
    assert "543.20" in end
    assert "−¥3.20" in end


def test_the_shifts_of_a_date_tell_what_was_counted_and_signed(
    shop: Shop, session: Session
) -> None:
    ctx = shop.till.context
    assert session.shift_id is not None
    (row,) = drawer.shifts_on(ctx, ctx.business_date())
    assert (row.closed_at, row.sums, row.count) == (None, None, None)
    count_drawer(ctx, counting(shop, session, FLOAT))
    close_shift(ctx, closing(shop, session))
    second = shop.start("wm")
    manager = sign_in(ctx, SignIn(ctx.ids(), "zg", PINS["zg"])).result
    close_shift(ctx, closing(shop, manager, "person_gone"))
    first, last = drawer.shifts_on(ctx, ctx.business_date())
    assert first.count is not None
    assert first.count.difference_minor == 0
    assert (last.shift_id, last.count, last.reason) == (second.shift_id, None, "person_gone")
    assert last.sums is not None


# Verify ---------------------------------------------------------------------------------------------------


CHANGES = [
    *(
        (f"UPDATE drawer_use SET {column} = {value} WHERE kind = 'in'", None)
        for column, value in {
            "shift_id": "randomblob(16)", "staff_id": "randomblob(16)", "at_us": "at_us + 1",
            "amount_minor": "amount_minor + 1", "reason": "'bank'", "approved_by": "zeroblob(16)",
        }.items()
    ),
    ("UPDATE drawer_use SET kind = 'out', amount_minor = -1 WHERE kind = 'in'", None),
    ("DELETE FROM drawer_use WHERE kind = 'open'", None),
    (
        """INSERT INTO drawer_use SELECT seq - 1, shift_id, staff_id, at_us, kind, amount_minor,
        reason, approved_by FROM drawer_use WHERE kind = 'in'""",
        None,
    ),
    ("UPDATE shift SET counted_seq = NULL", "count of the shift differs"),
    ("UPDATE shift SET counted_seq = opened_seq", "shift counted by an event that counts it not"),
    ("UPDATE shift SET closed_seq = NULL", "end of the shift differs"),
    ("UPDATE shift SET closed_seq = opened_seq", "shift ends with an event that ends it not"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "what"), CHANGES)
def test_each_row_of_the_drawer_is_derived_again_from_the_events(
    shop: Shop, session: Session, sql: str, what: str | None
) -> None:
    ctx = shop.till.context
    move(shop, session, "in", 700)
    open_drawer(ctx, OpenDrawer(ctx.ids(), session, "check"))
    count_drawer(ctx, counting(shop, session, 50_700))
    close_shift(ctx, closing(shop, session))
    assert verify(ctx).findings == []
    with ctx.write_rows() as conn:
        conn.execute("DROP TRIGGER shift_counted_once")
        conn.execute(sql)
    found = [finding.what for finding in verify(ctx).findings]
    assert found
    assert what is None or what in found


def test_a_count_whose_expected_cash_is_not_that_of_its_events_is_named(
    shop: Shop, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = shop.till.context
    monkeypatch.setattr("app.usecases.count.shift_sums", lambda *_: DrawerSums(float_minor=1))
    count_drawer(ctx, counting(shop, session, FLOAT))
    found = [finding.what for finding in verify(ctx).findings]
    assert found == ["cash of the shift is not what its events say"]


def test_nothing_of_the_drawer_in_an_event_is_personal_or_free_text(
    shop: Shop, session: Session
) -> None:
    ctx = shop.till.context
    move(shop, session, "in", 700)
    count_drawer(ctx, counting(shop, session, 50_700))
    close_shift(ctx, closing(shop, session))
    with ctx.read() as conn:
        bodies = [json.loads(row.body) for row in rows.events_after(conn, 0)]
    kinds = {body["kind"]: sorted(body["doc"]) for body in bodies}
    assert kinds["cash"] == ["amount", "approval", "direction", "reason"]
    assert kinds["count"] == ["attempt", "counted", "difference", "expected", "sums", "total"]
    assert kinds["shift_close"] == [
        "approval", "closes", "count", "difference", "expected", "reason", "sums", "to", "total",
    ]  # fmt: skip
