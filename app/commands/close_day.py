"""`regulars close-day`: close every date that is over on a till whose window is shut."""

from __future__ import annotations

import argparse

from app.apart import Apart
from app.commands.opening import open_by_any_key
from app.i18n import Words
from app.usecases.close_unattended import close_all


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Close what is due and name each Z; returns the exit code."""
    till = open_by_any_key(chosen.store, words)
    try:
        apart = Apart(till.context)
        night = close_all(till.context, apart.since, apart.share)
    finally:
        till.close()
    for closed in night.closed:
        print(
            words.say(
                "Closed {date}: Z {number}.", date=closed.on.iso(), number=f"{closed.number:06d}"
            )
        )
    if not night.closed:
        print(words.say("Nothing to close: no open date is over."))
    return 0
