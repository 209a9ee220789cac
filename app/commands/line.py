"""The command line of `regulars`, the window's part included; help and errors in the reader's language.

Most starts need none of these words, so they are looked up only for a line that asks for help or is wrong.
"""

from __future__ import annotations

import argparse
import gettext
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from app.i18n import DOMAIN, LANGUAGES, mark
from resources import locale_dir

if TYPE_CHECKING:
    Say = Callable[[str], str]
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_OF_ARGPARSE: Final = (
    mark("usage: "),
    mark("options"),
    mark("positional arguments"),
    mark("show this help message and exit"),
    mark("the following arguments are required: %s"),
    mark("unrecognized arguments: %s"),
    mark("argument %(argument_name)s: %(message)s"),
    mark("invalid choice: %(value)r (choose from %(choices)s)"),
    mark("invalid %(type)s value: %(value)r"),
    mark("expected one argument"),
    mark("expected at least one argument"),
    mark("ambiguous option: %(option)s could match %(matches)s"),
    mark("%(prog)s: error: %(message)s\n"),
)
"""What the library itself says, which it looks up by gettext as we do."""
EPILOG: Final = mark("""\
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
""")


class _Wanted(Exception):
    """The line asks for help, or is wrong: only now does it matter in which language."""


class _Silent(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Wanted

    def print_help(self, file: Any = None) -> None:
        raise _Wanted


def parsed(argv: Sequence[str]) -> argparse.Namespace:
    """What a command line chooses. Ends the process after help (0) or a wrong line (2), as argparse does."""
    try:
        return parser(_Silent, lambda text: text).parse_args(argv)
    except _Wanted:
        from app.commands.console import words_for

        words = words_for(_who_asks(argv))
        gettext.bindtextdomain(DOMAIN, str(locale_dir()))
        gettext.textdomain(DOMAIN)
        os.environ["LANGUAGE"] = words.language
        return parser(argparse.ArgumentParser, words.say).parse_args(argv)


def _who_asks(argv: Sequence[str]) -> argparse.Namespace:
    """What tells the language, of a line that may be wrong."""
    asked = _Silent(add_help=False)
    asked.add_argument("--store", type=Path, nargs="?")
    asked.add_argument("--language", nargs="?")
    found = asked.parse_known_args(argv)[0]
    if found.language not in LANGUAGES:
        found.language = None
    return found


def parser(kind: type[argparse.ArgumentParser], say: Say) -> argparse.ArgumentParser:
    """The whole command line, so that --help tells everything."""
    top = kind(
        prog="regulars",
        description=say(
            "Regulars (常客): the membership counter. Without a command the window opens."
        ),
        epilog=say(EPILOG),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument(
        "--store", type=Path, metavar="FOLDER", help=say("the folder of the store to open")
    )
    top.add_argument("--language", choices=LANGUAGES, help=say("language for this start"))
    top.add_argument(
        "--theme", choices=("light", "dark", "contrast"), help=say("theme for this start")
    )
    commands = top.add_subparsers(dest="command", metavar="command")
    _add_verify(commands, say)
    _add_verify_audit(commands, say)
    demo = _of_store(commands, "demo-data", say("make a demo store of members with a history"))
    demo.add_argument(
        "--members", type=int, default=5000, help=say("how many members (default 5000)")
    )
    backup = _of_store(commands, "backup", say("make a backup now, and open it"))
    backup.add_argument(
        "--to", type=Path, metavar="FOLDER", help=say("where to (default: as the settings say)")
    )
    _of_store(commands, "close-day", say("close every date that is over, unattended"))
    _add_restore(commands, say)
    reset = _of_store(commands, "reset-pin", say("give a manager who forgot it a new PIN"))
    reset.add_argument(
        "--who", required=True, metavar="INITIALS", help=say("the manager's initials")
    )
    _of_store(
        commands,
        "change-passphrase",
        say("another passphrase for this till; asks for the old one first"),
    )
    _add_catalogue(commands, say)
    events = _of_store(
        commands,
        "export-events",
        say("what head office lacks of a till that is shut out, as a file"),
    )
    events.add_argument("--to", type=Path, metavar="FILE", required=True, help=say("the file"))
    events.add_argument(
        "--all", action="store_true", help=say("everything: head office was brought back since")
    )
    return top


def _of_store(
    commands: Commands, name: str, told: str, epilog: str | None = None
) -> argparse.ArgumentParser:
    """A command of a store, which may be named before the command or after it."""
    command = commands.add_parser(
        name, help=told, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_argument("--store", type=Path, metavar="FOLDER", default=argparse.SUPPRESS)
    return command


def _add_verify(commands: Commands, say: Say) -> None:
    verify = _of_store(
        commands, "verify", say("prove every balance from the journal's bytes"), say(EPILOG)
    )
    verify.add_argument(
        "--z", type=Path, metavar="FILE", nargs="+",
        help=say("check the signed files of day closes, without any store"),
    )  # fmt: skip
    verify.add_argument("--rebuild", action="store_true", help=say("write caches that differ anew"))


def _add_verify_audit(commands: Commands, say: Say) -> None:
    audit = _of_store(
        commands, "verify-audit", say("whether anybody rewrote the journal"), say(EPILOG)
    )
    audit.add_argument(
        "--journal", type=Path, metavar="FOLDER", help=say("journal files kept elsewhere")
    )
    audit.add_argument(
        "--checkpoints", type=Path, metavar="FILE", help=say("checkpoints kept elsewhere")
    )
    audit.add_argument(
        "--start-key", metavar="KEY",
        help=say("from the sheet in the safe; also in the environment as REGULARS_START_KEY"),
    )  # fmt: skip
    audit.add_argument(
        "--save-checkpoints", type=Path, metavar="FILE",
        help=say("write the store's own checkpoints"),
    )  # fmt: skip


def _add_restore(commands: Commands, say: Say) -> None:
    restore = commands.add_parser("restore", help=say("bring a till back in an empty folder"))
    restore.add_argument(
        "--from", dest="source", type=Path, metavar="BACKUP", required=True,
        help=say("a backup, or a folder of backups: then the one that is proposed"),
    )  # fmt: skip
    restore.add_argument(
        "--to", type=Path, metavar="FOLDER",
        help=say("an empty folder; without it backups are listed"),
    )  # fmt: skip
    restore.add_argument(
        "--journal", type=Path, metavar="FOLDER", help=say("journal files newer than the backup")
    )


def _add_catalogue(commands: Commands, say: Say) -> None:
    catalogue = _of_store(commands, "catalogue", say("take items and prices from a CSV file"))
    catalogue.add_argument("act", choices=("import",))
    catalogue.add_argument("file", type=Path, metavar="FILE")
    catalogue.add_argument(
        "--dry-run", action="store_true", help=say("only say what would be done")
    )
    catalogue.add_argument(
        "--who", required=True, metavar="INITIALS",
        help=say("who does it; the PIN is asked for, or taken from REGULARS_PIN"),
    )  # fmt: skip
