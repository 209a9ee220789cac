"""A number that finds nobody here is asked of head office, by real keys, over real HTTP."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import Qt

from app.numbers import card_number
from app.sync import looking_up
from app.sync.exchange import Exchange
from app.sync.outcome import Heard, Offered
from app.usecases.enrol import ProfileInput
from db import people
from db.people import CardBlock
from tests.app.chain import settle
from tests.app.kiosk import Kiosk, made_template
from tests.ui.conftest import Rig
from tests.ui.flows.test_foreign_returns import here, kiosk, office, other
from tests.ui.flows.test_head_office import cut_line
from tests.ui.keys import press, write
from ui.dialogs.enrol import EnrolSheet
from ui.screens.find_panel import FindPanel

__all__ = ["here", "kiosk", "made_template", "office", "other"]

PHONE = "13912340077"


OWN_CARD = card_number("8800", 900)
"""Of this till's block, nobody's yet."""


@pytest.fixture(autouse=True)
def _whatever_else_the_machine_does(here: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers may take long; and nobody comes here with a poll, as members of the chain do sooner or later."""
    monkeypatch.setattr(looking_up, "LOOK_WITHIN_S", 30.0)
    desk = here.window.desk
    assert desk is not None
    monkeypatch.setattr(desk.exchange, "once", lambda: Heard(600.0))
    here.until(lambda: not here.shell.exchange._asking)


def said(finder: FindPanel) -> str:
    return finder._status.text()


def typed_four_digits(here: Rig) -> FindPanel:
    """Four digits that nobody here has are typed, and head office can be asked for them."""
    finder = here.counter.finder
    here.until(finder.box.hasFocus)
    write("0077")
    here.until(lambda: "按 Enter 向总部查询" in said(finder))
    return finder


def test_a_member_who_has_not_come_yet_is_found_and_attached(
    here: Rig, kiosk: Kiosk, other: Exchange
) -> None:
    member = kiosk.enrol(ProfileInput("周未到", PHONE)).result.member_id
    settle(other)
    finder = here.counter.finder
    here.until(finder.box.hasFocus)
    write(PHONE)
    here.until(lambda: finder.rows.rowCount() == 1)
    press(Qt.Key.Key_Return)
    here.until(lambda: here.counter.cart.member_id == member)
    assert here.faults() == []


def test_what_head_office_does_not_know_either_is_said_and_typing_goes_on(here: Rig) -> None:
    finder = here.counter.finder
    here.until(finder.box.hasFocus)
    write(PHONE)
    here.until(lambda: "总部也没有这个号码" in said(finder))
    assert "按 Enter" in said(finder), "a new member may be enrolled as ever"
    press(Qt.Key.Key_Backspace)
    here.until(lambda: "总部" not in said(finder))
    assert here.faults() == []


def test_without_a_line_the_till_goes_on_by_itself(here: Rig) -> None:
    cut_line(here)
    finder = here.counter.finder
    here.until(finder.box.hasFocus)
    write(PHONE)
    here.until(lambda: "总部暂时没有回应" in said(finder))
    press(Qt.Key.Key_Return)
    here.until(lambda: here.top is not None)
    assert here.faults() == []


def test_a_card_of_another_tills_block_is_asked_for_and_its_member_attached(
    here: Rig, kiosk: Kiosk, other: Exchange
) -> None:
    with kiosk.ctx.write_rows() as conn:
        people.drop_card_block(conn, "8800")
        people.put_card_block(conn, CardBlock("8901", 1, 100))
    new = kiosk.enrol(ProfileInput("周未到", PHONE)).result
    assert new.card_no.startswith("8901")
    settle(other)
    here.until(here.counter.finder.box.hasFocus)
    here.scan("6900000000000")
    lines = len(here.counter.cart.unknown_lines)
    here.scan(new.card_no)
    here.until(lambda: here.counter.cart.member_id == new.member_id)
    assert len(here.counter.cart.unknown_lines) == lines == 1, "the card is no item"
    assert here.faults() == []


def test_a_card_of_ours_that_nobody_has_anywhere_is_given_to_a_new_member(here: Rig) -> None:
    here.scan(OWN_CARD)
    here.hear("这不是本店的卡")
    assert here.counter.scanning.new_card() == OWN_CARD
    assert here.faults() == []


