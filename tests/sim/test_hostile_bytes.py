"""Bytes from the network that nobody of ours wrote: answered or refused whole, never half applied (R11)."""

from __future__ import annotations

import random

import msgspec
import pytest

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS
from app.protocol import endpoints, wire
from app.protocol.endpoints import Problem
from app.protocol.facts import NotReadable, read, write
from app.protocol.wire import NotAMessage
from tests.sim.hostile import MEMORY_KIB, ask_spoilt, requests, spoilt
from tests.sim.small_chain import ANNA, SmallChain
from tests.sim.test_protocol_parts import full_facts

TIMES = 1500


def test_spoilt_requests_are_refused_or_answered_and_break_no_sum() -> None:
    told = ask_spoilt(TIMES, 11)
    assert told["asked"] == TIMES
    assert told["answered"] > TIMES // 10, "most bytes may be refused, but not all"
    assert told["no message"]
    assert told["taken in"]
    assert told["quarantined"]
    assert told["peak KiB"] < MEMORY_KIB


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_a_message_nested_beyond_all_bounds_is_refused(depth: int) -> None:
    chain = SmallChain()
    request = chain.ask(chain.tills[0])
    reply = chain.serve(request)
    unknown = msgspec.msgpack.encode("zz") + b"\x91" * depth + b"\xc0"
    for body, read_as in (
        (wire.to_bytes(request), wire.request_of),
        (wire.to_bytes(reply), wire.reply_of),
        (endpoints.to_bytes(Problem("busy", 0)), lambda body: endpoints.message_of(body, Problem)),
    ):
        assert 0x80 <= body[0] < 0x8F, "a short map"
        with pytest.raises(NotAMessage):
            read_as(bytes([body[0] + 1]) + body[1:] + unknown)


def test_spoilt_replies_are_refused_or_give_a_reply() -> None:
    rng = random.Random(12)
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 30)
    bodies = [wire.to_bytes(chain.serve(each)) for each in requests(chain, at)]
    for number in range(TIMES):
        try:
            wire.to_bytes(wire.reply_of(spoilt(bodies[number % len(bodies)], rng)))
        except NotAMessage:
            continue


def test_spoilt_events_are_read_whole_or_not_at_all() -> None:
    rng = random.Random(13)
    body = write(full_facts())
    for _ in range(TIMES):
        try:
            facts = read(spoilt(body, rng))
        except NotReadable:
            continue
        assert read(write(facts)) == facts


def test_an_epoch_or_number_beyond_all_bounds_is_no_message_or_does_no_harm() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    for epoch in ((1 << 63) - 1, -(1 << 63)):
        request = wire.RebaseRequest(
            b"r", at.device, epoch, epoch.to_bytes(9, "big", signed=True), ()
        )
        reply = chain.serve(wire.request_of(wire.to_bytes(request)))
        assert isinstance(reply, wire.RebaseReply)
        assert reply.epoch < 1 << 32
    with pytest.raises(NotAMessage):
        wire.request_of(wire.to_bytes(wire.RebaseRequest(b"r", at.device, 1 << 63, b"n", ())))
    far = wire.HoldRequest(b"r", at.device, 1, 1, b"h", ANNA, POINTS, 1, BusinessDate(1 << 40))
    with pytest.raises(NotAMessage):
        wire.request_of(wire.to_bytes(far))


@pytest.mark.parametrize("value", [1 << 63, 1 << 70, -(1 << 70)])
def test_numbers_out_of_all_bounds_are_not_readable(value: int) -> None:
    body = write(full_facts())
    for number in (b"-5,", b",7,", b"20000", b"[[0,3]", b'"points",4]'):
        huge = number.replace(b"5", b"%d" % abs(value), 1) if number == b"-5," else None
        changed = body.replace(number, huge or b"%d," % value, 1)
        with pytest.raises(NotReadable):
            read(changed)
