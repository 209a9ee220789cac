"""Working copies of the demo stores, for figures that write: the kept stores stay as they were made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.build import DATABASE, Till, open_till
from app.commands import demo_data
from app.context import Session
from app.queries import counter
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.sign_in import SignIn, sign_in
from tests.bench import stores

FLOAT_MINOR = 50_000


@contextmanager
def copied(members: int, name: str) -> Iterator[Path]:
    """The folder of a copy of the demo store, without its plain partner; gone after the block."""
    source = stores.ensure(members)
    folder = stores.OUT / f"bench-work-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(f"{stores.PLAIN}*"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def till_of(folder: Path) -> Iterator[Till]:
    """The till of a demo store, open."""
    till = open_till(folder, passphrase=demo_data.PASSPHRASE, find_keystore=demo_data.no_keystore)
    try:
        yield till
    finally:
        till.close()


def at_work(till: Till) -> Session:
    """The demo's first cashier signed in, with a shift of today open."""
    ctx, cashier = till.context, demo_data.STAFF[0]
    session = sign_in(ctx, SignIn(ctx.ids(), cashier.initials, cashier.pin)).result
    shift = counter.open_shift(ctx)
    if shift is None or shift.business_date != ctx.business_date():
        session = open_shift(ctx, OpenShift(ctx.ids(), session, FLOAT_MINOR)).result
    return session


def database_of(folder: Path) -> Path:
    """The database file in a store's folder."""
    return folder / DATABASE
