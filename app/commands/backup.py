"""`regulars backup`: a backup of a till that is not running, made and opened."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from app import backup
from app.commands import CANNOT, open_by_any_key, said
from app.domain.errors import Unavailable
from app.settings import BackupSettings
from app.usecases.back_up import NoteBackup, note_backup


def command(chosen: argparse.Namespace) -> int:
    """Open the store, make the backup, say where it lies; returns the exit code."""
    try:
        till = open_by_any_key(chosen.store)
        ctx = till.context
        try:
            if chosen.to is not None:
                # For this once: what the settings say stays.
                once = BackupSettings(str(chosen.to.resolve()))
                ctx.keep_settings(replace(ctx.settings, backup=once))
            made = note_backup(ctx, NoteBackup(ctx.ids(), backup.make(ctx))).result
        finally:
            till.close()
    except Unavailable as error:
        print(f"regulars backup: {said(error)}", file=sys.stderr)
        return CANNOT
    print(f"{made.path}: {made.seq:,} events, opened and checked; head {made.head.hex()}")
    return 0
