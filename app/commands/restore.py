"""`regulars restore`: bring a till back, and say exactly what came back and what did not."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final

from app.commands.opening import once_ready, passphrase
from app.formats import number
from app.i18n import Words
from app.restore import UNPLACED, Place, Restored, restore

INCOMPLETE: Final = 5


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Restore and report; returns the exit code."""
    place = Place(chosen.source, chosen.to, chosen.journal)
    given = passphrase(words)
    found = once_ready(words, lambda: restore(place, given))
    for line in report(found, words):
        print(line)
    return INCOMPLETE if found.missing else 0


def report(found: Restored, words: Words) -> Iterator[str]:
    """What came back and what did not, a sentence a line."""
    for name, why in found.passed_over:
        yield words.say("Passed over {name}, which isn't whole: {why}.", name=name, why=why)
    events = number(found.backup_seq)
    yield words.say("From backup {name}: events 1 to {events}.", name=found.backup, events=events)
    last = number(found.last_seq)
    if found.replayed:
        first = number(found.backup_seq + 1)
        yield words.say("From the journal: events {first} to {last}.", first=first, last=last)
    at = f"{found.last_at:%Y-%m-%d %H:%M:%S}"
    yield words.say("The last event is {last}, of {at} UTC.", last=last, at=at)
    if found.missing is not None:
        from_, to = (number(seq) for seq in found.missing)
        yield words.say(
            "MISSING: events {first} to {last}; their sums are not known.", first=from_, last=to
        )
        yield words.say(
            "{events} events behind them are kept aside in files *{ending}.",
            events=number(found.unplaced), ending=UNPLACED,
        )  # fmt: skip
    elif not found.had_journal:
        yield words.say("No journal was given: whether anything came later isn't known.")
    if found.nameless:
        yield words.say(
            "{members} members came back without name and phone.", members=number(found.nameless)
        )
