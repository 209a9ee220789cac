"""Working copies of the demo stores, for figures that write: the kept stores stay as they were made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.build import DATABASE, JOURNAL, Clock, Till, now_utc, open_till
from app.commands import demo_data
from app.context import Session
from app.queries import counter
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.sign_in import SignIn, sign_in
from tests.bench import stores

FLOAT_MINOR = 50_000


@contextmanager
def copied(source: Path, name: str) -> Iterator[Path]:
    """The folder of a copy of a demo store; gone after the block.

    The copy is on the disk before the block begins: else the system would write gigabytes of it
    beside the commits that are measured. Of the journal, only the two files that opening reads are
    copied; older ones are never written again and are linked.
    """
    folder = stores.OUT / f"bench-work-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / JOURNAL).mkdir(parents=True)
    try:
        for path in sorted(source.iterdir()):
            if path.is_file() and not path.name.endswith(("-shm", ".lock")):
                copy_to_disk(path, folder / path.name)
        kept = sorted((source / JOURNAL).iterdir())
        for path in kept[:-2]:
            _link(path, folder / JOURNAL / path.name)
        for path in kept[-2:]:
            copy_to_disk(path, folder / JOURNAL / path.name)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_to_disk(source: Path, target: Path) -> None:
    """Copy a file and wait until the disk has it."""
    shutil.copy2(source, target)
    handle = os.open(target, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another volume, or one without links
        shutil.copy2(source, target)


@contextmanager
def till_of(folder: Path, clock: Clock = now_utc) -> Iterator[Till]:
    """The till of a demo store, open."""
    till = open_till(
        folder,
        passphrase=demo_data.PASSPHRASE,
        find_keystore=demo_data.no_keystore,
        clock=clock,
    )
    try:
        yield till
    finally:
        till.close()


def at_work(till: Till) -> Session:
    """The demo's first cashier signed in, with a shift of today open."""
    ctx, cashier = till.context, demo_data.STAFF[0]
    session = sign_in(ctx, SignIn(ctx.ids(), cashier.initials, cashier.pin)).result
    shift = counter.open_shift(ctx)
    if shift is not None and shift.business_date != ctx.business_date():
        command = CloseShift(ctx.ids(), manager_at(till), shift.shift_id, "person_gone")
        close_shift(ctx, command)
        shift = None
    if shift is None:
        session = open_shift(ctx, OpenShift(ctx.ids(), session, FLOAT_MINOR)).result
    return session


def manager_at(till: Till) -> Session:
    """The demo's manager, signed in."""
    ctx, manager = till.context, demo_data.STAFF[2]
    return sign_in(ctx, SignIn(ctx.ids(), manager.initials, manager.pin)).result


def database_of(folder: Path) -> Path:
    """The database file in a store's folder."""
    return folder / DATABASE
