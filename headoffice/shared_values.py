"""Phones, e-mail addresses and cards that two members have: perhaps the same person, enrolled at two tills that
could not ask each other. Found when a till tells the value; people decide (sync.md section 2, "IDs").

A pair is noted once for a field. It is over when the two are one, one of them is erased or has another value,
or the card was reported lost; who looked at it may also say that they are two people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from app.protocol.store import Member
from app.protocol.wire import CellTaken
from headoffice.console.snapshot import Snapshot
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain, Spelt
from headoffice.store.records import Records

CARD: Final = "card"
FIELDS: Final = (CARD, "phone", "email")
"""Those that say who somebody is. A card of two members is a mistake of ours: its points go to whoever a till
finds first."""
LOOKED_MOST: Final = 500
PORTION: Final = 500
CANDIDATES_MOST: Final = 200
"""Members are looked at of whom a value ever came: loading thousands takes the writer's time."""
OTHERS_MOST: Final = 20
"""With so many others a member is paired: a shop's own phone that was typed for hundreds says nothing."""
_HAVING: Final = Spelt(
    sqlite="""
SELECT DISTINCT member_id FROM cell INDEXED BY cell_value
WHERE tenant_id = ? AND dist_key = ? AND field = ? AND value COLLATE NOCASE = ? LIMIT ?
""",
    postgresql="""
SELECT DISTINCT member_id FROM cell
WHERE tenant_id = ? AND dist_key = ? AND field = ? AND sought = lower(? COLLATE "C") LIMIT ?
""",
)
_PUT: Final = """
INSERT INTO shared_value (tenant_id, dist_key, field, member_id, other_id, noted_ms) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, field, member_id, other_id)
    DO UPDATE SET over_ms = NULL, noted_ms = excluded.noted_ms WHERE shared_value.over_ms IS NOT NULL
"""
_ALL: Final = """
SELECT field, member_id, other_id, noted_ms, shared_value.seen_ms, initials
FROM {} LEFT JOIN console_staff ON console_staff.tenant_id = shared_value.tenant_id
    AND console_staff.dist_key = shared_value.dist_key AND console_staff.staff_id = shared_value.seen_by
WHERE shared_value.tenant_id = ? AND shared_value.dist_key = ?
"""
_WAITING: Final = """ AND shared_value.seen_ms IS NULL AND shared_value.over_ms IS NULL
    AND (noted_ms, field, member_id, other_id) < (?, ?, ?, ?)
ORDER BY noted_ms DESC, field DESC, member_id DESC, other_id DESC LIMIT ?
"""
_TABLE: Final = "shared_value"
_UNSEEN: Final = Spelt(
    sqlite=_ALL.format(f"{_TABLE} INDEXED BY shared_value_unseen") + _WAITING,
    postgresql=_ALL.format(_TABLE) + _WAITING,
)
_OF: Final = _ALL.format(_TABLE) + " AND member_id = ? AND other_id = ? ORDER BY field"
_SEEN: Final = """
UPDATE shared_value SET seen_by = ?, seen_ms = ?
WHERE tenant_id = ? AND dist_key = ? AND member_id = ? AND other_id = ? AND field <> 'card' AND seen_ms IS NULL
"""
_OVER: Final = """
UPDATE shared_value SET over_ms = ? WHERE tenant_id = ? AND dist_key = ? AND field = 'card'
    AND member_id = ? AND other_id = ?
"""
_CARDS: Final = """
SELECT noted_ms, member_id, other_id FROM shared_value
WHERE tenant_id = ? AND dist_key = ? AND field = 'card' AND over_ms IS NULL
ORDER BY noted_ms DESC, member_id DESC, other_id DESC LIMIT ?
"""
_FROM_THE_LAST: Final = (1 << 62, "", b"", b"")


class Pair(NamedTuple):
    """Two members with one value of a field, the lower id first. seen_by: who said that they are two people."""

    field: str
    member: bytes
    other: bytes
    noted_ms: int
    seen_ms: int | None
    seen_by: str | None


