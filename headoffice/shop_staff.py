"""Who works in a chain's stores: head office says who, where and as what; each till gets its own list.

A till tells who works there, from before it joined too; such people are its own until somebody of head office
takes them over. Nobody is ever deleted. All of this happens inside the writer's transaction, but for the
reading. What a till gets is in app/protocol/shop_staff.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, Literal, NamedTuple

from app.domain.rights import ROLES
from app.protocol.packing import Packing
from app.protocol.references import REFERENCE_BUCKET, key_for
from app.protocol.shop_staff import (
    CODE_DIGITS,
    CODE_GOOD_MS,
    SALT_BYTES,
    STAFF,
    FirstCode,
    ShopPerson,
    StaffRequest,
    WorksHere,
    at_till,
    is_initials,
    staff_body,
    stretched,
)
from app.protocol.store import Store
from app.protocol.wire import ReferenceRow
from headoffice.console.staff import Staff
from headoffice.directory import KnownTill

NAME_MOST: Final = 80
Why = Literal["initials", "taken", "name", "role", "stores", "last_manager", "there", "gone"]


class Cannot(Exception):
    """What head office asked for is not done. `till`: where."""

    def __init__(self, why: Why, till: str = "") -> None:
        super().__init__(why)
        self.why: Why = why
        self.till = till


class Code(NamedTuple):
    """A person's newest first code, as much as is kept of it."""

    number: int
    salt: bytes
    stretched: bytes
    until_ms: int


class Person(NamedTuple):
    """Somebody of the chain's stores. `at`: the tills that have them, and their id there."""

    id: bytes
    initials: str
    name: str
    role: str
    active: bool
    stores: tuple[bytes, ...]
    at: tuple[tuple[bytes, bytes], ...] = ()
    code: Code | None = None

    @property
    def mark(self) -> str:
        """Another one with each change that a form is about: it says by it what its reader saw."""
        return sha256(repr((self.name, self.role, self.stores)).encode()).hexdigest()[:32]


class Stranger(NamedTuple):
    """Somebody of tills' own. `at`: (device, id there) of all who are the same in all that is said here."""

    initials: str
    name: str
    role: str
    active: bool
    at: tuple[tuple[bytes, bytes], ...]

    @property
    def mark(self) -> str:
        """What a form calls them: another one with each change, as of a Person."""
        return sha256(repr(tuple(self)).encode()).hexdigest()[:32]


class Made(NamedTuple):
    """A new first code, to be shown once, and what is kept of it. It takes time: not in a transaction."""

    code: str
    salt: bytes
    stretched: bytes


_PERSON: Final = Packing[Person](Person)
_PEOPLE: Final = Packing[tuple[WorksHere, ...]](tuple[WorksHere, ...])
_ALL: Final = "SELECT body FROM shop_person WHERE tenant_id = ? AND dist_key = ? ORDER BY person_id"
_PUT: Final = """
INSERT INTO shop_person (tenant_id, dist_key, person_id, body) VALUES (?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, person_id) DO UPDATE SET body = excluded.body
"""
_TOLD: Final = "SELECT device_id, body FROM till_staff WHERE tenant_id = ? AND dist_key = ?"
_TOLD_AT: Final = (
    "SELECT epoch, at FROM till_staff WHERE tenant_id = ? AND dist_key = ? AND device_id = ?"
)
_PUT_TOLD: Final = """
INSERT INTO till_staff (tenant_id, dist_key, device_id, epoch, at, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, device_id)
    DO UPDATE SET epoch = excluded.epoch, at = excluded.at, body = excluded.body
"""


def new_code() -> Made:
    """A new first code."""
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    salt = secrets.token_bytes(SALT_BYTES)
    return Made(code, salt, stretched(code, salt))


