"""Builds the window on a store's folder: application, fonts, look, words, and how to open the till."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from app.commands.set_up import Answers, free_folder, may_be_set_up, remember
from app.formats import YUAN, Formats
from app.i18n import Words
from app.settings import BadSettings, Settings, load
from ui.kit import Kit
from ui.main_window import MainWindow
from ui.theme import Look, load_fonts
from ui.tokens import COMPACT_BELOW, theme_of

if TYPE_CHECKING:
    from app.restore import Place, Prepared
    from ui.desk import Desk

LEAST_WIDTH, LEAST_HEIGHT = 1180, 700


class OneWindow:
    """The window that is shown: on the live store, or on the one to practise in."""

    def __init__(
        self, application: QApplication, folder: Path, *, language: str = "", theme: str = ""
    ) -> None:
        self._application, self._live = application, folder
        self._language, self._theme = language, theme
        self.window: MainWindow | None = None
        self.put_back: Callable[[], None] = lambda: None

    def show(self, folder: Path | None = None, passphrase: str | None = None) -> None:
        """Show the window of a store, None the live one, and close the one before."""
        before = self.window
        self.window = build_window(
            self._application,
            folder or self._live,
            language=self._language,
            theme=self._theme,
            passphrase=passphrase,
            after_training=before is not None and before.is_training,
        )
        self.window.store_wanted.connect(self.show)
        self.window.restored.connect(self._use_restored)
        self.put_back()
        self.put_back = self.window.crash.install()
        self.window.show()
        if before is not None:
            before.close()
            before.deleteLater()

    def _use_restored(self, folder: Path) -> None:
        """The till that came back is the live one, now and at the next start."""
        remember(folder)
        self._live = folder
        self.show()


def build_window(
    application: QApplication,
    folder: Path,
    *,
    language: str = "",
    theme: str = "",
    passphrase: str | None = None,
    after_training: bool = False,
) -> MainWindow:
    """The window of the store in `folder`, not shown yet. `language` and `theme` "" take the
    settings'; `passphrase` opens a store whose key is in no key store; `after_training` is what the
    first sign-in keeps. A settings file with a mistake is told on opening; the window then uses defaults.
    """
    settings = _settings(folder)
    load_fonts()
    room = application.primaryScreen().availableGeometry()
    scale = settings.scale_percent
    look = Look(
        theme_of(theme or settings.theme),
        scale_percent=scale,
        compact=room.height() * 100 // scale < COMPACT_BELOW,
    )
    look.wear(application, look.theme)
    words = Words(language or settings.language)
    # Until the till is open nothing shows money or time; the shell's formats are the store's.
    kit = Kit(look, words, Formats(words, YUAN, UTC))
    set_up = (folder, make_desk) if may_be_set_up(folder) else None
    window = MainWindow(
        kit,
        settings,
        lambda typed, told: open_desk(folder, typed or passphrase, told),
        set_up=set_up,
        restore=(free_folder(folder), prepare_restore),
        after_training=after_training,
    )
    window.setMinimumSize(
        min(look.px(LEAST_WIDTH), room.width()), min(look.px(LEAST_HEIGHT), room.height())
    )
    window.resize(room.size())
    return window


def open_desk(folder: Path, passphrase: str | None, told: Callable[[int], None]) -> Desk:
    """Open the till; on the db lane, where the store's libraries may take their time. `told` hears the percents
    of an older store's way to this version."""
    from app.build import open_till, start_log
    from ui.desk import Desk

    if any(folder.parent.glob(".*.restoring*")):
        from app.restore import sweep_beside

        sweep_beside(folder)

    till = open_till(folder, passphrase=passphrase, told=told)
    start_log(folder)
    return Desk(till)


def prepare_restore(place: Place, passphrase: str, told: Callable[[int], None]) -> Prepared:
    """Put a till together that comes back; on the db lane."""
    from app.percent import Percent
    from app.restore import prepare

    return prepare(place, passphrase, progress=Percent(told))


def make_desk(answers: Answers) -> Desk:
    """Make the store that the assistant asked for, and open it; on the db lane."""
    from app.build import start_log
    from app.commands.set_up import set_up
    from ui.desk import Desk

    till = set_up(answers)
    start_log(answers.folder)
    return Desk(till)


def _settings(folder: Path) -> Settings:
    try:
        return load(folder)
    except (BadSettings, OSError):
        return Settings()
