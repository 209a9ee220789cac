"""`regulars verify`: prove every balance, with a progress bar and an exit code per kind of fault."""

from __future__ import annotations

import argparse
import sys

from app.apart import Apart
from app.commands import CANNOT, open_by_any_key, said
from app.domain.errors import Unavailable
from app.usecases.verify import verify
from app.usecases.verify_report import Report

_BAR = 30


def command(chosen: argparse.Namespace) -> int:
    """Open the store, verify it, print what was found; returns the exit code."""
    try:
        till = open_by_any_key(chosen.store, mending=False)
    except Unavailable as error:
        print(f"regulars verify: can't open the store: {said(error)}", file=sys.stderr)
        return CANNOT
    try:
        for code, found in till.findings.found:
            print(f"mended at start: {code} {found}")
        apart = Apart(till.context)
        report = verify(
            till.context, progress=bar, rebuild=chosen.rebuild, members=apart.all_members
        )
    finally:
        till.close()
    show(report)
    return report.exit_code


def bar(what: str, done: int, total: int) -> None:
    """One line that grows, where somebody watches."""
    if not sys.stderr.isatty():
        return
    filled = _BAR * done // max(total, 1)
    line = f"\r{what:14s} [{'#' * filled}{'.' * (_BAR - filled)}] {done:,} of {total:,}"
    print(line, end="" if done < total else "\n", file=sys.stderr, flush=True)


def show(report: Report) -> None:
    """The findings, then the proof: counts and the chain's head."""
    for finding in report.findings:
        print(f"{int(finding.fault)} {finding.fault.name} at event {finding.seq}: {finding.what}")
    if report.total > len(report.findings):
        print(f"… and {report.total - len(report.findings):,} more")
    if report.rebuilt:
        print(f"caches written anew: {report.rebuilt:,} members")
    print(
        f"{report.events:,} events, {report.entries:,} entries, {report.members:,} members,"
        f" {report.files} journal files; head {report.head.hex()}"
    )
    print("everything is equal" if report.total == 0 else f"{report.total:,} differences")
