"""The rules against fraud, each at its edge, by hand (security.md section 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.domain.fraud.facts import MOST_SEQS, Case, Fact
from app.domain.fraud.guard import Guard, cases_of
from app.domain.fraud.limits import DEFAULT_GUARD, LIMIT_NAMES, GuardLimits
from app.domain.fraud.peers import Standing, median, share, standings
from app.domain.fraud.verdicts import Stop, adjustment, redeem_after_change, repeat_earn, top_up

MINUTE, HOUR, DAY = 60, 3600, 86_400
START_DAY = 20_000


class Stream:
    """Facts of one till in order; each is a minute after the one before unless it says otherwise."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.now = START_DAY * DAY + 9 * HOUR

    def add(self, kind: str, *, after: int = MINUTE, **values: Any) -> Fact:
        """One more fact; `after` are the seconds since the last one."""
        self.now += after
        given: dict[str, Any] = {
            "till": "t1", "seq": len(self.facts) + 1, "kind": kind, "at_s": self.now,
            "wall_s": self.now, "day": self.now // DAY, "staff": "ann", "shift": "s1", **values,
        }  # fmt: skip
        given.setdefault("id", f"e{given['seq']}")
        self.facts.append(Fact(**given))
        return self.facts[-1]

    def sale(self, member: str = "", *, earned: int = 10, **values: Any) -> Fact:
        """A sale that earns when it has a member."""
        return self.add("sale", member=member, earned=earned if member else 0, **values)

    def cases(self, limits: GuardLimits = DEFAULT_GUARD) -> list[tuple[str, str, str]]:
        """(rule, what, action) of every case, in the order of opening."""
        return [(c.rule, c.what, c.action) for c in self.found(limits)]

    def found(self, limits: GuardLimits = DEFAULT_GUARD) -> list[Case]:
        """Every case as it stood last."""
        return list(cases_of(self.facts, limits).values())


@pytest.fixture
def stream() -> Stream:
    return Stream()


# F1 ---------------------------------------------------------------------------------------------


def test_a_sale_on_ones_own_account_is_blocked(stream: Stream) -> None:
    stream.add("link", staff="ann", member="m1")
    stream.sale("m1")
    assert stream.cases() == [("F1", "own_card", "block")]


def test_a_sale_on_anothers_own_account_is_no_case(stream: Stream) -> None:
    stream.add("link", staff="bob", member="m1")
    stream.sale("m1")
    assert stream.cases() == []


def test_an_account_with_the_phone_of_ones_own_is_blocked(stream: Stream) -> None:
    stream.add("link", staff="ann", member="m1", phone="p1")
    stream.sale("m2", phone="p1")
    stream.sale("m3", phone="p3", after=DAY)
    assert stream.cases() == [("F1", "same_phone", "block")]


def test_ones_own_account_takes_its_new_phone_along(stream: Stream) -> None:
    stream.add("link", staff="ann", member="m1", phone="p1")
    stream.add("phone", staff="bob", member="m1", phone="p2")
    stream.sale("m2", phone="p1")
    stream.sale("m3", phone="p2")
    assert [(c.what, c.member) for c in stream.found()] == [("same_phone", "m3")]


def test_an_account_that_is_ones_own_no_more_is_no_case(stream: Stream) -> None:
    stream.add("link", staff="ann", member="m1", phone="p1")
    stream.add("link", staff="ann", member="")
    stream.sale("m1", phone="p1")
    assert stream.cases() == []


def test_an_own_card_that_a_second_person_let_pass_is_a_case(stream: Stream) -> None:
    stream.sale("m1", what="own_card", approver="wm")
    assert stream.cases() == [("F1", "own_card", "block")]


@pytest.mark.parametrize("kind", ["return", "void", "claim"])
def test_ones_own_account_is_watched_in_every_direction(stream: Stream, kind: str) -> None:
    stream.add("link", staff="ann", member="m1")
    stream.add(kind, member="m1", refers="e0")
    assert ("F1", "own_card", "block") in stream.cases()


# F2 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "blocked"), [(29, True), (30, False)])
def test_a_second_earning_within_half_an_hour_is_blocked(
    stream: Stream, minutes: int, blocked: bool
) -> None:
    stream.sale("m1")
    stream.sale("m1", after=minutes * MINUTE)
    assert stream.cases() == ([("F2", "minutes", "block")] if blocked else [])


def test_the_third_earning_of_a_day_is_flagged_and_the_fifth_blocked(stream: Stream) -> None:
    for _ in range(2):
        stream.sale("m1", after=HOUR)
    assert stream.cases() == []
    stream.sale("m1", after=HOUR)
    assert stream.cases() == [("F2", "often", "flag")]
    stream.sale("m1", after=HOUR)
    assert [len(case.seqs) for case in stream.found()] == [4]
    stream.sale("m1", after=HOUR)
    assert stream.cases() == [("F2", "often", "flag"), ("F2", "per_day", "block")]


