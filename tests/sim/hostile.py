"""What nobody of ours wrote: requests that are spoilt byte by byte, and messages that mean harm."""

from __future__ import annotations

import math
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from app.domain.entries import POINTS
from app.domain.fold import fold
from app.domain.state import EMPTY
from app.protocol import wire
from app.protocol.facts import LOCAL, NotReadable, read
from app.protocol.wire import NotAMessage, Request, SyncReply, SyncRequest
from tests.sim.machine import Machine
from tests.sim.small_chain import ANNA, BELA, NOON, TODAY, SmallChain

MEMORY_KIB: Final = 50 * 1024
"""More than this no request may take (R11)."""
_SURROGATE: Final = "~lone surrogate~"
_HARM: Final[tuple[Any, ...]] = (
    math.nan, math.inf, -1.5, 1 << 62, -(1 << 63), (1 << 64) - 1, "", "\x00", _SURROGATE, "x" * 70_000, b"",
    None, True, [], {}, [[[[]]]],
)  # fmt: skip
_JSON: Final = (
    b"NaN", b"1e999", b"-0", b"1.5", b"99999999999999999999999999", b'"\\ud800"', b'"\\u0000"', b"null", b"[]",
    b'{"zz":1}', b"[" * 1_000 + b"]" * 1_000,
)  # fmt: skip


def spoilt(body: bytes, rng: random.Random) -> bytes:
    """The bytes with something changed, cut, doubled or put in."""
    cut = rng.randrange(len(body) + 1)
    what = rng.randrange(6)
    if what == 0:
        return body[:cut]
    if what == 1:
        return body[:cut] + rng.randbytes(rng.randint(1, 4)) + body[cut:]
    if what == 2:
        return body[:cut] + body[max(cut - 9, 0) :]
    if what == 3:
        return body[:cut] + bytes([rng.choice([0x00, 0xC0, 0xCF, 0xD3, 0xFF])]) + body[cut + 1 :]
    if what == 4:
        return body + body[:cut]
    return body[:cut] + bytes([(body[cut] + 1) % 256 if cut < len(body) else 0]) + body[cut + 1 :]


def twisted(body: bytes, rng: random.Random) -> bytes:
    """A message whose parts are others: values of any kind and size, fields that are not known or not there,
    lists turned round or doubled; or an event in it, whose own values are."""
    message = msgspec.msgpack.decode(body)
    events = message.get("events") if isinstance(message, dict) else None
    if events and rng.random() < 0.4:
        number = rng.randrange(len(events))
        events[number] = _other_event(events[number], rng)
    else:
        _twist(message, rng)
    return _with_surrogates(msgspec.msgpack.encode(message))


def _other_event(event: bytes, rng: random.Random) -> bytes:
    """One value of the JSON is another."""
    if rng.random() < 0.3:
        return spoilt(event, rng)
    starts = [at + 1 for at, byte in enumerate(event) if byte in b":,["]
    start = rng.choice(starts)
    end = next((at for at in range(start, len(event)) if event[at] in b",]}"), len(event))
    return event[:start] + rng.choice(_JSON) + event[end:]


def _twist(within: Any, rng: random.Random) -> None:
    """Change something in a list or map, or in one of those in it."""
    inner = [each for each in _values(within) if isinstance(each, dict | list) and each]
    if inner and rng.random() < 0.6:
        _twist(rng.choice(inner), rng)
    elif isinstance(within, dict):
        key = rng.choice(list(within))
        if rng.random() < 0.2:
            within["zz"] = rng.choice(_HARM)
        elif rng.random() < 0.2:
            del within[key]
        else:
            within[key] = rng.choice(_HARM)
    elif rng.random() < 0.3:
        within.reverse()
    elif rng.random() < 0.3:
        within.append(rng.choice(within))
    else:
        within[rng.randrange(len(within))] = rng.choice(_HARM)


def _values(within: Any) -> list[Any]:
    return list(within.values() if isinstance(within, dict) else within)


def _with_surrogates(body: bytes) -> bytes:
    """Text that no encoder writes: half a pair, in as many bytes."""
    plain = _SURROGATE.encode()
    return body.replace(plain, b"\xed\xa0\x80".ljust(len(plain), b"x"))


def requests(chain: SmallChain, at: Machine) -> Iterator[Request]:
    """One of each kind that a till may send."""
    at.till.set_cell(ANNA, "name", "Anna", NOON)
    chain.earn(at, ANNA, 5, asset="value_principal", by=LOCAL)
    sale = chain.earn(at, BELA, 9, lines=2)
    yield chain.ask(at)
    chain.sync()
    yield chain.ask(at)
    for asked in (
        at.till.ask_hold(ANNA, POINTS, 5, TODAY, chain.rng),
        at.till.ask_return(sale.id, ((0, 1),), TODAY, chain.rng),
    ):
        assert asked is not None
        yield asked
    yield wire.SnapshotRequest(b"r", at.device, chain.tenant.timeline, "all", 0, 0)
    at.till.start(chain.rng, behind=True)
    yield chain.ask(at)


def check(chain: SmallChain) -> None:
    """Sums and the bound hold, whatever was taken."""
    tenant, overdrawn = chain.tenant, 0
    for member_id in chain.store.members():
        member = chain.member(member_id)
        assert fold(EMPTY, chain.store.ledger(member_id)) == member.state
        overdrawn += sum(account.overdrawn for account in member.accounts.values())
    assert overdrawn == tenant.overdrawn
    assert overdrawn + tenant.left <= tenant.budget + tenant.lost + tenant.written_off


def ask_spoilt(times: int, seed: int) -> Counter[str]:
    """Ask head office so often by requests that are spoilt or twisted, each on a store of its own. Each is
    refused whole or taken in whole: all its events have their place, and those that nobody can read wait in
    quarantine under an id. Raises AssertionError, or whatever the code under test raises; what happened, and
    the KiB that it took at most."""
    rng = random.Random(seed)
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 30)
    bodies = [(wire.to_bytes(each), chain.store.copy()) for each in requests(chain, at)]
    ways: tuple[Callable[[bytes, random.Random], bytes], ...] = (spoilt, twisted)
    told: Counter[str] = Counter()
    tracemalloc.start()
    try:
        for number in range(times):
            body, store = bodies[number % len(bodies)]
            chain.server = type(chain.server)(store.copy(), chain.server.limits)
            told["asked"] += 1
            told.update(_asked(chain, rng.choice(ways)(body, rng)))
        told["peak KiB"] = tracemalloc.get_traced_memory()[1] // 1024
    finally:
        tracemalloc.stop()
    return told


def _asked(chain: SmallChain, body: bytes) -> Iterator[str]:
    """One of them; what came of it, in words."""
    try:
        request = wire.request_of(body)
    except NotAMessage:
        yield "no message"
        return
    device = chain.store.device(request.device)
    reply = chain.serve(request)
    wire.to_bytes(reply)
    check(chain)
    yield "answered"
    if device is None or not isinstance(request, SyncRequest):
        return
    after = chain.store.device(request.device)
    assert after is not None
    if not isinstance(reply, SyncReply):
        assert after.place == device.place, "refused whole"
        return
    assert after.place.seq == max(device.place.seq, request.acked.seq + len(request.events))
    yield "taken in"
    for seq, event in enumerate(request.events, request.acked.seq + 1):
        link = chain.store.link(device.id, device.place.epoch, seq)
        assert link is not None
        kept = chain.store.event(link.event)
        assert kept is not None
        assert kept.body == event
        try:
            read(event)
        except NotReadable:
            assert kept.standing == "quarantined"
            yield "quarantined"
