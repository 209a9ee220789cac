"""The manager's home: the overview's figures, masked names, whose birthday it is, and what expires."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.account import birthdays_on
from app.documents.report import Line, ReportFilter
from app.domain.business_day import BusinessDate
from app.domain.documents import LineRequest, ReturnedLine, SaleRequest
from app.domain.errors import Refusal, Refused
from app.queries.counter import quote
from app.queries.reports.parts import parts
from app.queries.reports.sales import overview
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.count import CountDrawer, count_drawer
from app.usecases.enrol import BirthdayInput, Enrol, ProfileInput, enrol
from app.usecases.read_home import GLANCE, Home, read_home
from app.usecases.return_goods import ReturnGoods, preview_return, return_goods
from app.usecases.sell import Payment, Sell, sell
from app.usecases.verify_day import note_share
from app.usecases.void import Void, preview_void, void
from tests.app.drawer_acts import pieces, sale
from tests.usecases.counter import INITIALS, Counter


def read(counter: Counter, who: str = "wm") -> Home:
    return read_home(counter.ctx, counter.session(who))


def born(counter: Counter, name: str, phone: str, on: BirthdayInput) -> None:
    ctx = counter.ctx
    profile = ProfileInput(name=name, phone=phone, birthday=on)
    enrol(ctx, Enrol(ctx.ids(), counter.session("lx"), profile, service_consent=True))


def overview_lines(counter: Counter) -> dict[object, Line]:
    ctx, on = counter.ctx, counter.ctx.business_date()
    with ctx.read() as conn:
        return {line.key: line for line in overview(ctx, conn, ReportFilter(on, on)).lines}


def test_figures_equal_those_of_the_overview_and_of_the_week_before(counter: Counter) -> None:
    sale(counter.shop, counter.session("lx"), 12_300)
    counter.shop.clock.step(days=7)
    session = counter.shop.start()
    sale(counter.shop, session, 4_500)
    sale(counter.shop, session, 7_700)
    assert session.shift_id is not None
    count_drawer(
        counter.ctx, CountDrawer(counter.ctx.ids(), session, session.shift_id, pieces(100))
    )
    found, expected = {line.key: line for line in read(counter).glance}, overview_lines(counter)
    assert tuple(found) == GLANCE
    assert {key: line.figures for key, line in found.items()} == {
        code: expected[code].figures[:2] for code in GLANCE
    }
    assert [figure.value for figure in found["takings"].figures] == [12_200, 200_000 + 12_300]
    assert [figure.value for figure in found["sales"].figures] == [2, 2]


def test_takings_of_a_shift_are_hidden_until_its_count(counter: Counter) -> None:
    session = counter.session("lx")
    sale(counter.shop, session, 12_300)
    hidden = read(counter, "zg").glance[0].figures[0]
    assert (hidden.value, hidden.drill) == (None, None)
    assert session.shift_id is not None
    count_drawer(
        counter.ctx, CountDrawer(counter.ctx.ids(), session, session.shift_id, pieces(100))
    )
    assert read(counter, "zg").glance[0].figures[0].value == 200_000 + 12_300


def test_takings_of_today_are_shown_while_the_open_shift_is_of_yesterday(counter: Counter) -> None:
    counter.shop.clock.step(days=1)
    assert read(counter, "zg").glance[0].figures[0].value == 0


def test_only_who_reads_reports_reads_home(counter: Counter) -> None:
    with pytest.raises(Refused) as refused:
        read(counter, INITIALS["cashier"])
    assert refused.value.code is Refusal.NOT_ALLOWED
    for who in ("supervisor", "manager", "head_office", "auditor"):
        assert read(counter, INITIALS[who]).on == counter.ctx.business_date()


def test_names_are_whole_for_the_shop_and_masked_for_who_only_reads(counter: Counter) -> None:
    today = counter.ctx.business_date().to_date()
    born(counter, "周生日", "13912345678", BirthdayInput("solar", today.month, today.day, 1990))
    for who, name in (("wm", "周生日"), ("zg", "周生日"), ("ho", "周*日"), ("au", "周*日")):
        home = read(counter, who)
        assert [each.name for each in home.birthdays] == [name], who
        assert home.birthdays[0].phone_masked == "139 **** 5678"
        assert home.birthday_count == 1


def test_a_lunar_birthday_is_today_when_its_solar_date_is(counter: Counter) -> None:
    on = counter.ctx.business_date()
    with counter.ctx.read() as conn:
        days = birthdays_on(counter.ctx.programme_on(conn, on), on)
    lunar = next((month, day) for calendar, month, day in days if calendar == "lunar")
    born(counter, "农历生", "13912345678", BirthdayInput("lunar", *lunar, None))
    other = lunar[1] % 28 + 1
    born(counter, "另一天", "13912345679", BirthdayInput("lunar", lunar[0], other, None))
    assert [each.name for each in read(counter).birthdays] == ["农历生"]


@pytest.mark.parametrize(
    ("on", "expected", "other"),
    [
        (date(2027, 2, 28), {("solar", 2, 28), ("solar", 2, 29)}, {("solar", 3, 1)}),
        (date(2028, 2, 29), {("solar", 2, 29)}, {("solar", 2, 28), ("solar", 3, 1)}),
        (date(2026, 2, 17), {("lunar", 1, 1)}, {("lunar", 1, 2)}),
        (date(2027, 2, 5), {("lunar", 12, 29), ("lunar", 12, 30)}, {("lunar", 1, 1)}),
    ],
)
def test_days_that_a_year_lacks_are_kept_by_the_programme(
    counter: Counter,
    on: date,
    expected: set[tuple[str, int, int]],
    other: set[tuple[str, int, int]],
) -> None:
    with counter.ctx.read() as conn:
        found = set(
            birthdays_on(counter.ctx.programme_on(conn, BusinessDate.of(on)), BusinessDate.of(on))
        )
    assert expected <= found
    assert not other & found


def test_points_that_expire_within_30_days_open_into_their_events(counter: Counter) -> None:
    ctx = counter.ctx
    with ctx.read() as conn:
        rows = conn.execute(
            "SELECT expires, sum(remaining) FROM lot WHERE asset = 'points' GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert rows
    assert read(counter).expiring.figure.value == 0
    shift = counter.session("zg").shift_id
    assert shift is not None
    # Points of a shift that nobody counted would tell its takings.
    close_shift(ctx, CloseShift(ctx.ids(), counter.session("zg"), shift, "person_gone"))
    last, points = rows[0]
    counter.shop.clock.step(days=last - int(ctx.business_date()) - 30)
    soon = read(counter).expiring
    assert (soon.members, soon.figure.value) == (1, points)
    assert soon.worth_minor
    assert soon.figure.drill is not None
    with ctx.read() as conn:
        listed = parts(ctx, conn, soon.figure.drill, limit=500, names=True)
    assert sum(part.amount for part in listed.parts) == points
    assert (listed.unit, listed.count) == ("points", len(listed.parts))
    counter.shop.clock.step(days=31)
    assert read(counter).expiring.figure.value == 0


def test_the_last_check_is_told_and_since_when_it_has_been_whole(counter: Counter) -> None:
    assert (read(counter).verified, read(counter).verified_all) == (None, None)
    first = counter.ctx.business_date()
    for share in range(7):
        note_share(counter.ctx, share)
        counter.shop.clock.step(days=1)
    home = read(counter)
    assert (home.verified_all, home.verified) == (first, first.plus(6))


def test_a_till_without_a_printer_has_none_to_wait_for(counter: Counter) -> None:
    devices = read(counter).devices
    assert (devices.printer, devices.waiting, devices.problem) == (False, 0, "")


def brought_back(counter: Counter, reason: str = "faulty") -> bytes:
    """A member buys, and brings it back."""
    ctx, session = counter.ctx, counter.session("lx")
    request = SaleRequest((LineRequest(9_800, name="壶"),))
    shown = quote(ctx, counter.member_id, request)
    payment = Payment("cash", shown.key.to_pay_minor)
    command = Sell(ctx.ids(), session, counter.member_id, request, payment, shown.key)
    sold = sell(ctx, command).result
    lines = (ReturnedLine(0, 1),)
    back = preview_return(ctx, sold.event_id, lines)
    return return_goods(
        ctx,
        ReturnGoods(
            ctx.ids(), session, sold.event_id, lines, reason, back.refund_minor, back.balance_after
        ),
    ).result.event_id


def test_who_brought_faulty_goods_back_is_called_until_they_buy_again(counter: Counter) -> None:
    brought_back(counter, "changed_mind")
    assert read(counter).follow_ups == ()
    brought_back(counter)
    (found,) = read(counter).follow_ups
    assert (found.why, found.member_id) == ("faulty", counter.member_id)
    assert found.on == counter.ctx.business_date()
    assert "*" in read(counter, "au").follow_ups[0].name
    counter.shop.clock.step(days=7)
    assert len(read(counter).follow_ups) == 1
    counter.shop.clock.step(days=1)
    assert read(counter).follow_ups == ()


def test_who_has_bought_since_is_not_called(counter: Counter) -> None:
    brought_back(counter)
    counter.shop.clock.step(days=1)
    session = counter.shop.start()
    sale(counter.shop, session, 4_500)
    assert len(read(counter).follow_ups) == 1  # Without a member: somebody else's.
    request = SaleRequest((LineRequest(9_800, name="壶"),))
    shown = quote(counter.ctx, counter.member_id, request)
    payment = Payment("cash", shown.key.to_pay_minor)
    sell(
        counter.ctx,
        Sell(counter.ctx.ids(), session, counter.member_id, request, payment, shown.key),
    )
    assert read(counter).follow_ups == ()


def test_a_voided_return_calls_nobody(counter: Counter) -> None:
    event = brought_back(counter)
    shown = preview_void(counter.ctx, event)[0]
    who = counter.session("wm")
    void(counter.ctx, Void(counter.ctx.ids(), who, event, "test", shown.balance_after))
    assert read(counter).follow_ups == ()


def regular(counter: Counter, visits: int, *, offers: bool) -> bytes:
    """A member with so many visits, the last one today."""
    ctx = counter.ctx
    profile = ProfileInput(
        name="常来", phone="13912345678", note="喜欢龙井，每次来都要先试一杯再买的老先生"
    )
    command = Enrol(
        ctx.ids(), counter.session("lx"), profile, service_consent=True, marketing_consent=offers
    )
    member = enrol(ctx, command).result.member_id
    for visit in range(visits):
        if visit:
            counter.shop.clock.step(days=10)
        session = counter.shop.start()
        request = SaleRequest((LineRequest(9_800, name="茶"),))
        shown = quote(ctx, member, request)
        payment = Payment("cash", shown.key.to_pay_minor)
        sell(ctx, Sell(ctx.ids(), session, member, request, payment, shown.key))
    return member


@pytest.mark.parametrize(
    ("visits", "offers", "days", "named"),
    [
        (4, True, 59, 0),
        (4, True, 60, 1),
        (4, True, 66, 1),
        (4, True, 67, 0),
        (3, True, 60, 0),
        (4, False, 60, 0),
    ],
)
def test_a_regular_who_stays_away_is_named_for_a_week(
    counter: Counter, visits: int, offers: bool, days: int, named: int
) -> None:
    member = regular(counter, visits, offers=offers)
    counter.shop.clock.step(days=days)
    found = read(counter).follow_ups
    assert [(each.why, each.member_id) for each in found] == [("away", member)] * named
    if named:
        assert found[0].note.startswith("喜欢龙井")
        assert read(counter, "ho").follow_ups[0].note == ""


def test_visits_are_todays_sales_by_hour_up_to_now_and_last_weeks_whole(counter: Counter) -> None:
    session = counter.session("lx")
    hour = counter.ctx.minute_of_day() // 60
    sale(counter.shop, session, 12_300)
    counter.shop.clock.step(minutes=120)
    sale(counter.shop, session, 12_300)
    counter.shop.clock.step(days=7)
    counter.shop.clock.now -= timedelta(minutes=120)
    session = counter.shop.start()
    sale(counter.shop, session, 4_500)
    visits = read(counter).visits
    assert visits.hours == tuple(range(hour, hour + 3))
    assert sum(visits.week_before) >= 2
    assert visits.week_before[2] == 1
    assert visits.today == (1,)


def test_a_shop_without_a_visit_has_no_curve(counter: Counter) -> None:
    counter.shop.clock.step(days=30)
    assert read(counter).visits.hours == ()
