"""The count within the day's close (flow 17): what is open, count, difference, Z; by the keyboard alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.settings import load, save
from app.usecases.close_day import last_close
from app.usecases.close_unattended import close_all
from tests.ui.conftest import Rig
from tests.ui.flows.steps import shows
from tests.ui.flows.test_close_day import action, close_sheet, context_of, keep_picture
from tests.ui.keys import focus, press, write
from tests.ui.shop import PIN, Shop
from ui.day_run import Step
from ui.dialogs.approval import Approval
from ui.dialogs.close_day import CloseDay
from ui.dialogs.paper_list import PaperList
from ui.dialogs.shift import OpenShift


@pytest.fixture
def today(fresh: Rig) -> Rig:
    """Dates before are closed; today's shift is open with a float of 500, the manager is at the till."""
    fresh.until(lambda: fresh.window.desk is not None)
    close_all(context_of(fresh))
    fresh.sign_in("wm")
    fresh.open_shift()
    return fresh


@pytest.fixture
def cash(today: Rig) -> Rig:
    """137.30 taken in cash."""
    today.amount("137.30")
    today.open_pay()
    press(Qt.Key.Key_Return)
    today.until(lambda: today.top is None)
    today.settle()
    return today


def shown(rig: Rig) -> str:
    return "\n".join(each.text() for each in rig.window.findChildren(QLabel) if each.isVisible())


def type_count(rig: Rig, *pieces: str) -> None:
    """Pieces and Enter, face value by face value; then a moment, as a person takes."""
    for each in (*pieces, *("",) * (8 - len(pieces))):
        write(each)
        press(Qt.Key.Key_Return)
    rig.clock.now += 1


def number(rig: Rig) -> int:
    with context_of(rig).read() as conn:
        closed = last_close(conn)
    return closed.number if closed else 0


EXACT = ("6", "", "1", "1", "1", "2", "", "3")
"""637.30 in notes of 100, 50, 20, 10, 5, 1, 0.5 and 0.1."""


def close_counted(cash: Rig, sheet: CloseDay) -> None:
    """The drawer is counted as it should be, and the day closed."""
    type_count(cash, *EXACT)
    press(Qt.Key.Key_Return)
    cash.until(lambda: sheet.part is not None and not sheet.part.counting)
    cash.clock.now += 1
    press(Qt.Key.Key_Return)
    cash.until(lambda: cash.top is None)


def test_an_open_shift_is_counted_within_the_close_and_two_enters_make_the_z(cash: Rig) -> None:
    sheet = close_sheet(cash)
    before = number(cash)
    assert sheet.part is not None
    assert focus() is sheet.part.board.pieces[0]
    keep_picture(cash, "close_count")
    assert cash.faults() == []
    type_count(cash, *EXACT)
    assert sheet.commit.hasFocus()
    press(Qt.Key.Key_Return)
    cash.until(lambda: sheet.part is not None and not sheet.part.counting)
    cash.until(lambda: "637.30" in shown(cash))
    assert sheet.commit.hasFocus()
    assert cash.faults() == []
    keep_picture(cash, "close_even")
    cash.clock.now += 1
    press(Qt.Key.Key_Return)
    cash.until(lambda: cash.top is None)
    assert number(cash) == before + 1
    cash.settle()
    assert cash.shell.till.shift is None
    assert cash.shell.session is not None
    assert cash.shell.session.shift_id is None


def test_a_shift_after_the_close_names_the_date_that_it_sells_on(cash: Rig) -> None:
    sheet = close_sheet(cash)
    close_counted(cash, sheet)
    cash.settle()
    cash.act("kb")
    cash.sheet(OpenShift)
    assert "营业日 2026-11-22" in shown(cash)
    cash.open_shift()
    assert cash.shell.till.shift is not None
    assert cash.shell.till.shift.business_date.iso() == "2026-11-22"


def test_nothing_of_what_is_expected_is_shown_before_the_submit(cash: Rig) -> None:
    close_sheet(cash)
    type_count(cash, "5")
    text = shown(cash)
    assert "500.00" in text
    assert "637.30" not in text
    assert "−¥" not in text
    assert "提交后显示" in text


