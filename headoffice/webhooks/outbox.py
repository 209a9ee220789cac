"""Who wants to hear of what, and what they have yet to hear: rows that are written with the change itself.

So nothing is lost, and what is sent may come twice. A message names ids alone: who gets it asks the API. The
messages about one member go one after the other; those about others may overtake them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from app.domain.entries import POINTS
from app.protocol.store import Member
from headoffice.store import outbox_statements as sql
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain
from headoffice.store.records import Records

KINDS: Final = (
    "member.enrolled",
    "member.changed",
    "member.merged",
    "member.erased",
    "points.changed",
    "tier.changed",
    "alarm.raised",
    "alarm.cleared",
    "audit.root",
)
"""What may be heard of."""
ALARMS: Final = frozenset({"alarm.raised", "alarm.cleared"})
MAIL: Final = bytes(16)
"""In the place of a webhook: what goes out as e-mail."""
GIVEN_UP_MS: Final = 24 * 3_600_000
"""A message that was not delivered for so long is parked: kept, shown, and not tried again by itself."""
KEPT_MS: Final = 30 * 24 * 3_600_000
"""So long a parked one is kept."""


PORTION: Final = 500
"""So many messages are forgotten, parked or taken up again in one transaction: others wait for it."""


class Webhook(NamedTuple):
    """A receiver of one chain. secret_number: which secret signs; the one before does so too for a day after
    `rotated_ms`."""

    tenant: bytes
    id: bytes
    url: str
    kinds: frozenset[str]
    secret_number: int
    rotated_ms: int
    made_ms: int


class Message(NamedTuple):
    """What a receiver has yet to hear. `last`: how the last try went, a code."""

    number: int
    id: str
    kind: str
    member: bytes | None
    body: bytes
    at_ms: int
    tries: int
    due_ms: int
    last: str
    parked_ms: int | None = None


class Fact(NamedTuple):
    """Something that happened."""

    kind: str
    member: bytes | None = None
    facts: Mapping[str, object] = {}


class Outbox:
    """One chain's webhooks and messages, inside a transaction."""

    def __init__(self, plain: Plain, tenant: bytes) -> None:
        self._plain = plain
        self._own = (tenant, dist_key(tenant))

    def webhooks(self) -> list[Webhook]:
        """All, the oldest first."""
        found = list[Webhook]()
        for tenant, hook, url, kinds, *numbers in self._plain.rows(sql.WEBHOOKS, self._own):
            found.append(Webhook(tenant, hook, url, frozenset(kinds.split()), *numbers))
        return found

    def put(self, hook: Webhook) -> None:
        """Keep a new one, or another secret of a known one."""
        kinds = " ".join(sorted(hook.kinds))
        self._plain.run(sql.PUT, (*self._own, hook.id, hook.url, kinds, *hook[4:]))

    def end(self, hook: bytes) -> bool:
        """Tell it nothing any more: forget a portion of its messages, and with the last one the receiver.
        False: there is more to forget."""
        key = (*self._own, hook)
        if self._plain.run(sql.FORGET, (*key, *key, PORTION)) == PORTION:
            return False
        self._plain.run(sql.END, key)
        return True

    # Messages

    def tell(
        self, wanted: Mapping[bytes, frozenset[str]], facts: Sequence[Fact], now_ms: int
    ) -> int:
        """Write down what each receiver is to hear, `wanted` being their kinds; returns how many messages."""
        told = 0
        for hook, kinds in wanted.items():
            own = [fact for fact in facts if fact.kind in kinds]
            if not own:
                continue
            last: int = self._plain.rows(sql.LAST, (*self._own, hook))[0][0]
            rows = [
                (
                    *self._own, hook, number, f"msg_{secrets.token_hex(12)}", fact.kind, fact.member,
                    _body(fact, now_ms), now_ms, 0, now_ms, "",
                )
                for number, fact in enumerate(own, last + 1)
            ]  # fmt: skip
            self._plain.run_many(sql.ADD, rows)
            told += len(own)
        return told

    def next(self, hook: bytes, now_ms: int) -> Message | None:
        """The message that is to be tried now."""
        rows = self._plain.rows(sql.NEXT, (*self._own, hook, now_ms))
        return Message(*rows[0]) if rows else None

    def delivered(self, hook: bytes, message: Message) -> None:
        """The receiver has it."""
        self._plain.run(sql.DELIVERED, (*self._own, hook, message.number, message.id))

    def failed(self, hook: bytes, message: Message, why: str, now_ms: int, due_ms: int) -> bool:
        """It has not. True: it was tried for a day and is parked now."""
        parked = now_ms - message.at_ms >= GIVEN_UP_MS
        values = (
            due_ms,
            why,
            now_ms if parked else None,
            *self._own,
            hook,
            message.number,
            message.id,
        )
        if self._plain.run(sql.FAILED, values) and parked:
            # Who hears nothing for a day has others that are as old: one try for each of them would never end.
            key = (*self._own, hook)
            old = (*key, *key, now_ms - GIVEN_UP_MS, PORTION)
            self._plain.run(sql.PARK, (why, now_ms, *old))
            self._plain.run(sql.DROP, (*key, *key, now_ms - KEPT_MS, PORTION))
        return parked

    def parked(self, hook: bytes, after: int, most: int) -> list[Message]:
        """Messages that were given up, the oldest first."""
        rows = self._plain.rows(sql.PARKED, (*self._own, hook, after, most))
        return [Message(*row) for row in rows]

    def again(self, hook: bytes, now_ms: int) -> int:
        """Try a portion of the parked ones for another day; returns how many. Below PORTION: that was all."""
        key = (*self._own, hook)
        return self._plain.run(sql.AGAIN, (now_ms, now_ms, *key, *key, PORTION))

    def waiting(self, hook: bytes) -> int:
        """How many it has yet to hear."""
        count: int = self._plain.rows(sql.WAITING, (*self._own, hook))[0][0]
        return count


def facts_of(records: Records) -> list[Fact]:
    """What a transaction that is about to end has done to members."""
    found = list[Fact]()
    for before, after, assets in records.changed_members():
        found += [Fact(kind, after.id) for kind in _kinds(before, after, assets)]
    return found


def _kinds(before: Member | None, after: Member, assets: frozenset[str]) -> Iterable[str]:
    if after.erased:
        if before is None or not before.erased:
            yield "member.erased"
        return
    if before is None:
        yield "member.enrolled"
    elif before.alias != after.alias:
        yield "member.merged"
    elif before.cells != after.cells:
        yield "member.changed"
    if POINTS in assets:
        yield "points.changed"
    was = before.state.standing if before else None
    if was != after.state.standing:
        yield "tier.changed"


def _body(fact: Fact, now_ms: int) -> bytes:
    named = {"member": fact.member.hex()} if fact.member else {}
    return msgspec.json.encode(
        {"type": fact.kind, "timestamp_ms": now_ms, "data": {**named, **fact.facts}}
    )
