"""The exception report on a real store: counts, cases, drill, and that nothing takes a case away."""

from __future__ import annotations

import pytest

from app import posting
from app.build import NewStaff, add_staff
from app.context import Session
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused, Unavailable
from app.queries.audit import audit_facts, lines_of
from app.queries.exceptions import CaseLine, Exceptions, opening_seq
from app.queries.guard_walk import first_seq
from app.usecases.approve import Approve, approve
from app.usecases.exceptions import SayOfCase, exceptions_of, journal_of_case, say_of_case
from app.usecases.sell import sell
from app.usecases.sign_in import find_staff
from app.usecases.unmask import Unmask, unmask
from app.usecases.void import Void, preview_void, void
from db import rows
from tests.app.closing import count_and_close, next_day
from tests.app.kiosk import Kiosk
from tests.app.test_guard import Desk, desk, strict_store
from tests.fakes import PINS

__all__ = ["desk", "strict_store"]


def session_of(desk: Desk, initials: str) -> Session:
    found = find_staff(desk.ctx, initials)
    assert found is not None
    return Session(found.staff_id, desk.session.shift_id)


def report_of(desk: Desk, days: int = 7, who: str = "zg") -> Exceptions:
    today = desk.ctx.business_date()
    return exceptions_of(desk.ctx, session_of(desk, who), today.plus(1 - days), today)


def often(desk: Desk) -> None:
    """Three earning sales of one member on a day: a flag that blocks nobody."""
    for _ in range(3):
        sell(desk.ctx, desk.charge())
        desk.shop.clock.step(minutes=40)


def only_case(desk: Desk) -> CaseLine:
    (line,) = report_of(desk).cases
    return line


def say(desk: Desk, who: str, state: str, reason: str = "") -> None:
    key = only_case(desk).case.key
    command = SayOfCase(
        desk.ctx.ids(), session_of(desk, who), key,
        "seen" if state == "seen" else "explained", reason,
    )  # fmt: skip
    say_of_case(desk.ctx, command)


def test_a_quiet_day_has_no_case_and_counts_its_sales(desk: Desk) -> None:
    sell(desk.ctx, desk.charge())
    found = report_of(desk)
    assert found.cases == ()
    assert [(line.staff.initials, line.sales, line.cases) for line in found.people] == [
        ("lx", 1, 0)
    ]


def test_a_case_names_the_person_the_member_and_its_events(desk: Desk) -> None:
    often(desk)
    line = only_case(desk)
    assert (line.case.rule, line.case.what, line.state) == ("F2", "often", "new")
    assert (line.staff.initials, line.member_name) == ("lx", "陈思远")
    behind = journal_of_case(desk.ctx, session_of(desk, "zg"), line.case)
    assert [each.kind for each in behind] == ["sale"] * 3
    assert all(each.receipt_no and each.total_minor == 20_000 for each in behind)
    assert opening_seq(line.case.key) == behind[0].seq


def test_three_looks_in_full_within_minutes_are_a_burst(desk: Desk) -> None:
    member = desk.enrol("李敏")
    for _ in range(3):
        unmask(desk.ctx, Unmask(desk.ctx.ids(), desk.session, member, "phone", "customer_asks"))
    case = only_case(desk).case
    assert (case.rule, case.what) == ("F9", "burst")


def test_people_are_counted_against_their_sales(desk: Desk) -> None:
    sold = [sell(desk.ctx, desk.charge(member=desk.enrol(name))).result for name in "甲乙丙丁"]
    shown = preview_void(desk.ctx, sold[0].event_id)[0]
    void(
        desk.ctx, Void(desk.ctx.ids(), desk.session, sold[0].event_id, "test", shown.balance_after)
    )
    (line,) = report_of(desk).people
    assert line.sales == 4
    assert (line.counts["voids"].count, line.counts["enrolments"].count) == (1, 5)
    assert line.counts["voids"].times_tenths is None  # There is nobody to compare with.


def test_a_case_before_the_period_is_not_in_it_but_is_still_there(desk: Desk) -> None:
    often(desk)
    desk.shop.clock.step(days=2)
    assert report_of(desk, days=1).cases == ()
    assert len(report_of(desk, days=7).cases) == 1


