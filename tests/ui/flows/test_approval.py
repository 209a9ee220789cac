"""A second person at the counter (flow 18), by real keys on a real store."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import posting, usecases
from app.approvals import Ask
from app.context import Session
from app.domain.business_day import BusinessDate
from app.domain.rights import MATRIX, Grant, Right
from app.protocol.events import Event
from app.queries.search import search
from app.usecases.staff import LinkMember, link_member
from db import rows, staff_rows
from tests.ui.conftest import Rig, build_rig, make_kit
from tests.ui.flows.steps import charge_tea
from tests.ui.keys import press, write
from tests.ui.shop import PIN, TEA, Shop
from ui.dialogs.approval import Approval
from ui.dialogs.pay import Pay
from ui.dialogs.void_sale import VoidSale
from ui.rights_words import _WORDS, asked_for, facts_of


@pytest.fixture
def linked(qtbot: QtBot, qapp: QApplication, shop: Shop) -> Iterator[Rig]:
    """The cashier's own account is the member 6621."""
    till = shop.open()
    ctx = till.context
    member = search(ctx, "6621").hits[0].member_id
    with ctx.read() as conn:
        cashier, manager = (staff_rows.staff_by_initials(conn, who) for who in ("lx", "wm"))
    assert cashier is not None
    assert manager is not None
    link_member(ctx, LinkMember(ctx.ids(), Session(manager.id, None), cashier.id, member))
    till.close()
    rig = build_rig(qtbot, qapp, shop, kit=make_kit(qapp))
    rig.sign_in()
    rig.open_shift()
    yield rig
    rig.window.close()
    rig.window.deleteLater()
    qapp.setStyleSheet("")


def own_card(rig: Rig) -> Approval:
    """Charge tea to the cashier's own account: the sheet of the second person opens."""
    charge_tea(rig)
    return rig.sheet(Approval)


def events(rig: Rig, kind: str) -> list[Event]:
    """Every event of a kind, from the store itself."""
    rig.settle()
    desk = rig.window.desk
    assert desk is not None
    with desk.context.read() as conn:
        found = [posting.event_of(row) for row in rows.events_after(conn, 0)]
    return [event for event in found if event.kind == kind]


def agree(rig: Rig, sheet: Approval, who: str = "wm") -> None:
    write(who)
    press(Qt.Key.Key_Return)
    rig.until(sheet.pin.isVisible)
    write(PIN)
    press(Qt.Key.Key_Return)


def test_flow_18_badge_pin_and_exactly_that_sale_is_done(linked: Rig) -> None:
    sheet = own_card(linked)
    said = sheet._asked()
    assert "陈思远" in said
    assert "83.60" in said
    linked.scan("9100002")
    linked.until(sheet.pin.isVisible)
    assert sheet.pin.hasFocus()
    assert "王敏" in sheet._says.text()
    write(PIN)
    press(Qt.Key.Key_Return)
    linked.until(lambda: linked.top is None)
    assert linked.counter.charging.last_sale is not None
    assert linked.shell.staff is not None
    assert linked.shell.staff.initials == "lx", "the approver isn't signed in"
    (sale,) = events(linked, posting.SALE)[-1:]
    assert sale.doc["approval"]["right"] == "own_card"
    assert sale.staff_id is not None
    assert sale.doc["approval"]["by"] != sale.staff_id.hex()


def test_initials_do_as_well_as_a_badge(linked: Rig) -> None:
    agree(linked, own_card(linked))
    linked.until(lambda: linked.top is None)
    assert linked.counter.charging.last_sale is not None


def test_escape_is_a_no_that_is_recorded_and_the_sale_is_kept(linked: Rig) -> None:
    before = len(events(linked, posting.SALE))
    own_card(linked)
    press(Qt.Key.Key_Escape)
    linked.until(lambda: isinstance(linked.top, Pay))
    assert isinstance(linked.top, Pay)
    assert "未获批准" in linked.top.problem.text()
    assert len(events(linked, posting.SALE)) == before
    (no,) = events(linked, posting.NOT_APPROVED)
    assert (no.doc["right"], no.doc["amount"]) == ("own_card", 8360)
    assert not linked.counter.cart.is_empty


def test_after_sixty_seconds_the_request_is_over(linked: Rig) -> None:
    sheet = own_card(linked)
    sheet.ring._began -= 61
    linked.until(lambda: isinstance(linked.top, Pay))
    assert isinstance(linked.top, Pay)
    assert "60 秒" in linked.top.problem.text()
    assert len(events(linked, posting.NOT_APPROVED)) == 1


def test_one_cannot_approve_ones_own_request(linked: Rig) -> None:
    sheet = own_card(linked)
    agree(linked, sheet, "lx")
    linked.until(lambda: "自己" in sheet.problem.text())
    assert sheet.who.isVisible()
    agree(linked, sheet)
    linked.until(lambda: linked.top is None)


