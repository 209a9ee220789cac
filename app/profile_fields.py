"""A member's profile as fields that travel, and as the rows that the counter reads.

Names of fields, and what their values look like (docs/decisions/joining.md). Nothing here reads or writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from app.domain.birthday import parse_birthday
from app.domain.business_day import NEVER
from app.domain.errors import Refused
from app.intake import readings
from app.protocol.cells import CONSENT, GIVEN, NOT_GIVEN, WITHDRAWN
from db import head_office, people

NAME, READING, PHONE, EMAIL = "name", "name_py", "phone", "email"
BIRTHDAY, NOTE, ALERT, CARD, JOINED = "birthday", "note", "alert", "card", "joined"
"""Fields of a profile as they travel; consent is "consent:<purpose>:<channel>"."""


def profile_of(member: bytes, values: Mapping[str, str], version: int) -> people.ProfileRow | None:
    """The person in these fields, None where there is no name: known by the ledger alone so far."""
    name = values.get(NAME)
    if name is None:
        return None
    reading = values.get(READING) or readings(name)[0].pinyin
    calendar, year, month, day = _birthday(values.get(BIRTHDAY))
    return people.ProfileRow(
        member, name, values.get(PHONE) or None, values.get(EMAIL) or None,
        reading, "".join([part[0] for part in reading.split()]),
        calendar, year, month, day, values.get(NOTE, ""), values.get(ALERT, ""), version,
    )  # fmt: skip


def fields_of(cell: Mapping[str, object]) -> dict[str, str | None]:
    """What a personal value that a command writes (app/cells.py) is as fields; {} where it is nobody's."""
    if cell["t"] == "credential" and cell["kind"] == CARD and cell["state"] == "active":
        return {CARD: str(cell["value"])}
    if cell["t"] != "profile":
        return {}
    found = {
        name: None if cell[name] in (None, "") else str(cell[name])
        for name in (NAME, READING, PHONE, EMAIL, NOTE, ALERT)
    }
    return {**found, BIRTHDAY: _birthday_text(cell)}


def consent_field(answer: people.ConsentRow, known: Mapping[str, str]) -> tuple[str, str]:
    """Name and value of an answer to a notice as they travel; `known`: the member's fields before it. Only
    what was given can be withdrawn, and a withdrawal weighs more than a later yes."""
    name = f"{CONSENT}{answer.purpose}:{answer.channel}"
    stood = known.get(name, "").startswith((GIVEN, WITHDRAWN))
    decided = GIVEN if answer.granted else WITHDRAWN if stood else NOT_GIVEN
    return name, f"{decided}:{answer.notice_version}"


def joined_of(values: Mapping[str, str]) -> int:
    """The day of joining in these fields, 0 where none is told: whatever else stands there is a stranger's."""
    try:
        day = int(values.get(JOINED, ""))
    except ValueError:
        return 0
    return day if 0 < day <= NEVER else 0


def consents_of(values: Mapping[str, str]) -> Iterable[head_office.ConsentBaseRow]:
    """The standing answers in these fields."""
    for name in sorted(values):
        if name.startswith(CONSENT):
            purpose, _, channel = name.removeprefix(CONSENT).partition(":")
            decided, _, notice = values[name].partition(":")
            yield head_office.ConsentBaseRow(purpose, channel, notice, int(decided == GIVEN))


_NO_BIRTHDAY: Final = ("solar", None, None, None)


def _birthday_text(cell: Mapping[str, object]) -> str | None:
    """A birthday as it travels: "solar:1990-5-31", "lunar:-8-15" without a year."""
    if cell["birth_month"] is None:
        return None
    parts = (cell["birth_year"] or "", cell["birth_month"], cell["birth_day"])
    return f"{cell['birth_calendar']}:" + "-".join(map(str, parts))


def _birthday(text: str | None) -> tuple[str, int | None, int | None, int | None]:
    """(calendar, year, month, day) of what came; none where it is no birthday."""
    if not text:
        return _NO_BIRTHDAY
    calendar, _, date = text.partition(":")
    parts = date.split("-")
    try:
        year, month, day = (int(part) if part else None for part in parts)
        if month is None or day is None or calendar not in ("solar", "lunar"):
            return _NO_BIRTHDAY
        found = parse_birthday(month, day, year, lunar=calendar == "lunar")
    except (ValueError, Refused):
        return _NO_BIRTHDAY
    return calendar, found.year, found.month, found.day