def test_a_sale_that_was_voided_does_not_count(stream: Stream) -> None:
    wrong = stream.sale("m1")
    stream.add("void", member="m1", refers=wrong.id)
    stream.sale("m1")
    assert stream.cases() == []


def test_a_sale_that_earns_nothing_does_not_count(stream: Stream) -> None:
    stream.sale("m1")
    stream.sale("m1", earned=0)
    assert stream.cases() == []


def test_the_next_day_begins_at_nothing(stream: Stream) -> None:
    for _ in range(2):
        stream.sale("m1", after=2 * HOUR)
    stream.sale("m1", after=DAY)
    assert stream.cases() == []


def test_all_tills_of_a_store_count_together(stream: Stream) -> None:
    stream.sale("m1")
    stream.sale("m1", till="t2", staff="bob")
    (case,) = stream.found()
    assert case.seqs == (("t1", 1), ("t2", 2))


# F3 ---------------------------------------------------------------------------------------------


def claim(stream: Stream, member: str = "m1", receipt: str = "r1", **values: Any) -> Fact:
    return stream.add("claim", member=member, refers=receipt, **{"what": "bob", **values})


def test_a_claim_that_keeps_the_conditions_is_no_case(stream: Stream) -> None:
    claim(stream, amount=7)
    assert stream.cases() == []


@pytest.mark.parametrize(
    ("values", "what"), [({"amount": 8}, "too_old"), ({"what": "ann"}, "seller")]
)
def test_a_claim_that_breaks_a_condition_is_flagged(
    stream: Stream, values: dict[str, Any], what: str
) -> None:
    claim(stream, **values)
    assert stream.cases() == [("F3", what, "flag")]


def test_a_receipt_claimed_twice_is_flagged(stream: Stream) -> None:
    claim(stream)
    claim(stream, "m2")
    assert stream.cases() == [("F3", "twice", "flag")]


def test_the_third_claim_of_a_member_in_a_shift_is_blocked(stream: Stream) -> None:
    limits = replace(DEFAULT_GUARD, late_per_member=0)
    for number in range(2):
        claim(stream, receipt=f"r{number}")
    claim(stream, "m2", "r8")
    assert stream.cases(limits) == []
    claim(stream, receipt="r9")
    assert stream.cases(limits) == [("F3", "per_shift", "block")]


def test_a_member_attached_after_tender_again_and_again_is_flagged(stream: Stream) -> None:
    for _ in range(2):
        stream.sale("m1", what="late", after=DAY)
    stream.sale("m1", after=DAY)
    assert stream.cases() == []
    stream.sale("m1", what="late", after=DAY)
    assert stream.cases() == [("F3", "often", "flag")]


def test_what_was_late_a_month_ago_is_forgotten(stream: Stream) -> None:
    for days in (0, 20, 11):
        stream.sale("m1", what="late", after=days * DAY)
    assert stream.cases() == []
    stream.sale("m1", what="late", after=HOUR)
    assert stream.cases() == [("F3", "often", "flag")]


# F4 ---------------------------------------------------------------------------------------------


def quiet_days(stream: Stream, *, undone: int = 2, till: str = "t1") -> None:
    """A day before, with two people's 200 sales and 2 voids each: a share of 1 %."""
    for who in ("bob", "cid"):
        for _ in range(200):
            stream.sale(staff=who, after=1, till=till)
        for _ in range(undone):
            stream.add("void", staff=who, after=1, till=till)
    stream.now += DAY


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


# F5 ---------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {"what": "goodwill", "note_chars": 10, "approver": "wm", "amount": 100}


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


# F6 ---------------------------------------------------------------------------------------------


def test_the_fourth_opening_of_the_drawer_in_a_shift_is_reported_once(stream: Stream) -> None:
    for _ in range(3):
        stream.add("drawer")
    assert stream.cases() == []
    stream.add("drawer")
    stream.add("drawer")
    (case,) = stream.found()
    assert (case.rule, case.what, len(case.seqs)) == ("F6", "often", 5)


def test_another_shift_opens_the_drawer_anew(stream: Stream) -> None:
    for shift in ("s1", "s2"):
        for _ in range(3):
            stream.add("drawer", shift=shift)
    assert stream.cases() == []


@pytest.mark.parametrize(("seconds", "cases"), [(60, 0), (61, 1)])
def test_a_drawer_that_stands_open_is_reported(stream: Stream, seconds: int, cases: int) -> None:
    stream.add("drawer_shut", amount=seconds)
    assert len(stream.cases()) == cases


# F7 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["phone", "card", "merge"])
@pytest.mark.parametrize(("after", "blocked"), [(24 * HOUR - 1, True), (24 * HOUR, False)])
def test_redeeming_within_a_day_of_a_change_is_blocked(
    stream: Stream, kind: str, after: int, blocked: bool
) -> None:
    stream.add(kind, member="m1")
    stream.sale("m1", spent=200, after=after)
    assert stream.cases() == ([("F7", "after_change", "block")] if blocked else [])


