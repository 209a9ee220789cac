"""`regulars verify-audit`: whether anybody rewrote the journal, by the witnesses that are at hand."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from app.commands import CANNOT, open_by_any_key, said
from app.commands.verify import bar
from app.context import Context
from app.domain.errors import Unavailable
from app.journal import JournalFile
from app.protocol.checkpoints import Anchor, BadCheckpoints, anchors, to_text
from app.protocol.evolving import BadStartKey, StartKey
from app.usecases.audit import checkpoints, evidence_at_hand, look_for_alterations
from app.usecases.verify_audit import Audit, Evidence


def command(chosen: argparse.Namespace) -> int:
    """Open the store, hold it against the evidence, print the verdict; returns the exit code."""
    try:
        till = open_by_any_key(chosen.store, mending=False)
    except Unavailable as error:
        return _cannot(f"can't open the store: {said(error)}")
    ctx = till.context
    try:
        evidence = _evidence(ctx, chosen)
        audit = look_for_alterations(
            ctx, evidence, progress=lambda done, total: bar("events", done, total)
        )
        if chosen.save_checkpoints is not None:
            chosen.save_checkpoints.write_text(to_text(checkpoints(ctx)), encoding="utf-8")
    except Unavailable as error:
        return _cannot(said(error))
    except OSError as error:
        return _cannot(f"{error.filename}: {error.strerror}")
    except (BadCheckpoints, BadStartKey, ValueError) as error:
        return _cannot(str(error))
    finally:
        till.close()
    show(audit, evidence)
    return audit.exit_code


def _cannot(why: str) -> int:
    print(f"regulars verify-audit: {why}", file=sys.stderr)
    return CANNOT


def _evidence(ctx: Context, chosen: argparse.Namespace) -> Evidence:
    """What the command line adds to what lies beside the store. Raises OSError, ValueError."""
    evidence = evidence_at_hand(ctx)
    if chosen.journal is not None:
        if not chosen.journal.is_dir():
            raise BadCheckpoints(f"{chosen.journal}: no such folder")
        owner = ctx.till.device + ctx.till.epoch.to_bytes(8, "big")
        journal = JournalFile(chosen.journal, data_key=ctx.data_key, owner=owner)
        evidence = replace(evidence, journal=journal)
    typed = chosen.start_key or os.environ.get("REGULARS_START_KEY")
    if typed:
        evidence = replace(evidence, start_key=StartKey.of_text(typed))
    if chosen.checkpoints is not None:
        evidence = replace(evidence, anchors=_anchors(ctx, chosen.checkpoints))
    return evidence


def _anchors(ctx: Context, path: Path) -> tuple[Anchor, ...]:
    till = ctx.till
    text = path.read_text(encoding="utf-8")
    return anchors(text, tenant=till.tenant, device=till.device, epoch=till.epoch)


def show(audit: Audit, evidence: Evidence) -> None:
    """The findings, what was held against what, and the verdict."""
    for found in audit.findings:
        place = f"after {found.since}, up to {found.seq}" if found.since is not None else found.seq
        print(f"{int(found.verdict)} {found.verdict.name} at event {place}: {found.kind}")
    if audit.total > len(audit.findings):
        print(f"… and {audit.total - len(audit.findings):,} more")
    print(f"{audit.events:,} events; head {audit.head.hex()}")
    print(f"in the journal file: {audit.in_file:,}")
    print(f"MACs recomputed: {audit.macs:,}" if evidence.start_key else "MACs: no start key given")
    print(f"behind the last signed checkpoint: {audit.last - audit.anchored:,}")
    first = audit.first
    if first is None:
        print("nothing was altered")
    else:
        print(f"{first.verdict.name.lower()}: first bad event {first.seq} ({first.kind})")
