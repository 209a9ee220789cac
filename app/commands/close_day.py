"""`regulars close-day`: close every date that is over on a till whose window is shut."""

from __future__ import annotations

import argparse
import sys

from app.commands import CANNOT, open_by_any_key, said
from app.domain.errors import Unavailable
from app.usecases.close_unattended import close_all


def command(chosen: argparse.Namespace) -> int:
    """Close what is due and name each Z; returns the exit code."""
    try:
        till = open_by_any_key(chosen.store)
        try:
            night = close_all(till.context)
        finally:
            till.close()
    except Unavailable as error:
        print(f"regulars close-day: {said(error)}", file=sys.stderr)
        return CANNOT
    for closed in night.closed:
        print(f"Z {closed.number:06d} of {closed.on.iso()}")
    if not night.closed:
        print("no date is over and open")
    return 0
