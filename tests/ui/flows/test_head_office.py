"""A till that joins a head office and sells on, by real keys, over real HTTP to a real server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from db import head_office
from tests.headoffice.http_office import Served, begin_chain, code_for, opened, served
from tests.ui.conftest import Rig, build_rig
from tests.ui.flows.steps import sell_tea
from tests.ui.keys import press, write
from tests.ui.shop import Shop
from ui.dialogs.head_office import HeadOfficeSheet, JoinSheet
from ui.kit import Kit


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "office"
    folder.mkdir()
    begin_chain(folder, budget=0)
    with served(folder) as found:
        yield found


@pytest.fixture
def boss(qtbot: QtBot, qapp: QApplication, shop: Shop, kit: Kit) -> Iterator[Rig]:
    """A manager at a till whose clock is right, a shift open."""
    shop.clock.now = datetime.now(UTC)
    rig = build_rig(qtbot, qapp, shop, kit=kit)
    rig.sign_in("wm")
    rig.open_shift()
    yield rig
    rig.window.close()
    rig.window.deleteLater()


def join(rig: Rig, office: Served) -> None:
    rig.act("zb")
    sheet = rig.sheet(JoinSheet)
    sheet.address.setText(office.url)
    press(Qt.Key.Key_Return)
    write(code_for(office.folder, "North", "till 1").lower())
    press(Qt.Key.Key_Return)
    rig.hear("本机已加入")
    rig.until(lambda: mark(rig) == "总部 ✓")


def mark(rig: Rig) -> str:
    return rig.shell.top_bar._exchange.text()


def test_a_till_of_its_own_shows_no_mark(boss: Rig) -> None:
    boss.settle()
    assert boss.shell.top_bar._exchange.isHidden()


def test_joining_by_keys_then_selling_reaches_head_office(boss: Rig, office: Served) -> None:
    join(boss, office)
    sell_tea(boss)
    boss.shell.exchange.ask()
    boss.until(lambda: mark(boss) == "总部 ✓" and not boss.shell.exchange._asking)
    desk = boss.window.desk
    assert desk is not None
    member = desk.search("6621").hits[0].member_id
    with opened(office.folder) as (store, _), store.reading():
        known = store.member(member)
    assert known is not None
    assert known.state.balance("points") == desk.member(member).points_balance
    assert boss.faults() == []


def test_a_wrong_code_is_said_and_what_was_typed_stays(boss: Rig, office: Served) -> None:
    boss.act("zb")
    sheet = boss.sheet(JoinSheet)
    sheet.address.setText(office.url)
    press(Qt.Key.Key_Return)
    write("aaaa-aaaa")
    press(Qt.Key.Key_Return)
    boss.until(lambda: "总部不认识这个加入码" in sheet.problem.text())
    assert sheet.code.text() == "aaaa-aaaa"
    assert boss.faults() == []


def test_points_are_held_while_there_is_a_line_and_refused_without(
    boss: Rig, office: Served
) -> None:
    join(boss, office)
    boss.attach()
    boss.amount("368")
    press(Qt.Key.Key_F6)
    write("1000")
    press(Qt.Key.Key_Return)
    boss.until(lambda: boss.counter.cart.redeem_points == 1000)
    boss.open_pay()
    press(Qt.Key.Key_Return)
    boss.until(lambda: boss.top is None)
    sold = boss.counter.charging.last_sale
    assert sold is not None
    assert sold.document.points_spent == 1000


def test_without_a_line_the_mark_says_so_and_selling_goes_on(boss: Rig, office: Served) -> None:
    join(boss, office)
    desk = boss.window.desk
    assert desk is not None
    with desk.context.write_rows() as conn:
        head_office.put_address(conn, "http://127.0.0.1:9")
    assert desk.exchange._exchange is not None
    desk.exchange._exchange.close()
    desk.exchange._exchange = None
    sell_tea(boss)
    boss.shell.exchange.ask()
    boss.until(lambda: mark(boss).startswith("离线"))
    boss.act("zb")
    sheet = boss.sheet(HeadOfficeSheet)
    assert "照常收银" in sheet._said.text()
    assert boss.faults() == []
    press(Qt.Key.Key_Escape)
    boss.attach()
    boss.amount("368")
    press(Qt.Key.Key_F6)
    write("1000")
    press(Qt.Key.Key_Return)
    boss.until(lambda: boss.counter.cart.redeem_points == 1000)
    pay = boss.open_pay()
    press(Qt.Key.Key_Return)
    boss.until(lambda: "这些积分现在不能用" in pay.problem.text())
