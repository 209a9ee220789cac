"""Finds members by what is typed into one box: name, phone, card, or the last four digits of either.

The indexes stand over all cells that ever came; what is shown has to stand today. So a question reads at most
CANDIDATES_MOST members for each way to be found, however many there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from app.protocol.store import Member
from headoffice.console.snapshot import Snapshot

SHOWN_MOST: Final = 50
CANDIDATES_MOST: Final = 200
TEXT_MOST: Final = 100
_CHINA: Final = "+86"
_NAMES: Final = ("name", "name_py")
_DIGITS_LEAST: Final = 5


class Found(NamedTuple):
    """Members, and whether there may be more than these."""

    members: tuple[Member, ...]
    more: bool


class _Way(NamedTuple):
    fields: tuple[str, ...]
    text: str
    four: bool = False


def members_of(snapshot: Snapshot, typed: str, may_see: Callable[[Member], bool]) -> Found:
    """The members whose standing values fit and whom who asks may see, at most SHOWN_MOST."""
    found, more = dict[bytes, Member](), False
    for way in _ways(typed):
        ids = list[bytes]()
        if way.four:
            ids += snapshot.ends(way.text, CANDIDATES_MOST)
        else:
            for field in way.fields:
                ids += snapshot.begins(field, way.text, CANDIDATES_MOST)
        more = more or len(ids) >= CANDIDATES_MOST
        for member in _standing(snapshot, ids, way):
            if not may_see(member):
                continue
            found[member.id] = member
            if len(found) > SHOWN_MOST:
                return Found(tuple(found.values())[:SHOWN_MOST], more=True)
    return Found(tuple(found.values()), more)


def _standing(snapshot: Snapshot, ids: list[bytes], way: _Way) -> Iterator[Member]:
    for member_id in dict.fromkeys(ids):
        member = snapshot.member(member_id)
        if member is not None and not member.erased and _fits(member, way):
            yield member


def _fits(member: Member, way: _Way) -> bool:
    for field in way.fields:
        cell = member.cells.get(field)
        value = "" if cell is None else (cell.value or "").casefold()
        wanted = way.text.casefold()
        if value and (value.endswith(wanted) if way.four else value.startswith(wanted)):
            return True
    return False


def _ways(typed: str) -> Iterator[_Way]:
    """How what was typed may be meant."""
    text = typed.strip()[:TEXT_MOST]
    digits = re.sub(r"[\s()-]", "", text)
    if not re.fullmatch(r"\+?[0-9]+", digits):
        if text:
            yield _Way(_NAMES, text)
        return
    if re.fullmatch(r"[0-9]{4}", digits):
        yield _Way(("phone", "card"), digits, four=True)
    elif len(digits) >= _DIGITS_LEAST:
        yield _Way(("phone", "card"), digits)
        if not digits.startswith("+"):
            yield _Way(("phone",), _CHINA + digits)
            yield _Way(("phone",), "+" + digits)