def test_a_wrong_pin_is_said_and_asked_again(linked: Rig) -> None:
    sheet = own_card(linked)
    write("wm")
    press(Qt.Key.Key_Return)
    linked.until(sheet.pin.isVisible)
    write("111222")
    press(Qt.Key.Key_Return)
    linked.until(lambda: "还可试" in sheet.problem.text())
    assert sheet.pin.hasFocus()
    assert sheet.pin.text() == ""


def test_an_item_scanned_meanwhile_is_the_next_customers(linked: Rig) -> None:
    sheet = own_card(linked)
    linked.scan(TEA)
    agree(linked, sheet)
    linked.until(lambda: linked.top is None)
    linked.settle()
    assert len(linked.counter.cart.lines) == 1


def test_another_members_card_meanwhile_is_refused_in_words(linked: Rig) -> None:
    linked.attach("6605")
    other = linked.counter.attached
    assert other is not None
    linked.counter.clear_sale()
    sheet = own_card(linked)
    before = linked.counter.cart.member_id
    linked.scan(other.card_no or "")
    assert linked.counter.cart.member_id == before
    assert linked.top is sheet
    assert "正在收款" in linked.shell.strip.text


def test_the_members_own_card_meanwhile_is_nothing_new(linked: Rig) -> None:
    sheet = own_card(linked)
    mine = linked.counter.attached
    assert mine is not None
    linked.scan(mine.card_no or "")
    assert linked.counter.cart.member_id == mine.member_id
    assert linked.top is sheet
    assert "正在收款" not in linked.shell.strip.text


def test_f2_leaves_a_request_that_is_out_where_it_is(linked: Rig) -> None:
    sheet = own_card(linked)
    press(Qt.Key.Key_F2)
    assert linked.top is sheet


def test_a_void_waits_for_a_second_person_and_is_then_done(linked: Rig) -> None:
    agree(linked, own_card(linked))
    linked.until(lambda: linked.top is None)
    linked.shell.errands.void()
    void = linked.sheet(VoidSale)
    linked.until(lambda: void.quote is not None)
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    linked.until(lambda: isinstance(linked.top, Approval))
    assert isinstance(linked.top, Approval)
    agree(linked, linked.top)
    linked.hear("已作废")
    (event,) = events(linked, posting.VOID)
    assert event.doc["approval"]["right"] == "own_card"


def test_a_sale_to_somebody_else_asks_nobody(linked: Rig) -> None:
    linked.attach("6608")
    linked.counter.sale.amount.setFocus()
    linked.scan(TEA)
    linked.open_pay()
    press(Qt.Key.Key_Return)
    linked.until(lambda: linked.top is None)


def test_every_act_that_a_second_person_can_be_asked_for_has_words() -> None:
    """As the use-cases name them: a right alone, or a right with which of its acts it is."""
    said = "".join(path.read_text("utf-8") for path in Path(usecases.__path__[0]).glob("*.py"))
    rights = {Right[name] for name in re.findall(r"Right\.([A-Z_]+)", said)}
    seconds = {
        right
        for right in rights
        if any(cell.grant is Grant.SECOND for cell in MATRIX[right].values())
    }
    assert {right for right, _ in _WORDS} == seconds | {Right.STAFF}  # of equal rank alone
    acts = set(re.findall(r'\("act", "(\w+)"\)', said))
    assert acts == {act for _, act in _WORDS} - {"", "in", "out", "add", "enable", "pin", "role"}


@pytest.mark.parametrize(
    ("way", "said"), [("in", "存入现金 ¥4,000.00"), ("out", "取出现金 ¥4,000.00")]
)
def test_the_sheet_says_which_way_cash_goes(rig: Rig, way: str, said: str) -> None:
    ask = Ask(bytes(16), Right.CASH_MOVE_ABOVE, bytes(16), None, 400_000, facts=(("act", way),))
    assert asked_for(rig.shell._kit, ask) == said


def test_the_sheet_names_the_date_and_each_open_thing(rig: Rig) -> None:
    facts = (
        ("act", "day"), ("date", BusinessDate.on(2026, 11, 21)), ("cart", 1),
        ("slips_waiting", 3), ("slips_doubtful", 0), ("faults", 2), ("no_backup", 1),
    )  # fmt: skip
    ask = Ask(bytes(16), Right.CLOSE_OVER_OPEN, bytes(16), None, 7, facts=facts)
    assert asked_for(rig.shell._kit, ask) == "2026-11-21 有未了事项仍日结"
    assert facts_of(rig.shell._kit, ask) == (
        ("未结的单", "1"), ("未打印的小票", "3"), ("校验发现的差异", "2"), ("没有备份", "1"),
    )  # fmt: skip


