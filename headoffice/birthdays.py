"""Members' birthdays as head office has them, when they are kept, and whether a sale was on one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from app.domain.birthday import BirthdayOn, celebrated, parse_birthday
from app.domain.business_day import BusinessDate
from app.domain.documents import SaleDocument
from app.domain.errors import Refused
from app.domain.programme import Programme
from app.domain.recount import Difference, birthday_codes
from app.intake import celebrations
from app.protocol.hlc import ms_of
from app.protocol.store import Member

FIELD: Final = "birthday"
_WRITTEN: Final = re.compile("(solar|lunar):([0-9]{0,4})-([0-9]{1,2})-([0-9]{1,2})")


def birthdays_of(member: Member, on: BusinessDate, rules: Programme) -> tuple[BirthdayOn, ...]:
    """The celebrations around a date; none without a birthday: "solar:1990-5-31", "lunar:-8-15"."""
    cell = member.cells.get(FIELD)
    found = _WRITTEN.fullmatch((cell.value or "") if cell else "")
    if found is None:
        return ()
    calendar, year, month, day = found.groups()
    try:
        born = parse_birthday(
            int(month), int(day), int(year) if year else None, lunar=calendar == "lunar"
        )
    except Refused:  # Whatever a till sends is kept, a day that no calendar has too.
        return ()
    return celebrations(calendar, born.month, born.day, on, rules.leap_day)


def doubts(
    document: SaleDocument, rules: Programme, member: Member | None, at_ms: int
) -> Sequence[Difference]:
    """Whether a sale had a birthday's benefit on a day that is none. A birthday that was written after the sale
    is not held against it, nor one that hasn't come."""
    told = birthday_codes(document, rules)
    cell = member.cells.get(FIELD) if member else None
    if member is None or cell is None or not cell.value or ms_of(cell.hlc) > at_ms:
        return ()
    on = document.business_date
    kept = birthdays_of(member, on, rules)
    if not kept:
        return ()
    for rule in rules.earning.multipliers:
        if rule.birthday and told.get(rule.code) and celebrated(kept, rule.birthday, on) is None:
            nearest = min(kept, key=lambda each: abs(each.on - on))
            return (Difference("birthday", int(on), int(nearest.on)),)
    return ()
