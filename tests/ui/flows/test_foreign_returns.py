"""Another till's sale comes back at this window, by real keys, over real HTTP to a real head office."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.documents import ReturnedLine
from app.sync import returns
from app.sync.exchange import Exchange
from app.sync.join import join as join_chain
from app.sync.returns import Returns
from db import head_office
from tests.app.chain import settle
from tests.app.foreign import take_back
from tests.app.joined import balance
from tests.app.kiosk import Kiosk, Template, made_template, other_till
from tests.headoffice.http_office import Served, begin_chain, code_for, opened, served
from tests.ui.conftest import Rig, build_rig
from tests.ui.flows.steps import sell_tea
from tests.ui.flows.test_head_office import join
from tests.ui.keys import press, write
from tests.ui.shop import Shop
from ui.dialogs.foreign_return import ForeignReturn
from ui.dialogs.return_goods import FindReceipt
from ui.kit import Kit

__all__ = ["made_template"]

PRICE = 16000


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "office"
    folder.mkdir()
    begin_chain(folder, budget=0)
    with served(folder) as found:
        yield found


@pytest.fixture
def kiosk(made_template: Template, tmp_path: Path) -> Iterator[Kiosk]:
    """The till that sells, on a computer of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_MACHINE", str(made_template.folder.with_name("machine")))
        at = other_till(made_template, tmp_path / "other", "07")
    yield at
    at.close()


@pytest.fixture
def other(kiosk: Kiosk, office: Served) -> Iterator[Exchange]:
    """Another till of the chain, in its other store."""
    kiosk.clock.now = datetime.now(UTC)
    join_chain(kiosk.ctx, office.url, code_for(office.folder, "South", "till 1"))
    exchange = Exchange(kiosk.ctx)
    yield exchange
    exchange.close()


@pytest.fixture
def here(
    qtbot: QtBot,
    qapp: QApplication,
    shop: Shop,
    kit: Kit,
    office: Served,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Rig]:
    monkeypatch.setattr(returns, "RETURN_WITHIN_S", 30.0)  # longer than a cashier waits
    shop.clock.now = datetime.now(UTC)
    rig = build_rig(qtbot, qapp, shop, kit=kit)
    rig.sign_in("wm")
    rig.open_shift()
    join(rig, office)
    rig.until(lambda: not rig.shell.exchange._asking)
    yield rig
    rig.window.close()
    rig.window.deleteLater()


@pytest.fixture
def number(kiosk: Kiosk, other: Exchange) -> str:
    """A sale of two pieces at the other till, which head office has."""
    sold = kiosk.quote_and_sell(PRICE, quantity=2).result
    settle(other)
    return sold.receipt_no


def sheet_of(rig: Rig) -> ForeignReturn:
    rig.until(lambda: isinstance(rig.top, ForeignReturn))
    sheet = rig.top
    assert isinstance(sheet, ForeignReturn)
    return sheet


def kept(office: Served) -> int:
    with opened(office.folder) as (store, _), store.reading():
        return sum(len(store.open_holds(device.id)) for device in store.devices())


def without_a_line(rig: Rig) -> None:
    desk = rig.window.desk
    assert desk is not None
    with desk.context.write_rows() as conn:
        row = head_office.head_office(conn)
        assert row is not None
        head_office.put_head_office(conn, row._replace(address="http://127.0.0.1:9"))
    if desk.exchange._returns is not None:
        desk.exchange._returns.close()


def test_scan_quantity_reason_and_the_goods_are_back(
    here: Rig, number: str, office: Served, kiosk: Kiosk, other: Exchange
) -> None:
    here.scan(number)
    sheet = sheet_of(here)
    assert "07 号机卖出" in sheet._where_sold()
    write("1")
    here.until(lambda: sheet.quote is not None)
    assert sheet._refund.text() == "−¥160.00"
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    here.hear("已退 ¥160.00")
    here.until(lambda: here.top is None)
    here.shell.exchange.ask()
    here.until(lambda: not here.shell.exchange._asking and kept(office) == 0)
    had = balance(kiosk, kiosk.member_id)
    settle(other)
    with opened(office.folder) as (store, _), store.reading():
        member = store.member(kiosk.member_id)
    assert member is not None
    assert member.state.balance("points") == had - 160
    assert here.faults() == []


def test_its_number_may_be_typed_and_what_is_left_is_let_go(
    here: Rig, number: str, office: Served
) -> None:
    press(Qt.Key.Key_F8)
    assert isinstance(here.top, FindReceipt)
    write(number.lower())
    press(Qt.Key.Key_Return)
    sheet = sheet_of(here)
    desk = here.window.desk
    assert desk is not None
    write("2")
    here.until(lambda: sheet.quote is not None)
    desk.returns.keep(sheet._foreign, sheet.chosen())
    assert kept(office) == 1
    press(Qt.Key.Key_Escape)
    here.until(lambda: here.top is None)
    here.until(lambda: kept(office) == 0)
    assert here.faults() == []


def test_without_a_line_it_says_what_to_do_and_no_money_goes_out(here: Rig, number: str) -> None:
    here.scan(number)
    sheet = sheet_of(here)
    write("1")
    here.until(lambda: sheet.quote is not None)
    without_a_line(here)
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    here.until(lambda: "总部没有回应" in sheet.problem.text())
    press(Qt.Key.Key_Escape)
    here.until(lambda: here.top is None)
    here.scan(number)
    here.until(lambda: "总部没有回应" in here.shell.strip.text)
    assert here.top is None
    assert here.faults() == []


def test_a_number_that_head_office_has_not_is_said_to_be_unknown(
    here: Rig, kiosk: Kiosk, other: Exchange
) -> None:
    unsent = kiosk.quote_and_sell(PRICE).result.receipt_no
    here.scan(unsent)
    here.until(lambda: "总部还没有这张单" in here.shell.strip.text)
    settle(other)
    here.scan(unsent)
    assert sheet_of(here)._foreign.receipt_no == unsent
    assert here.faults() == []


def own_sale(rig: Rig) -> str:
    """A sale of two boxes of tea at this till, which head office has."""
    receipt = sell_tea(rig)
    rig.shell.exchange.ask()
    rig.until(lambda: not rig.shell.exchange._asking)
    return receipt


def test_own_sales_come_back_by_this_tills_own_word(here: Rig) -> None:
    here.scan(own_sale(here))
    here.until(lambda: here.top is not None)
    assert not isinstance(here.top, ForeignReturn)
    press(Qt.Key.Key_Escape)
    here.until(lambda: here.top is None)
    without_a_line(here)
    here.scan(sell_tea(here))
    here.until(lambda: here.top is not None)
    assert not isinstance(here.top, ForeignReturn)


def test_what_came_back_elsewhere_of_an_own_sale_comes_back_no_more_here(
    here: Rig, kiosk: Kiosk, other: Exchange
) -> None:
    receipt = own_sale(here)
    settle(other)
    asking = Returns(kiosk.ctx)
    found = asking.find(receipt)
    units = found.document.lines[0].request.quantity
    take_back(kiosk, asking, receipt, (ReturnedLine(0, units),))
    settle(other)
    asking.close()
    here.scan(receipt)
    here.until(lambda: "全部" in here.shell.strip.text)
    assert here.top is None
    assert here.faults() == []
