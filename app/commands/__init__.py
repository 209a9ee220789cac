"""The headless commands of `regulars`: what runs without a window. ui/__main__.py hands over to `run`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
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
)
"""First words that need no window."""

EPILOG: Final = """\
exit codes of verify:
  0  everything is equal          12  a ledger row differs
  2  wrong use of the command     13  a document row differs
  4  the store can't be opened    14  a cached balance, lot, tier or card block differs
 10  event bytes or chain altered 15  the journal file differs or is damaged
 11  a sequence number is missing 16  a sum that reports read differs

exit codes of verify-audit:
  0  nothing was altered       2  the end is missing, or an older store was put back
  1  an event was altered      3  head office has seen later events
  4  the store or the evidence can't be read

exit codes of verify --z:
  0  every signature fits     10  a file was altered or is no day close     11  the closes do not join

exit codes of backup, restore, close-day, reset-pin, change-passphrase and catalogue:
  0  done    4  could not be done    5  restored, but events are known to be missing

The passphrase is asked for, or taken from the environment variable REGULARS_PASSPHRASE.
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line, the window's part included, so that --help tells everything."""
    top = argparse.ArgumentParser(
        prog="regulars",
        description="Regulars (常客): the membership counter. Without a command the window opens.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--store", type=Path, metavar="FOLDER", help="the folder of the store to open")
    top.add_argument("--language", choices=("zh_CN", "en"), help="language for this start")
    top.add_argument("--theme", choices=("light", "dark", "contrast"), help="theme for this start")
    commands = top.add_subparsers(dest="command", metavar="command")
    verify = commands.add_parser(
        "verify",
        help="prove every balance from the journal's bytes",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("--store", type=Path, metavar="FOLDER", default=argparse.SUPPRESS)
    verify.add_argument(
        "--z", type=Path, metavar="FILE", nargs="+",
        help="check the signed files of day closes, without any store",
    )  # fmt: skip
    verify.add_argument("--rebuild", action="store_true", help="write caches that differ anew")
    _add_verify_audit(commands)
    demo = commands.add_parser("demo-data", help="make a demo store of members with a history")
    demo.add_argument("--store", type=Path, metavar="FOLDER", default=argparse.SUPPRESS)
    demo.add_argument("--members", type=int, default=5000, help="how many members (default 5000)")
    backup = commands.add_parser("backup", help="make a backup now, and open it")
    backup.add_argument("--store", type=Path, metavar="FOLDER", default=argparse.SUPPRESS)
    backup.add_argument(
        "--to", type=Path, metavar="FOLDER", help="where to (default: as the settings say)"
    )
    close = commands.add_parser("close-day", help="close every date that is over, unattended")
    close.add_argument("--store", type=Path, metavar="FOLDER", default=argparse.SUPPRESS)
    restore = commands.add_parser("restore", help="bring a till back in an empty folder")
    restore.add_argument(
        "--from", dest="source", type=Path, metavar="BACKUP", required=True,
        help="a backup, or a folder of backups: then the one that is proposed",
    )  # fmt: skip
    restore.add_argument(
        "--to", type=Path, metavar="FOLDER", help="an empty folder; without it backups are listed"
    )
    restore.add_argument(
        "--journal", type=Path, metavar="FOLDER", help="journal files newer than the backup"
    )
    reset = commands.add_parser("reset-pin", help="give a manager who forgot it a new PIN")
    reset.add_argument("--store", type=Path, metavar="FOLDER", default=argparse.SUPPRESS)
    reset.add_argument("--who", required=True, metavar="INITIALS", help="the manager's initials")
    change = commands.add_parser(
        "change-passphrase", help="another passphrase for this till; asks for the old one first"
    )
    change.add_argument("--store", type=Path, metavar="FOLDER", default=argparse.SUPPRESS)
    _add_catalogue(commands)
    return top


def _add_catalogue(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    catalogue = commands.add_parser("catalogue", help="take items and prices from a CSV file")
    catalogue.add_argument("--store", type=Path, metavar="FOLDER", default=argparse.SUPPRESS)
    catalogue.add_argument("act", choices=("import",))
    catalogue.add_argument("file", type=Path, metavar="FILE")
    catalogue.add_argument("--dry-run", action="store_true", help="only say what would be done")
    catalogue.add_argument(
        "--who", required=True, metavar="INITIALS",
        help="who does it; the PIN is asked for, or taken from REGULARS_PIN",
    )  # fmt: skip


def _add_verify_audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    audit = commands.add_parser(
        "verify-audit",
        help="whether anybody rewrote the journal",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    audit.add_argument("--store", type=Path, metavar="FOLDER", default=argparse.SUPPRESS)
    audit.add_argument(
        "--journal", type=Path, metavar="FOLDER", help="journal files kept elsewhere"
    )
    audit.add_argument(
        "--checkpoints", type=Path, metavar="FILE", help="checkpoints kept elsewhere"
    )
    audit.add_argument(
        "--start-key", metavar="KEY",
        help="from the sheet in the safe; also in the environment as REGULARS_START_KEY",
    )  # fmt: skip
    audit.add_argument(
        "--save-checkpoints", type=Path, metavar="FILE", help="write the store's own checkpoints"
    )


def run(argv: Sequence[str]) -> int:
    """Run a headless command; returns the exit code. The caller has seen that there is one."""
    from app.commands.console import say_cannot, told, words_for

    chosen = parser().parse_args(argv)
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
        case _:
            from app.commands.demo_data import command
    return command
