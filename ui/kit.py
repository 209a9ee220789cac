"""What every widget is given: how things look and how they are said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from app.formats import Formats
from app.i18n import Words
from ui.theme import Look


@dataclass(frozen=True, slots=True)
class Kit:
    """Look, words and formats of one window; the objects stay, what they answer may change.

    In `training` every title says so.
    """

    look: Look
    words: Words
    formats: Formats
    training: bool = False

    def titled(self, title: Callable[[], str]) -> Callable[[], str]:
        """A title as it is shown."""
        if not self.training:
            return title
        return lambda: self.words.say("{title} · TRAINING", title=title())


def say_again(root: QWidget) -> None:
    """After a language switch: let `root` and every widget in it speak anew.

    A widget takes part by having a method `retranslate()`.
    """
    _call(root, "retranslate")


def style_again(root: QWidget) -> None:
    """After a theme switch: let `root` and every widget in it redraw its icons and pictures.

    A widget takes part by having a method `restyle()`.
    """
    _call(root, "restyle")


def _call(root: QWidget, method: str) -> None:
    # Children first: a parent's wording may measure them.
    for widget in [*reversed(root.findChildren(QWidget)), root]:
        found = getattr(widget, method, None)
        if found is not None:
            found()
    root.update()