def test_a_card_without_a_line_is_a_visitors_and_the_till_goes_on(here: Rig) -> None:
    cut_line(here)
    here.scan(OWN_CARD)
    here.hear("总部没有回应")
    assert here.counter.scanning.new_card() == OWN_CARD
    here.amount("12.5")
    press(Qt.Key.Key_F3)
    here.until(lambda: isinstance(here.top, EnrolSheet))
    assert here.faults() == []


def test_whose_card_it_is_comes_too_late_for_another_members_sale(
    here: Rig, kiosk: Kiosk, other: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found while head office was asked: the sale is theirs."""
    new = kiosk.enrol(ProfileInput("周未到", PHONE)).result
    settle(other)
    go_on = asked_slowly(here, monkeypatch, new.card_no)
    here.attach()
    someone = here.counter.cart.member_id
    assert someone not in (None, new.member_id)
    hear_all(here, go_on)
    assert here.counter.cart.member_id == someone
    assert here.faults() == []


def test_whose_card_it_is_comes_too_late_for_the_next_customers_sale(
    here: Rig, kiosk: Kiosk, other: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither was anybody's when head office was asked."""
    new = kiosk.enrol(ProfileInput("周未到", PHONE)).result
    settle(other)
    here.amount("5")
    go_on = asked_slowly(here, monkeypatch, new.card_no)
    here.counter.clear_sale()
    here.amount("88.5")
    hear_all(here, go_on)
    assert here.counter.cart.member_id is None
    assert here.counter.cart.typed_text == "88.5"
    here.scan(new.card_no)
    here.until(lambda: here.counter.cart.member_id == new.member_id)
    assert here.faults() == []


def test_whose_card_it_is_changes_nothing_behind_a_sheet(
    here: Rig, kiosk: Kiosk, other: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = kiosk.enrol(ProfileInput("周未到", PHONE)).result
    settle(other)
    here.amount("12.5")
    go_on = asked_slowly(here, monkeypatch, new.card_no)
    press(Qt.Key.Key_F3)
    here.until(lambda: isinstance(here.top, EnrolSheet))
    hear_all(here, go_on)
    assert here.counter.cart.member_id is None
    assert isinstance(here.top, EnrolSheet)
    assert here.faults() == []


def asked_slowly(here: Rig, monkeypatch: pytest.MonkeyPatch, card: str) -> threading.Event:
    """A card is scanned, and head office is asked: what lets its answer come."""
    desk = here.window.desk
    assert desk is not None
    go_on, begun, asked = threading.Event(), threading.Event(), desk.exchange.look_up

    def slow(text: str) -> int | None:
        begun.set()
        assert go_on.wait(30)
        return asked(text)

    monkeypatch.setattr(desk.exchange, "look_up", slow)
    here.burst(card)
    here.until(begun.is_set)
    return go_on


def hear_all(here: Rig, go_on: threading.Event) -> None:
    """The answer is here, and was acted on if it was going to be."""
    go_on.set()
    answered = list[int]()
    here.window.lanes.run(
        here.window, "ask", lambda: 1, ok=answered.append, failed=lambda error: None
    )
    here.until(lambda: answered)
    here.settle()


def test_by_four_digits_head_office_offers_and_the_one_that_is_chosen_is_attached(
    here: Rig, kiosk: Kiosk, other: Exchange
) -> None:
    member = kiosk.enrol(ProfileInput("周未到", PHONE)).result.member_id
    kiosk.enrol(ProfileInput("吴敏", "13712340077"))
    settle(other)
    finder = typed_four_digits(here)
    assert finder.rows.rowCount() == 0, "nobody is asked before the cashier says so"
    press(Qt.Key.Key_Return)
    here.until(lambda: finder.rows.rowCount() == 2)
    assert "总部有 2 位尾号相符" in said(finder)
    names = [hit.name for row in range(2) if (hit := finder.rows.hit(row))]
    assert sorted(names) == ["吴*", "周*到"], "masked"
    press(Qt.Key.Key_Return)
    here.settle()
    assert here.counter.cart.member_id is None, "nobody is chosen yet"
    for _ in range(names.index("周*到") + 1):
        press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Return)
    here.until(lambda: here.counter.cart.member_id == member)
    here.until(lambda: (hit := finder.rows.hit(0)) is not None and hit.name == "周未到")
    assert here.faults() == []


def test_where_somebody_here_ends_so_ctrl_enter_asks_for_others(
    here: Rig, kiosk: Kiosk, other: Exchange
) -> None:
    member = kiosk.enrol(ProfileInput("周未到", "13912346621")).result.member_id
    settle(other)
    finder = here.counter.finder
    here.until(finder.box.hasFocus)
    write("6621")
    here.until(lambda: finder.rows.rowCount() > 0 and "按 Ctrl+Enter" in said(finder))
    press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    here.until(lambda: "尾号相符" in said(finder))
    assert here.counter.cart.member_id is None, "nobody was attached by it"
    row = finder.rows.row_of(member)
    for _ in range(row + 1):
        press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Return)
    here.until(lambda: here.counter.cart.member_id == member)
    assert here.faults() == []


