"""A number that finds nobody here is asked of head office, by real keys, over real HTTP."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.sync.exchange import Exchange
from app.usecases.enrol import ProfileInput
from tests.app.chain import settle
from tests.app.kiosk import Kiosk, made_template
from tests.ui.conftest import Rig
from tests.ui.flows.test_foreign_returns import here, kiosk, office, other
from tests.ui.keys import press, write
from ui.screens.find_panel import FindPanel

__all__ = ["here", "kiosk", "made_template", "office", "other"]

PHONE = "13912340077"


def said(finder: FindPanel) -> str:
    return finder._status.text()


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
    from db import head_office

    desk = here.window.desk
    assert desk is not None
    with desk.context.write_rows() as conn:
        row = head_office.head_office(conn)
        assert row is not None
        head_office.put_head_office(conn, row._replace(address="http://127.0.0.1:9"))
    finder = here.counter.finder
    here.until(finder.box.hasFocus)
    write(PHONE)
    here.until(lambda: "总部暂时没有回应" in said(finder))
    press(Qt.Key.Key_Return)
    here.until(lambda: here.top is not None)
    assert here.faults() == []
