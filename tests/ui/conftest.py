"""Real widgets on Qt's offscreen platform; nothing here ships."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from app.formats import YUAN, Formats
from app.i18n import Words
from ui.kit import Kit
from ui.theme import Look, load_fonts


@pytest.fixture(scope="session", autouse=True)
def _fonts(qapp: QApplication) -> None:
    load_fonts()


@pytest.fixture(autouse=True)
def _qt_is_quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """A warning that Qt prints (an unknown style rule, a painter left open) fails the test."""
    log = request.getfixturevalue("qtlog")
    yield
    assert [
        record.message for record in log.records if "propagateSizeHints" not in record.message
    ] == []


def make_kit(
    qapp: QApplication,
    *,
    language: str = "zh_CN",
    theme: str = "light",
    scale_percent: int = 100,
    compact: bool = True,
) -> Kit:
    words = Words(language)
    look = Look(
        "dark" if theme == "dark" else "light", scale_percent=scale_percent, compact=compact
    )
    look.wear(qapp, look.theme)
    return Kit(look, words, Formats(words, YUAN, ZoneInfo("Asia/Shanghai")))


@pytest.fixture
def kit(qapp: QApplication) -> Iterator[Kit]:
    yield make_kit(qapp)
    qapp.setStyleSheet("")


Show = Callable[..., QWidget]


@pytest.fixture
def show(qtbot: QtBot) -> Iterator[Show]:
    """Show widgets in one active window that lives as long as the test."""
    windows: list[QWidget] = []

    def show(*widgets: QWidget) -> QWidget:
        window = QWidget()
        layout = QVBoxLayout(window)
        for widget in widgets:
            layout.addWidget(widget)
        window.resize(700, 500)
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        windows.append(window)
        return window

    yield show
    for window in windows:
        window.close()
        window.deleteLater()
