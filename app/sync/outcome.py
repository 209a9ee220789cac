"""What came of asking head office, for the window, which loads nothing of HTTP for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from app.context import NOTHING, Changes
from app.protocol.few_digits import Candidate

HOLD_WITHIN_S: Final = 0.3
"""So long a customer waits for head office before the till's own rights decide (sync.md section 3)."""

RETURN_WITHIN_S: Final = 3.0
"""So long a question about another till's sale may take: somebody stands there with the goods."""

LOOK_WITHIN_S: Final = 1.5
"""So long a look-up may take: the cashier has typed a number, and goes on meanwhile."""


class Offered(NamedTuple):
    """Who fits four digits; `why` nobody is offered: "", or few_digits.MANY or OFTEN."""

    candidates: tuple[Candidate, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """How one question went. `why`: "" when it was answered, else a code for the screen: "gone", "clock",
    "refused", "revoked", "unknown" (the till has to be let in again), "locked" (so it has, once somebody has
    looked why it began anew so often); `changes`: what screens have to read
    again."""

    again_s: float
    why: str = ""
    changes: Changes = NOTHING


@dataclass(frozen=True, slots=True)
class Joined:
    """Whom the till belongs to now, by their names."""

    chain: str
    store: str
    till: str