def test_what_was_said_stands_beside_the_case_and_never_takes_it_away(desk: Desk) -> None:
    often(desk)
    say(desk, "wm", "seen")
    assert only_case(desk).state == "seen"
    say(desk, "zg", "explained", "campaign")
    line = only_case(desk)
    assert line.state == "explained"
    assert [(word.state, word.by.initials, word.reason) for word in line.words] == [
        ("seen", "wm", ""),
        ("explained", "zg", "campaign"),
    ]
    (person,) = (each for each in report_of(desk).people if each.cases)
    assert (person.cases, person.open_cases) == (1, 0)


def test_a_case_outlives_a_restart_and_cannot_be_deleted(desk: Desk) -> None:
    often(desk)
    say(desk, "zg", "explained", "checked")
    desk.shop.reopen()
    assert only_case(desk).state == "explained"
    with pytest.raises(Unavailable), desk.ctx.write_rows() as conn:
        conn.execute("DELETE FROM event WHERE kind IN ('sale', 'case')")
    assert only_case(desk).state == "explained"


def test_there_is_no_word_that_mutes(desk: Desk) -> None:
    often(desk)
    with pytest.raises(Refused) as refused:
        say(desk, "zg", "explained", "muted")
    assert refused.value.code is Refusal.REASON_NEEDED
    with pytest.raises(Refused) as refused:
        say(desk, "zg", "explained")
    assert refused.value.code is Refusal.REASON_NEEDED


def test_nobody_explains_their_own_case(desk: Desk) -> None:
    desk.session = session_of(desk, "zg")
    often(desk)
    with pytest.raises(Refused) as refused:
        say(desk, "zg", "seen")
    assert refused.value.code is Refusal.NOT_ALLOWED
    say(desk, "wm", "seen")


def test_who_agreed_to_it_does_not_explain_it_either(desk: Desk) -> None:
    sell(desk.ctx, desk.charge())
    command = desk.charge()
    approve(desk.ctx, Approve(desk.refused(command), "zg", PINS["zg"]))
    sell(desk.ctx, command)
    case = only_case(desk).case
    assert case.staff == desk.session.staff_id.hex()
    words = [
        SayOfCase(desk.ctx.ids(), session_of(desk, who), case.key, "explained", "campaign")
        for who in ("zg", "wm")
    ]
    with pytest.raises(Refused) as refused:
        say_of_case(desk.ctx, words[0])
    assert refused.value.code is Refusal.NOT_ALLOWED
    say_of_case(desk.ctx, words[1])


