"""Day closes on a real till: in order, numbered without gaps, over what was signed for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.approvals import Ask
from app.backup import make
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.protocol.events import Event
from app.usecases.close_day import (
    BeginClose,
    CloseDay,
    OpenItem,
    again,
    begin,
    close_day,
    date_to_close,
    open_items,
    prove,
)
from app.usecases.close_unattended import close_all, due_unattended
from app.usecases.keep_cart import CartLine, OpenCart, keep_cart
from app.usecases.verify import verify
from db import till
from tests.app.closing import agreed, begun, closed, count_and_close, event_of, finished, next_day
from tests.app.kiosk import Kiosk
from tests.app.test_verify import raw

# A close -----------------------------------------------------------------------------------------


def test_a_close_counts_its_date_and_proves_the_journal(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    head_before = kiosk.events()[-1]
    done = closed(kiosk)
    doc = event_of(kiosk, done.event_id).doc
    with kiosk.ctx.read() as conn:
        paid = conn.execute("SELECT sum(total_minor) FROM document").fetchone()[0]
        entries, points = conn.execute(
            "SELECT count(*), sum(CASE WHEN asset = 'points' THEN amount END) FROM ledger"
        ).fetchone()
    assert (done.number, done.on.iso(), done.unattended) == (1, "2026-11-21", False)
    assert doc["sums"]["paid"] == paid > 0
    assert doc["sums"]["tenders"] == [["cash", paid]]
    kinds = {row[0]: row[1] for row in doc["sums"]["kinds"]}
    assert (kinds["sale"], kinds["return"], kinds["void"], kinds["enrol"]) == (7, 2, 2, 2)
    proof = doc["proof"]
    last = kiosk.events()[-2]
    assert (proof["head"], proof["events"]) == (last.hash.hex(), last.seq)
    assert last.seq > head_before.seq
    assert (proof["entries"], proof["points_at_end"], proof["members"]) == (entries, points, 2)
    assert (proof["faults"], proof["verified"]) == (0, 1)
    assert proof["backup"].startswith("01-")
    assert doc["open"] == []
    (shift,) = doc["sums"]["shifts"]
    assert (shift["difference"], shift["total"]) == (0, shift["expected"])
    assert verify(kiosk.ctx).findings == []


def test_numbers_have_no_gap_and_windows_part_the_journal(kiosk: Kiosk) -> None:
    taken = []
    for day in range(3):
        if day:
            next_day(kiosk)
        kiosk.quote_and_sell(10000 * (day + 1))
        done = closed(kiosk)
        assert done.number == day + 1
        taken.append(event_of(kiosk, done.event_id).doc)
    assert [doc["sums"]["paid"] for doc in taken] == [10000, 20000, 30000]
    with kiosk.ctx.read() as conn:
        points = conn.execute("SELECT sum(points) FROM member_state").fetchone()[0]
    assert taken[-1]["proof"]["points_at_end"] == points
    assert sum(doc["sums"]["issued"] for doc in taken) == points


def test_closing_again_with_the_same_command_is_a_no_op(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    closing = begun(kiosk)
    made = make(kiosk.ctx)
    command = CloseDay(closing, prove(kiosk.ctx), None, made)
    first = close_day(kiosk.ctx, command)
    again_ = close_day(kiosk.ctx, command)
    assert again_.again
    assert again_.result == first.result


def test_with_nothing_open_there_is_nothing_to_close(kiosk: Kiosk) -> None:
    done = closed(kiosk)
    assert date_to_close(kiosk.ctx) is None
    with pytest.raises(Refused) as caught:
        begin(kiosk.ctx, BeginClose(kiosk.ctx.ids(), kiosk.session, done.on))
    assert caught.value.code is Refusal.DAY_NOTHING_TO_CLOSE


# What is open ------------------------------------------------------------------------------------


def test_an_open_shift_is_closed_first(kiosk: Kiosk) -> None:
    with pytest.raises(Refused) as caught:
        begun(kiosk)
    assert caught.value.code is Refusal.SHIFT_OPEN


def test_what_is_open_is_listed_and_needs_a_manager_and_a_reason(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(100),)))
    assert open_items(kiosk.ctx) == (OpenItem("cart", 1),)
    with pytest.raises(Refused) as caught:
        begun(kiosk)
    assert caught.value.code is Refusal.REASON_NEEDED
    with pytest.raises(Refused) as caught:
        begun(kiosk, reason="because")
    assert caught.value.code is Refusal.REASON_NEEDED
    with pytest.raises(Refused) as caught:
        begun(kiosk, reason="other")
    assert caught.value.code is Refusal.APPROVAL_NEEDED
    assert isinstance(caught.value.offer, Ask)
    assert (caught.value.offer.right, caught.value.offer.amount) == (Right.CLOSE_OVER_OPEN, 1)
    assert dict(caught.value.offer.facts) == {
        "act": "day", "date": BusinessDate.on(2026, 11, 21), "cart": 1,
    }  # fmt: skip


def test_a_yes_to_what_is_open_is_for_one_date_and_each_thing(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(100),)))
    command = BeginClose(kiosk.ctx.ids(), kiosk.session, BusinessDate.on(2026, 11, 21), "other")
    agreed(kiosk, command)
    with pytest.raises(Refused) as caught:
        begin(kiosk.ctx, replace(command, found=(OpenItem("faults", 2), OpenItem("no_backup", 1))))
    assert isinstance(caught.value.offer, Ask)
    assert caught.value.offer.facts[2:] == (("cart", 1), ("faults", 2), ("no_backup", 1))
    begin(kiosk.ctx, command)


def test_what_was_signed_for_stands_on_the_z_with_who_agreed(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(100),)))
    command = BeginClose(kiosk.ctx.ids(), kiosk.session, BusinessDate.on(2026, 11, 21), "other")
    manager = agreed(kiosk, command)
    done = finished(kiosk, begin(kiosk.ctx, command))
    doc = event_of(kiosk, done.event_id).doc
    assert (doc["open"], doc["reason"]) == ([["cart", 1]], "other")
    assert doc["approval"] == {"by": manager.hex(), "right": "close_over_open"}


def test_what_opens_after_the_signature_is_not_covered_by_it(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    closing = begun(kiosk)
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(100),)))
    with pytest.raises(Refused) as caught:
        finished(kiosk, closing)
    assert caught.value.code is Refusal.DAY_OPEN_ITEMS


def test_without_a_backup_somebody_signs(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    closing = begun(kiosk)
    with pytest.raises(Refused) as caught:
        finished(kiosk, closing, backup=False)
    assert caught.value.code is Refusal.DAY_OPEN_ITEMS
    command = replace(again(closing, OpenItem("no_backup", 1)), reason="disk_away")
    agreed(kiosk, command)
    done = finished(kiosk, begin(kiosk.ctx, command), backup=False)
    doc = event_of(kiosk, done.event_id).doc
    assert (doc["open"], doc["proof"]["backup"]) == ([["no_backup", 1]], None)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE member_state SET points = points + 1",
        "UPDATE lot SET remaining = remaining + 1",
        "UPDATE document SET total_minor = total_minor + 1 WHERE kind = 'sale'",
        "UPDATE ledger SET amount = amount + 1 WHERE asset = 'points'",
        "UPDATE event_figures SET paid_minor = paid_minor + 1 WHERE kind = 'sale'",
        "UPDATE event SET body = CAST(body || ' ' AS BLOB) WHERE kind = 'sale'",
    ],
)
def test_a_difference_stops_the_close_until_somebody_signs(kiosk: Kiosk, sql: str) -> None:
    kiosk.quote_and_sell()
    count_and_close(kiosk)
    with raw(kiosk) as conn:
        conn.execute(sql)
    kiosk.till = opened_as_it_lies(kiosk)
    proof = prove(kiosk.ctx)
    assert proof.faults > 0
    closing = begun(kiosk)
    with pytest.raises(Refused) as caught:
        close_day(kiosk.ctx, CloseDay(closing, proof, None, None))
    assert caught.value.code is Refusal.DAY_OPEN_ITEMS


def opened_as_it_lies(kiosk: Kiosk) -> Any:
    from app.build import open_till
    from tests.app.kiosk import OFFSET_MIN

    kiosk.running = True
    return open_till(
        kiosk.folder, find_keystore=kiosk.template.keystore, clock=kiosk.clock,
        offset_min=lambda: OFFSET_MIN, mending=False,
    )  # fmt: skip


def test_an_event_that_the_journal_file_lost_is_a_fault(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    count_and_close(kiosk)
    path = kiosk.journal_files()[-1]
    records = kiosk.ctx.journal.read(path)
    kiosk.ctx.journal.rewrite(path, records[:-2], previous=None, head=bytes(32))
    assert prove(kiosk.ctx).faults == 2


def test_the_slip_says_sales_before_returns_voids_and_new_members(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    slip = _slip(kiosk, event_of(kiosk, closed(kiosk).event_id))
    places = [slip.index(f'"{word}') for word in ("销售 ×", "退货 ×", "作废 ×", "新会员")]
    assert places == sorted(places)


# Unattended --------------------------------------------------------------------------------------


def test_missed_dates_are_closed_in_order_and_say_that_nobody_counted(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell(10000)
    assert due_unattended(kiosk.ctx) is None
    kiosk.clock.now += timedelta(days=1)
    assert due_unattended(kiosk.ctx) == BusinessDate.on(2026, 11, 21)
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(100),)))
    (done,) = close_all(kiosk.ctx).closed
    assert (done.number, done.unattended) == (1, True)
    event = event_of(kiosk, done.event_id)
    assert (event.staff_id, event.doc["unattended"]) == (None, 1)
    assert event.doc["open"] == [["cart", 1]]
    assert [shift["total"] for shift in event.doc["sums"]["shifts"]] == [None]
    assert "未盘点" in _slip(kiosk, event)
    assert close_all(kiosk.ctx).closed == ()
    assert verify(kiosk.ctx).findings == []


def _slip(kiosk: Kiosk, event: Event) -> str:
    with kiosk.ctx.read() as conn:
        (job,) = till.jobs_of_event(conn, event.seq)
    return job.document


def test_a_date_that_was_missed_before_an_attended_one_comes_first(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell(100)
    count_and_close(kiosk)
    next_day(kiosk)
    kiosk.quote_and_sell(200)
    with pytest.raises(Refused) as caught:
        begun(kiosk, on=BusinessDate.on(2026, 11, 22))
    assert caught.value.code is Refusal.DAY_OPEN_ITEMS
    one = finished(kiosk, begun(kiosk))
    assert (one.number, one.on.iso()) == (1, "2026-11-21")
    two = closed(kiosk)
    assert (two.number, two.on.iso()) == (2, "2026-11-22")
    paid = [event_of(kiosk, each.event_id).doc["sums"]["paid"] for each in (one, two)]
    assert paid == [100, 200]
