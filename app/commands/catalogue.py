"""`regulars catalogue import FILE`: items, prices and barcodes from a CSV, in the name of who may do it."""

from __future__ import annotations

import argparse
import os
from typing import Final

from app.catalogue_file import file_bytes
from app.catalogue_words import fault_sentence
from app.commands.console import CANNOT, bad_text_is
from app.commands.opening import asked, open_by_any_key
from app.context import Session
from app.formats import number
from app.i18n import Words, mark
from app.usecases.catalogue import ImportCatalogue, Imported, import_catalogue
from app.usecases.sign_in import check_pin

PIN: Final = mark("PIN: ")


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Read the file into the store; returns 0, or 4 when it could not be done, rows with faults included."""
    with bad_text_is(words.say("{file} can't be read.", file=chosen.file)):
        content = file_bytes(chosen.file)
    till = open_by_any_key(chosen.store, words)
    ctx = till.context
    try:
        given = os.environ.get("REGULARS_PIN")
        person = check_pin(ctx, chosen.who, given if given is not None else asked(words, PIN))
        wanted = ImportCatalogue(ctx.ids(), Session(person.id, None), content, chosen.dry_run)
        found = import_catalogue(ctx, wanted).result
    finally:
        till.close()
    show(found, words, dry_run=chosen.dry_run)
    return CANNOT if found.faults else 0


def show(found: Imported, words: Words, *, dry_run: bool) -> None:
    """The faults by line, or the counts."""
    for fault in found.faults:
        said = fault_sentence(words, fault)
        print(words.say("Line {line}: {fault}", line=number(fault.line), fault=said))
    if found.faults:
        faults = number(len(found.faults))
        print(words.say("Faults: {number}. Nothing was changed.", number=faults))
        return
    counts = {
        "added": number(found.added), "changed": number(found.changed),
        "withdrawn": number(found.withdrawn), "same": number(found.same),
    }  # fmt: skip
    if dry_run:
        print(
            words.say(
                "Only looked: {added} would be new, {changed} changed, {withdrawn} withdrawn, "
                "{same} are as they were.",
                **counts,
            )
        )
    else:
        print(
            words.say(
                "Done: {added} are new, {changed} changed, {withdrawn} withdrawn, "
                "{same} are as they were.",
                **counts,
            )
        )
