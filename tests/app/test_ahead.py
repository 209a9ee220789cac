"""A till that works for a date which has not begun: sold after the Z of the same day, closed the day after."""

from __future__ import annotations

import contextlib
from datetime import UTC, timedelta
from typing import Any

import pytest

from app.domain.errors import Refusal, Refused
from app.error_words import sentence
from app.formats import Formats
from app.queries import counter
from app.slips import money_sign
from app.usecases import close_day as closing_of_days
from app.usecases.close_day import date_to_close
from app.usecases.close_unattended import close_all, due_unattended
from app.usecases.open_shift import OpenShift, open_shift
from db import day
from db.connection import Connection
from tests.app.closing import begun, closed, count_and_close, event_of, finished
from tests.app.kiosk import Kiosk


def opened(kiosk: Kiosk) -> None:
    open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 50000))


@pytest.fixture
def ahead(kiosk: Kiosk) -> Kiosk:
    """Closed, and selling again on the same day: for the next date."""
    closed(kiosk)
    assert counter.date_now(kiosk.ctx) == kiosk.ctx.business_date().plus(1)
    opened(kiosk)
    kiosk.quote_and_sell(1000)
    return kiosk


def test_a_date_that_has_not_begun_is_not_closed_and_the_words_name_it(ahead: Kiosk) -> None:
    count_and_close(ahead)
    on = date_to_close(ahead.ctx)
    assert on == ahead.ctx.business_date().plus(1)
    with pytest.raises(Refused) as caught:
        begun(ahead)
    assert (caught.value.code, caught.value.facts) == (
        Refusal.DAY_NOT_BEGUN, {"date": on.iso()},
    )  # fmt: skip
    words = ahead.ctx.words("en")
    assert on.iso() in sentence(
        words, Formats(words, money_sign("CNY", 2), UTC), caught.value.code, caught.value.facts
    )


def test_the_last_step_looks_at_the_clock_again(
    ahead: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was set back while the steps ran."""
    count_and_close(ahead)
    ahead.clock.now += timedelta(days=1)
    closing = begun(ahead)
    ahead.clock.now -= timedelta(days=1)
    with pytest.raises(Refused) as caught:
        finished(ahead, closing, backup=False)
    assert caught.value.code is Refusal.DAY_NOT_BEGUN


def test_another_shift_opens_for_the_same_date(ahead: Kiosk) -> None:
    on = counter.date_now(ahead.ctx)
    count_and_close(ahead)
    opened(ahead)
    assert counter.date_now(ahead.ctx) == on
    ahead.quote_and_sell(1000)


def test_once_the_date_has_begun_it_is_closed_and_the_next_is_the_calendars(ahead: Kiosk) -> None:
    ahead.clock.now += timedelta(days=1)
    assert closed(ahead).on == ahead.ctx.business_date()
    ahead.clock.now += timedelta(days=1)
    opened(ahead)
    assert counter.date_now(ahead.ctx) == ahead.ctx.business_date()


def test_a_till_that_closes_by_itself_waits_until_the_date_is_over(ahead: Kiosk) -> None:
    count_and_close(ahead)
    on = date_to_close(ahead.ctx)
    assert due_unattended(ahead.ctx) is None
    assert close_all(ahead.ctx).closed == ()
    ahead.clock.now += timedelta(days=2)
    assert [each.on for each in close_all(ahead.ctx).closed] == [on]


def test_a_till_that_is_days_ahead_finds_back_by_itself(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As stores of before: each close within one day pushed the dates on."""
    with monkeypatch.context() as before:
        before.setattr(closing_of_days, "_check_begun", lambda *args: None)
        closed(kiosk)
        for _ in range(4):
            opened(kiosk)
            closed(kiosk)
    today = kiosk.ctx.business_date()
    dates = []
    for _ in range(7):
        opened(kiosk)
        kiosk.quote_and_sell(1000)
        count_and_close(kiosk)
        with contextlib.suppress(Refused):
            dates.append(finished(kiosk, begun(kiosk)).on - today)
        kiosk.clock.now += timedelta(days=1)
    assert dates == [5, 6]


def test_a_clock_that_stands_behind_stops_no_close(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell(1000)
    kiosk.clock.now -= timedelta(days=300)
    assert closed(kiosk).number == 1


def test_a_z_of_before_that_told_all_points_is_built_on_without_a_false_difference(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had the points of the open shift of the next date too."""
    kiosk.quote_and_sell(30000)
    count_and_close(kiosk)
    kiosk.clock.now += timedelta(days=1)
    opened(kiosk)
    kiosk.quote_and_sell(50000)

    def told_all(conn: Connection, *rest: Any) -> dict[str, Any]:
        found = made(conn, *rest)
        del found["points_at_end"]
        return {**found, "points": day.cached_points(conn)}

    made = closing_of_days._proof
    with monkeypatch.context() as before:
        before.setattr(closing_of_days, "_proof", told_all)
        finished(kiosk, begun(kiosk))
    done = closed(kiosk)
    proof = event_of(kiosk, done.event_id).doc["proof"]
    assert (proof["points_at_end"], proof["faults"]) == (800, 0)
