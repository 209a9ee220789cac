"""Which store a command works on, and its connection to it; what is in the way is a sentence for its reader.

The folder holds the key and the lock in any case, and the store where no PostgreSQL is named.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict

from app.i18n import Words
from headoffice.alone import AlreadyServing
from headoffice.console.staff import Staff
from headoffice.directory import Directory
from headoffice.keys import BadKeyFile
from headoffice.office import STORE_FILE, wall_ms
from headoffice.store.errors import StoreBusy, StoreError
from headoffice.store.plain import Opened, Place
from headoffice.store.postgresql_place import PostgresPlace
from headoffice.store.records import Records
from headoffice.store.sqlite_place import SqlitePlace
from headoffice.webhooks.mail import BadMailSettings

POSTGRESQL: Final = "REGULARS_POSTGRESQL"
"""The environment's name for the connection string of PostgreSQL."""


class Cannot(Exception):
    """Why a command could not be done, in the reader's language."""


class StoreDesk(NamedTuple):
    """An open store, and its directory."""

    database: Opened
    directory: Directory

    def store(self, tenant: bytes) -> Records:
        """A chain's store."""
        return self.database.store(tenant)

    def note(self, tenant: bytes, act: str, detail: str) -> None:
        """A row of the audit for what an operator does, in the transaction that does it. `detail` is a
        code, a name of ours or a count, never a personal value."""
        Staff(self.database, tenant).note(wall_ms(), None, act, detail=detail)


def place_of(chosen: argparse.Namespace, words: Words) -> Place:
    """Where the store is: in PostgreSQL where the command or the environment says so, else in the folder."""
    dsn = dsn_of(chosen.postgresql, words)
    return SqlitePlace(chosen.data / STORE_FILE) if dsn is None else PostgresPlace(dsn)


def dsn_of(named: str | None, words: Words) -> str | None:
    """The connection string that is meant; empty: libpq's own environment and files say it all. None: none is.

    A password on the command line could be read by every user of the machine.
    """
    if named is None:
        return os.environ.get(POSTGRESQL)
    try:
        given = conninfo_to_dict(named)
    except psycopg.ProgrammingError as error:
        raise Cannot(words.say("This is no connection string of PostgreSQL.")) from error
    if "password" in given:
        raise Cannot(
            words.say(
                "No password on the command line: put it into ~/.pgpass, a service file or {name}.",
                name=POSTGRESQL,
            )
        )
    return named


def is_in_postgresql(chosen: argparse.Namespace, words: Words) -> bool:
    """Whether the store is elsewhere than in the folder."""
    return dsn_of(chosen.postgresql, words) is not None


@contextlib.contextmanager
def opened(chosen: argparse.Namespace, words: Words, *, new: bool = False) -> Iterator[StoreDesk]:
    """The store that a command works on; `new`: which may not be there yet."""
    if not new:
        existing(chosen, words)
    with told(chosen, words), desk_at(place_of(chosen, words)) as desk:
        yield desk


@contextlib.contextmanager
def desk_at(place: Place) -> Iterator[StoreDesk]:
    """A connection of one's own to a store."""
    with contextlib.closing(place.open()) as database:
        yield StoreDesk(database, Directory(database))


@contextlib.contextmanager
def told(chosen: argparse.Namespace, words: Words) -> Iterator[None]:
    """What the store, its key or the disk say no with, as a sentence."""
    try:
        yield
    except AlreadyServing as error:
        raise Cannot(
            words.say("Another head office serves {folder}. Stop it first.", folder=chosen.data)
        ) from error
    except BadMailSettings as error:
        raise Cannot(words.say("mail.toml is not as it must be: {field}.", field=error)) from error
    except BadKeyFile as error:
        sentence = (
            words.say("Others may read the key {file}. Take their rights away (chmod 600).", file=error.path)
            if error.why == "open"
            else words.say("{file} holds no key. Bring it back from a backup.", file=error.path)
        )  # fmt: skip
        raise Cannot(sentence) from error
    except StoreBusy as error:
        raise Cannot(words.say("The store is being written to. Try again.")) from error
    except StoreError as error:
        raise Cannot(words.say("The store can't be opened: {why}.", why=error)) from error
    except (OSError, sqlite3.Error, psycopg.Error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Cannot(words.say("The store can't be used: {why}.", why=why.strip())) from error


def existing(chosen: argparse.Namespace, words: Words) -> Path:
    """The folder of a head office that is there."""
    folder: Path = chosen.data
    there = folder.is_dir() if is_in_postgresql(chosen, words) else (folder / STORE_FILE).is_file()
    if not there:
        raise Cannot(
            words.say("There is no head office in {folder}: begin with new-chain.", folder=folder)
        )
    return folder


def make_folder(folder: Path, words: Words) -> None:
    """Make the folder of a head office, for its owner alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Cannot(words.say("{folder} can't be made.", folder=folder)) from error
