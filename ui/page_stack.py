"""The pages of the rail, one on top: the counter from the start, each other built at its first visit.

What follows a turn (rail, title, focus) is the shell's.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.pages import COUNTER, PAGES


class PageStack(QStackedWidget):
    """Pages by their place in PAGES. `build` makes the one of a place.

    It asks for the room of the page on top alone: a page that was visited once would else keep the window high
    for good.
    """

    def __init__(self, build: Callable[[int], QWidget]) -> None:
        super().__init__()
        self._build = build
        self._built = {COUNTER}
        self.currentChanged.connect(lambda _: self.updateGeometry())

    def sizeHint(self) -> QSize:
        return self._top().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self._top().minimumSizeHint()

    def _top(self) -> QWidget:
        found = self.currentWidget()
        assert found is not None, "the counter is there from the start"
        return found

    def begin(self, counter: QWidget) -> None:
        """The counter is there; the others have their places until they are visited."""
        self.addWidget(counter)
        for _ in PAGES[1:]:
            self.addWidget(QWidget())

    def forget(self) -> None:
        """Away with what was typed and chosen on every page but the counter: each is built anew when it is
        visited. The counter is on top."""
        for at in self._built - {COUNTER}:
            found = self.widget(at)
            assert found is not None, "every page has its place"
            self.insertWidget(at, QWidget())
            self.removeWidget(found)
            found.deleteLater()
        self._built = {COUNTER}

    def page(self, at: int) -> QWidget:
        """The page of a place."""
        found = self.widget(at)
        assert found is not None, "every page has its place"
        if at in self._built:
            return found
        self._built.add(at)
        built = self._build(at)
        self.insertWidget(at, built)
        self.removeWidget(found)
        found.deleteLater()
        return built
