"""Points by hand: two people, a reason, a note that stays out of the chain, and a limit for a day (F5)."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.build import DATABASE, open_till
from app.domain.errors import Refusal, Refused
from app.queries.counter import documents_of_shift
from app.queries.why import why
from app.usecases.adjust import Adjust, Adjusted, adjust, preview_adjust
from app.usecases.done import Done
from app.usecases.verify import verify
from db import people, rows
from tests.conftest import MadeStore
from tests.fakes import ZONE_MIN, Shop, SteppedClock
from tests.usecases.counter import Counter, asked

NOTE = "顾客说上周三没给积分，小票看过了"


def command(
    counter: Counter, who: str, points: int, *, reason: str = "goodwill", note: str = NOTE
) -> Adjust:
    session = counter.session(who)
    shown = preview_adjust(counter.ctx, counter.session("wm"), counter.member_id, points)
    return Adjust(
        counter.ctx.ids(), session, counter.member_id, points, reason, note, shown.balance_after
    )


def agreed(counter: Counter, asks: Adjust, approver: str) -> Done[Adjusted]:
    """The command as it ends once the second person has typed their PIN."""
    with pytest.raises(Refused) as refused:
        adjust(counter.ctx, asks)
    assert refused.value.code is Refusal.APPROVAL_NEEDED
    counter.agree(asked(refused.value), approver)
    return adjust(counter.ctx, asks)


def refusal(counter: Counter, asks: Adjust) -> Refusal:
    with pytest.raises(Refused) as refused:
        adjust(counter.ctx, asks)
    return refused.value.code


def balance(counter: Counter) -> int:
    return preview_adjust(counter.ctx, counter.session("wm"), counter.member_id).balance_before


@pytest.mark.parametrize("points", [300, -300])
def test_points_are_given_and_taken_with_a_second_person(counter: Counter, points: int) -> None:
    before = balance(counter)
    done = agreed(counter, command(counter, "wm", points), "zg")
    assert done.result.balance == before + points == balance(counter)
    assert verify(counter.ctx).findings == []


def test_points_given_open_a_lot_that_expires_by_the_programme(counter: Counter) -> None:
    shown = preview_adjust(counter.ctx, counter.session("wm"), counter.member_id, 300)
    agreed(counter, command(counter, "wm", 300), "zg")
    with counter.ctx.read() as conn:
        (event,) = rows.adjustments_on(conn, counter.ctx.business_date())
        (line,) = rows.ledger_of_event(conn, event.seq)
    assert shown.expires is not None
    assert (line.amount, line.expires) == (300, int(shown.expires))


def test_taking_more_than_there_is_says_before_what_the_member_would_owe(counter: Counter) -> None:
    member = counter.enrol("李四", "13800007771")
    shown = preview_adjust(counter.ctx, counter.session("wm"), member, -50)
    assert (shown.balance_after, shown.owed_after) == (-50, 50)


@pytest.mark.parametrize("who", ["lx", "au"])
def test_who_may_not_is_told_before_anything_is_typed(counter: Counter, who: str) -> None:
    with pytest.raises(Refused) as refused:
        preview_adjust(counter.ctx, counter.session(who), counter.member_id)
    assert refused.value.code is Refusal.NOT_ALLOWED
    assert refusal(counter, command(counter, who, 10)) is Refusal.NOT_ALLOWED


def test_a_manager_needs_a_second_person_too(counter: Counter) -> None:
    assert refusal(counter, command(counter, "zg", 10)) is Refusal.APPROVAL_NEEDED


def test_ones_own_account_is_forbidden_to_everybody(counter: Counter) -> None:
    asks = command(counter, "zg", 10)
    counter.link("zg", counter.member_id)
    assert refusal(counter, asks) is Refusal.ADJUST_OWN_ACCOUNT
    with pytest.raises(Refused) as refused:
        preview_adjust(counter.ctx, counter.session("zg"), counter.member_id)
    assert refused.value.code is Refusal.ADJUST_OWN_ACCOUNT


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"points": 0}, Refusal.ADJUST_ZERO),
        ({"reason": ""}, Refusal.REASON_NEEDED),
        ({"reason": "because"}, Refusal.REASON_NEEDED),
        ({"note": "短"}, Refusal.ADJUST_NOTE_SHORT),
        ({"note": "a" + " " * 30 + "b"}, Refusal.ADJUST_NOTE_SHORT),
        ({"balance_after": -1}, Refusal.QUOTE_CHANGED),
    ],
)
def test_what_is_missing_or_changed_is_refused(
    counter: Counter, change: dict[str, object], code: Refusal
) -> None:
    asks = replace(command(counter, "wm", 10), **change)  # type: ignore[arg-type]  # by name
    assert refusal(counter, asks) is code


def test_one_approver_lets_through_so_much_a_day_in_either_direction(counter: Counter) -> None:
    agreed(counter, command(counter, "wm", 1200), "ho")
    counter.member_id = counter.enrol("李四", "13800007771")
    agreed(counter, command(counter, "zg", -800), "ho")
    counter.member_id = counter.enrol("王五", "13800007772")
    asks = command(counter, "wm", 1)
    with pytest.raises(Refused) as refused:
        adjust(counter.ctx, asks)
    counter.agree(asked(refused.value), "ho")
    assert refusal(counter, asks) is Refusal.ADJUST_OVER_DAY
    # Another approver has a day of their own.
    agreed(counter, asks, "zg")
    with counter.ctx.read() as conn:
        assert len(rows.adjustments_on(conn, counter.ctx.business_date())) == 3


def previewed(counter: Counter, who: str, points: int) -> Refusal | None:
    try:
        preview_adjust(counter.ctx, counter.session(who), counter.member_id, points)
    except Refused as refused:
        return refused.code
    return None


@pytest.mark.parametrize("points", [2001, -2001, 999_999])
def test_more_than_a_day_carries_is_refused_before_anybody_agrees(
    counter: Counter, points: int
) -> None:
    assert previewed(counter, "wm", points) is Refusal.ADJUST_ABOVE_DAY
    asks = replace(command(counter, "wm", 1), points=points)
    assert refusal(counter, asks) is Refusal.ADJUST_ABOVE_DAY
    assert previewed(counter, "wm", 2000) is None


def test_one_asker_and_one_member_have_a_day_too(counter: Counter) -> None:
    agreed(counter, command(counter, "wm", 1500), "zg")
    assert previewed(counter, "zg", 501) is Refusal.ADJUST_ABOVE_DAY
    assert previewed(counter, "zg", -1500) is None, "another person takes a mistake back"
    counter.member_id = counter.enrol("李四", "13800007771")
    assert previewed(counter, "wm", 501) is Refusal.ADJUST_ABOVE_DAY
    assert previewed(counter, "zg", 501) is None


@pytest.mark.parametrize(("who", "stay"), [("zg", "zg wm lx"), ("wm", "wm lx au")])
def test_where_nobody_else_could_agree_it_is_said_before_typing(
    counter: Counter, who: str, stay: str
) -> None:
    asks = command(counter, who, 10)
    with counter.ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET active = instr(?, initials) > 0", (stay,))
    assert previewed(counter, who, 0) is Refusal.ADJUST_ALONE
    assert refusal(counter, asks) is Refusal.ADJUST_ALONE


def test_who_owns_the_account_is_nobody_who_could_agree(counter: Counter) -> None:
    counter.link("zg", counter.member_id)
    with counter.ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET active = instr('wm zg', initials) > 0")
    assert previewed(counter, "wm", 0) is Refusal.ADJUST_ALONE


def test_the_second_person_agrees_to_that_note_and_no_other(counter: Counter) -> None:
    asks = command(counter, "wm", 300)
    with pytest.raises(Refused) as refused:
        adjust(counter.ctx, asks)
    assert asked(refused.value).note == NOTE
    assert NOTE not in repr(refused.value.offer)
    counter.agree(asked(refused.value), "zg")
    assert refusal(counter, replace(asks, note=NOTE + "。")) is Refusal.APPROVAL_NEEDED
    adjust(counter.ctx, asks)


def test_a_command_is_done_once(counter: Counter) -> None:
    before = balance(counter)
    asks = command(counter, "wm", 300)
    first = agreed(counter, asks, "zg")
    again = adjust(counter.ctx, asks)
    assert again.again
    assert again.result == first.result
    assert balance(counter) == before + 300


def test_the_note_is_no_part_of_the_chain(counter: Counter) -> None:
    done = agreed(counter, command(counter, "wm", 300), "zg")
    with counter.ctx.read() as conn:
        event = rows.event_by_id(conn, done.result.event_id)
        note = people.note_of(conn, done.result.event_id)
    assert event is not None
    assert "小票".encode() not in event.body
    assert note is not None
    assert note.text == NOTE
    in_files = b"".join(path.read_bytes() for path in (counter.ctx.folder).rglob("*.rjl"))
    assert "小票".encode() not in in_files


def test_the_note_is_back_with_an_adjustment_that_the_database_lost(
    tmp_path: Path, made_counter: tuple[MadeStore, bytes]
) -> None:
    made, member_id = made_counter
    folder = tmp_path / "store"
    shutil.copytree(made.folder, folder)
    kept = (folder / DATABASE).read_bytes()
    clock = SteppedClock(made.clock.now)

    def opened() -> Counter:
        till = open_till(
            folder, find_keystore=lambda: made.keystore, clock=clock, offset_min=lambda: ZONE_MIN
        )
        return Counter(Shop(till, clock, made.keystore), member_id)

    counter = opened()
    done = agreed(counter, command(counter, "wm", 300), "zg")
    counter.shop.till.close()
    for path in folder.glob(f"{DATABASE}*"):
        path.unlink()
    (folder / DATABASE).write_bytes(kept)
    counter = opened()
    try:
        with counter.ctx.read() as conn:
            note = people.note_of(conn, done.result.event_id)
        assert note is not None
        assert note.text == NOTE
        assert balance(counter) == done.result.balance
    finally:
        counter.shop.till.close()


def test_why_says_reason_note_and_who_agreed(counter: Counter) -> None:
    done = agreed(counter, command(counter, "wm", 300), "zg")
    answer = why(counter.ctx, done.result.event_id, counter.ctx.words("zh_CN"))
    assert "300" in answer.headline
    said = "\n".join(answer.working)
    assert NOTE in said
    assert "补偿" in said
    assert "ZG" in said


def test_it_is_no_slip_that_could_be_voided_or_printed_again(counter: Counter) -> None:
    before = documents_of_shift(counter.ctx)
    agreed(counter, command(counter, "wm", 300), "zg")
    assert documents_of_shift(counter.ctx) == before
