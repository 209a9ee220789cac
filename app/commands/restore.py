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
    """What came back and what did not, a sentence a line, with the numbers of the events."""
    for name, why in found.passed_over:
        yield words.say("Passed over {name}, which isn't whole: {why}.", name=name, why=why)
    yield from shop_report(found, words)
    events = number(found.backup_seq)
    yield words.say("From backup {name}: events 1 to {events}.", name=found.backup, events=events)
    if found.replayed:
        first, last = number(found.backup_seq + 1), number(found.last_seq)
        yield words.say("From the journal: events {first} to {last}.", first=first, last=last)
    if found.missing is not None:
        from_, to = (number(seq) for seq in found.missing)
        yield words.say(
            "MISSING: events {first} to {last}; their sums are not known.", first=from_, last=to
        )
    if found.unplaced:
        yield words.say(
            "{events} events behind them are kept aside in files *{ending}.",
            events=number(found.unplaced), ending=UNPLACED,
        )  # fmt: skip


def shop_report(found: Restored, words: Words) -> Iterator[str]:
    """The same as a shop knows itself: which till, how old, up to which slip and which day close."""
    name, name_en, code = found.shop
    names = (name_en, name) if words.language == "en" else (name, name_en)
    shop = next(filter(None, names), code)
    yield words.say("{store} · Till {till}", store=shop, till=found.till)
    yield _age(found, words)
    at = f"{found.last_at:%Y-%m-%d %H:%M}"
    yield words.say("The last entry that comes back is of {at}.", at=at)
    if found.receipt:
        yield words.say("The last slip that comes back: {number}.", number=found.receipt)
    if found.close is None:
        yield words.say("No day close comes back.")
    else:
        z, date = f"{found.close[0]:06d}", found.close[1].iso()
        yield words.say(
            "The last day close that comes back: Z {number} of {date}.", number=z, date=date
        )
    if found.missing is not None:
        count = found.missing[1] - found.missing[0] + 1
        yield words.count(
            "One entry after it is MISSING: a sale, a close or something else.",
            "{count} entries after it are MISSING: sales, closes and whatever else.",
            count, count=number(count),
        )  # fmt: skip
    elif not found.had_journal:
        yield words.say("No journal was given: whether anything came later isn't known.")
    for name in found.newer:
        yield words.say("Later than what comes back: {name}.", name=name)
    if found.nameless:
        yield words.say(
            "{members} members came back without name and phone.", members=number(found.nameless)
        )


def _age(found: Restored, words: Words) -> str:
    at, days = f"{found.made_at:%Y-%m-%d %H:%M}", (found.now - found.made_at).days
    if days < 1:
        return words.say("The backup is of {at}, less than a day old.", at=at)
    return words.count(
        "The backup is of {at}, one day old.", "The backup is of {at}, {days} days old.",
        days, at=at, days=number(days),
    )  # fmt: skip
