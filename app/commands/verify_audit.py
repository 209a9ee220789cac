"""`regulars verify-audit`: whether anybody rewrote the journal, by the witnesses that are at hand."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.commands.console import Cannot, bad_text_is, bar
from app.commands.opening import open_by_any_key
from app.context import Context
from app.formats import number
from app.i18n import Words, mark
from app.journal import JournalFile
from app.protocol.checkpoints import Anchor, anchors, to_text
from app.protocol.evolving import StartKey
from app.usecases.audit import checkpoints, evidence_at_hand, look_for_alterations
from app.usecases.verify_audit import Audit, Evidence, Finding, Verdict

_VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.ALTERED: mark("Altered: the first bad event is {seq} ({kind})."),
    Verdict.TRUNCATED: mark("The end is missing from event {seq} on ({kind})."),
    Verdict.GAP: mark("Head office has seen later events than {seq} ({kind})."),
}

_KINDS: Final[Mapping[str, str]] = {
    "restored": mark("The till was brought back at event {seq}, and events are missing."),
    "witness_missing": mark("The side file head.rwf is missing. Somebody took it away."),
    "witness_damaged": mark("The side file head.rwf can't be read. Keep it as it is."),
}
"""What is found where a sentence about an event would say too little."""


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Open the store, hold it against the evidence, print the verdict; returns the exit code."""
    till = open_by_any_key(chosen.store, words, mending=False)
    ctx = till.context
    try:
        evidence = _evidence(ctx, chosen, words)
        audit = look_for_alterations(
            ctx, evidence, progress=lambda done, total: bar("events", done, total)
        )
        if chosen.save_checkpoints is not None:
            chosen.save_checkpoints.write_text(to_text(checkpoints(ctx)), encoding="utf-8")
    finally:
        till.close()
    show(audit, evidence, words)
    return audit.exit_code


def _evidence(ctx: Context, chosen: argparse.Namespace, words: Words) -> Evidence:
    """What the command line adds to what lies beside the store. Raises Cannot."""
    evidence = evidence_at_hand(ctx)
    if chosen.journal is not None:
        if not chosen.journal.is_dir():
            raise Cannot(words.say("There is no folder {folder}.", folder=chosen.journal))
        journal = JournalFile(chosen.journal, data_key=ctx.data_key, owner=ctx.owner)
        evidence = replace(evidence, journal=journal)
    typed = chosen.start_key or os.environ.get("REGULARS_START_KEY")
    if typed:
        with bad_text_is(words.say("This is no start key. Type it as it is on the sheet.")):
            evidence = replace(evidence, start_key=StartKey.of_text(typed))
    if chosen.checkpoints is not None:
        no = words.say(
            "{file} can't be read, or its checkpoints are another till's.", file=chosen.checkpoints
        )
        with bad_text_is(no):
            evidence = replace(evidence, anchors=_anchors(ctx, chosen.checkpoints))
    return evidence


def _anchors(ctx: Context, path: Path) -> tuple[Anchor, ...]:
    till = ctx.till
    text = path.read_text(encoding="utf-8")
    return anchors(text, tenant=till.tenant, device=till.device, epoch=till.epoch)


def show(audit: Audit, evidence: Evidence, words: Words) -> None:
    """The findings, what was held against what, and the verdict."""
    for found in audit.findings:
        print(f"{int(found.verdict)} {_line(found, words)}")
    for line in returns(audit, words):
        print(line)
    if audit.total > len(audit.findings):
        more = number(audit.total - len(audit.findings))
        print(words.say("… and {number} more.", number=more))
    print(words.say("{events} events.", events=number(audit.events)))
    print(words.say("Chain head {head}.", head=audit.head.hex()))
    print(words.say("In the journal file: {events}.", events=number(audit.in_file)))
    if evidence.start_key:
        print(words.say("MACs recomputed: {events}.", events=number(audit.macs)))
    else:
        print(words.say("MACs: no start key was given."))
    behind = number(audit.last - audit.anchored)
    print(words.say("Behind the last signed checkpoint: {events}.", events=behind))
    first = audit.first
    if first is None and audit.returns:
        print(words.say("Nothing was altered since the till was brought back; see above."))
    elif first is None:
        print(words.say("Nothing was altered."))
    else:
        said = _KINDS.get(first.kind, _VERDICTS[first.verdict])
        print(words.say(said, seq=first.seq, kind=first.kind))


def returns(audit: Audit, words: Words) -> Iterator[str]:
    """Each time that the till was brought back from a backup, and what is known to be missing since."""
    for each in audit.returns:
        yield words.say(
            "Event {seq}: the till was brought back from backup {name}, which has events 1 to {events}.",
            seq=number(each.seq), name=each.backup, events=number(each.events),
        )  # fmt: skip
        if each.missing is None:
            yield words.say("Nothing is known to be missing since that backup.")
        else:
            first, last = (number(seq) for seq in each.missing)
            yield words.say("MISSING: events {first} to {last}.", first=first, last=last)


def _line(found: Finding, words: Words) -> str:
    if found.since is None:
        return words.say("Event {seq}: {kind}", seq=found.seq, kind=found.kind)
    return words.say(
        "After event {since}, up to {seq}: {kind}",
        since=found.since,
        seq=found.seq,
        kind=found.kind,
    )