def test_earning_after_a_change_is_no_case(stream: Stream) -> None:
    stream.add("phone", member="m1")
    stream.sale("m1")
    stream.sale("m2", spent=200)
    assert stream.cases() == []


# F8 ---------------------------------------------------------------------------------------------


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


# F9 ---------------------------------------------------------------------------------------------


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


# F10 --------------------------------------------------------------------------------------------


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


def test_an_approver_who_never_signs_in_here_is_not_missed(stream: Stream) -> None:
    stream.add("void", approver="wm")
    assert stream.cases() == []


# F11 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tendered", "blocked"), [(10_000, False), (9_999, True), (0, True)])
def test_a_load_without_its_tender_is_blocked(stream: Stream, tendered: int, blocked: bool) -> None:
    stream.add("top_up", member="m1", earned=10_000, amount=tendered)
    assert stream.cases() == ([("F11", "no_tender", "block")] if blocked else [])


# F12 --------------------------------------------------------------------------------------------


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


# All of them ------------------------------------------------------------------------------------


def test_a_limit_of_zero_turns_its_rule_off(stream: Stream) -> None:
    off = GuardLimits(**dict.fromkeys(LIMIT_NAMES, 0))
    quiet_days(stream)
    for number in range(40):
        stream.add("drawer")
        stream.add("drawer_shut", amount=500)
        stream.add("look", member=f"m{number}", what="phone")
        stream.add("enrol", amount=5)
        stream.sale("m1", spent=10)
        stream.add("phone", member="m1")
        stream.add("return", approver="wm")
        stream.sale("m1", what="late", wall_s=stream.now - 9 * HOUR)
        claim(stream, receipt=f"r{number}", amount=90)
        stream.add("adjust", **{**GOOD, "note_chars": 0, "amount": 9999})
    assert stream.cases(off) == []
    assert {rule for rule, _, _ in stream.cases()} >= {
        "F2",
        "F3",
        "F4",
        "F5",
        "F6",
        "F7",
        "F8",
        "F9",
    }


def test_a_case_that_grows_keeps_its_key_and_its_newest_events(stream: Stream) -> None:
    for _ in range(MOST_SEQS + 20):
        stream.add("drawer")
    (case,) = stream.found()
    assert len(case.seqs) == MOST_SEQS
    assert case.seqs[-1] == ("t1", MOST_SEQS + 20)
    assert dict(case.figures)["counted"] == MOST_SEQS + 20


def test_seeing_one_by_one_is_seeing_them_all(stream: Stream) -> None:
    quiet_days(stream)
    guard, keys = Guard(DEFAULT_GUARD), set()
    for fact in stream.facts:
        keys |= {case.key for case in guard.see(fact)}
    assert keys == set(cases_of(stream.facts, DEFAULT_GUARD))


# Before the commit ------------------------------------------------------------------------------


def test_the_counter_and_the_fold_answer_alike(stream: Stream) -> None:
    """Every case of F2 with "block" is a stop for the counter at the same sale, and the reverse."""
    for minutes in (0, 40, 10, 200, 31, 29, 5):
        stream.sale("m1", after=minutes * MINUTE)
    earns: list[int] = []
    stopped = []
    for fact in stream.facts:
        if repeat_earn(earns, fact.at_s, DEFAULT_GUARD):
            stopped.append(fact.seq)
        earns.append(fact.at_s)
    blocked = [case.seqs[-1][1] for case in stream.found() if case.action == "block"]
    assert stopped == blocked
    assert len(stopped) == 4


def test_a_clock_that_stands_before_the_last_sale_does_not_open_the_way() -> None:
    assert repeat_earn([1000], 400, DEFAULT_GUARD) == Stop("F2", "minutes", 0, 30)
    assert redeem_after_change(1000, 400, DEFAULT_GUARD) == Stop("F7", "after_change", 0, 24)


def test_what_nobody_at_the_counter_may_let_pass() -> None:
    never = [
        adjustment("", 10, "ann", "wm", 1, 0, DEFAULT_GUARD),
        adjustment("r", 10, "ann", "wm", 1, 2000, DEFAULT_GUARD),
        top_up(100, 0),
    ]
    assert [stop.answer for stop in never if stop] == ["never"] * 3


# Peers ------------------------------------------------------------------------------------------


def test_a_person_stands_by_multiple_and_distance_from_the_others() -> None:
    counted = {"ann": (6, 100), "bob": (2, 100), "cid": (2, 100), "dan": (1, 0)}
    found = standings(counted)
    assert found["ann"] == Standing(6, 100, 30, 141)
    assert found["bob"] == Standing(2, 100, 10, -70 - 1)
    assert found["dan"] == Standing(1, 0, None, None)


def test_alone_there_is_nothing_to_compare_with() -> None:
    assert standings({"ann": (6, 100)})["ann"] == Standing(6, 100, None, None)
    assert median([]) == 0
    assert median([1, 4]) == 2
    assert (share(1, 0), share(0, 0), share(1, 3)) == (1_000_000, 0, 333_333)
