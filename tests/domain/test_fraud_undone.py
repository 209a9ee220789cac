"""The rule against fraud by voids and returns, F4, at its edges (security.md section 4)."""

from __future__ import annotations

from typing import Any

from tests.domain.fraud_stream import DAY, Stream, quiet_days


def undo(stream: Stream, count: int, *, member: str = "m1", **values: Any) -> None:
    for number in range(count):
        stream.add("return" if number % 2 else "void", member=member, **values)


def sell(stream: Stream, count: int, **values: Any) -> None:
    for _ in range(count):
        stream.add("sale", member="m0", after=1, **values)


def test_voids_beyond_three_times_the_usual_share_are_reported(stream: Stream) -> None:
    quiet_days(stream)
    sell(stream, 200)
    undo(stream, 6)
    assert stream.cases() == []
    undo(stream, 1)
    (case,) = stream.found()
    assert (case.rule, case.what, case.action) == ("F4", "day", "report")
    assert dict(case.figures) == {"counted": 7, "sales": 200, "tenths": 35}


def test_fewer_than_five_are_no_case_however_large_their_share(stream: Stream) -> None:
    quiet_days(stream, undone=0)
    undo(stream, 4)
    assert stream.cases() == []
    undo(stream, 1)
    assert [case[:2] for case in stream.cases()] == [("F4", "day")]


def test_a_morning_is_measured_by_a_whole_days_sales(stream: Stream) -> None:
    quiet_days(stream)
    sell(stream, 10)
    undo(stream, 6)
    assert stream.cases() == []


def test_what_is_spread_over_three_days_is_seen_together(stream: Stream) -> None:
    quiet_days(stream)
    for _ in range(3):
        undo(stream, 3)
        stream.now += DAY
    assert {case[:2] for case in stream.cases()} == {("F4", "days")}


def test_undone_sales_without_a_member_are_counted_by_themselves(stream: Stream) -> None:
    for who in ("bob", "cid"):
        for _ in range(150):
            stream.sale(staff=who, after=1)
            stream.sale("m2", earned=0, staff=who, after=1)
        stream.add("void", staff=who, after=1)
        undo(stream, 5, staff=who)
    stream.now += DAY
    undo(stream, 5, member="")
    assert [case[:2] for case in stream.cases()] == [("F4", "day_without_member")]


def test_a_bad_batch_that_comes_back_to_everybody_is_no_case(stream: Stream) -> None:
    quiet_days(stream)
    for who in ("bob", "cid", "ann"):
        sell(stream, 100, staff=who)
    for who in ("bob", "cid", "ann"):
        undo(stream, 7, staff=who)
    assert [case for case in stream.found() if case.staff == "ann"] == []


def test_a_till_that_takes_much_back_is_measured_by_itself(stream: Stream) -> None:
    quiet_days(stream)
    quiet_days(stream, undone=10, till="desk")
    stream.now -= DAY
    undo(stream, 9, till="desk")
    assert [case for case in stream.found() if case.staff == "ann"] == []


def test_without_peers_nobody_stands_out(stream: Stream) -> None:
    undo(stream, 9)
    assert stream.cases() == []
