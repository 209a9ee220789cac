"""The close of a day at the window (flow 17): by keys, signed for where something is open, and at night."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from PySide6.QtCore import Qt
from sqlcipher3.dbapi2 import Connection

from app.backup import Backup
from app.context import Context
from app.domain.errors import Outage, Unavailable
from app.settings import ReportSettings
from app.usecases import close_day as closing_of_days
from app.usecases.close_day import Proof, last_close
from app.usecases.close_unattended import close_all
from app.usecases.open_shift import OpenShift as OpenDrawer
from app.usecases.open_shift import open_shift
from app.usecases.sign_in import SignIn, sign_in
from tests.ui.conftest import Rig
from tests.ui.flows.steps import shows
from tests.ui.keys import press, write
from tests.ui.shop import PIN
from ui import night
from ui.dialogs.approval import Approval
from ui.dialogs.close_day import CloseDay
from ui.dialogs.find_action import FindAction
from ui.dialogs.shift import OpenShift
from ui.rights_words import facts_of


def action(rig: Rig, initials: str) -> None:
    """F11, its initials, Enter."""
    press(Qt.Key.Key_F11)
    rig.until(lambda: shows(rig, FindAction))
    write(initials)
    press(Qt.Key.Key_Return)


def close_sheet(rig: Rig) -> CloseDay:
    action(rig, "rj")
    rig.until(lambda: shows(rig, CloseDay))
    assert isinstance(rig.top, CloseDay)
    return rig.top


def number_of_last_close(rig: Rig) -> int:
    with context_of(rig).read() as conn:
        closed = last_close(conn)
    return closed.number if closed else 0


def context_of(rig: Rig) -> Context:
    desk = rig.window.desk
    assert desk is not None
    return desk.context


def sheet_of(rig: Rig) -> Approval:
    assert isinstance(rig.top, Approval)
    return rig.top


def keep_picture(rig: Rig, name: str) -> None:
    """For eyes: REGULARS_PICTURES names a folder."""
    folder = os.environ.get("REGULARS_PICTURES")
    if folder:
        rig.window.grab().save(str(Path(folder) / f"{name}.png"))


def test_rj_closes_the_oldest_open_date_and_says_its_number(rig: Rig) -> None:
    """The shop of the tests worked three days ago and never closed that date."""
    sheet = close_sheet(rig)
    assert "2026-11-18" in sheet._date()
    assert sheet._say_items() == "没有未结的事。"
    assert rig.faults() == []
    keep_picture(rig, "close_day")
    press(Qt.Key.Key_Return)
    rig.hear("Z 000001")
    assert rig.top is None
    assert number_of_last_close(rig) == 1
    assert len(list((rig.shop.folder / "backups").glob("1-2*"))) == 1


def test_asked_in_the_middle_of_an_hourly_backup_it_closes_all_the_same(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rig.window.desk is not None
    day, night, held = rig.window.desk.day, rig.shell.day.night, threading.Event()
    back_up = day.back_up

    def slow() -> Backup:
        assert held.wait(30)
        return back_up()

    monkeypatch.setattr(day, "backup_due", lambda: True)
    with monkeypatch.context() as patched:
        patched.setattr(day, "back_up", slow)
        night.look()
        rig.settle()
    assert night.busy
    close_sheet(rig)
    press(Qt.Key.Key_Return)
    held.set()
    rig.until(lambda: rig.top is None)
    assert number_of_last_close(rig) == 1
    rig.until(lambda: not night.busy)
    assert len(list((rig.shop.folder / "backups").glob("1-2*"))) == 2


def test_asked_while_the_till_closes_a_date_by_itself_it_says_so(rig: Rig) -> None:
    rig.shell.day.night.closing = True
    action(rig, "rj")
    rig.until(lambda: "请稍后再试" in rig.shell.strip.text)
    assert rig.top is None


def test_what_is_open_asks_for_a_reason_and_a_second_person(rig: Rig) -> None:
    rig.amount("368")
    rig.counter.keep_now()
    rig.settle()
    sheet = close_sheet(rig)
    assert "未结的单：1" in sheet._say_items()
    assert rig.faults() == []
    keep_picture(rig, "close_day_open")
    sheet.submit()
    assert "原因" in sheet.problem.text()
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    rig.until(lambda: shows(rig, Approval))
    assert "2026-11-18" in sheet_of(rig)._asked()
    assert ("未结的单", "1") in facts_of(rig.shell._kit, sheet_of(rig)._view.ask)
    keep_picture(rig, "close_day_agreed")
    write("wm")
    press(Qt.Key.Key_Return)
    rig.until(lambda: isinstance(rig.top, Approval) and rig.top.pin.isVisible())
    write(PIN)
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
    assert number_of_last_close(rig) == 1
    assert not rig.counter.cart.is_empty


def test_a_backup_that_fails_is_signed_for_or_the_date_stays_open(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rig.shop.folder / "backups").write_text("a file lies where the folder should be")
    sheet = close_sheet(rig)
    press(Qt.Key.Key_Return)
    rig.until(lambda: "没有备份" in sheet._say_items())
    assert number_of_last_close(rig) == 0
    rig.until(sheet.reason.isVisible)
    assert rig.faults() == []
    keep_picture(rig, "close_day_no_backup")
    rig.window.switch_language("en")
    rig.window.switch_theme("dark")
    rig.settle()
    assert rig.faults() == []
    keep_picture(rig, "close_day_no_backup_en_dark")


def test_a_check_that_the_counter_outran_is_made_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup's own event comes after the check, and here that is too much already."""
    assert rig.window.desk is not None
    day, seen = rig.window.desk.day, []
    prove = day.prove

    def counted(told: Callable[[int], None]) -> Proof:
        seen.append(number_of_last_close(rig))
        if len(seen) == 2:
            monkeypatch.setattr(closing_of_days, "TAIL_MOST", 5000)
        return prove(told)

    monkeypatch.setattr(closing_of_days, "TAIL_MOST", 0)
    monkeypatch.setattr(day, "prove", counted)
    close_sheet(rig)
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
    assert (len(seen), number_of_last_close(rig)) == (2, 1)


