"""`regulars backup`: a backup of a till that is not running, made and opened."""

from __future__ import annotations

import argparse
from dataclasses import replace

from app import backup
from app.commands.opening import open_by_any_key
from app.formats import number
from app.i18n import Words
from app.settings import BackupSettings
from app.usecases.back_up import NoteBackup, note_backup


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Open the store, make the backup, say where it lies; returns the exit code."""
    till = open_by_any_key(chosen.store, words)
    ctx = till.context
    try:
        if chosen.to is not None:
            # For this once: what the settings say stays.
            once = BackupSettings(str(chosen.to.resolve()))
            ctx.keep_settings(replace(ctx.settings, backup=once))
        made = note_backup(ctx, NoteBackup(ctx.ids(), backup.make(ctx))).result
    finally:
        till.close()
    print(made.path)
    said = words.say("Opened and checked: {events} events.", events=number(made.seq))
    print(f"{said} {made.head.hex()}")
    return 0
