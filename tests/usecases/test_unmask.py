"""A phone or birthday in full: for a reason, five in a cashier's shift, each in the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app import posting
from app.domain.errors import Refusal, Refused
from app.usecases.sell import sell
from app.usecases.unmask import Unmask, Value, unmask
from db import rows
from tests.usecases.counter import INITIALS, PHONE, Counter


def look(
    counter: Counter, who: str, *, what: Value = "phone", reason: str = "customer_asks"
) -> Unmask:
    return Unmask(counter.ctx.ids(), counter.session(who), counter.member_id, what, reason)


def looks(counter: Counter) -> list[dict[str, object]]:
    """The facts of the looks in the journal."""
    with counter.ctx.read() as conn:
        found = rows.events_of_kind(conn, posting.LOOK, before=1 << 40)
        return [posting.event_of(row).doc for row in found]


def test_the_phone_is_handed_out_and_the_journal_has_who_looked_and_why(counter: Counter) -> None:
    command = look(counter, "lx")
    assert (unmask(counter.ctx, command).result.phone or "").endswith(PHONE)
    assert looks(counter) == [{"what": "phone", "reason": "customer_asks"}]
    assert unmask(counter.ctx, command).again
    assert len(looks(counter)) == 1, "the same command again is the same look"


@pytest.mark.parametrize(
    "change",
    [
        lambda counter: {"session": counter.session("l2")},
        lambda counter: {"session": counter.session(INITIALS["auditor"])},
        lambda counter: {"member_id": counter.enrol("李四", "13800007777")},
        lambda counter: {"what": "birthday"},
        lambda counter: {"reason": "call_back"},
    ],
    ids=["another person", "an auditor", "another member", "another value", "another reason"],
)
def test_the_id_of_a_look_hands_out_nothing_else(
    counter: Counter, change: Callable[[Counter], dict[str, Any]]
) -> None:
    command = look(counter, "lx")
    unmask(counter.ctx, command)
    with pytest.raises(Refused) as refused:
        unmask(counter.ctx, replace(command, **change(counter)))
    assert refused.value.code is Refusal.NOT_ALLOWED
    assert len(looks(counter)) == 1


def test_the_id_of_another_act_hands_out_nothing(counter: Counter) -> None:
    sale = counter.sale_command("lx", member=counter.member_id)
    sell(counter.ctx, sale)
    with pytest.raises(Refused) as refused:
        unmask(counter.ctx, replace(look(counter, "lx"), command_id=sale.command_id))
    assert refused.value.code is Refusal.NOT_ALLOWED


def test_a_member_without_a_birthday_has_none(counter: Counter) -> None:
    assert unmask(counter.ctx, look(counter, "lx", what="birthday")).result.birthday is None


def test_without_a_reason_nothing_is_shown(counter: Counter) -> None:
    with pytest.raises(Refused) as refused:
        unmask(counter.ctx, look(counter, "lx", reason=""))
    assert refused.value.code is Refusal.REASON_NEEDED
    assert looks(counter) == []


def test_a_cashier_sees_five_in_a_shift_and_another_person_their_own_five(
    counter: Counter,
) -> None:
    for _ in range(5):
        unmask(counter.ctx, look(counter, "lx"))
    with pytest.raises(Refused) as refused:
        unmask(counter.ctx, look(counter, "lx", what="birthday"))
    assert (refused.value.code, refused.value.facts) == (Refusal.UNMASK_LIMIT, {"limit": 5})
    unmask(counter.ctx, look(counter, "l2"))
    assert len(looks(counter)) == 6


def test_a_supervisor_sees_as_many_as_they_answer_for(counter: Counter) -> None:
    for _ in range(6):
        unmask(counter.ctx, look(counter, INITIALS["supervisor"]))
    assert len(looks(counter)) == 6


def test_an_auditor_sees_none(counter: Counter) -> None:
    with pytest.raises(Refused) as refused:
        unmask(counter.ctx, look(counter, INITIALS["auditor"]))
    assert refused.value.code is Refusal.NOT_ALLOWED
