"""`regulars verify`: prove every balance, with a progress bar and an exit code per kind of fault."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Final

from app.apart import Apart
from app.commands.console import bar
from app.commands.opening import open_by_any_key
from app.formats import number
from app.i18n import Words, mark
from app.usecases.verify import verify
from app.usecases.verify_report import Fault, Report

_FAULTS: Final[Mapping[Fault, str]] = {
    Fault.EVENT: mark("Event {seq}: its bytes or the chain were altered"),
    Fault.GAP: mark("Event {seq}: it is missing"),
    Fault.LEDGER: mark("Event {seq}: a ledger row differs"),
    Fault.PROJECTION: mark("Event {seq}: a document row differs"),
    Fault.CACHE: mark("Event {seq}: a cached balance, lot, tier or card block differs"),
    Fault.JOURNAL_FILE: mark("Event {seq}: the journal file differs or is damaged"),
    Fault.SUM: mark("A sum that reports read differs"),
}


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Open the store, verify it, print what was found; returns the exit code."""
    till = open_by_any_key(chosen.store, words, mending=False)
    try:
        for code, found in till.findings.found:
            print(words.say("Mended on opening: {what}", what=f"{code} {found}"))
        apart = Apart(till.context)
        report = verify(
            till.context, progress=bar, rebuild=chosen.rebuild, members=apart.all_members
        )
    finally:
        till.close()
    show(report, words)
    return report.exit_code


def show(report: Report, words: Words) -> None:
    """The findings, each with its exit code and the technical detail; then the proof: counts and head."""
    for finding in report.findings:
        said = words.say(_FAULTS[finding.fault], seq=finding.seq)
        print(f"{int(finding.fault)} {said} ({finding.what})")
    if report.total > len(report.findings):
        more = number(report.total - len(report.findings))
        print(words.say("… and {number} more.", number=more))
    if report.rebuilt:
        members = number(report.rebuilt)
        print(words.say("Caches written anew: {members} members.", members=members))
    print(
        words.say(
            "{events} events, {entries} entries, {members} members, {files} journal files.",
            events=number(report.events), entries=number(report.entries),
            members=number(report.members), files=number(report.files),
        )
    )  # fmt: skip
    print(words.say("Chain head {head}.", head=report.head.hex()))
    if report.total == 0:
        print(words.say("Everything is equal."))
    else:
        print(words.say("Differences found: {number}.", number=number(report.total)))