def test_what_a_yes_covers_is_named_and_what_is_only_compared_is_not(rig: Rig) -> None:
    facts = (
        ("act", "item"), ("last_close", BusinessDate.on(2026, 11, 18)), ("shift_of", "林晓"),
        ("points_earned", 12), ("points_spent", 300), ("written_off", 40),
        ("role", "manager"), ("item", "P0001"), ("items", 20), ("bound", "0123456789abcdef"),
    )  # fmt: skip
    ask = Ask(bytes(16), Right.CATALOGUE, bytes(16), None, 0, facts=facts)
    values = [value for _, value in facts_of(rig.shell._kit, ask)]
    assert values == [
        "2026-11-18", "林晓", "12 分", "300 分", "40 分", "店长", "P0001", "20",
    ]  # fmt: skip


class SlowLane:
    """Holds one call to the desk's staff on its lane until it is let go, as a slow disk does."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        desk = rig.window.desk
        assert desk is not None
        self._begun, self._go = threading.Event(), threading.Event()
        work = getattr(desk.staff, name)

        def held(*given: Any) -> Any:
            self._begun.set()
            assert self._go.wait(60)
            return work(*given)

        monkeypatch.setattr(desk.staff, name, held)
        self._rig = rig

    def reached(self) -> None:
        self._rig.until(self._begun.is_set)

    def let_go(self) -> None:
        self._go.set()


class TestOneRequestHasOneSheet:
    def test_enter_again_and_escape_before_it_is_there_change_nothing(
        self, linked: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = len(events(linked, posting.SALE))
        slow = SlowLane(linked, monkeypatch, "ask_view")
        charge_tea(linked)
        slow.reached()
        pay = linked.top
        assert isinstance(pay, Pay)
        for key in (Qt.Key.Key_Return, Qt.Key.Key_F12, Qt.Key.Key_Escape):
            press(key)
            assert pay.busy
        slow.let_go()
        agree(linked, linked.sheet(Approval))
        linked.until(lambda: linked.top is None)
        linked.settle()
        assert len(events(linked, posting.SALE)) == before + 1
        assert events(linked, posting.NOT_APPROVED) == []

    def test_nor_in_the_sheet_of_a_void(self, linked: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        agree(linked, own_card(linked))
        linked.until(lambda: linked.top is None)
        linked.shell.errands.void()
        void = linked.sheet(VoidSale)
        linked.until(lambda: void.quote is not None)
        slow = SlowLane(linked, monkeypatch, "ask_view")
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        slow.reached()
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
            press(key)
            assert void.busy
        slow.let_go()
        agree(linked, linked.sheet(Approval))
        linked.until(lambda: linked.top is None)
        linked.settle()
        assert len(events(linked, posting.VOID)) == 1
        assert events(linked, posting.NOT_APPROVED) == []

    def test_goods_scanned_before_it_is_there_are_the_next_customers(
        self, linked: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slow = SlowLane(linked, monkeypatch, "ask_view")
        desk = linked.window.desk
        assert desk is not None
        charge_tea(linked)
        slow.reached()
        linked.counter.scanning._scanned(desk.read_code(TEA), linked.clock())
        slow.let_go()
        agree(linked, linked.sheet(Approval))
        linked.until(lambda: linked.top is None)
        linked.settle()
        assert len(linked.counter.cart.lines) == 1


class TestANoWhileThePinIsChecked:
    @pytest.mark.parametrize("by", ["escape", "time"])
    def test_comes_after_a_yes_which_stands(
        self, linked: Rig, monkeypatch: pytest.MonkeyPatch, by: str
    ) -> None:
        before = len(events(linked, posting.SALE))
        sheet = own_card(linked)
        slow = SlowLane(linked, monkeypatch, "approve")
        agree(linked, sheet)
        slow.reached()
        self._say_no(sheet, by)
        slow.let_go()
        linked.until(lambda: linked.top is None)
        assert len(events(linked, posting.SALE)) == before + 1
        assert events(linked, posting.NOT_APPROVED) == []

    @pytest.mark.parametrize("by", ["escape", "time"])
    def test_holds_after_a_wrong_pin(
        self, linked: Rig, monkeypatch: pytest.MonkeyPatch, by: str
    ) -> None:
        sheet = own_card(linked)
        slow = SlowLane(linked, monkeypatch, "approve")
        write("wm")
        press(Qt.Key.Key_Return)
        linked.until(sheet.pin.isVisible)
        write("111222")
        press(Qt.Key.Key_Return)
        slow.reached()
        self._say_no(sheet, by)
        assert linked.top is sheet
        slow.let_go()
        linked.sheet(Pay)
        assert len(events(linked, posting.NOT_APPROVED)) == 1

    def _say_no(self, sheet: Approval, by: str) -> None:
        if by == "escape":
            press(Qt.Key.Key_Escape)
        else:
            sheet.ring._began -= 61
            sheet.ring._look()
