"""What leaves the house is read and written beside the counter: nobody who sells waits for a file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import Qt

from app.usecases import catalogue as items_of_file
from app.usecases import (
    export_audit,
    export_catalogue,
    export_report,
    support_file,
)
from tests.ui.conftest import Rig
from tests.ui.keys import press
from ui.dialogs.catalogue import ImportSheet
from ui.pages import PAGES
from ui.screens.audit_page import AuditPageView
from ui.screens.catalogue_page import CataloguePage
from ui.screens.reports_page import ReportsPage


class Slow:
    """A step that takes as long as a test says."""

    def __init__(self, real: Callable[..., Any]) -> None:
        self._real, self.begun, self.go_on = real, threading.Event(), threading.Event()

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.begun.set()
        assert self.go_on.wait(30)
        return self._real(*given, **named)


def answers(rig: Rig) -> bool:
    """Whether the counter's own lane has time."""
    found: list[int] = []
    rig.window.lanes.run(rig.window, "db", lambda: 1, ok=found.append, failed=lambda error: None)
    rig.until(lambda: found)
    return True


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any, str], Slow]]:
    made: list[Slow] = []

    def hold(module: Any, name: str) -> Slow:
        step = Slow(getattr(module, name))
        monkeypatch.setattr(module, name, step)
        made.append(step)
        return step

    yield hold
    for step in made:
        step.go_on.set()


def page_of(rig: Rig, code: str) -> Any:
    rig.shell.show_page([page.code for page in PAGES].index(code))
    rig.settle()
    return rig.shell.pages.currentWidget()


def report(rig: Rig) -> None:
    page = page_of(rig, "reports")
    assert isinstance(page, ReportsPage)
    rig.until(lambda: page.shown is not None)
    page.export("pdf")


def journal(rig: Rig) -> None:
    page = page_of(rig, "audit")
    assert isinstance(page, AuditPageView)
    page._export("csv")


def items(rig: Rig) -> None:
    page = page_of(rig, "catalogue")
    assert isinstance(page, CataloguePage)
    page._export()


def support(rig: Rig) -> None:
    rig.shell.audit.save_support_file()


@pytest.mark.parametrize(
    ("take", "module", "step", "folder"),
    [
        (report, export_report, "report_of", "reports"),
        (report, export_report, "write_new", "reports"),
        (journal, export_audit, "all_lines", "reports"),
        (journal, export_audit, "write_new", "reports"),
        (items, export_catalogue, "whole_catalogue", "reports"),
        (items, export_catalogue, "write_new", "reports"),
        (support, support_file, "health", "support"),
        (support, support_file, "write_new", "support"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).rpartition(".")[2],
)
def test_the_counter_goes_on_while_something_is_read_and_written(
    manager: Rig,
    slow: Callable[[Any, str], Slow],
    take: Callable[[Rig], None],
    module: Any,
    step: str,
    folder: str,
) -> None:
    held = slow(module, step)
    take(manager)
    manager.until(held.begun.is_set)
    assert answers(manager)
    held.go_on.set()
    manager.until(lambda: list((manager.shop.folder / folder).glob("*.*")))


def test_the_counter_goes_on_while_a_file_of_items_is_checked(
    manager: Rig, slow: Callable[[Any, str], Slow], tmp_path: Path
) -> None:
    file = tmp_path / "items.csv"
    file.write_text("code,name,price\nK1,甲,1\n", "utf-8")
    page = page_of(manager, "catalogue")
    page.file.setFocus()
    press(Qt.Key.Key_Return)
    sheet = manager.sheet(ImportSheet)
    sheet.path.setText(str(file))
    held = slow(items_of_file, "read_catalogue")
    press(Qt.Key.Key_Return)
    manager.until(held.begun.is_set)
    assert answers(manager)
    held.go_on.set()
    manager.until(sheet.commit.hasFocus)


def test_a_filter_that_changes_while_a_report_is_taken_out_does_not_break_it(
    manager: Rig, slow: Callable[[Any, str], Slow]
) -> None:
    """Another question calls off the one before, and nothing else."""
    held = slow(export_report, "report_of")
    report(manager)
    manager.until(held.begun.is_set)
    page = manager.page(ReportsPage)
    for period in ("28", "365", "7"):
        page.period.choose(period)
        page.read()
    held.go_on.set()
    manager.until(lambda: list((manager.shop.folder / "reports").glob("*.pdf")))
    manager.until(lambda: page.shown is not None and page.shown.report.filter.days == 7)


def test_what_was_begun_is_finished_although_its_page_goes(
    manager: Rig, slow: Callable[[Any, str], Slow]
) -> None:
    """Somebody locks the till while a long journal is read."""
    held = slow(export_audit, "all_lines")
    journal(manager)
    manager.until(held.begun.is_set)
    page = manager.page(AuditPageView)
    manager.shell.clear_desk()
    manager.until(lambda: not shiboken6.isValid(page))
    held.go_on.set()
    manager.until(lambda: list((manager.shop.folder / "reports").glob("audit-*.csv")))
    manager.settle()
