"""Phones, e-mail addresses and cards that two members have: perhaps the same person, enrolled at two tills that
could not ask each other. Found when a till tells the value; people decide (sync.md section 2, "IDs").

A pair is noted once for a field. It is over when the two are one, one of them is erased or has another value,
or the card was reported lost; who looked at it may also say that they are two people.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from app.protocol.store import Member
from app.protocol.wire import CellTaken
from headoffice.console.snapshot import Snapshot
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain, Spelt
from headoffice.store.records import Records

FIELDS: Final = ("card", "phone", "email")
"""Those that say who somebody is. A card of two members is a mistake of ours: its points go to whoever a till
finds first."""
CARDS_MOST: Final = 100
OTHERS_MOST: Final = 20
"""With so many others a member is paired: a shop's own phone that was typed for hundreds says nothing."""
_HAVING: Final = Spelt(
    sqlite="""
SELECT DISTINCT told.value, cell.member_id FROM json_each(?) AS told
JOIN cell INDEXED BY cell_value ON cell.tenant_id = ? AND cell.dist_key = ? AND cell.field = ?
    AND cell.value COLLATE NOCASE = told.value
""",
    # Each value is looked up by itself: for want of statistics the planner would rather read all cells.
    postgresql="""
SELECT told.value, found.member_id FROM json_array_elements_text(?::json) AS told(value)
CROSS JOIN LATERAL (
    SELECT DISTINCT member_id FROM cell WHERE tenant_id = ? AND dist_key = ? AND field = ?
        AND sought = lower(told.value COLLATE "C") OFFSET 0
) AS found
""",
)
_PUT: Final = """
INSERT INTO shared_value (tenant_id, dist_key, field, member_id, other_id, noted_ms) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, field, member_id, other_id) DO NOTHING
"""
_ALL: Final = """
SELECT field, member_id, other_id, noted_ms, shared_value.seen_ms, initials
FROM shared_value LEFT JOIN console_staff ON console_staff.tenant_id = shared_value.tenant_id
    AND console_staff.dist_key = shared_value.dist_key AND console_staff.staff_id = shared_value.seen_by
WHERE shared_value.tenant_id = ? AND shared_value.dist_key = ?
"""
_ORDER: Final = "ORDER BY noted_ms DESC, field, member_id, other_id LIMIT ?"
_UNSEEN: Final = f"{_ALL} AND shared_value.seen_ms IS NULL {_ORDER}"
_OF: Final = f"{_ALL} AND member_id = ? AND other_id = ? ORDER BY field"
_CARDS: Final = """
SELECT member_id, other_id FROM shared_value
WHERE tenant_id = ? AND dist_key = ? AND field = 'card' AND seen_ms IS NULL
ORDER BY member_id, other_id LIMIT ?
"""
_SEEN: Final = """
UPDATE shared_value SET seen_by = ?, seen_ms = ?
WHERE tenant_id = ? AND dist_key = ? AND member_id = ? AND other_id = ? AND field <> 'card' AND seen_ms IS NULL
"""


class Pair(NamedTuple):
    """Two members with one value of a field, the lower id first. seen_by: who said that they are two people."""

    field: str
    member: bytes
    other: bytes
    noted_ms: int
    seen_ms: int | None
    seen_by: str | None


def note(
    plain: Plain, store: Records, tenant: bytes, taken: Iterable[CellTaken], now_ms: int
) -> None:
    """Note who shares what a till has told just now. Inside the store's `writing()`."""
    told: dict[str, dict[str, set[bytes]]] = {}
    for each in taken:
        if each.field in FIELDS and each.stands is not None and each.stands.value:
            told.setdefault(each.field, {}).setdefault(each.stands.value, set()).add(each.holder)
    for field, values in told.items():
        having = _having(plain, store, tenant, field, values)
        for value, holders in values.items():
            others = [
                each
                for each in sorted(having[value.lower()])
                if has(store.member(each), field, value)
            ]
            for holder in holders:
                _put(plain, tenant, field, holder, others, now_ms)


def has(known: Member | None, field: str, value: str) -> bool:
    """Whether this value stands today. Who was erased or is another one by now has none."""
    cell = None if known is None else known.cells.get(field)
    return cell is not None and (cell.value or "").lower() == value.lower()


def stands(
    one: Member | None, other: Member | None, field: str, lost: frozenset[str] = frozenset()
) -> bool:
    """Whether two members share a value today. A card that was reported `lost` is good at no till."""
    cell = None if one is None else one.cells.get(field)
    value = "" if cell is None else cell.value or ""
    good = bool(value) and value not in lost
    return good and has(one, field, value) and has(other, field, value)


def unseen(plain: Plain, tenant: bytes, most: int) -> list[Pair]:
    """Of whom nobody has said that they are two, the last first."""
    return [Pair(*row) for row in plain.rows(_UNSEEN, (tenant, dist_key(tenant), most))]


def of(plain: Plain, tenant: bytes, one: bytes, other: bytes) -> list[Pair]:
    """What two members share, or shared."""
    values = (tenant, dist_key(tenant), *sorted((one, other)))
    return [Pair(*row) for row in plain.rows(_OF, values)]


def cards(plain: Plain, tenant: bytes) -> int:
    """How many pairs share a card today and wait for somebody to decide, CARDS_MOST at most."""
    found = plain.rows(_CARDS, (tenant, dist_key(tenant), CARDS_MOST))
    if not found:
        return 0
    snapshot = Snapshot(plain, tenant)
    lost, member = snapshot.lost_cards(), snapshot.member
    return sum(stands(member(bytes(one)), member(bytes(two)), "card", lost) for one, two in found)


def say_two(plain: Plain, tenant: bytes, one: bytes, other: bytes, by: bytes, now_ms: int) -> int:
    """Somebody says that they are two people; who did first stays. A card of both is still a mistake. How many
    pairs that ended."""
    first, second = sorted((one, other))
    return plain.run(_SEEN, (by, now_ms, tenant, dist_key(tenant), first, second))


# Inside


def _having(
    plain: Plain, store: Records, tenant: bytes, field: str, values: Iterable[str]
) -> dict[str, set[bytes]]:
    """Of whom each value ever came, by its lower case."""
    found: dict[str, set[bytes]] = {value.lower(): set() for value in values}
    asked = json.dumps(sorted(found), ensure_ascii=False)
    for value, member in plain.rows(_HAVING, (asked, tenant, dist_key(tenant), field)):
        found[value].add(bytes(member))
    for record in store.new_cells():  # of this transaction, not written yet
        sent = record.sent
        if sent.field == field and (sent.value or "").lower() in found:
            found[(sent.value or "").lower()].add(sent.member)
    return found


def _put(
    plain: Plain, tenant: bytes, field: str, holder: bytes, others: Sequence[bytes], now_ms: int
) -> None:
    for other in [each for each in others if each != holder][:OTHERS_MOST]:
        first, second = sorted((holder, other))
        plain.run(_PUT, (tenant, dist_key(tenant), field, first, second, now_ms))
