"""Which sales of a member goods can come back of: all of ninety days, however many they are."""

from __future__ import annotations

from app.queries.counter import sales_of_member
from tests.app.kiosk import Kiosk
from ui.desk import Desk


def test_the_oldest_of_many_sales_is_found(kiosk: Kiosk) -> None:
    sold = [kiosk.quote_and_sell(500).result.event_id for _ in range(55)]
    kiosk.take_back(sold[3])
    kiosk.undo(sold[4])
    kept = [each for each in reversed(sold) if each not in sold[3:5]]
    assert [each.event_id for each in Desk(kiosk.till).returnable((kiosk.member_id,))] == kept


def test_none_of_before_the_date_is(kiosk: Kiosk) -> None:
    sold = kiosk.quote_and_sell().result
    on = sold.document.business_date
    assert len(sales_of_member(kiosk.ctx, kiosk.member_id, since=on)) == 1
    assert sales_of_member(kiosk.ctx, kiosk.member_id, since=on.plus(1)) == ()
