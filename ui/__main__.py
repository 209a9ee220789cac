"""`regulars`: headless commands go to app.commands without Qt; otherwise the window opens.

Between start and first paint only QtCore, QtGui, QtWidgets, QtSvg and the sign-in view are imported
(counter-ui.md section 3).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app.commands import COMMANDS
from app.commands.line import parsed
from app.commands.set_up import default_store
from app.private import leave_no_core, make_all_private


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    make_all_private()
    leave_no_core()
    argv = list(sys.argv[1:] if arguments is None else arguments)
    chosen = parsed(argv)
    if chosen.command in COMMANDS:
        from app.commands import run

        return run(argv)
    if not _has_screen():
        from app.commands.console import no_screen

        return no_screen(chosen)
    return _window(
        chosen.store or default_store(), language=chosen.language or "", theme=chosen.theme or ""
    )


def _has_screen() -> bool:
    """Whether a window can open at all: without a screen Qt would end the process with a page of its own."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform != "linux" or any(os.environ.get(name) for name in named)


def _window(folder: Path, *, language: str, theme: str) -> int:
    from PySide6.QtWidgets import QApplication

    from ui.window import OneWindow

    application = QApplication([sys.argv[0]])
    application.setApplicationName("Regulars")
    one = OneWindow(application, folder, language=language, theme=theme)
    one.show()
    try:
        return application.exec()
    finally:
        one.put_back()


if __name__ == "__main__":
    sys.exit(main())
