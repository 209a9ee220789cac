"""A chain's audit, as a chain of hashes: what was changed, taken out or put in behind head office's back shows.

The databases let nobody change a row (triggers, and the application has no such right). Who owns the database
can take that away, and could even work the hashes out anew: that shows against a root that was kept elsewhere.
One is made each night. Rows that a version of before wrote have no hash of their own; the first row after them
covers all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from app.domain.business_day import BusinessDate
from app.protocol.events import chain
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain
from headoffice.webhooks.outbox import Fact

AUDIT_ROOT: Final = "audit.root"
PAGE: Final = 1_000
WRONG_MOST: Final = 20
"""So many wrong lines are named."""
_LAST: Final = """
SELECT number, chain FROM console_audit WHERE tenant_id = ? AND dist_key = ? ORDER BY number DESC LIMIT 1
"""
_AFTER: Final = """
SELECT number, at_ms, staff_id, act, member_id, detail, chain FROM console_audit
WHERE tenant_id = ? AND dist_key = ? AND number > ? ORDER BY number LIMIT ?
"""
_ADD: Final = """
INSERT INTO console_audit (tenant_id, dist_key, number, at_ms, staff_id, act, member_id, detail, chain)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_PUT_ROOT: Final = """
INSERT INTO audit_root (tenant_id, dist_key, night, number, chain, at_ms) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, night) DO NOTHING
"""
_ROOTS: Final = """
SELECT night, number, chain, at_ms FROM audit_root WHERE tenant_id = ? AND dist_key = ? ORDER BY night DESC
"""


class Row(NamedTuple):
    """One line of the audit. chain: None where a version wrote it that had none yet."""

    number: int
    at_ms: int
    staff: bytes | None
    act: str
    member: bytes | None
    detail: str
    chain: bytes | None = None


class Root(NamedTuple):
    """How far the audit went on a night (days since 1970), and the hash over all of it."""

    night: int
    number: int
    chain: bytes
    at_ms: int

    @property
    def date(self) -> str:
        """The night's date."""
        return BusinessDate(self.night).iso()

    def plain(self) -> dict[str, Any]:
        """As the log has it."""
        return {"date": self.date, "number": self.number, "root": self.chain.hex()}

    def told(self) -> Fact:
        """As a message has it."""
        return Fact(AUDIT_ROOT, None, self.plain())


class Checked(NamedTuple):
    """rows: how many there are; root: the hash over them; wrong: the first WRONG_MOST lines that are not as
    they were written, or are missing, of `wrongs` in all; held: how many roots they were held against."""

    rows: int
    root: bytes
    wrong: tuple[int, ...]
    held: int
    wrongs: int = 0


class _Wrong:
    """Lines that are wrong, as they come: rising, each once."""

    def __init__(self) -> None:
        self.first: list[int] = []
        self.count = self._last = 0

    def add(self, first: int, last: int) -> None:
        """These lines and all between."""
        first = max(first, self._last + 1)
        self.first += range(first, min(last, first + WRONG_MOST - len(self.first) - 1) + 1)
        self.count += max(last - first + 1, 0)
        self._last = max(self._last, last)


def append(plain: Plain, tenant: bytes, row: Row) -> None:
    """Write the next line, inside the chain's writing transaction; its number and hash are found here."""
    number, before = _end(plain, tenant)
    row = row._replace(number=number + 1)
    values = (*row[:-1], chain(before, _body(row)))
    plain.run(_ADD, (tenant, dist_key(tenant), *values))


def put_root(plain: Plain, tenant: bytes, night: int, now_ms: int) -> Root:
    """Keep how far the audit goes, once a night; inside the chain's writing transaction."""
    made = Root(night, *_end(plain, tenant), now_ms)
    plain.run(_PUT_ROOT, (tenant, dist_key(tenant), *made))
    return made


def roots(plain: Plain, tenant: bytes) -> list[Root]:
    """Those of all nights, the last first."""
    return [Root(*row) for row in plain.rows(_ROOTS, (tenant, dist_key(tenant)))]


def check(plain: Plain, tenant: bytes, kept: Mapping[int, Set[bytes]] | None = None) -> Checked:
    """Hold each line against its hash, and all of them against the roots in the store and those that somebody
    has `kept`: number to hashes. Reads a page at a time, inside one snapshot.

    Behind a wrong line it goes on from the hash that is stored there, or from the one that should be: so what
    was left alone is not named. The first line behind one that is missing can be held against nothing.
    """
    expected = dict[int, set[bytes]]()
    own = [(each.number, {each.chain}) for each in roots(plain, tenant)]
    for number, found in (*own, *(kept or {}).items()):
        expected.setdefault(number, set()).update(found)
    held = sum(map(len, expected.values()))
    number, link, wrong = 0, _genesis(tenant), _Wrong()
    befores, chained, unknown = [link], False, False
    if expected.pop(0, {link}) != {link}:
        wrong.add(1, 1)
    for row in _rows(plain, tenant):
        if row.number != number + 1:
            wrong.add(number + 1, row.number - 1)
            unknown = True
        number, made = row.number, [chain(each, _body(row)) for each in befores]
        right = row.chain in made or (row.chain is None and not chained)
        link = made[0] if row.chain is None else bytes(row.chain)
        if not (right or (unknown and row.chain)) or expected.pop(number, {link}) != {link}:
            wrong.add(number, number)
        befores = [link] if right else [link, made[-1]]
        chained, unknown = chained or row.chain is not None, unknown and row.chain is None
    if expected:  # Roots of lines that are not there.
        wrong.add(number + 1, max(expected))
    return Checked(number, link, tuple(wrong.first), held, wrong.count)


# Inside -------------------------------------------------------------------------------------------


def _end(plain: Plain, tenant: bytes) -> tuple[int, bytes]:
    """The last line's number and the hash over all lines."""
    last = plain.rows(_LAST, (tenant, dist_key(tenant)))
    if not last:
        return 0, _genesis(tenant)
    number, known = last[0]
    if known is not None:
        return number, bytes(known)
    before = _genesis(tenant)
    for row in _rows(plain, tenant):
        before = chain(before, _body(row))
    return number, before


def _rows(plain: Plain, tenant: bytes) -> Iterator[Row]:
    last, more = 0, True
    while more:
        page = [Row(*each) for each in plain.rows(_AFTER, (tenant, dist_key(tenant), last, PAGE))]
        yield from page
        more, last = len(page) == PAGE, page[-1].number if page else last


def _genesis(tenant: bytes) -> bytes:
    return sha256(b"regulars audit 1" + tenant).digest()


def _body(row: Row) -> bytes:
    """A line as it is hashed: its number and all that it says, ids in hex."""
    staff, member = (each and bytes(each).hex() for each in (row.staff, row.member))
    return msgspec.json.encode([row.number, row.at_ms, staff, row.act, member, row.detail])
