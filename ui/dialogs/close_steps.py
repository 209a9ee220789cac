"""The steps at the left of the day's close: what is open, the count, and how far the till's own steps are.

It shows and offers; what happens is the sheet's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.documents.z_slip import ITEM_WORDS
from app.formats import number
from app.i18n import mark
from ui.day_run import STEPS, Step
from ui.kit import Kit
from ui.widgets.basics import Button, Label, Picture

if TYPE_CHECKING:
    from app.usecases.close_day import OpenItem

State = Literal["waits", "runs", "done", "failed"]
Code = Step | Literal["count", "difference"]

SETTLED_HERE: Final = ("cart", "slips_waiting", "slips_doubtful")
"""What can be open before the steps run, always shown, with its count."""
_OWN: Final[tuple[Code, ...]] = ("count", "difference")
_WORDS: Final[dict[Code, str]] = {
    "count": mark("Count the drawer"),
    "difference": mark("Difference"),
    "post": mark("Expiries and tiers"),
    "prove": mark("Verify every event and member of the day"),
    "backup": mark("Backup, opened and checked"),
    "sign": mark("Number, sign and print the Z"),
}
_ICONS: Final[dict[State, tuple[str, str]]] = {
    "waits": ("minus", "muted"),
    "runs": ("clock", "accent"),
    "done": ("check", "accent"),
    "failed": ("triangle-alert", "danger"),
}


class StepList(QWidget):
    """Signals:
    settle_wanted(code): to where an open item is settled.

    Attributes:
        icons: the sign of each step; they say the same as the words beside them.
        said: how far a step is.
        open_items: a button for each open item that can be settled now; hidden where nothing is open.
    """

    settle_wanted = Signal(str)

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._states: dict[Code, State] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(kit.look.px(12))
        self._grid.setVerticalSpacing(kit.look.px(8))
        self._marks: dict[str, Picture] = {}
        self._none: dict[str, Label] = {}
        self.open_items: dict[str, Button] = {}
        for code in SETTLED_HERE:
            self._add_item(code)
        self.icons: dict[Code, Picture] = {}
        self.said: dict[Code, Label] = {}
        for step in (*_OWN, *STEPS):
            self._add_step(step)
        self._grid.setColumnStretch(1, 1)
        self._grid.setRowStretch(self._grid.rowCount(), 1)

    def _add_item(self, code: str) -> None:
        row = self._grid.rowCount()
        self._marks[code] = Picture(self._kit.look, "check", tone="accent")
        self._none[code] = Label(partial(self._open_words, code, 0))
        button = self.open_items[code] = Button(self._kit, lambda: "")
        button.clicked.connect(partial(self.settle_wanted.emit, code))
        button.hide()
        self._grid.addWidget(self._marks[code], row, 0)
        self._grid.addWidget(self._none[code], row, 1)
        self._grid.addWidget(button, row, 1, 1, 2)

    def _add_step(self, step: Code) -> None:
        row = self._grid.rowCount()
        self.icons[step] = Picture(self._kit.look, "minus")
        self.said[step] = Label(role="muted")
        self.said[step].setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.said[step].setMinimumWidth(self._kit.look.px(48))
        self._grid.addWidget(self.icons[step], row, 0)
        name = Label(partial(self._kit.words.say, _WORDS[step]))
        name.setWordWrap(True)
        self._grid.addWidget(name, row, 1)
        self._grid.addWidget(self.said[step], row, 2)

    def show_items(self, items: Sequence[OpenItem]) -> None:
        """How many are open of each; those that aren't are at nought."""
        counts = {item.code: item.count for item in items}
        for code, button in self.open_items.items():
            count = counts.get(code, 0)
            self._marks[code].show_icon(*_ICONS["failed" if count else "done"])
            self._none[code].setVisible(not count)
            button.setVisible(bool(count))
            button.tell(partial(self._open_words, code, count))

    def _open_words(self, code: str, count: int) -> str:
        words = self._kit.words
        return words.say("{what}: {count}", what=words.say(ITEM_WORDS[code]), count=number(count))

    def first_open(self) -> QWidget | None:
        """The button of the first thing that is open."""
        return next((b for b in self.open_items.values() if b.isVisibleTo(self)), None)

    def has_focus(self) -> bool:
        """Whether one of the open things has it."""
        return any(b.hasFocus() and b.isVisibleTo(self) for b in self.open_items.values())

    def show_state(self, step: Code, state: State) -> None:
        self._states[step] = state
        self.icons[step].show_icon(*_ICONS[state])
        if state in ("done", "failed", "waits"):
            self.said[step].clear()

    def show_percent(self, step: Code, percent: int) -> None:
        """How far it is, while it runs."""
        if self._states.get(step) == "runs":
            self.said[step].tell(lambda: f"{percent}%")

    def run(self, step: Code) -> None:
        """Everything before it is done, and it runs."""
        order = (*_OWN, *STEPS)
        at = order.index(step)
        for n, each in enumerate(order):
            self.show_state(each, "done" if n < at else "runs" if n == at else "waits")
