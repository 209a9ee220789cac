"""The headless commands of `regulars`: what runs without a window. ui/__main__.py hands over to `run`."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.domain.errors import Outage, Unavailable

if TYPE_CHECKING:
    from app.build import Till

CANNOT: Final = 4
"""Exit code of a command that could not be done."""
COMMANDS: Final = (
    "verify",
    "verify-audit",
    "demo-data",
    "backup",
    "restore",
    "close-day",
    "reset-pin",
    "catalogue",
)
"""First words that need no window."""

EPILOG: Final = """\
exit codes of verify:
  0  everything is equal          12  a ledger row differs
  2  wrong use of the command     13  a document row differs
  4  the store can't be opened    14  a cached balance, lot, tier or card block differs
 10  event bytes or chain altered 15  the journal file differs or is damaged
 11  a sequence number is missing

exit codes of verify-audit:
  0  nothing was altered       2  the end is missing, or an older store was put back
  1  an event was altered      3  head office has seen later events
  4  the store or the evidence can't be read

exit codes of verify --z:
  0  every signature fits     10  a file was altered or is no day close     11  the closes do not join

exit codes of backup, restore and close-day:
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
        help="a backup, or the folder of backups: then the newest whole one",
    )  # fmt: skip
    restore.add_argument("--to", type=Path, metavar="FOLDER", required=True, help="an empty folder")
    restore.add_argument(
        "--journal", type=Path, metavar="FOLDER", help="journal files newer than the backup"
    )
    reset = commands.add_parser("reset-pin", help="give a manager who forgot it a new PIN")
    reset.add_argument("--store", type=Path, metavar="FOLDER", default=argparse.SUPPRESS)
    reset.add_argument("--who", required=True, metavar="INITIALS", help="the manager's initials")
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
    words = parser()
    chosen = words.parse_args(argv)
    if chosen.command == "restore":
        from app.commands import restore

        return restore.command(chosen)
    if chosen.command == "verify" and chosen.z:
        from app.commands import verify_z

        return verify_z.command(chosen)
    if chosen.store is None:
        words.error(f"{chosen.command} needs --store FOLDER")
    if chosen.command == "verify":
        from app.commands import verify

        return verify.command(chosen)
    if chosen.command == "verify-audit":
        from app.commands import verify_audit

        return verify_audit.command(chosen)
    if chosen.command == "backup":
        from app.commands import backup

        return backup.command(chosen)
    if chosen.command == "close-day":
        from app.commands import close_day

        return close_day.command(chosen)
    if chosen.command == "reset-pin":
        from app.commands import reset_pin

        return reset_pin.command(chosen)
    if chosen.command == "catalogue":
        from app.commands import catalogue

        return catalogue.command(chosen)
    from app.commands import demo_data

    return demo_data.command(chosen)


def open_by_any_key(folder: Path, *, mending: bool = True) -> Till:
    """Open a store by the system's key store, or by the passphrase. Raises Unavailable."""
    from app.build import open_till

    try:
        return open_till(folder, mending=mending)
    except Unavailable as error:
        if error.code is not Outage.KEYSTORE_GONE:
            raise
    return open_by_passphrase(folder, mending=mending)


def open_by_passphrase(folder: Path, *, mending: bool = True) -> Till:
    """Open a store by the passphrase, once the wait after an earlier wrong one is over. Raises Unavailable."""
    from app.build import open_till

    given = passphrase()
    while True:
        try:
            return open_till(folder, passphrase=given, mending=mending)
        except Unavailable as error:
            if error.code is not Outage.PASSPHRASE_WAIT or error.retry_after_s is None:
                raise
            print(f"{said(error)}; waiting …", file=sys.stderr)
            time.sleep(error.retry_after_s)


def said(error: Unavailable) -> str:
    """What was in the way, for a terminal."""
    facts = ", ".join(f"{key}: {value}" for key, value in error.facts.items())
    return f"{error.code.value} ({facts})"


def passphrase() -> str:
    """From the environment, else asked for at the terminal."""
    given = os.environ.get("REGULARS_PASSPHRASE")
    if given is not None:
        return given
    return getpass.getpass("Passphrase of this till: ", stream=sys.stderr)
