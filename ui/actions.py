"""What a cashier can do, each action once: its key, its words, and whether it is possible now.

F11 finds every action; the F-bar shows those with an F-key; chords are a second way, never the only
one (counter-flows.md section 2). A key never changes its meaning: it is possible, or it says why not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from ui.kit import Kit

FKEYS: Final = tuple(f"F{n}" for n in range(1, 13))
EATEN_BY_FIELDS: Final = tuple(f"Ctrl+{letter}" for letter in "ACEUVXZ")


def always() -> str:
    """The reason of an action that is always possible: none."""
    return ""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.

    Attributes:
        code: its name in the program.
        title: English sentence-case title, marked; shown in F11 and F1.
        label: marked word on the F-bar; empty when it has no place there.
        initials: pinyin initials of its Chinese title, for F11.
        key: "F2", "Ctrl+L" or empty.
        chord: a second key for the same.
        run: does it.
        refusal: the sentence that says why it is not possible now; empty when it is.
    """

    code: str
    title: str
    initials: str
    run: Callable[[], None]
    key: str = ""
    label: str = ""
    refusal: Callable[[], str] = always
    chord: str = ""


class Actions:
    """All actions of the window, in the order of the F-bar and of F11's list."""

    def __init__(self, kit: Kit, refused: Callable[[Callable[[], str]], None]) -> None:
        self._kit = kit
        self._refused = refused
        self.sheet_takes: Callable[[str], bool] = lambda key: False
        self._actions: dict[str, Action] = {}
        self._taken: set[str] = set()

    def add(self, *actions: Action) -> None:
        for action in actions:
            assert action.code not in self._actions, action.code
            for key in filter(None, (action.key, action.chord)):
                assert _is_safe_key(key), key
                assert key not in self._taken, key
                self._taken.add(key)
            self._actions[action.code] = action

    def bind(self, window: QWidget) -> None:
        """Make the keys work anywhere in a window. A held key counts once."""
        for action in self._actions.values():
            for key in filter(None, (action.key, action.chord)):
                shortcut = QShortcut(QKeySequence(key), window)
                shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
                shortcut.setAutoRepeat(False)
                shortcut.activated.connect(partial(self.do, action.code))

    def do(self, code: str) -> None:
        """Do it, or say why not."""
        action = self._actions[code]
        if action.key and self.sheet_takes(action.key):
            return
        if action.refusal():
            self._refused(action.refusal)
        else:
            action.run()

    def get(self, code: str) -> Action:
        return self._actions[code]

    def on_bar(self) -> list[Action]:
        """The actions with an F-key, by key."""
        found = [a for a in self._actions.values() if a.key in FKEYS and a.label]
        return sorted(found, key=lambda action: FKEYS.index(action.key))

    def everything(self) -> list[Action]:
        return list(self._actions.values())

    def matching(self, text: str) -> list[Action]:
        """The actions whose pinyin initials or a word of whose title begin with `text`.

        Initials first, then titles, each in the order they were added; no text matches all.
        """
        wanted = text.strip().casefold()
        if not wanted:
            return self.everything()
        by_initials = [a for a in self._actions.values() if a.initials.startswith(wanted)]
        by_title = [
            a
            for a in self._actions.values()
            if a not in by_initials and self._title_matches(a, wanted)
        ]
        return by_initials + by_title

    def _title_matches(self, action: Action, wanted: str) -> bool:
        said = self._kit.words.say(action.title).casefold()
        english = action.title.casefold()
        return wanted in said or any(word.startswith(wanted) for word in english.split())


def _is_safe_key(key: str) -> bool:
    """No bare character (a scan would press it), none that a text field eats."""
    return key in FKEYS or (key.startswith(("Ctrl+", "Alt+")) and key not in EATEN_BY_FIELDS)