def note(
    plain: Plain, store: Records, now_ms: Callable[[], int], taken: Iterable[CellTaken]
) -> None:
    """Note who shares what a till has told just now. Inside the store's `writing()`."""
    tenant, told = store.tenant().id, dict[str, dict[str, set[bytes]]]()
    for each in taken:
        if each.field in FIELDS and each.stands is not None and each.stands.value:
            told.setdefault(each.field, {}).setdefault(each.stands.value, set()).add(each.holder)
    for field, values in told.items():
        new = _new(store, field, values)
        for value, holders in values.items():
            rows = plain.rows(_HAVING, (tenant, dist_key(tenant), field, value, CANDIDATES_MOST))
            found = {*(bytes(row[0]) for row in rows), *new[value.lower()], *holders}
            others = (each for each in sorted(found) if has(store.member(each), field, value))
            sharing = list(islice(others, OTHERS_MOST + 1))
            for holder in holders:
                _put(plain, tenant, field, holder, sharing, now_ms())


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


def unseen(plain: Plain, tenant: bytes) -> Iterator[Pair]:
    """Those that wait for somebody to decide, the last first."""
    before = _FROM_THE_LAST
    while True:
        rows = plain.rows(_UNSEEN, (tenant, dist_key(tenant), *before, PORTION))
        found = [Pair(row[0], bytes(row[1]), bytes(row[2]), *row[3:]) for row in rows]
        yield from found
        if len(found) < PORTION:
            return
        before = (found[-1].noted_ms, *found[-1][:3])


def of(plain: Plain, tenant: bytes, one: bytes, other: bytes) -> list[Pair]:
    """What two members share, or shared."""
    values = (tenant, dist_key(tenant), *sorted((one, other)))
    return [Pair(*row) for row in plain.rows(_OF, values)]


class Look(NamedTuple):
    """cards: pairs that share a card; newest_ms: when the last of them was noted; over: pairs that share none
    any more."""

    cards: int = 0
    newest_ms: int = 0
    over: tuple[tuple[bytes, bytes], ...] = ()


def look(plain: Plain, tenant: bytes) -> Look:
    """Pairs that share a card. At most LOOKED_MOST are looked at, the last ones: what is over does not come
    again once it was ended."""
    rows = plain.rows(_CARDS, (tenant, dist_key(tenant), LOOKED_MOST))
    if not rows:
        return Look()
    snapshot, cards, newest_ms, over = Snapshot(plain, tenant), 0, 0, list[tuple[bytes, bytes]]()
    lost = snapshot.lost_cards()
    for noted_ms, *ids in rows:
        one, other = map(bytes, ids)
        if stands(snapshot.member(one), snapshot.member(other), CARD, lost):
            cards, newest_ms = cards + 1, max(newest_ms, noted_ms)
        else:
            over.append((one, other))
    return Look(cards, newest_ms, tuple(over))


def settled(plain: Plain, store: Records, tenant: bytes, seen: Look, now_ms: int) -> Look:
    """Write down which pairs are over: they are not looked at again. They begin anew where a till tells the
    number again. In a transaction of its own."""
    if seen.over:
        with store.writing():
            for pair in seen.over:
                plain.run(_OVER, (now_ms, tenant, dist_key(tenant), *pair))
    return seen._replace(over=())


def say_two(plain: Plain, tenant: bytes, one: bytes, other: bytes, by: bytes, now_ms: int) -> int:
    """Somebody says that they are two people; who did first stays. A card of both is still a mistake. How many
    pairs that ended."""
    first, second = sorted((one, other))
    return plain.run(_SEEN, (by, now_ms, tenant, dist_key(tenant), first, second))


# Inside


def _new(store: Records, field: str, values: Iterable[str]) -> dict[str, set[bytes]]:
    """Of whom each value came in this transaction, which no index has yet; by its lower case."""
    found: dict[str, set[bytes]] = {value.lower(): set() for value in values}
    for record in store.new_cells():
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