def test_a_difference_is_explained_before_the_day_closes(cash: Rig) -> None:
    sheet = close_sheet(cash)
    before = number(cash)
    type_count(cash, "6", "", "1", "1", "1", "2", "", "1")
    press(Qt.Key.Key_Return)
    cash.until(lambda: "−¥0.20" in shown(cash))
    assert cash.faults() == []
    keep_picture(cash, "close_difference")
    cash.clock.now += 1
    press(Qt.Key.Key_Return)
    cash.until(lambda: "请选原因" in sheet.problem.text())
    assert number(cash) == before
    press(Qt.Key.Key_Down)
    cash.clock.now += 1
    press(Qt.Key.Key_Return)
    cash.until(lambda: cash.top is None)
    assert number(cash) == before + 1


def test_a_difference_above_the_limit_takes_a_second_person_and_goes_on(fresh: Rig) -> None:
    fresh.until(lambda: fresh.window.desk is not None)
    close_all(context_of(fresh))
    fresh.sign_in("lx")
    fresh.until(lambda: fresh.top is not None)
    write("500")
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Return)
    agree(fresh)
    fresh.until(lambda: fresh.top is None and fresh.shell.till.shift is not None)
    before = number(fresh)
    close_sheet(fresh)
    type_count(fresh, "1")
    press(Qt.Key.Key_Return)
    fresh.until(lambda: "−¥400.00" in shown(fresh))
    press(Qt.Key.Key_Down)
    fresh.clock.now += 1
    press(Qt.Key.Key_Return)
    agree(fresh)
    fresh.until(lambda: fresh.top is None)
    assert number(fresh) == before + 1


def agree(rig: Rig) -> None:
    """The manager types initials and PIN."""
    rig.until(lambda: shows(rig, Approval))
    write("wm")
    press(Qt.Key.Key_Return)
    rig.until(lambda: isinstance(rig.top, Approval) and rig.top.pin.isVisible())
    write(PIN)
    press(Qt.Key.Key_Return)


def test_a_drawer_that_nobody_can_count_is_signed_for(cash: Rig) -> None:
    sheet = close_sheet(cash)
    before = number(cash)
    sheet.without.setFocus()
    press(Qt.Key.Key_Return)
    cash.until(lambda: "没有盘点" in shown(cash))
    press(Qt.Key.Key_Down)
    cash.clock.now += 1
    press(Qt.Key.Key_Return)
    cash.until(lambda: cash.top is None)
    assert number(cash) == before + 1


def test_a_count_that_was_submitted_is_not_asked_again(cash: Rig) -> None:
    first = close_sheet(cash)
    type_count(cash, *EXACT)
    press(Qt.Key.Key_Return)
    cash.until(lambda: first.part is not None and not first.part.counting)
    press(Qt.Key.Key_Escape)
    cash.until(lambda: cash.top is None)
    sheet = close_sheet(cash)
    assert sheet.part is not None
    assert not sheet.part.counting
    cash.until(lambda: "637.30" in shown(cash))
    press(Qt.Key.Key_Return)
    cash.until(lambda: cash.top is None)


def test_a_held_enter_submits_the_count_and_no_more(cash: Rig) -> None:
    """The Enter that submits, held or bounced, must not sign for what it brings."""
    sheet = close_sheet(cash)
    before = number(cash)
    type_count(cash, *EXACT)
    press(Qt.Key.Key_Return)
    cash.until(lambda: sheet.part is not None and not sheet.part.counting)
    cash.clock.step_s = 0.01
    press(Qt.Key.Key_Return)
    cash.clock.step_s = 0.12
    cash.settle()
    assert cash.top is sheet
    assert number(cash) == before


def test_enter_opens_the_first_thing_that_is_open(cash: Rig) -> None:
    cash.amount("88")
    cash.counter.keep_now()
    cash.settle()
    sheet = close_sheet(cash)
    assert focus() is sheet.steps.open_items["cart"]
    assert cash.faults() == []
    keep_picture(cash, "close_cart_open")
    press(Qt.Key.Key_Return)
    cash.until(lambda: cash.top is None)
    assert cash.counter.sale.amount.hasFocus()


