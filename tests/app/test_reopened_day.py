"""A date that sells again after its close was broken off: what is good through it is still good.

The close had booked the expiries of its date (domain.md section 2). What they took comes back as far as a
document takes it, and the close that follows leaves the books as one close would have.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app import posting
from app.approvals import Ask
from app.build import NewStaff, add_staff
from app.context import Session
from app.domain.business_day import BusinessDate
from app.domain.entries import owner_event_id
from app.domain.errors import Refused
from app.queries import counter, members
from app.queries.why import why
from app.usecases.adjust import Adjust, adjust, preview_adjust
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.owner_postings import post_all
from app.usecases.sell import Sold, sell
from app.usecases.verify import verify
from db import rows
from tests.app.closing import begun, finished, manager_of
from tests.app.kiosk import Kiosk, sale_command

POINTS = 400


@pytest.fixture
def sold(kiosk: Kiosk) -> Sold:
    """The sale whose points are good through the date that is broken off."""
    return kiosk.quote_and_sell(POINTS * 100).result


def go_to(kiosk: Kiosk, on: BusinessDate) -> None:
    kiosk.end_shift()
    kiosk.clock.now += timedelta(days=on - kiosk.ctx.business_date())
    open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0))


def break_off(kiosk: Kiosk, on: BusinessDate) -> None:
    """The shift ends, the close posts what is due, and stops; the shop goes on selling."""
    kiosk.end_shift()
    post_all(kiosk.ctx, on, None)
    open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0))


def spend(kiosk: Kiosk, minor: int, redeem: int) -> Sold:
    """A sale paid with points too; the member, not seen for a year, shows the card."""
    command = sale_command(kiosk.ctx, kiosk.session, kiosk.member_id, minor, redeem=redeem)
    return sell(kiosk.ctx, replace(command, verified="card")).result


def points(kiosk: Kiosk) -> tuple[int, int]:
    """(good today, in the ledger)."""
    panel = members.member_panel(kiosk.ctx, kiosk.member_id)
    with kiosk.ctx.read() as conn:
        return panel.points_available, rows.ledger_sum(conn, kiosk.member_id, "points")


def close_all_dates(kiosk: Kiosk) -> None:
    kiosk.end_shift()
    finished(kiosk, begun(kiosk))
    finished(kiosk, begun(kiosk))
    assert verify(kiosk.ctx).findings == []


def test_points_are_shown_and_spent_on_their_last_date_although_they_are_booked(
    kiosk: Kiosk, sold: Sold
) -> None:
    go_to(kiosk, sold.document.expires)
    break_off(kiosk, sold.document.expires)
    assert points(kiosk) == (POINTS, 0)
    assert [lot.remaining for lot in members.lots(kiosk.ctx, kiosk.member_id)] == [POINTS]
    request = sale_command(kiosk.ctx, kiosk.session, None, 5000).request
    assert counter.quote(kiosk.ctx, kiosk.member_id, request).available == POINTS
    sale = spend(kiosk, 5000, 200)
    assert sale.document.points_spent == 200
    left = POINTS - 200 + sale.document.points_earned
    assert (sale.balance, points(kiosk)) == (left, (left, sale.document.points_earned))


def test_exactly_what_the_spend_takes_is_given_back_by_the_owner_under_a_derived_id(
    kiosk: Kiosk, sold: Sold
) -> None:
    on = sold.document.expires
    go_to(kiosk, on)
    break_off(kiosk, on)
    sale = spend(kiosk, 5000, 200)
    derived = owner_event_id(kiosk.member_id, f"unexpire:{sale.event_id.hex()}:0")
    with kiosk.ctx.read() as conn:
        row = rows.event_by_id(conn, derived)
        assert row is not None
        (entry,) = rows.ledger_of_event(conn, row.seq)
    event = posting.event_of(row)
    assert (event.kind, event.staff_id, event.business_date) == ("unexpire", None, int(on))
    assert (row.seq, event.command_id) == (sale.seq - 1, derived)
    assert (entry.kind, entry.amount) == ("unexpire", 200)
    assert entry.ref_event == owner_event_id(kiosk.member_id, f"expire:{on.iso()}")


def test_the_close_that_follows_leaves_the_books_as_one_close_would_have(
    kiosk: Kiosk, sold: Sold
) -> None:
    go_to(kiosk, sold.document.expires)
    break_off(kiosk, sold.document.expires)
    sale = spend(kiosk, 5000, 200)
    close_all_dates(kiosk)
    assert points(kiosk)[1] == sale.document.points_earned


def test_on_the_next_date_they_are_gone(kiosk: Kiosk, sold: Sold) -> None:
    go_to(kiosk, sold.document.expires)
    break_off(kiosk, sold.document.expires)
    go_to(kiosk, sold.document.expires.plus(1))
    assert points(kiosk) == (0, 0)


def test_a_sale_that_spends_nothing_gives_nothing_back(kiosk: Kiosk, sold: Sold) -> None:
    go_to(kiosk, sold.document.expires)
    break_off(kiosk, sold.document.expires)
    kiosk.quote_and_sell(5000)
    with kiosk.ctx.read() as conn:
        assert "unexpire" not in [row.kind for row in rows.events_after(conn, 0)]


def test_a_void_of_the_spend_leaves_the_points_good_for_the_rest_of_the_date(
    kiosk: Kiosk, sold: Sold
) -> None:
    go_to(kiosk, sold.document.expires)
    break_off(kiosk, sold.document.expires)
    spent = spend(kiosk, 5000, 200)
    kiosk.undo(spent.event_id)
    assert points(kiosk) == (POINTS, 200)
    spend(kiosk, 50000, 400)
    go_to(kiosk, sold.document.expires.plus(1))
    close_all_dates(kiosk)


def test_a_take_back_of_points_that_are_spent_takes_what_is_booked_and_charges_nobody(
    kiosk: Kiosk, sold: Sold
) -> None:
    """As it would have without the booking: the rest of a take-back is like a spend of its date."""
    later = BusinessDate(kiosk.ctx.business_date()).plus(40)
    go_to(kiosk, later)
    spend(kiosk, POINTS * 200, POINTS)
    on = BusinessDate(max(lot.expires for lot in members.lots(kiosk.ctx, kiosk.member_id)))
    go_to(kiosk, on)
    break_off(kiosk, on)
    before = points(kiosk)[0]
    assert before > 0
    back = kiosk.take_back(sold.event_id).result
    assert back.refund_minor == POINTS * 100
    assert back.balance == points(kiosk)[0] == before - min(before, POINTS)


def test_points_taken_by_hand_are_taken_from_what_is_booked(kiosk: Kiosk, sold: Sold) -> None:
    go_to(kiosk, sold.document.expires)
    manager = Session(manager_of(kiosk), kiosk.session.shift_id)
    other = NewStaff("zh", "张红", "manager", "864209")
    second = add_staff(kiosk.ctx, other, today=kiosk.ctx.business_date())
    break_off(kiosk, sold.document.expires)
    shown = preview_adjust(kiosk.ctx, manager, kiosk.member_id, -100)
    assert (shown.balance_before, shown.balance_after, shown.owed_after) == (
        POINTS,
        POINTS - 100,
        0,
    )
    note = "the customer asked for it"
    command = Adjust(
        kiosk.ctx.ids(), manager, kiosk.member_id, -100, "correction", note, shown.balance_after
    )
    with pytest.raises(Refused) as caught:
        adjust(kiosk.ctx, command)
    ask = caught.value.offer
    assert isinstance(ask, Ask)
    kiosk.ctx.approvals.give(ask, second)
    assert adjust(kiosk.ctx, command).result.balance == POINTS - 100
    assert points(kiosk) == (POINTS - 100, 0)


def test_why_an_expiry_and_what_is_given_back_of_it_are_told_by_their_receipts(
    kiosk: Kiosk, sold: Sold
) -> None:
    go_to(kiosk, sold.document.expires)
    break_off(kiosk, sold.document.expires)
    sale = spend(kiosk, 5000, 200)
    lines = members.ledger(kiosk.ctx, kiosk.member_id)
    words = kiosk.ctx.words("en")
    told = {line.kind: why(kiosk.ctx, line.event_id, words) for line in lines}
    assert told["expire"].headline == "400 pts expired: nobody used them in time."
    assert told["expire"].working == (
        f"400 pts of receipt {sold.receipt_no} were good through {sold.document.expires.iso()}.",
    )
    given = told["unexpire"]
    assert given.headline.startswith("200 pts were booked as expired")
    assert given.receipt_no == sale.receipt_no
