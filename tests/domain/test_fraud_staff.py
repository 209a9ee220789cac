"""The rules against fraud on the people of the shop, each at its edge, by hand (security.md section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.fraud_stream import DAY, GOOD, HOUR, Stream

# F5 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({}, None),
        ({"what": ""}, "no_reason"),
        ({"note_chars": 9}, "short_note"),
        ({"approver": ""}, "own_approval"),
        ({"approver": "ann"}, "own_approval"),
        ({"amount": 2000}, None),
        ({"amount": -2001}, "per_day"),
    ],
)
def test_an_adjustment_needs_reason_note_and_another_person(
    stream: Stream, change: dict[str, Any], what: str | None
) -> None:
    stream.add("adjust", member="m1", **{**GOOD, **change})
    found = [case for case in stream.cases() if case[0] == "F5"]
    assert found == ([] if what is None else [("F5", what, "block")])


def test_an_approver_lets_two_thousand_points_a_day_through(stream: Stream) -> None:
    for who in ("ann", "bob"):
        stream.add("adjust", staff=who, **{**GOOD, "amount": 1000})
    assert stream.cases() == []
    stream.add("adjust", **{**GOOD, "amount": -1})
    assert stream.cases() == [("F5", "per_day", "block")]
    stream.facts.pop()
    stream.add("adjust", after=DAY, **GOOD)
    assert stream.cases() == []


@pytest.mark.parametrize(
    ("second", "what"),
    [
        ({"staff": "ann", "member": "m2", "approver": "zg"}, "asker_per_day"),
        ({"staff": "bob", "member": "m1", "approver": "zg"}, "member_per_day"),
    ],
)
def test_neither_one_asker_nor_one_member_gets_more_by_another_approver(
    stream: Stream, second: dict[str, Any], what: str
) -> None:
    stream.add("adjust", member="m1", **{**GOOD, "amount": 2000})
    stream.add("adjust", **{**GOOD, **second, "amount": 1})
    assert stream.cases() == [("F5", what, "block")]


def test_a_mistake_is_taken_back_the_same_day_by_two_others(stream: Stream) -> None:
    stream.add("adjust", member="m1", **{**GOOD, "amount": 1500})
    stream.add("adjust", member="m1", **{**GOOD, "staff": "bob", "approver": "zg", "amount": -1500})
    assert stream.cases() == []


# F6 ----------------------------------------------------------------------------------------------


def test_the_fourth_opening_of_the_drawer_in_a_shift_is_reported_once(stream: Stream) -> None:
    for _ in range(3):
        stream.add("drawer")
    assert stream.cases() == []
    stream.add("drawer")
    stream.add("drawer")
    (case,) = stream.found()
    assert (case.rule, case.what, len(case.seqs)) == ("F6", "often", 5)


def test_the_fourth_cash_move_of_a_shift_is_reported_and_openings_are_counted_apart(
    stream: Stream,
) -> None:
    for kind in ("cash", "drawer") * 3:
        stream.add(kind)
    assert stream.cases() == []
    stream.add("cash")
    (case,) = stream.found()
    assert (case.rule, case.what, case.action, len(case.seqs)) == ("F6", "moves", "report", 4)


def test_another_shift_opens_the_drawer_anew(stream: Stream) -> None:
    for shift in ("s1", "s2"):
        for _ in range(3):
            stream.add("drawer", shift=shift)
    assert stream.cases() == []


@pytest.mark.parametrize(("seconds", "cases"), [(60, 0), (61, 1)])
def test_a_drawer_that_stands_open_is_reported(stream: Stream, seconds: int, cases: int) -> None:
    stream.add("drawer_shut", amount=seconds)
    assert len(stream.cases()) == cases


# F8 ----------------------------------------------------------------------------------------------


def test_the_eleventh_enrolment_in_an_hour_is_flagged_once(stream: Stream) -> None:
    for _ in range(10):
        stream.add("enrol", after=300)
    assert stream.cases() == []
    stream.add("enrol", after=300)
    assert stream.cases() == [("F8", "hour", "flag")]


def test_an_hour_slides(stream: Stream) -> None:
    for _ in range(30):
        stream.add("enrol", after=360)
    assert stream.cases() == []


def test_the_third_member_on_one_phone_is_flagged(stream: Stream) -> None:
    for count in (1, 2, 3):
        stream.add("enrol", phone="p1", amount=count)
    assert stream.cases() == [("F8", "phone", "flag")]


# F9 ----------------------------------------------------------------------------------------------


def test_more_than_thirty_views_without_a_sale_are_flagged(stream: Stream) -> None:
    for number in range(30):
        stream.add("look", member=f"m{number}", what="profile")
    assert stream.cases() == []
    stream.add("look", member="m30", what="profile")
    assert stream.cases() == [("F9", "views", "flag")]


def test_a_view_that_ends_in_a_sale_is_explained(stream: Stream) -> None:
    for number in range(60):
        stream.add("look", member=f"m{number}", what="profile")
        stream.sale(f"m{number}")
    assert stream.cases() == []


def test_three_unmaskings_in_ten_minutes_are_a_burst(stream: Stream) -> None:
    for after in (0, 301, 301):
        stream.add("look", member="m1", what="phone", after=after)
    assert stream.cases() == []
    stream.add("look", member="m2", what="birthday", after=200)
    assert stream.cases() == [("F9", "burst", "flag")]


def test_the_sixth_unmasking_of_a_shift_is_flagged(stream: Stream) -> None:
    for _ in range(5):
        stream.add("look", member="m1", what="phone", after=HOUR)
    assert stream.cases() == []
    stream.add("look", member="m1", what="phone", after=HOUR)
    assert stream.cases() == [("F9", "unmask", "flag")]


# F10 ---------------------------------------------------------------------------------------------


def test_the_eleventh_approval_between_two_people_is_flagged(stream: Stream) -> None:
    for _ in range(10):
        stream.add("return", approver="wm")
    assert stream.cases() == []
    stream.add("return", approver="wm")
    assert stream.cases() == [("F10", "pair", "flag")]


def test_two_people_who_agree_far_more_than_is_usual_are_flagged(stream: Stream) -> None:
    for shift in range(20):
        stream.add("return", approver="wm", shift=f"q{shift}")
    for _ in range(4):
        stream.add("return", approver="wm", shift="r")
    assert stream.cases() == []
    stream.add("return", approver="wm", shift="r")
    assert stream.cases() == [("F10", "pair", "flag")]


def test_where_two_people_agree_often_that_is_usual(stream: Stream) -> None:
    for shift in range(25):
        for _ in range(8):
            stream.add("return", approver="wm", shift=f"q{shift}")
    assert stream.cases() == []


def test_an_approver_who_did_not_come_today_is_flagged(stream: Stream) -> None:
    stream.add("sign_in", staff="wm")
    stream.add("void", approver="wm")
    assert stream.cases() == []
    stream.add("void", approver="wm", after=DAY)
    assert stream.cases() == [("F10", "absent", "flag")]


def test_an_approver_who_was_made_one_the_same_day_is_flagged_once(stream: Stream) -> None:
    made = stream.add("staff", staff="zg", refers="xx")
    for _ in range(2):
        stream.add("void", approver="xx")
    (case,) = stream.found()
    assert (case.rule, case.what, case.action, len(case.seqs)) == ("F10", "fresh", "flag", 3)
    assert case.seqs[0] == (made.till, made.seq)
    stream.add("void", approver="xx", after=DAY)
    assert len(stream.found()) == 1


def test_an_approver_who_never_signs_in_here_is_not_missed(stream: Stream) -> None:
    stream.add("void", approver="wm")
    assert stream.cases() == []


# F12 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("back", "cases"), [(120, 0), (121, 1)])
def test_a_clock_that_goes_back_in_a_shift_is_flagged(
    stream: Stream, back: int, cases: int
) -> None:
    first = stream.sale()
    stream.sale(wall_s=first.wall_s - back)
    assert len(stream.cases()) == cases


def test_a_clock_set_between_shifts_is_no_case(stream: Stream) -> None:
    first = stream.sale()
    stream.sale(wall_s=first.wall_s - HOUR, shift="s2")
    assert stream.cases() == []


@pytest.mark.parametrize(("after", "cases"), [(60, 1), (61, 0)])
def test_a_sale_right_after_training_is_flagged(stream: Stream, after: int, cases: int) -> None:
    stream.add("sign_in", what="training")
    stream.sale(after=after)
    stream.sale()
    assert len(stream.cases()) == cases