@pytest.fixture
def printing(shop: Shop, tmp_path: Path) -> Path:
    """A printer that puts each job into a file of its own, before the window opens."""
    folder = tmp_path / "paper"
    folder.mkdir()
    settings = load(shop.folder)
    receipt = replace(settings.receipt, printer=f"file://{folder}/")
    save(shop.folder, replace(settings, receipt=receipt))
    return folder


def test_slips_of_the_count_are_printed_before_the_day_closes(printing: Path, today: Rig) -> None:
    """Slips on their way are nothing that anybody has to sign for."""
    sheet = close_sheet(today)
    before = number(today)
    today.until(lambda: sheet.steps.first_open() is None)
    type_count(today, "5")
    press(Qt.Key.Key_Return)
    today.until(lambda: sheet.part is not None and not sheet.part.counting)
    today.clock.now += 1
    press(Qt.Key.Key_Return)
    today.until(lambda: today.top is None)
    assert number(today) == before + 1
    with context_of(today).read() as conn:
        row = last_close(conn)
    assert row is not None
    assert len(list(printing.iterdir())) >= 2


def test_a_slip_in_doubt_is_opened_by_enter_and_gone_when_settled(
    printing: Path, today: Rig
) -> None:
    today.amount("12")
    today.open_pay()
    press(Qt.Key.Key_Return)
    today.until(lambda: today.top is None)
    today.until(lambda: len(list(printing.iterdir())) > 0)
    today.settle()
    with context_of(today).write_rows() as conn:
        conn.execute(
            "UPDATE print_job SET state = 'uncertain' WHERE id = (SELECT max(id) FROM print_job)"
        )
    today.shell.paper.print_waiting()
    today.until(lambda: bool(today.shell.errands.print_status.uncertain))
    sheet = close_sheet(today)
    assert focus() is sheet.steps.open_items["slips_doubtful"]
    press(Qt.Key.Key_Return)
    today.until(lambda: shows(today, PaperList))
    with context_of(today).write_rows() as conn:
        conn.execute("UPDATE print_job SET state = 'printed' WHERE state = 'uncertain'")
    press(Qt.Key.Key_Escape)
    today.until(lambda: shows(today, CloseDay))
    today.until(lambda: sheet.steps.first_open() is None)


def test_the_steps_tell_how_far_they_are(cash: Rig) -> None:
    sheet = close_sheet(cash)
    heard: list[tuple[str, int]] = []
    show_percent = sheet.steps.show_percent

    def hear(step: Step, percent: int) -> None:
        heard.append((step, percent))
        show_percent(step, percent)

    sheet._run._percent = hear
    close_counted(cash, sheet)
    for step in ("post", "prove", "backup"):
        told = [percent for each, percent in heard if each == step]
        assert told, step
        assert told == sorted(told), step
        assert told[-1] == 100, step


def test_a_date_that_has_not_begun_is_counted_but_not_closed(today: Rig) -> None:
    """Sold after the Z of the same day; a day later the same sheet closes it."""
    before = number(today)
    close_sheet(today)
    count_and_go_on(today)
    today.until(lambda: today.top is None)
    action(today, "kb")
    today.open_shift()
    assert number(today) == before + 1
    sheet = close_sheet(today)
    assert "2026-11-22" in sheet._date()
    count_and_go_on(today)
    today.until(lambda: "2026-11-22" in sheet.problem.text())
    assert today.faults() == []
    keep_picture(today, "close_not_begun")
    today.settle()
    assert today.shell.till.shift is None
    assert number(today) == before + 1
    today.shop.clock.now += timedelta(days=1)
    sheet.submit()
    today.until(lambda: today.top is None)
    assert number(today) == before + 2


def count_and_go_on(rig: Rig) -> None:
    """The float alone, counted; Enter submits it, Enter goes on."""
    sheet = rig.top
    assert isinstance(sheet, CloseDay)
    type_count(rig, "5")
    press(Qt.Key.Key_Return)
    rig.until(lambda: sheet.part is not None and not sheet.part.counting)
    rig.clock.now += 1
    press(Qt.Key.Key_Return)
