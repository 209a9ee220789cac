"""One business date at the counter: the open shift's, whatever the clock says (domain.md, "Clock")."""

from __future__ import annotations

from datetime import timedelta

from app.domain.documents import LineRequest, SaleRequest
from app.queries.counter import quote
from app.queries.members import lots, member_panel
from app.usecases.enrol import BirthdayInput, ProfileInput
from tests.app.kiosk import Kiosk


def test_points_that_a_sale_takes_are_shown_as_available(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    before = member_panel(kiosk.ctx, kiosk.member_id).points_available
    assert before > 200
    kiosk.clock.now += timedelta(days=900)
    on_sale = quote(kiosk.ctx, kiosk.member_id, SaleRequest((LineRequest(36800),), 200))
    assert on_sale.draft.points_spent == 200
    panel = member_panel(kiosk.ctx, kiosk.member_id)
    assert panel.points_available == before
    assert {lot.state for lot in lots(kiosk.ctx, kiosk.member_id)} == {"available"}


def test_a_birthday_is_counted_from_the_shifts_date(kiosk: Kiosk) -> None:
    born = BirthdayInput("solar", 11, 22, 1990)
    member = kiosk.enrol(ProfileInput("Ada Byron", birthday=born)).result.member_id
    kiosk.clock.now += timedelta(days=1)
    assert kiosk.ctx.business_date().iso() == "2026-11-22"
    assert member_panel(kiosk.ctx, member).birthday_in_days == 1
