"""The stores that are measured: demo stores in out/, kept between runs, and a plain partner of each.

A partner is the same database without the cipher, opened by the same code with the same pragmas. It
exists for measuring only; nothing of the product can open one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app import keyslots, settings
from app.build import DATABASE, machine_folder
from app.commands import demo_data, demo_history
from app.commands.console import bar
from db import people
from db.connection import APPLICATION_ID, Connection, StoreKey, connect
from db.engine import Store
from db.migrate import shipped

OUT: Final = Path("out")


class PlainKey:
    """Opens a file that has no cipher."""

    def unlock(self, raw: Connection) -> None:
        """Nothing to unlock."""

    def owns_log_of(self, path: Path) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Pair:
    """A store and its plain partner, both open, holding the same rows."""

    cipher: Store
    plain: Store
    key: StoreKey


def folder_of(members: int) -> Path:
    """Where the demo store of so many members is kept, for this schema, these settings and this way of
    filling."""
    digest = hashlib.sha256()
    for step in shipped():
        digest.update(step.sha256)
    for module in (demo_data, demo_history, settings):
        digest.update(Path(module.__file__ or "").read_bytes())
    return OUT / f"bench-{members}-{digest.hexdigest()[:12]}"


def ensure(members: int) -> Path:
    """The folder of a demo store, made if it isn't there yet."""
    folder = folder_of(members)
    if not (folder / DATABASE).exists():
        print(f"making a demo store of {members:,} members in {folder}", file=sys.stderr)
        demo_data.make(folder, members=members, progress=bar)
    return folder


def members_of(folder: Path) -> int:
    """How many members the store of a folder has."""
    raw = connect(folder / DATABASE, key_of(folder), cache_kib=8192, writer=False)
    try:
        return people.member_count(raw)
    finally:
        raw.close()


@contextmanager
def opened(folder: Path) -> Iterator[Pair]:
    """The store of a folder and its plain partner, which is made in out/ and gone after the block."""
    key = key_of(folder)
    work = OUT / "bench-work-plain"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        _export_plain(folder / DATABASE, key, work / "plain.db")
        cipher = Store.open(folder / DATABASE, key)
        plain = Store.open(work / "plain.db", PlainKey())
        try:
            yield Pair(cipher, plain, key)
        finally:
            plain.close()
            cipher.close()
    finally:
        shutil.rmtree(work, ignore_errors=True)


def key_of(folder: Path) -> StoreKey:
    """The key of a demo store, by the passphrase that everybody knows."""
    found = keyslots.Keyslots(
        folder, install=keyslots.install_id(machine_folder()), keystore=demo_data.no_keystore
    ).open_with_passphrase(demo_data.PASSPHRASE)
    return StoreKey(found.data_key, found.salt)


def drop_from_os_cache(path: Path) -> None:
    """Make the next read of a file come from the disk; other files stay cached."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def _export_plain(source: Path, key: StoreKey, target: Path) -> None:
    target.touch()  # ATTACH may not make a file: no connection of ours has the right to
    raw = connect(source, key, cache_kib=65536, writer=True)
    raw.execute("ATTACH DATABASE ? AS partner KEY ''", (str(target),))
    raw.execute("SELECT sqlcipher_export('partner')").fetchall()
    raw.execute(f"PRAGMA partner.application_id={APPLICATION_ID}")
    raw.execute("DETACH DATABASE partner")
    raw.close()
