"""`regulars-headoffice`: serve tills, and what an operator does beside a serving head office or an idle one.

Each command says in one sentence of the reader's language what is in its way; nobody meets a traceback.
"""

from __future__ import annotations

import argparse
import gettext
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from app.i18n import DOMAIN, LANGUAGES, SOURCE_LANGUAGE, MissingCatalogueError, Words
from headoffice import carried, checking, moving, operating, ruling
from headoffice.api import commands
from headoffice.api.keys import PER_MINUTE, SCOPES
from headoffice.at_store import Cannot
from resources import locale_dir

WRONG_USE: Final = 2
CANNOT: Final = 4
PROGRAM: Final = "regulars-headoffice"


def _serve(chosen: argparse.Namespace, words: Words) -> None:
    from headoffice.answering import serve

    serve(chosen, words)


_COMMANDS: Final[dict[str, Callable[[argparse.Namespace, Words], None]]] = {
    "serve": _serve,
    "new-chain": operating.new_chain,
    "new-store": operating.new_store,
    "enrol-code": operating.enrol_code,
    "new-staff": operating.new_staff,
    "new-key": commands.make_key,
    "keys": commands.list_keys,
    "end-key": commands.end_key,
    "publish": ruling.publish,
    "lost-card": ruling.lost_card,
    "offline-lease": ruling.offline_lease,
    "address": ruling.new_address,
    "settlement": ruling.settle,
    "tills": operating.list_tills,
    "revoke": operating.revoke,
    "take-outbox": carried.take_outbox,
    "restored": operating.restored,
    "verify-audit": checking.verify_audit,
    "migrate": operating.migrate,
    "move": moving.move,
}
Say = Callable[[str], str]


