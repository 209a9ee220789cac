"""The rules against fraud together: limits, cases, the counter's answers, and comparison with others."""

from __future__ import annotations

from app.domain.fraud.facts import MOST_SEQS
from app.domain.fraud.guard import Guard, cases_of
from app.domain.fraud.limits import DEFAULT_GUARD, LIMIT_NAMES, GuardLimits
from app.domain.fraud.peers import Standing, median, share, standings
from app.domain.fraud.verdicts import (
    AdjustedToday,
    Stop,
    adjustment,
    redeem_after_change,
    repeat_earn,
    top_up,
)
from tests.domain.fraud_stream import GOOD, HOUR, MINUTE, Stream, claim, quiet_days

# All of them -------------------------------------------------------------------------------------


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


# Before the commit -------------------------------------------------------------------------------


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
        adjustment("", 10, "ann", "wm", 1, AdjustedToday(), DEFAULT_GUARD),
        adjustment("r", 10, "ann", "wm", 1, AdjustedToday(2000), DEFAULT_GUARD),
        top_up(100, 0),
    ]
    assert [stop.answer for stop in never if stop] == ["never"] * 3


# Peers -------------------------------------------------------------------------------------------


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