def test_a_date_far_past_the_last_close_is_opened_by_a_second_person(fresh: Rig) -> None:
    """Closed on the 18th, opened on the 21st: the cashier types the float, the manager agrees."""
    fresh.until(lambda: fresh.window.desk is not None)
    close_all(context_of(fresh))
    fresh.sign_in()
    fresh.until(lambda: shows(fresh, OpenShift))
    write("500")
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Return)
    fresh.until(lambda: shows(fresh, Approval))
    assert fresh.faults() == []
    assert "2026-11-21" in sheet_of(fresh)._asked()
    assert ("上次日结", "2026-11-18") in facts_of(fresh.shell._kit, sheet_of(fresh)._view.ask)
    write("wm")
    press(Qt.Key.Key_Return)
    fresh.until(lambda: isinstance(fresh.top, Approval) and fresh.top.pin.isVisible())
    write(PIN)
    press(Qt.Key.Key_Return)
    fresh.until(lambda: fresh.top is None and fresh.shell.till.shift is not None)
    assert fresh.shell.till.shift is not None
    assert fresh.shell.till.shift.business_date.iso() == "2026-11-21"


def test_after_the_z_the_reports_of_its_date_are_saved(rig: Rig, tmp_path: Path) -> None:
    ctx = context_of(rig)
    chosen = ReportSettings(folder=str(tmp_path / "reports"), after_close="csv")
    ctx.keep_settings(replace(ctx.settings, reports=chosen))
    close_sheet(rig)
    press(Qt.Key.Key_Return)
    saved = tmp_path / "reports" / "reports-1-2026-11-18.csv"
    rig.until(saved.exists)


