"""`regulars export-events`: what head office lacks of a till that is shut out or lost, as a file to carry."""

from __future__ import annotations

import argparse

from app.commands.opening import open_by_any_key
from app.formats import number
from app.i18n import Words
from app.usecases.carry_outbox import carry_outbox


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Open the store, write the file; returns the exit code."""
    till = open_by_any_key(chosen.store, words, mending=False)
    try:
        events = carry_outbox(till.context, chosen.to.resolve(), everything=chosen.all)
    finally:
        till.close()
    print(
        words.say(
            "{count} events for head office: take {file} there, for `regulars-headoffice take-outbox`.",
            count=number(events), file=chosen.to,
        )
    )  # fmt: skip
    return 0
