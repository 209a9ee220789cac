"""`regulars reset-pin`: a manager who forgot their PIN gets in again by the passphrase, never without it."""

from __future__ import annotations

import argparse
from typing import Final

from app.commands.console import Cannot
from app.commands.opening import asked, open_by_passphrase
from app.domain.errors import Refusal, Refused
from app.i18n import Words, mark
from app.usecases.staff import ResetForgottenPin, reset_forgotten_pin

NEW: Final = mark("New PIN, six digits: ")
AGAIN: Final = mark("New PIN once more: ")


def command(chosen: argparse.Namespace, words: Words) -> int:
    """Open the store by its passphrase and set the PIN; returns the exit code."""
    till = open_by_passphrase(chosen.store, words)
    try:
        pin = asked(words, NEW)
        if asked(words, AGAIN) != pin:
            raise Cannot(words.say("The two PINs differ. Run it again."))
        ctx = till.context
        name = reset_forgotten_pin(ctx, ResetForgottenPin(ctx.ids(), chosen.who, pin)).result
    except Refused as refused:
        if refused.code is not Refusal.STAFF_UNKNOWN:
            raise
        no = words.say("No manager has these initials. A manager resets everybody else's PIN.")
        raise Cannot(no) from refused
    finally:
        till.close()
    print(words.say("{name} has a new PIN.", name=name))
    return 0