class ShopStaff:
    """The people of a chain's stores. `tills`: those that were let in. One that is locked has its list for the
    time when it goes on; a lost one never does."""

    def __init__(self, rows: Staff, tills: Iterable[KnownTill]) -> None:
        self._rows = rows
        self._tills = {till.device: till for till in tills if till.standing != "lost"}

    # Reading

    def people(self) -> Sequence[Person]:
        """Everybody whom head office has, by initials."""
        found = [_PERSON.unpack(row[0]) for row in self._rows.rows(_ALL)]
        return sorted(found, key=lambda each: (not each.active, each.initials, each.id))

    def told(self) -> Mapping[bytes, tuple[WorksHere, ...]]:
        """Who works at each till that has told, as it told last."""
        return {device: _PEOPLE.unpack(body) for device, body in self._rows.rows(_TOLD)}

    def strangers(self) -> Sequence[Stranger]:
        """Who works at tills and is not head office's yet, by initials."""
        known = {place for each in self.people() for place in each.at}
        same: dict[tuple[str, str, str, bool], list[tuple[bytes, bytes]]] = {}
        for device, people in sorted(self.told().items()):
            for each in people:
                if device in self._tills and (device, each.id) not in known:
                    same.setdefault(each[1:], []).append((device, each.id))
        return [Stranger(*who, tuple(at)) for who, at in sorted(same.items())]

    # Changing. Each raises Cannot, and then nothing is changed.

    def add(self, store: Store, person: Person, made: Made, now_ms: int) -> None:
        """Somebody new, with their first code."""
        self._check(person)
        self._put(store, None, _with_code(person, made, now_ms), now_ms)

    def change(self, store: Store, person: Person, seen: str, now_ms: int) -> None:
        """Another name, role or other stores of somebody, as who saw `seen` of them typed it."""
        self._check(person)
        before = self._one(person.id)
        if before.mark != seen:
            raise Cannot("gone")
        new = before._replace(name=person.name, role=person.role, stores=person.stores)
        self._put(store, before, new, now_ms)

    def set_active(self, store: Store, person: bytes, now_ms: int, *, active: bool) -> Person:
        """Let somebody go, or in again."""
        before = self._one(person)
        after = before._replace(active=active, code=before.code if active else None)
        self._put(store, before, after, now_ms)
        return after

    def give_code(self, store: Store, person: bytes, made: Made, now_ms: int) -> Person:
        """A new first code; the one before is good no more."""
        before = self._one(person)
        after = _with_code(before, made, now_ms)
        self._put(store, before, after, now_ms)
        return after

    def take_over(self, store: Store, who: Stranger, same_as: bytes | None, now_ms: int) -> Person:
        """Somebody of tills' own is head office's from now on: as somebody new, or as a person whom it has."""
        shops = {self._tills[device].shop for device, _ in who.at}
        if who not in self.strangers():
            raise Cannot("gone")
        if same_as is None:
            new = Person(
                secrets.token_bytes(16), who.initials, who.name, who.role, who.active, tuple(sorted(shops))
            )  # fmt: skip
            self._check(new, theirs=who.at)
            before = None
        else:
            before = new = self._one(same_as)
            self._check_same(new, who)
            new = new._replace(stores=tuple(sorted({*new.stores, *shops})))
        after = new._replace(at=tuple(sorted({*new.at, *who.at})))
        self._put(store, before, after, now_ms)
        return after

    def take_told(self, store: Store, request: StaffRequest, now_ms: int) -> None:
        """A till has told who works there; what came out of order is old."""
        last = self._rows.rows(_TOLD_AT, request.device)
        if last and tuple(last[0]) > (request.epoch, request.at):
            return
        people = _PEOPLE.pack(request.people)
        self._rows.run(_PUT_TOLD, request.device, request.epoch, request.at, people)
        if request.device in self._tills:
            self._publish(store, self.people(), [request.device], now_ms)

    # Inside

    def _one(self, person: bytes) -> Person:
        found = next((each for each in self.people() if each.id == person), None)
        if found is None:
            raise Cannot("gone")
        return found

    def _check(self, person: Person, theirs: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """What was typed; and initials are given out once in a store, whoever had them."""
        if not is_initials(person.initials):
            raise Cannot("initials")
        if not person.name or len(person.name) > NAME_MOST:
            raise Cannot("name")
        if person.role not in ROLES:
            raise Cannot("role")
        if not person.stores:
            raise Cannot("stores")
        for other in self.people():
            shared = {self._shop(device) for device, _ in other.at} | set(other.stores)
            same = other.id != person.id and other.initials == person.initials
            if same and shared & set(person.stores):
                raise Cannot("taken")
        known = {place for each in self.people() if each.id == person.id for place in each.at}
        for device, people in self.told().items():
            if self._shop(device) in person.stores:
                self._check_free(device, people, person.initials, known | set(theirs))

    def _check_free(
        self,
        device: bytes,
        people: tuple[WorksHere, ...],
        initials: str,
        theirs: set[tuple[bytes, bytes]],
    ) -> None:
        for each in people:
            if each.initials == initials and (device, each.id) not in theirs:
                raise Cannot("taken", self._tills[device].name)

    def _check_same(self, person: Person, who: Stranger) -> None:
        told = self.told()
        for device, local in who.at:
            if device in dict(person.at):
                raise Cannot("there", self._tills[device].name)
            self._check_free(device, told[device], person.initials, {(device, local)})

    def _shop(self, device: bytes) -> bytes:
        till = self._tills.get(device)
        return b"" if till is None else till.shop

    def _put(self, store: Store, before: Person | None, after: Person, now_ms: int) -> None:
        people = self.people()
        others = [each for each in people if each.id != after.id]
        shops = {*after.stores, *(() if before is None else before.stores)}
        touched = [
            till.device
            for till in self._tills.values()
            if till.shop in shops or till.device in dict(after.at)
        ]
        told = self.told()
        for device in touched:
            here = told.get(device, ())
            if self._managers(people, device, here) and not self._managers(
                [*others, after], device, here
            ):
                raise Cannot("last_manager", self._tills[device].name)
        self._keep(after)
        self._publish(store, [*others, after], touched, now_ms)

    def _managers(self, people: Iterable[Person], device: bytes, told: Sequence[WorksHere]) -> bool:
        """Whether a till would have a manager who may sign in."""
        listed = self._listed(people, device, told, 0)
        theirs = {each.id for each in listed}
        return any(each.active and each.role == "manager" for each in listed) or any(
            each.active and each.role == "manager" for each in told if each.id not in theirs
        )

    def _listed(
        self, people: Iterable[Person], device: bytes, told: Sequence[WorksHere], now_ms: int
    ) -> list[ShopPerson]:
        """Whom a till has of head office. Somebody new whose initials are somebody's of the till's own waits
        until those are taken over."""
        shop, taken = self._tills[device].shop, {each.initials for each in told}
        found = list[ShopPerson]()
        for each in people:
            local = dict(each.at).get(device)
            active = each.active and shop in each.stores
            if local is None and (not active or each.initials in taken):
                continue
            found.append(
                ShopPerson(
                    local or each.id, each.initials, each.name, each.role, active,
                    _code_at(each.code, device, now_ms) if active else None,
                )
            )  # fmt: skip
        return sorted(found)

    def _publish(
        self, store: Store, people: Sequence[Person], devices: Iterable[bytes], now_ms: int
    ) -> None:
        """Give tills their lists, where they are others now. A till that never told who works there gets none:
        it is of an older version, or has yet to tell."""
        told = self.told()
        here: dict[bytes, set[tuple[bytes, bytes]]] = {}
        for device in devices:
            if device not in told:
                continue
            listed = self._listed(people, device, told[device], now_ms)
            ids = {each.id for each in listed}
            for person in people:
                if person.id in ids and device not in dict(person.at):
                    here.setdefault(person.id, set()).add((device, person.id))
            self._put_set(store, device, listed)
        for person in people:
            if person.id in here:
                self._keep(person._replace(at=tuple(sorted({*person.at, *here[person.id]}))))

    def _put_set(self, store: Store, device: bytes, listed: list[ShopPerson]) -> None:
        key = key_for(STAFF, device)
        known = store.reference(key)
        body = staff_body(tuple(listed))
        if (known is None and not listed) or (known is not None and known.body == body):
            return
        version = 1 if known is None else known.version + 1
        store.put_reference(ReferenceRow(key, REFERENCE_BUCKET, 0, version, body))

    def _keep(self, person: Person) -> None:
        self._rows.run(_PUT, person.id, _PERSON.pack(person))


def _with_code(person: Person, made: Made, now_ms: int) -> Person:
    number = 1 if person.code is None else person.code.number + 1
    code = Code(number, made.salt, made.stretched, now_ms + CODE_GOOD_MS)
    return person._replace(code=code)


def _code_at(code: Code | None, device: bytes, now_ms: int) -> FirstCode | None:
    if code is None or code.until_ms <= now_ms:
        return None
    return FirstCode(code.number, code.salt, at_till(code.stretched, device), code.until_ms)