def test_a_cashier_sees_no_exceptions_and_says_nothing_of_them(desk: Desk) -> None:
    often(desk)
    line = only_case(desk)
    for act in (
        lambda: report_of(desk, who="lx"),
        lambda: journal_of_case(desk.ctx, session_of(desk, "lx"), line.case),
        lambda: say(desk, "lx", "seen"),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code is Refusal.NOT_ALLOWED


def test_a_supervisor_sees_the_open_day_only(desk: Desk) -> None:
    often(desk)
    assert len(report_of(desk, who="wm").cases) == 1
    desk.shop.clock.step(days=1)
    assert len(report_of(desk, who="wm").cases) == 1  # The shift goes on with its date.
    desk.shop.start()
    assert report_of(desk, who="wm").cases == ()
    (line,) = report_of(desk, who="zg").cases
    assert journal_of_case(desk.ctx, session_of(desk, "wm"), line.case) == ()
    with pytest.raises(Refused):
        audit_facts(desk.ctx, session_of(desk, "wm"), line.case.seqs[0][1])
    with pytest.raises(Refused):
        say_of_case(
            desk.ctx, SayOfCase(desk.ctx.ids(), session_of(desk, "wm"), line.case.key, "seen")
        )


def test_an_auditor_reads_the_cases_without_names_and_says_nothing_of_them(desk: Desk) -> None:
    often(desk)
    today = desk.ctx.business_date()
    auditor = Session(
        add_staff(desk.ctx, NewStaff("au", "审计", "auditor", "246813"), today=today), None
    )
    report = exceptions_of(desk.ctx, auditor, today, today)
    (line,) = report.cases
    assert (line.member_name, report.may_judge) == (f"#{line.case.member[-8:]}", False)
    behind = journal_of_case(desk.ctx, auditor, line.case)
    assert {each.member for each in behind} == {line.member_name}
    with pytest.raises(Refused) as refused:
        say_of_case(desk.ctx, SayOfCase(desk.ctx.ids(), auditor, line.case.key, "seen"))
    assert refused.value.code is Refusal.NOT_ALLOWED
    assert report_of(desk).may_judge


def test_a_count_opens_into_its_events(desk: Desk) -> None:
    sold = sell(desk.ctx, desk.charge()).result
    shown = preview_void(desk.ctx, sold.event_id)[0]
    void(desk.ctx, Void(desk.ctx.ids(), desk.session, sold.event_id, "test", shown.balance_after))
    (line,) = report_of(desk).people
    for measure, kind in (("voids", "void"), ("enrolments", "enrol")):
        behind = lines_of(desk.ctx, session_of(desk, "zg"), line.events[measure])  # type: ignore[index]  # two of the measures
        assert {each.kind for each in behind} == {kind}
        assert len(behind) == line.counts[measure].count  # type: ignore[index]  # as above


@pytest.mark.parametrize("key", ["F2.often.x.999999", "F99.x.1", "F2.often.x.1"])
def test_a_case_that_never_was_gets_no_word(desk: Desk, key: str) -> None:
    often(desk)
    report_of(desk)
    command = SayOfCase(desk.ctx.ids(), session_of(desk, "zg"), key, "seen")
    with pytest.raises(Refused) as refused:
        say_of_case(desk.ctx, command)
    assert refused.value.code is Refusal.DOCUMENT_UNKNOWN


def test_the_same_word_sent_twice_is_written_once(desk: Desk) -> None:
    often(desk)
    key = only_case(desk).case.key
    command = SayOfCase(desk.ctx.ids(), session_of(desk, "zg"), key, "seen")
    say_of_case(desk.ctx, command)
    assert say_of_case(desk.ctx, command).again
    with desk.ctx.read() as conn:
        said = [row for row in rows.events_after(conn, 0) if row.kind == posting.CASE]
    assert len(said) == 1


def test_the_report_does_not_change_the_store(desk: Desk) -> None:
    often(desk)
    with desk.ctx.read() as conn:
        before = rows.head(conn)
    report_of(desk)
    with desk.ctx.read() as conn:
        assert rows.head(conn) == before


def test_bookings_of_an_older_date_hide_no_event_before_them(kiosk: Kiosk) -> None:
    """A close books on its own date while the next one sells: dates go back along the journal."""
    today = next_day_of(kiosk)
    sold = kiosk.quote_and_sell().result.seq
    before = today.plus(-1)
    for n in range(40):
        event_id = n.to_bytes(16, "big")
        with kiosk.ctx.write(event_id) as tx:
            tx.record(
                posting.TIER_REVIEW, event_id=event_id, session=None, business_date=before,
                member_id=kiosk.member_id, doc={"due": int(before), "tier_code": "basic"},
            )  # fmt: skip
    with kiosk.ctx.read() as conn:
        assert 0 < first_seq(conn, today) < sold
        assert first_seq(conn, before) < first_seq(conn, today)
        assert first_seq(conn, today.plus(9)) == first_seq(conn, today)


def next_day_of(kiosk: Kiosk) -> BusinessDate:
    count_and_close(kiosk)
    next_day(kiosk)
    return kiosk.ctx.business_date()


def test_of_more_cases_than_are_listed_all_are_counted_and_the_unseen_come_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    often(desk)
    first = only_case(desk).case.key
    desk.shop.clock.step(days=1)
    desk.shop.start()
    often(desk)
    whole = report_of(desk)
    assert (whole.found, [line.cases for line in whole.people]) == ((2, 2), [2])
    monkeypatch.setattr("app.queries.guard_walk.CASES_MOST", 1)
    newest = only_case(desk).case.key
    assert newest != first
    desk.ctx.found_cases = {line.case.key: line.case for line in whole.cases}
    say_of_case(desk.ctx, SayOfCase(desk.ctx.ids(), session_of(desk, "zg"), newest, "seen"))
    report = report_of(desk)
    assert (report.found, [line.case.key for line in report.cases]) == ((2, 1), [first])
    assert [(line.cases, line.open_cases) for line in report.people] == [(2, 1)]
