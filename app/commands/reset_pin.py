"""`regulars reset-pin`: a manager who forgot their PIN gets in again by the passphrase, never without it."""

from __future__ import annotations

import argparse
import getpass
import sys

from app.commands import CANNOT, open_by_passphrase, said
from app.domain.errors import Refusal, Refused, Unavailable
from app.usecases.staff import ResetForgottenPin, reset_forgotten_pin

_WHY = {
    Refusal.STAFF_UNKNOWN: "no manager has these initials; a manager helps everybody else",
    Refusal.PIN_WEAK: "this PIN is easy to guess; choose six other digits",
}


def command(chosen: argparse.Namespace) -> int:
    """Open the store by its passphrase and set the PIN; returns the exit code."""
    try:
        till = open_by_passphrase(chosen.store)
    except Unavailable as error:
        return _cannot(f"can't open the store: {said(error)}")
    try:
        pin = getpass.getpass("New PIN, six digits: ", stream=sys.stderr)
        if getpass.getpass("New PIN once more: ", stream=sys.stderr) != pin:
            return _cannot("the two PINs differ")
        ctx = till.context
        name = reset_forgotten_pin(ctx, ResetForgottenPin(ctx.ids(), chosen.who, pin)).result
    except Refused as refused:
        return _cannot(_WHY.get(refused.code, refused.code.value))
    except Unavailable as error:
        return _cannot(said(error))
    finally:
        till.close()
    print(f"{name} has a new PIN.")
    return 0


def _cannot(why: str) -> int:
    print(f"regulars reset-pin: {why}", file=sys.stderr)
    return CANNOT
