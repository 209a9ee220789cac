"""`regulars restore`: bring a till back, and say exactly what came back and what did not."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from app.commands import CANNOT, passphrase, said
from app.domain.errors import Unavailable
from app.restore import UNPLACED, Place, Restored, restore

INCOMPLETE = 5


def command(chosen: argparse.Namespace) -> int:
    """Restore and report; returns the exit code."""
    place = Place(chosen.source, chosen.to, chosen.journal)
    try:
        found = restore(place, passphrase())
    except Unavailable as error:
        print(f"regulars restore: {said(error)}", file=sys.stderr)
        return CANNOT
    for line in report(found):
        print(line)
    return INCOMPLETE if found.missing else 0


def report(found: Restored) -> Iterator[str]:
    """What came back and what did not, a sentence a line."""
    for name, why in found.passed_over:
        yield f"passed over {name}: {why}"
    yield f"from backup {found.backup}: events 1 to {found.backup_seq:,}"
    if found.replayed:
        yield f"from the journal: events {found.backup_seq + 1:,} to {found.last_seq:,}"
    yield f"the last event is {found.last_seq:,} of {found.last_at:%Y-%m-%d %H:%M:%S} UTC"
    if found.missing is not None:
        first, last = found.missing
        yield f"MISSING: events {first:,} to {last:,}; their sums are not known"
        yield f"{found.unplaced:,} events behind them are kept aside in journal files *{UNPLACED}"
    elif not found.had_journal:
        yield "no journal was given: whether anything came after that event is not known"
    if found.nameless:
        yield f"{found.nameless:,} members came back without their name and phone"
