"""`regulars change-passphrase`: another passphrase for the same data key, in both copies of the key file."""

from __future__ import annotations

import argparse
from typing import Final

from app.build import change_passphrase, check_shut, prove_passphrase
from app.commands.console import Cannot
from app.commands.opening import asked, once_ready, passphrase
from app.i18n import Words, mark

NEW: Final = mark("New passphrase, 12 characters or more: ")
AGAIN: Final = mark("New passphrase once more: ")


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Ask for the old one, then twice for the new one, and change it; returns the exit code."""
    check_shut(chosen.store)  # Before anybody types a secret for nothing.
    old = passphrase(words)
    once_ready(words, lambda: prove_passphrase(chosen.store, old))
    new = asked(words, NEW)
    if asked(words, AGAIN) != new:
        raise Cannot(
            words.say("The two passphrases differ; the old one still holds. Run it again.")
        )
    try:
        change_passphrase(chosen.store, old, new)
    except OSError as error:
        raise Cannot(
            words.say(
                "It couldn't be written to the end; the old one or the new one holds. Look at the disk, "
                "then run it again."
            )
        ) from error
    print(words.say("The passphrase is changed. Put the new one into the safe."))
    print(words.say("Earlier backups still open by the old one. Make a backup now."))
    return 0
