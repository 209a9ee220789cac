"""`regulars restore`: bring a till back, and say exactly what came back and what did not."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from app.commands.console import Cannot
from app.commands.opening import once_ready, passphrase
from app.formats import disk_size, number
from app.found_backups import FoundBackup, find_backups
from app.i18n import Words
from app.restore import UNPLACED, Place, Restored, restore

INCOMPLETE: Final = 5


def command(chosen: argparse.Namespace, words: Words) -> int:
    """List what there is; with a target, restore the proposed one and report. Returns the exit code."""
    for line in backup_list(find_backups(chosen.source), chosen.source, words):
        print(line)
    if chosen.to is None:
        return 0
    if chosen.journal is not None and not chosen.journal.is_dir():
        raise Cannot(
            words.say("The folder of the journal is not there: {folder}.", folder=chosen.journal)
        )
    place = Place(chosen.source, chosen.to, chosen.journal)
    given = passphrase(words)
    found = once_ready(words, lambda: restore(place, given))
    for line in report(found, words):
        print(line)
    return INCOMPLETE if found.missing else 0


def backup_list(found: Sequence[FoundBackup], source: Path, words: Words) -> Iterator[str]:
    """A backup a line, newest first; the proposed one has a star."""
    if not found:
        yield words.say("There is no backup in {folder}.", folder=source)
        return
    yield words.say("Backups in {folder}, newest first:", folder=source)
    for each in found:
        star = "*" if each.proposed else " "
        name = each.path.name if each.path == source else str(each.path.relative_to(source))
        told = (taken_at(each), whose(each, words), disk_size(each.size_bytes), state(each, words))
        yield "  ".join((star, name, *filter(None, told)))


def taken_at(found: FoundBackup) -> str:
    """When it was made, on this computer's clock."""
    return f"{found.made_at:%Y-%m-%d %H:%M}"


def whose(found: FoundBackup, words: Words) -> str:
    """Which shop and which till, as far as it tells."""
    shop = _shop(found.shop, words)
    if not shop:
        return words.say("Till {till}", till=found.till)
    return words.say("{store} · Till {till}", store=shop, till=found.till)


def state(found: FoundBackup, words: Words) -> str:
    """Whether it is the one to take, or can't be."""
    if not found.whole:
        return words.say("not whole")
    return words.say("proposed") if found.proposed else ""


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
    yield words.say("{store} · Till {till}", store=_shop(found.shop, words), till=found.till)
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


def _shop(shop: tuple[str, str, str], words: Words) -> str:
    name, name_en, code = shop
    names = (name_en, name) if words.language == "en" else (name, name_en)
    return next(filter(None, names), code)


def _age(found: Restored, words: Words) -> str:
    at, days = f"{found.made_at:%Y-%m-%d %H:%M}", (found.now - found.made_at).days
    if days < 1:
        return words.say("The backup is of {at}, less than a day old.", at=at)
    return words.count(
        "The backup is of {at}, one day old.", "The backup is of {at}, {days} days old.",
        days, at=at, days=number(days),
    )  # fmt: skip
