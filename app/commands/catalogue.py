"""`regulars catalogue import FILE`: items, prices and barcodes from a CSV, in the name of who may do it."""

from __future__ import annotations

import argparse
import getpass
import os
import sys

from app.commands import CANNOT, open_by_any_key, said
from app.context import Session
from app.domain.errors import Refused, Unavailable
from app.usecases.catalogue import ImportCatalogue, Imported, import_catalogue
from app.usecases.sign_in import check_pin


def command(chosen: argparse.Namespace) -> int:
    """Read the file into the store; returns 0, or 4 when it could not be done, rows with faults included."""
    try:
        content = chosen.file.read_bytes()
    except OSError as error:
        return _cannot(f"can't read {chosen.file}: {error.strerror}")
    try:
        till = open_by_any_key(chosen.store)
    except Unavailable as error:
        return _cannot(f"can't open the store: {said(error)}")
    ctx = till.context
    try:
        person = check_pin(ctx, chosen.who, _pin())
        wanted = ImportCatalogue(ctx.ids(), Session(person.id, None), content, chosen.dry_run)
        found = import_catalogue(ctx, wanted).result
    except Refused as refused:
        return _cannot(refused.code.value)
    except Unavailable as error:
        return _cannot(said(error))
    finally:
        till.close()
    show(found, dry_run=chosen.dry_run)
    return CANNOT if found.faults else 0


def show(found: Imported, *, dry_run: bool) -> None:
    """The faults by line, or the counts."""
    for fault in found.faults:
        print(f"line {fault.line}, {fault.column or 'file'}: {fault.code}")
    if found.faults:
        print(f"{len(found.faults)} faults; nothing was changed")
        return
    verb = "would be" if dry_run else "were"
    print(
        f"{found.added} {verb} added, {found.changed} changed, {found.withdrawn} withdrawn;"
        f" {found.same} are as they were"
    )


def _pin() -> str:
    given = os.environ.get("REGULARS_PIN")
    return given if given is not None else getpass.getpass("PIN: ", stream=sys.stderr)


def _cannot(why: str) -> int:
    print(f"regulars catalogue: {why}", file=sys.stderr)
    return CANNOT
