"""The headless commands of `regulars`: what runs without a window. ui/__main__.py hands over to `run`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.i18n import Words

    Command = Callable[[argparse.Namespace, Words], int]

WRONG_USE: Final = 2
"""Exit code where an option is missing, as argparse has it."""
COMMANDS: Final = (
    "verify",
    "verify-audit",
    "demo-data",
    "backup",
    "restore",
    "close-day",
    "reset-pin",
    "change-passphrase",
    "catalogue",
    "export-events",
)
"""First words that need no window."""


def run(argv: Sequence[str]) -> int:
    """Run a headless command; returns the exit code. The caller has seen that there is one."""
    from app.commands.console import say_cannot, told, words_for
    from app.commands.line import parsed

    chosen = parsed(argv)
    words, name = words_for(chosen), chosen.command
    storeless = name == "restore" or (name == "verify" and chosen.z)
    if chosen.store is None and not storeless:
        say_cannot(name, words.say("Say which store: --store FOLDER."))
        return WRONG_USE
    return told(words, name, lambda: _command(chosen)(chosen, words))


def _command(chosen: argparse.Namespace) -> Command:
    """Each command's module is imported when it runs: the window's start pays for none of them."""
    match chosen.command:
        case "verify" if chosen.z:
            from app.commands.verify_z import command
        case "verify":
            from app.commands.verify import command
        case "verify-audit":
            from app.commands.verify_audit import command
        case "backup":
            from app.commands.backup import command
        case "restore":
            from app.commands.restore import command
        case "close-day":
            from app.commands.close_day import command
        case "reset-pin":
            from app.commands.reset_pin import command
        case "change-passphrase":
            from app.commands.change_passphrase import command
        case "catalogue":
            from app.commands.catalogue import command
        case "export-events":
            from app.commands.export_events import command
        case _:
            from app.commands.demo_data import command
    return command
