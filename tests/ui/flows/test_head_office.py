"""A till that joins a head office and sells on, by real keys, over real HTTP to a real server."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.domain.errors import Refusal, Refused
from app.error_words import PLAIN
from app.queries.exchange import Progress
from app.shut import note_heard
from app.sync import exchange
from db import head_office
from headoffice.__main__ import main
from tests.headoffice.http_office import Served, begin_chain, code_for, opened, served
from tests.ui.conftest import Rig, build_rig
from tests.ui.flows.steps import sell_tea, use_points
from tests.ui.keys import press, write
from tests.ui.shop import PIN, Shop
from ui.dialogs.approval import Approval
from ui.dialogs.head_office import HeadOfficeSheet, JoinSheet
from ui.dialogs.pay import Pay
from ui.kit import Kit
from ui.screens import charging


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


def cut_line(rig: Rig) -> None:
    """Nobody answers at head office's address any more."""
    desk = rig.window.desk
    assert desk is not None
    with desk.context.write_rows() as conn:
        row = head_office.head_office(conn)
        assert row is not None
        head_office.put_head_office(conn, row._replace(address="http://127.0.0.1:9"))
    assert desk.exchange._exchange is not None
    desk.exchange._exchange.close()
    desk.exchange._exchange = None


def words_of(rig: Rig, code: Refusal) -> str:
    return rig.shell._kit.words.say(PLAIN[code])


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


def test_a_till_whose_key_head_office_does_not_know_is_let_in_again_by_keys(
    boss: Rig, office: Served
) -> None:
    join(boss, office)
    desk = boss.window.desk
    assert desk is not None
    with desk.context.write_rows() as conn:
        head_office.put_own_key(conn, bytes(32), head_office.own_key(conn))
    sell_tea(boss)
    boss.shell.exchange.ask()
    boss.until(lambda: mark(boss) == "请重新加入总部")
    boss.act("zb")
    sheet = boss.sheet(JoinSheet)
    assert sheet.address.text() == office.url
    write(code_for(office.folder, "North", "till 1"))
    press(Qt.Key.Key_Return)
    boss.until(lambda: mark(boss) == "总部 ✓")
    member = desk.search("6621").hits[0].member_id
    with opened(office.folder) as (store, _), store.reading():
        known = store.member(member)
    assert known is not None
    assert known.state.balance("points") == desk.member(member).points_balance
    assert boss.faults() == []


def test_a_locked_till_says_so_and_comes_back_by_a_code(boss: Rig, office: Served) -> None:
    join(boss, office)
    desk = boss.window.desk
    assert desk is not None
    with opened(office.folder) as (store, _), store.writing():
        known = store.device(desk.context.till.device)
        assert known is not None
        store.put_device(known._replace(standing="locked"))
    sell_tea(boss)
    boss.shell.exchange.ask()
    boss.until(lambda: mark(boss) == "已被总部锁定")
    boss.act("zb")
    sheet = boss.sheet(JoinSheet)
    assert any("一天内重新开始的次数过多" in each.text() for each in sheet.findChildren(QLabel))
    write(code_for(office.folder, "North", "till 1"))
    press(Qt.Key.Key_Return)
    boss.until(lambda: mark(boss) == "总部 ✓")
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


