"""Rules of the guard by what a real till writes: late members (F3), looks (F9), clock and training (F12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app import posting
from app.domain.errors import Refused
from app.queries import counter
from app.queries.exceptions import CaseLine
from app.usecases.look import NoteLook, note_look
from app.usecases.sell import sell
from app.usecases.sign_in import SignIn, sign_in
from db import rows
from tests.app.test_exceptions import report_of
from tests.app.test_guard import Desk, desk, strict_store
from tests.fakes import PINS

__all__ = ["desk", "strict_store"]


def cases(desk: Desk, rule: str) -> list[CaseLine]:
    return [line for line in report_of(desk, days=28).cases if line.case.rule == rule]


def newest(desk: Desk, kind: str) -> dict[str, object]:
    with desk.ctx.read() as conn:
        events = [posting.event_of(row) for row in rows.events_after(conn, 0)]
    return [event.doc for event in events if event.kind == kind][-1]


def test_a_member_who_comes_late_three_times_is_a_case_and_once_is_not(desk: Desk) -> None:
    for times in range(1, 4):
        sell(desk.ctx, replace(desk.charge(), late=True))
        assert newest(desk, "sale")["attached"] == "after"
        assert len(cases(desk, "F3")) == (times == 3)
        desk.shop.clock.step(days=1)
        desk.session = desk.shop.start()
    (line,) = cases(desk, "F3")
    assert (line.case.what, len(line.case.seqs)) == ("often", 3)


def test_a_sale_in_time_or_without_a_member_is_not_late(desk: Desk) -> None:
    sell(desk.ctx, desk.charge())
    assert "attached" not in newest(desk, "sale")
    shown = counter.quote(desk.ctx, None, desk.charge().request)
    nobody = replace(desk.charge(), member_id=None, quote=shown.key, late=True)
    sell(desk.ctx, nobody)
    assert "attached" not in newest(desk, "sale")


def look(desk: Desk, name: str) -> bytes:
    member = desk.enrol(name)
    note_look(desk.ctx, NoteLook(desk.ctx.ids(), desk.session, member))
    return member


def test_thirty_one_looks_without_a_sale_are_a_case_and_a_sale_explains_one(desk: Desk) -> None:
    members = [look(desk, f"会员{n}") for n in range(30)]
    sell(desk.ctx, desk.charge(member=members[0]))
    look(desk, "会员30")
    assert cases(desk, "F9") == []
    look(desk, "会员31")
    (line,) = cases(desk, "F9")
    assert (line.case.what, dict(line.case.figures)["counted"]) == ("views", 31)
    (person,) = (each for each in report_of(desk).people if each.cases)
    assert person.counts["looks"].count == 32


def test_a_look_is_written_once_and_names_its_member(desk: Desk) -> None:
    member = desk.enrol("张三")
    command = NoteLook(desk.ctx.ids(), desk.session, member)
    assert note_look(desk.ctx, command).again is False
    assert note_look(desk.ctx, command).again is True
    assert newest(desk, "look") == {"what": "profile", "reason": ""}


def test_nobody_of_the_till_looks_without_being_let_in(desk: Desk) -> None:
    stranger = replace(desk.session, staff_id=bytes(16))
    with pytest.raises(Refused):
        note_look(desk.ctx, NoteLook(desk.ctx.ids(), stranger, desk.enrol("张三")))


@pytest.mark.parametrize(("seconds", "found"), [(119, 0), (121, 1)])
def test_a_clock_that_goes_back_more_than_two_minutes_is_a_case(
    desk: Desk, seconds: int, found: int
) -> None:
    sell(desk.ctx, desk.charge())
    desk.shop.clock.now -= timedelta(seconds=seconds)
    sell(desk.ctx, desk.charge(member=desk.enrol("李四")))
    assert [line.case.what for line in cases(desk, "F12")] == ["clock"] * found


@pytest.mark.parametrize(
    ("after_training", "seconds", "found"), [(True, 50, 1), (True, 70, 0), (False, 50, 0)]
)
def test_a_live_sale_within_a_minute_of_training_is_a_case(
    desk: Desk, after_training: bool, seconds: int, found: int
) -> None:
    ctx = desk.ctx
    sign_in(ctx, SignIn(ctx.ids(), "lx", PINS["lx"], after_training))
    assert newest(desk, "sign_in").get("after_training") == (1 if after_training else None)
    desk.shop.clock.step(seconds=seconds)
    sell(ctx, desk.charge())
    assert [line.case.what for line in cases(desk, "F12")] == ["training"] * found