def test_who_is_offered_goes_with_the_text_they_were_offered_for(
    here: Rig, kiosk: Kiosk, other: Exchange
) -> None:
    kiosk.enrol(ProfileInput("周未到", PHONE))
    settle(other)
    finder = typed_four_digits(here)
    press(Qt.Key.Key_Return)
    here.until(lambda: finder.rows.rowCount() == 1)
    press(Qt.Key.Key_Backspace)
    here.until(lambda: finder.rows.rowCount() == 0 and "总部" not in said(finder))
    press(Qt.Key.Key_Return)
    here.settle()
    assert here.counter.cart.member_id is None
    assert here.faults() == []


def test_what_head_office_says_to_four_digits_comes_too_late_for_another_text(
    here: Rig, kiosk: Kiosk, other: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.enrol(ProfileInput("周未到", PHONE))
    settle(other)
    finder, desk = here.counter.finder, here.window.desk
    assert desk is not None
    go_on, begun, offer = threading.Event(), threading.Event(), desk.exchange.offer

    def slow(text: str) -> Offered | None:
        begun.set()
        assert go_on.wait(30)
        return offer(text)

    monkeypatch.setattr(desk.exchange, "offer", slow)
    here.until(finder.box.hasFocus)
    write("0077")
    here.until(lambda: "按 Enter 向总部查询" in said(finder))
    press(Qt.Key.Key_Return)
    here.until(begun.is_set)
    write("1")
    here.until(lambda: finder.box.text() == "00771")
    hear_all(here, go_on)
    assert finder.rows.rowCount() == 0
    assert here.faults() == []


def test_without_a_line_four_digits_say_so_and_the_till_goes_on(here: Rig) -> None:
    finder = typed_four_digits(here)
    cut_line(here)
    press(Qt.Key.Key_Return)
    here.until(lambda: "总部暂时没有回应" in said(finder))
    assert here.faults() == []


def test_enter_asks_again_after_no_answer(
    here: Rig, kiosk: Kiosk, other: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.enrol(ProfileInput("周未到", PHONE))
    settle(other)
    finder, desk = here.counter.finder, here.window.desk
    assert desk is not None
    asked, offer = list[str](), desk.exchange.offer

    def late(text: str) -> Offered | None:
        asked.append(text)
        return None if len(asked) == 1 else offer(text)

    monkeypatch.setattr(desk.exchange, "offer", late)
    here.until(finder.box.hasFocus)
    write("0077")
    here.until(lambda: "按 Enter 向总部查询" in said(finder))
    press(Qt.Key.Key_Return)
    here.until(lambda: "没有回应" in said(finder))
    press(Qt.Key.Key_Return)
    here.until(lambda: finder.rows.rowCount() == 1)
    assert asked == ["0077", "0077"]
    assert here.faults() == []


def test_an_enter_that_comes_with_the_digits_asks_too(
    here: Rig, kiosk: Kiosk, other: Exchange
) -> None:
    kiosk.enrol(ProfileInput("周未到", PHONE))
    settle(other)
    finder = here.counter.finder
    here.until(finder.box.hasFocus)
    write("0077")
    press(Qt.Key.Key_Return)
    here.until(lambda: "总部有 1 位尾号相符" in said(finder))
    assert here.counter.cart.member_id is None
    assert here.faults() == []
