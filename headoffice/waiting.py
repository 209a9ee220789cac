"""What waits for a second person of head office, whatever it is: so that who may agree hears of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from headoffice.adjustments import GOOD_MS, Adjustments
from headoffice.console.second import Second
from headoffice.console.staff import Staff
from headoffice.store.plain import Plain


class Waiting(NamedTuple):
    """Something that one asked for. what: a kind of second.py, or "adjust"; subject: whose or what it is;
    by: the initials or the system's name."""

    what: str
    subject: str
    by: str
    at_ms: int

    @property
    def name(self) -> str:
        """What an alarm calls it."""
        return f"{self.what}:{self.subject}"


def waiting(plain: Plain, tenant: bytes, now_ms: int) -> Sequence[Waiting]:
    """All of a chain, the oldest first."""
    found = [
        Waiting(each.what, each.subject, each.initials, each.at_ms)
        for each in Second(Staff(plain, tenant)).all(now_ms)
    ]
    found += [
        Waiting("adjust", each.id.hex(), each.by, each.at_ms)
        for each in Adjustments(plain, tenant).waiting(now_ms)
    ]
    return sorted(found, key=lambda each: each.at_ms)


def still(known: Iterable[Waiting], now_ms: int) -> list[str]:
    """The names of those that were read before and are good yet."""
    return [each.name for each in known if each.at_ms > now_ms - GOOD_MS]