def main(argv: Sequence[str] | None = None) -> int:
    """Do one command; returns the exit code: 0 done, 2 wrong use, 4 it could not be done."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    words = _words(arguments)
    gettext.bindtextdomain(DOMAIN, str(locale_dir()))
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = words.language
    chosen = parser(words.say).parse_args(arguments)
    try:
        _COMMANDS[chosen.command](chosen, words)
    except Cannot as error:
        print(f"{PROGRAM} {chosen.command}: {error}", file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        print(f"\n{words.say('Stopped.')}", file=sys.stderr)
    return 0


def _words(arguments: Sequence[str]) -> Words:
    """The language that is asked for, else the system's; English where the terminal can't show another."""
    asked = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    asked.add_argument("--language", nargs="?")
    language = asked.parse_known_args(arguments)[0].language
    if language not in LANGUAGES:
        named = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        chinese = next(filter(None, named), "").startswith("zh")
        language = "zh_CN" if chinese else SOURCE_LANGUAGE
    try:
        "总部".encode(sys.stdout.encoding or "ascii")
        return Words(language)
    except (UnicodeEncodeError, LookupError, MissingCatalogueError):
        return Words(SOURCE_LANGUAGE)


def parser(say: Say) -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog=PROGRAM, description=say("Regulars (常客): the head office that tills sync with.")
    )
    top.add_argument("--language", choices=LANGUAGES, help=say("language for this start"))
    chosen = top.add_subparsers(dest="command", metavar="command", required=True)

    def command(name: str, told: str) -> argparse.ArgumentParser:
        made = chosen.add_parser(name, help=told)
        _postgresql(made, say)
        made.add_argument(
            "--data", type=Path, metavar="FOLDER", required=True,
            help=say("the folder of the store, the key and the lock"),
        )  # fmt: skip
        return made

    _add_serve(command("serve", say("answer tills until it is stopped")), say)
    _add_chain(command("new-chain", say("begin a chain")), say)
    shop = command("new-store", say("add a store to a chain"))
    shop.add_argument("name", metavar="NAME")
    _of_chain(shop, say)
    _bucket(shop, say)
    code = command("enrol-code", say("make a code that lets one till in, good for ten minutes"))
    code.add_argument("shop", metavar="STORE")
    code.add_argument("till", metavar="TILL")
    _of_chain(code, say)
    staff = command(
        "new-staff", say("invite somebody to the console, or anew: a link to set a password by")
    )
    staff.add_argument("chain", metavar="CHAIN")
    staff.add_argument("initials", metavar="INITIALS")
    staff.add_argument(
        "role",
        metavar="ROLE",
        choices=operating.ROLE_NAMES,
        help=say("manager, head-office or auditor"),
    )
    _add_key(command("new-key", say("let another system in to the open API: a key")), say)
    command("keys", say("list the keys of the open API"))
    over = command("end-key", say("shut a key of the open API out for ever"))
    over.add_argument("key", metavar="KEY", help=say("its first part, as `keys` lists it"))
    _add_ruling(command, say)
    command("tills", say("list the tills of all chains"))
    revoke = command(
        "revoke", say("shut a till out for ever and write off what it may still spend")
    )
    revoke.add_argument(
        "device", metavar="DEVICE", help=say("as `tills` lists it; eight characters are enough")
    )
    outbox = command(
        "take-outbox", say("take the events of a revoked till from a file that somebody brought")
    )
    outbox.add_argument(
        "file", metavar="FILE", type=Path, help=say("as `regulars export-events` wrote it")
    )
    move = command("move", say("move a chain from the folder's file to PostgreSQL; its tills wait"))
    move.add_argument("chain", metavar="CHAIN")
    move.add_argument(
        "--to", metavar="DSN", required=True,
        help=say("the database, as the owner of its tables; without a password"),
    )  # fmt: skip
    move.add_argument(
        "--give-up", action="store_true",
        help=say("a move was killed: serve the chain from the folder again"),
    )  # fmt: skip
    migrate = chosen.add_parser(
        "migrate", help=say("bring PostgreSQL to this version, as the owner of its tables")
    )
    _postgresql(migrate, say)
    audit = command("verify-audit", say("hold the console's audit against its hashes"))
    audit.add_argument(
        "--roots", type=Path, metavar="FILE",
        help=say("and against roots that were kept elsewhere: lines of the server's log"),
    )  # fmt: skip
    command("restored", say("after the store was brought back from a backup, before it serves"))
    return top


def _add_ruling(command: Callable[[str, str], argparse.ArgumentParser], say: Say) -> None:
    version = command("publish", say("publish a version of the programme to all tills"))
    version.add_argument("file", metavar="FILE", type=Path, help=say("the programme, JSON"))
    version.add_argument(
        "--from",
        dest="starts",
        metavar="DATE",
        help=say("its first business date; default: the file's"),
    )
    _of_chain(version, say)
    card = command("lost-card", say("let every till refuse a card that was reported lost"))
    card.add_argument("number", metavar="NUMBER")
    card.add_argument(
        "--found", action="store_true", help=say("it was found: take it off the list")
    )
    _of_chain(card, say)
    lease = command(
        "offline-lease", say("after so many days without head office tills show no members")
    )
    lease.add_argument(
        "days", metavar="DAYS", type=int, help=say("1 to 365; 14 where none is said")
    )
    _of_chain(lease, say)
    address = command("address", say("tell tills where head office is from now on"))
    address.add_argument("address", metavar="URL", help=say("like https://office.example:8440"))
    _of_chain(address, say)
    points = command("settlement", say("points earned in one store and spent in another, as CSV"))
    points.add_argument("first", metavar="FIRST", help=say("first business date, like 2026-11-01"))
    points.add_argument("last", metavar="LAST", help=say("last business date"))
    _of_chain(points, say)


def _add_key(key: argparse.ArgumentParser, say: Say) -> None:
    key.add_argument("chain", metavar="CHAIN")
    key.add_argument(
        "name", metavar="NAME",
        help=say("the system that has it; keys of one name go on with the same holds"),
    )  # fmt: skip
    key.add_argument(
        "--scopes", nargs="+", required=True, choices=SCOPES, metavar="SCOPE",
        help=say("what it may: {scopes}").format(scopes=", ".join(SCOPES)),
    )  # fmt: skip
    key.add_argument(
        "--per-minute", type=int, default=PER_MINUTE,
        help=say("how many requests a minute (default 600)"),
    )  # fmt: skip


def _add_serve(serve: argparse.ArgumentParser, say: Say) -> None:
    serve.add_argument("--host", default="127.0.0.1", help=say("address to listen on"))
    serve.add_argument("--port", type=int, default=8440, help=say("port (default 8440)"))
    serve.add_argument("--tls-cert", type=Path, metavar="FILE", help=say("certificate chain, PEM"))
    serve.add_argument("--tls-key", type=Path, metavar="FILE", help=say("its private key, PEM"))
    serve.add_argument(
        "--trusted-proxy", metavar="ADDRESS", default="",
        help=say("a proxy that encrypts for us and names the caller in X-Forwarded-For"),
    )  # fmt: skip
    serve.add_argument(
        "--demo", action="store_true", help=say("make a demo chain where there is none yet")
    )
    serve.add_argument(
        "--allow-private-webhooks", action="store_true",
        help=say("tell other systems on this machine and its network, too, and without TLS"),
    )  # fmt: skip


def _add_chain(chain: argparse.ArgumentParser, say: Say) -> None:
    chain.add_argument("name", metavar="NAME")
    chain.add_argument(
        "--store", dest="shops", metavar="NAME", action="append", default=[],
        help=say("a store of it; may be given more than once"),
    )  # fmt: skip
    _bucket(chain, say)
    chain.add_argument(
        "--budget", type=int, default=1000,
        help=say("R: how many points all tills together may overspend while offline"),
    )  # fmt: skip
    chain.add_argument(
        "--grant", type=int, default=100, help=say("how many of them one till may have")
    )
    chain.add_argument(
        "--cap", type=int, default=100, help=say("how many of them one member may spend at a till")
    )
    chain.add_argument("--lease-hours", type=int, default=24, help=say("for how long, at most 72"))
    chain.add_argument(
        "--grace-days", type=int, default=3,
        help=say("so much later an expiry is booked; at least the lease"),
    )  # fmt: skip
    chain.add_argument(
        "--utc-offset", type=int, default=480, metavar="MINUTES",
        help=say("local time less UTC (default 480)"),
    )  # fmt: skip


def _postgresql(command: argparse.ArgumentParser, say: Say) -> None:
    command.add_argument(
        "--postgresql", metavar="DSN", nargs="?", const="",
        help=say(
            "the store is in PostgreSQL: a connection string without a password, or nothing where the "
            "environment says which"
        ),
    )  # fmt: skip


def _of_chain(command: argparse.ArgumentParser, say: Say) -> None:
    command.add_argument(
        "--chain", metavar="NAME", help=say("whose; needed where there is more than one")
    )


def _bucket(command: argparse.ArgumentParser, say: Say) -> None:
    command.add_argument(
        "--bucket", default="all",
        help=say("stores of one bucket hold each other's members (default: all do)"),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
