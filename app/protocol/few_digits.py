"""Members asked for by the last four digits of a phone or card, where a customer knows no more: what a till
asks, and what head office offers. Masked, a few at most; one of them is then taken by a second question.

    ENDING  value "6621", or "6621 c" with the first letter of the name or of its reading
    TAKEN   value "<member, hex> 6621 c": one of those that were offered
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

ENDING: Final = "ending"
TAKEN: Final = "taken"
FEW: Final = frozenset({ENDING, TAKEN})
"""What such questions have in the place of a profile's field."""
OFFERED_MOST: Final = 5
MANY: Final = "many"
OFTEN: Final = "often"
"""Why nobody is offered: more than OFFERED_MOST fit, or the till has asked so too often."""
_ENDING: Final = re.compile(r"([0-9]{4})(?: (\S))?")
_TAKEN: Final = re.compile(r"([0-9a-f]{32}) (.+)")
_TYPED: Final = re.compile(r"([^\W\d_])?\s*([0-9]{4})\s*([^\W\d_])?")


class Candidate(NamedTuple):
    """Somebody who fits, for a cashier to ask the customer after. name: masked. where: stores that they are of,
    empty where that is any."""

    member: bytes
    name: str
    where: str


class Ending(NamedTuple):
    """What is asked for. initial: "" or one letter."""

    four: str
    initial: str = ""

    @property
    def value(self) -> str:
        """As a question carries it."""
        return f"{self.four} {self.initial}" if self.initial else self.four

    def taken(self, member: bytes) -> str:
        """As the question carries it that takes one of them."""
        return f"{member.hex()} {self.value}"


def ending_of(value: str) -> Ending | None:
    """What a question asks for; None: it is none of ours."""
    found = _ENDING.fullmatch(value)
    return None if found is None else Ending(found[1], (found[2] or "").casefold())


def taken_of(value: str) -> tuple[bytes, Ending] | None:
    """Whom a question takes, and by which ending; None: it is none of ours."""
    found = _TAKEN.fullmatch(value)
    ending = None if found is None else ending_of(found[2])
    return None if found is None or ending is None else (bytes.fromhex(found[1]), ending)


def typed(text: str) -> Ending | None:
    """What a cashier's text means: four digits, one letter before or behind them. None: something else."""
    found = _TYPED.fullmatch(text.strip())
    if found is None or (found[1] and found[3]):
        return None
    return Ending(found[2], (found[1] or found[3] or "").casefold())