@pytest.mark.parametrize("form", ["csv", "print"])
def test_what_follows_a_z_is_written_by_the_db_lane_alone(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Literal["csv", "print"]
) -> None:
    ctx = context_of(rig)
    chosen = ReportSettings(folder=str(tmp_path / "reports"), after_close=form)
    ctx.keep_settings(replace(ctx.settings, reports=chosen))
    writers, write = set[str](), ctx.store.write

    def watched() -> AbstractContextManager[Connection]:
        writers.add(threading.current_thread().name)
        return write()

    monkeypatch.setattr(ctx.store, "write", watched)
    followed = list[int]()
    rig.shell.day.followed.connect(lambda: followed.append(1))
    close_sheet(rig)
    press(Qt.Key.Key_Return)
    rig.until(lambda: followed)
    assert writers == {"lane-db_0"}


def test_bf_makes_a_backup_for_a_supervisor_and_refuses_a_cashier(rig: Rig) -> None:
    action(rig, "bf")
    rig.until(lambda: rig.shell.strip.text != "")
    assert not (rig.shop.folder / "backups").exists()
    rig.shell.switch_to("9100002")
    rig.until(lambda: rig.top is not None)
    write(PIN)
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
    action(rig, "bf")
    rig.until(lambda: "备份" in rig.shell.strip.text and "做好" in rig.shell.strip.text)
    assert len(list((rig.shop.folder / "backups").glob("1-2*"))) == 1


def test_at_night_the_till_closes_what_is_over_and_tells_who_comes_next(rig: Rig) -> None:
    rig.shop.clock.now += timedelta(days=1)
    rig.shell.day.night.look()
    rig.until(lambda: not rig.shell.day.night.busy)
    assert number_of_last_close(rig) == 0, "somebody was here a moment ago"
    rig.clock.now += night.QUIET_S
    rig.shell.day.night.look()
    rig.until(lambda: number_of_last_close(rig) == 2)
    rig.until(lambda: not rig.shell.day.night.busy)
    rig.hear("2 个营业日")
    rig.hear("未盘点：2026-11-18, 2026-11-21")
    rig.settle()
    assert rig.shell.till.shift is None
    keep_picture(rig, "closed_at_night")


def test_who_signs_in_is_told_of_every_date_that_the_till_closed_and_of_each_uncounted_drawer(
    fresh: Rig,
) -> None:
    fresh.until(lambda: fresh.window.desk is not None)
    ctx = context_of(fresh)
    close_all(ctx)
    manager = sign_in(ctx, SignIn(ctx.ids(), "wm", PIN)).result
    open_shift(ctx, OpenDrawer(ctx.ids(), manager, 50000))
    fresh.shop.clock.now += timedelta(days=1)
    close_all(ctx)
    fresh.sign_in("wm")
    fresh.until(lambda: "自动日结" in fresh.shell.strip.text)
    told = fresh.shell.strip.text
    assert "2 个营业日" in told
    assert "未盘点：2026-11-18, 2026-11-21" in told
    assert fresh.faults() == []


def test_what_failed_by_itself_is_not_tried_again_each_minute(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rig.window.desk is not None
    day, tried = rig.window.desk.day, list[int]()

    def away() -> Backup:
        tried.append(1)
        raise Unavailable(Outage.BACKUP_FOLDER_GONE, {"folder": "stick"})

    monkeypatch.setattr(day, "backup_due", lambda: True)
    monkeypatch.setattr(day, "back_up", away)
    for _ in range(3):
        rig.shell.day.night.look()
        rig.until(lambda: not rig.shell.day.night.busy)
    assert len(tried) == 1
    rig.hear("备份位置不在")
    rig.clock.now += night.RETRY_S
    rig.shell.day.night.look()
    rig.until(lambda: not rig.shell.day.night.busy)
    assert len(tried) == 2


def test_an_hourly_backup_is_made_without_anybody(rig: Rig) -> None:
    rig.shell.day.night.look()
    rig.until(lambda: len(list((rig.shop.folder / "backups").glob("1-2*"))) == 1)
    rig.until(lambda: not rig.shell.day.night.busy)
    rig.shell.day.night.look()
    rig.until(lambda: not rig.shell.day.night.busy)
    assert len(list((rig.shop.folder / "backups").glob("1-2*"))) == 1, "the hour is not over"