def test_points_are_held_while_there_is_a_line(
    boss: Rig, office: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    for waits in (charging, exchange):  # A busy machine takes longer than a cashier waits.
        monkeypatch.setattr(waits, "HOLD_WITHIN_S", 30.0)
    join(boss, office)
    use_points(boss, 1000)
    press(Qt.Key.Key_Return)
    boss.until(lambda: boss.top is None)
    sold = boss.counter.charging.last_sale
    assert sold is not None
    assert sold.document.points_spent == 1000


def test_without_a_line_the_mark_says_so_and_selling_goes_on(boss: Rig, office: Served) -> None:
    join(boss, office)
    cut_line(boss)
    sell_tea(boss)
    boss.shell.exchange.ask()
    boss.until(lambda: mark(boss).startswith("离线"))
    boss.act("zb")
    sheet = boss.sheet(HeadOfficeSheet)
    assert "照常收银" in sheet._said.text()
    assert boss.faults() == []
    press(Qt.Key.Key_Escape)
    pay = use_points(boss, 1000)
    press(Qt.Key.Key_Return)
    boss.until(lambda: "这些积分现在不能用" in pay.problem.text())


def put_off(rig: Rig, days: int) -> None:
    """The last answer came so many days earlier."""
    desk = rig.window.desk
    assert desk is not None
    with desk.context.write_rows() as conn:
        note_heard(conn, desk.context.clock() - timedelta(days=days))
    rig.shell.exchange._look()


def keep_picture(rig: Rig, name: str) -> None:
    """For eyes: REGULARS_PICTURES names a folder."""
    folder = os.environ.get("REGULARS_PICTURES")
    if folder:
        rig.window.grab().save(str(Path(folder) / f"{name}.png"))


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_without_a_line_for_long_members_are_locked_until_head_office_answers(
    boss: Rig, office: Served, language: str
) -> None:
    join(boss, office)
    cut_line(boss)
    put_off(boss, 15)
    if language == "en":
        boss.shell.top_bar.language.click()
    locked, go_on = LOCKED[language]
    boss.until(lambda: mark(boss) == locked)
    boss.act("zb")
    sheet = boss.sheet(HeadOfficeSheet)
    assert go_on in sheet._said.text()
    assert boss.faults() == []
    keep_picture(boss, f"locked_sheet_{language}")
    press(Qt.Key.Key_Escape)
    press(Qt.Key.Key_F2)
    write("6621")
    boss.until(lambda: words_of(boss, Refusal.MEMBERS_LOCKED) in boss.counter.strip.text)
    assert boss.counter.finder.rows.rowCount() == 0
    boss.settle()
    assert boss.faults() == []
    keep_picture(boss, f"locked_search_{language}")


LOCKED = {
    "zh_CN": ("离线 · 会员已锁定", "不带会员的消费照常进行"),
    "en": ("Offline · members locked", "Sales without a member go on"),
}


def is_revoked(office: Served, device: bytes) -> bool:
    known = office.office.till(device)
    return known is not None and known.standing == "lost"


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_a_till_that_is_shut_out_says_so_at_once_and_shows_nobody(
    boss: Rig, office: Served, language: str
) -> None:
    join(boss, office)
    if language == "en":
        boss.shell.top_bar.language.click()
    desk = boss.window.desk
    assert desk is not None
    boss.attach()
    device = desk.context.till.device
    assert main(["revoke", device.hex(), "--data", str(office.folder)]) == 0
    # Head office notices an operator's command within a quarter of a second; the next question is 30 s away.
    boss.until(lambda: is_revoked(office, device))
    boss.until(lambda: not boss.shell.exchange._asking)
    boss.shell.exchange.ask()
    sheet = boss.sheet(HeadOfficeSheet)
    said = {"zh_CN": "不要动这台电脑", "en": "leave this computer as it is"}[language]
    boss.until(lambda: said in sheet._said.text())
    assert boss.counter.attached is None
    assert boss.counter.finder.rows.rowCount() == 0
    assert not sheet.ask.isVisible()
    assert sheet._leave.hasFocus()
    assert boss.faults() == []
    keep_picture(boss, f"shut_out_sheet_{language}")
    press(Qt.Key.Key_Escape)
    press(Qt.Key.Key_F2)
    write("6621")
    boss.until(lambda: words_of(boss, Refusal.TILL_REVOKED) in boss.counter.strip.text)
    assert boss.counter.finder.rows.rowCount() == 0
    boss.settle()
    assert boss.faults() == []
    keep_picture(boss, f"shut_out_{language}")
    with desk.context.read() as conn:
        assert conn.execute("SELECT count(*) FROM profile").fetchone()[0] == 0


class Holds:
    """Head office's yes and no to points, as a test wants them."""

    def __init__(self, rig: Rig, patch: pytest.MonkeyPatch) -> None:
        desk = rig.window.desk
        assert desk is not None
        self.asked, self.let_go = list[int](), list[bytes]()
        self.answer = threading.Event()
        self.answer.set()
        patch.setattr(desk.exchange, "joined", True)
        patch.setattr(desk.exchange, "hold", self._hold)
        patch.setattr(desk.exchange, "let_go", self.let_go.append)

    def _hold(self, member: bytes, points: int) -> bytes:
        del member
        self.asked.append(points)
        self.answer.wait(30)
        return HOLD


HOLD = b"h" * 16


@pytest.fixture
def holds(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Holds:
    return Holds(rig, monkeypatch)


def refuse_sales(rig: Rig, patch: pytest.MonkeyPatch) -> list[bytes | None]:
    """Every sale is refused; the holds that came with them."""
    came = list[bytes | None]()

    def sell(*_: object, hold: bytes | None = None, **__: object) -> NoReturn:
        came.append(hold)
        raise Refused(Refusal.SALE_ABOVE_LIMIT)

    patch.setattr(rig.window.desk, "sell", sell)
    return came


def test_an_answer_that_comes_too_late_is_let_go_and_the_sale_went_on(
    rig: Rig, holds: Holds
) -> None:
    holds.answer.clear()
    use_points(rig, 1000)
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)  # by the till's own rights
    assert holds.let_go == []
    holds.answer.set()
    rig.until(lambda: holds.let_go == [HOLD])


def test_a_hold_serves_until_pay_is_left_and_is_let_go_then(
    rig: Rig, holds: Holds, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = refuse_sales(rig, monkeypatch)
    pay = use_points(rig, 1000)
    press(Qt.Key.Key_Return)
    rig.until(lambda: came == [HOLD] and not pay.busy)
    press(Qt.Key.Key_Return)
    rig.until(lambda: came == [HOLD, HOLD] and not pay.busy)
    assert (holds.asked, holds.let_go) == ([1000], [])
    press(Qt.Key.Key_Escape)
    rig.until(lambda: holds.let_go == [HOLD])


def test_a_hold_stays_while_a_second_person_is_asked_and_serves_their_yes(
    rig: Rig, holds: Holds
) -> None:
    use_points(rig, 6000, "3000")
    press(Qt.Key.Key_Return)
    sheet = rig.sheet(Approval)
    assert (holds.asked, holds.let_go) == ([6000], [])
    rig.scan("9100002")
    rig.until(sheet.pin.isVisible)
    write(PIN)
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
    assert holds.asked == [6000]


def test_a_hold_is_let_go_when_pay_is_left_while_a_second_person_is_asked(
    rig: Rig, holds: Holds
) -> None:
    use_points(rig, 6000, "3000")
    press(Qt.Key.Key_Return)
    rig.sheet(Approval)
    press(Qt.Key.Key_Escape)
    rig.until(lambda: isinstance(rig.top, Pay) and not rig.top.busy)
    assert holds.let_go == []
    press(Qt.Key.Key_Escape)
    rig.until(lambda: holds.let_go == [HOLD])


def test_a_sale_without_points_asks_nobody(rig: Rig, holds: Holds) -> None:
    sell_tea(rig)
    assert holds.asked == []


PROGRESS = {
    "zh_CN": (
        ("placing", "已编入 12,300 条记录，共 41,000 条"),
        ("fetching", "已从总部取得 12,300 位会员，共约 41,000 位"),
    ),
    "en": (
        ("telling", "Profiles of 12,300 of 41,000 members"),
        ("fetching", "12,300 of about 41,000 members"),
    ),
}


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_how_far_the_till_is_stands_in_the_mark_and_in_the_sheet(
    boss: Rig, office: Served, language: str
) -> None:
    join(boss, office)
    boss.settle()
    boss.shell.exchange._timer.stop()
    if language == "en":
        boss.shell.top_bar.language.click()
    boss.act("zb")
    sheet, stands = boss.sheet(HeadOfficeSheet), boss.shell.exchange.standing
    assert stands is not None
    for what, said in PROGRESS[language]:
        at = Progress(what, 12_300, 41_000)  # type: ignore[arg-type]  # each is one of its names
        boss.shell.exchange.changed.emit(replace(stands, progress=at), "")
        assert said in sheet._said.text()
        assert mark(boss) == {"zh_CN": "总部 30%", "en": "Head office 30 %"}[language]
        boss.settle()
        keep_picture(boss, f"progress_{what}_{language}")
    assert boss.faults() == []


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_where_head_office_moves_to_stands_beside_where_it_is_until_it_answers_there(
    boss: Rig, office: Served, language: str
) -> None:
    join(boss, office)
    new = "http://127.0.0.1:9"  # Nobody answers there.
    assert main(["address", new, "--data", str(office.folder)]) == 0
    desk = boss.window.desk
    assert desk is not None

    def heard() -> bool:
        standing = desk.exchange.standing()
        if standing is None or standing.told != new:
            boss.shell.exchange.ask()
            return False
        return True

    boss.until(heard)
    if language == "en":
        boss.shell.top_bar.language.click()
    boss.act("zb")
    sheet = boss.sheet(HeadOfficeSheet)
    boss.shell.exchange.ask()
    boss.until(lambda: [value.text() for _, value in sheet._cells[:2]] == [office.url, new])
    assert [each.isVisible() for each in sheet._cells[1]] == [True, True]
    tall = sheet.height()
    assert boss.faults() == []
    keep_picture(boss, f"new_address_{language}")
    assert main(["address", office.url, "--data", str(office.folder)]) == 0
    boss.until(lambda: told_no_more(boss))
    boss.until(lambda: not sheet._cells[1][0].isVisible())
    assert not sheet._cells[1][1].isVisible()
    assert sheet.height() < tall
    assert boss.faults() == []
    keep_picture(boss, f"no_new_address_{language}")


def told_no_more(rig: Rig) -> bool:
    """The till is where it is told to be; it asks until it hears that."""
    desk = rig.window.desk
    assert desk is not None
    standing = desk.exchange.standing()
    if standing is not None and standing.told:
        rig.shell.exchange.ask()
    return standing is not None and not standing.told
