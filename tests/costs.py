"""argon2id at prices that thousands of tests can pay. What the product pays is kept here before it is lowered:
tests/keys/test_costs.py looks at that."""

from __future__ import annotations

import os
from typing import Final

import pytest

from app.keyslots.document import MEMORY_LEAST_KIB, TIME_LEAST, Kdf
from app.usecases import sign_in

PIN_MEMORY_KIB: Final = sign_in._MEMORY_KIB
_LEAST_PIN_MEMORY_KIB: Final = 64


def least_kdf() -> Kdf:
    """For a passphrase: the least that is ever read back."""
    return Kdf(MEMORY_LEAST_KIB, TIME_LEAST, 1, os.urandom(16))


def lower(patch: pytest.MonkeyPatch) -> None:
    """For this process: another one opens what it makes, but knows no PIN there (`full`)."""
    patch.setattr("app.keyslots.envelope.calibrated", least_kdf)
    patch.setattr("app.usecases.sign_in._MEMORY_KIB", _LEAST_PIN_MEMORY_KIB)


def full(patch: pytest.MonkeyPatch) -> None:
    """PINs at their price again: for a store that another process is to sign somebody in to."""
    patch.setattr("app.usecases.sign_in._MEMORY_KIB", PIN_MEMORY_KIB)
