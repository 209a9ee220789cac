"""`regulars verify --z FILE…`: do the signatures fit, do the closes follow each other? Without any store."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from typing import Final

from app.domain.business_day import BusinessDate
from app.formats import number
from app.i18n import Words
from app.statement import BadStatement, Checked, check

ALTERED: Final = 10
NOT_JOINED: Final = 11


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Check each file, then their order; returns the exit code."""
    found: list[Checked] = []
    worst = 0
    for path in chosen.z:
        try:
            checked = check(path.read_bytes())
        except OSError:
            print(words.say("{file} can't be read.", file=path.name))
            worst = ALTERED
        except BadStatement:
            print(words.say("{file} was altered, or is no signed day close.", file=path.name))
            worst = ALTERED
        else:
            found.append(checked)
            show(path.name, checked, words)
    for fault in faults(found, words):
        print(fault)
        worst = worst or NOT_JOINED
    return worst


def show(name: str, checked: Checked, words: Words) -> None:
    """What a file proves."""
    facts = checked.facts
    print(
        words.say(
            "{file}: signed by till {till} of {store}; Z {number} of {date}, {events} events.",
            file=name, till=facts["till"], store=facts["store"], number=f"{facts['number']:06d}",
            date=BusinessDate(facts["date"]).iso(), events=number(facts["proof"]["events"]),
        )
    )  # fmt: skip
    print(words.say("Chain head {head}.", head=facts["proof"]["head"]))
    print(words.say("Key {key}: compare it with a printed Z.", key=checked.public.hex()))


def faults(found: list[Checked], words: Words) -> Iterator[str]:
    """Where the closes of one till do not follow each other: numbers, dates, events, or another key."""
    ordered = sorted(found, key=lambda each: (each.facts["device"], each.facts["number"]))
    for one, two in itertools.pairwise(ordered):
        before, after = one.facts, two.facts
        if before["device"] != after["device"]:
            continue
        pair = {"one": f"{before['number']:06d}", "two": f"{after['number']:06d}"}
        if after["number"] != before["number"] + 1:
            yield words.say("Z {one} and Z {two}: the numbers do not follow each other.", **pair)
        elif after["date"] <= before["date"]:
            yield words.say("Z {one} and Z {two}: the dates do not rise.", **pair)
        elif after["proof"]["events"] <= before["proof"]["events"]:
            yield words.say("Z {one} and Z {two}: the events do not rise.", **pair)
        if one.public != two.public:
            yield words.say("Z {one} and Z {two}: they are signed with different keys.", **pair)
