"""`regulars verify --z FILE…`: do the signatures fit, do the closes follow each other? Without any store."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator

from app.domain.business_day import BusinessDate
from app.statement import BadStatement, Checked, check

ALTERED, NOT_JOINED = 10, 11


def command(chosen: argparse.Namespace) -> int:
    """Check each file, then their order; returns the exit code."""
    found: list[Checked] = []
    worst = 0
    for path in chosen.z:
        try:
            checked = check(path.read_bytes())
        except (OSError, BadStatement) as error:
            print(f"{path.name}: {error}")
            worst = ALTERED
            continue
        found.append(checked)
        facts = checked.facts
        print(
            f"{path.name}: signed by till {facts['till']} of {facts['store']};"
            f" Z {facts['number']:06d} of {BusinessDate(facts['date']).iso()},"
            f" {facts['proof']['events']:,} events, head {facts['proof']['head']}"
        )
        print(f"  key {checked.public.hex()}: compare it with a printed Z")
    for fault in faults(found):
        print(fault)
        worst = worst or NOT_JOINED
    return worst


def faults(found: list[Checked]) -> Iterator[str]:
    """Where the closes of one till do not follow each other: numbers, dates, events, or another key."""
    ordered = sorted(found, key=lambda each: (each.facts["device"], each.facts["number"]))
    for one, two in itertools.pairwise(ordered):
        before, after = one.facts, two.facts
        if before["device"] != after["device"]:
            continue
        name = f"Z {before['number']:06d} and Z {after['number']:06d}"
        if after["number"] != before["number"] + 1:
            yield f"{name}: numbers do not follow each other"
        elif after["date"] <= before["date"]:
            yield f"{name}: dates do not rise"
        elif after["proof"]["events"] <= before["proof"]["events"]:
            yield f"{name}: events do not rise"
        if one.public != two.public:
            yield f"{name}: signed with different keys"
