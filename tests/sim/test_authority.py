"""Holds, grants, own rights and merges, each rule where the swarm would meet it rarely or not at all."""

from __future__ import annotations

import pytest

from app.domain.entries import POINTS, SALES, SPEND, TIER, USE, Entry, EntryId
from app.protocol import wire
from app.protocol.facts import LOCAL, OVERRIDE, Facts, Posting
from app.protocol.store import Tenant
from app.protocol.wire import Refusal
from tests.sim import machine as machines
from tests.sim.machine import Machine
from tests.sim.settings import DAY
from tests.sim.small_chain import ANNA, BELA, NOON, TODAY, SmallChain


def bound(tenant: Tenant) -> int:
    return tenant.overdrawn + tenant.left - tenant.budget - tenant.lost - tenant.written_off


def lose_database_twice(chain: SmallChain, at: Machine) -> None:
    """A till with a grant spends it; its database comes back from a backup, and again, without the journal
    file both times."""
    chain.earn(at, ANNA, 10)
    chain.sync()
    at.save()
    chain.spend(at, ANNA, 9, chain.right(at, ANNA, 9))
    chain.sync()
    for _ in range(2):
        at.restore_database()
        at.file.clear()
        at.start(TODAY)


def test_a_database_behind_its_side_file_has_no_rights_however_often_it_is_restored() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    lose_database_twice(chain, at)
    assert chain.right(at, ANNA, 9) is None
    chain.sync()
    assert chain.tenant.lost == 0
    assert chain.points(ANNA) == 1


def test_a_side_file_that_may_sink_would_give_the_rights_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The planted twin of the test above: what it would miss without a side file that only rises."""
    monkeypatch.setattr(machines, "raised", lambda side, to: to)
    chain = SmallChain()
    at = chain.tills[0]
    lose_database_twice(chain, at)
    right = chain.right(at, ANNA, 9)
    assert right is not None
    chain.spend(at, ANNA, 9, right)
    chain.sync()
    assert chain.points(ANNA) == -8


def test_a_hold_that_was_voided_first_can_not_reserve_when_its_request_comes_late() -> None:
    chain = SmallChain()
    at, other = chain.tills
    chain.earn(at, ANNA, 10)
    chain.sync()
    late = at.till.ask_hold(ANNA, POINTS, 10, TODAY, chain.rng)
    assert late is not None
    at.till.void_hold(late.hold, TODAY, chain.rng)
    at.write_file()
    chain.sync()
    reply = chain.serve(late)
    assert isinstance(reply, wire.HoldReply)
    assert not reply.granted
    assert not chain.member(ANNA).reserved
    assert chain.hold(other, ANNA, 10) is not None


def test_a_hold_takes_no_pending_points_and_no_more_than_is_left_of_the_good_ones() -> None:
    chain = SmallChain()
    at, other = chain.tills
    chain.earn(at, ANNA, 10)
    chain.earn(at, ANNA, 50, pending=3)
    chain.sync()
    assert chain.hold(at, ANNA, 11) is None
    assert chain.hold(at, ANNA, 6) is not None
    assert chain.hold(other, ANNA, 5) is None
    assert chain.hold(other, ANNA, 4) is not None


def test_a_capture_frees_what_it_does_not_use() -> None:
    chain = SmallChain()
    at, other = chain.tills
    chain.earn(at, ANNA, 10)
    chain.sync()
    held = chain.hold(at, ANNA, 10)
    chain.spend(at, ANNA, 3, held)
    chain.sync()
    assert (chain.points(ANNA), chain.tenant.lost) == (7, 0)
    assert chain.hold(other, ANNA, 7) is not None


def test_an_offline_spend_lowers_the_grant_and_overdraws_within_the_budget() -> None:
    chain = SmallChain(budget=100)
    at, other = chain.tills
    chain.earn(at, ANNA, 40)
    chain.sync()
    assert chain.tenant.left == 100
    for till in (at, other):
        chain.spend(till, ANNA, 40, chain.right(till, ANNA, 40))
    chain.sync()
    tenant = chain.tenant
    assert (chain.points(ANNA), tenant.overdrawn, tenant.lost) == (-40, 40, 0)
    assert bound(tenant) <= 0
    chain.earn(at, ANNA, 50)
    chain.sync()
    assert chain.tenant.overdrawn == 0


def test_no_budget_no_offline_spend_and_no_overdraft() -> None:
    chain = SmallChain(budget=0)
    at, _ = chain.tills
    chain.earn(at, ANNA, 40)
    chain.sync()
    assert chain.right(at, ANNA, 1) is None
    assert at.store.control().grant is None


def test_a_lease_is_not_longer_by_turning_the_clock_back() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 40)
    chain.sync()
    chain.now_ms += 2 * DAY
    at.till.set_cell(ANNA, "name", "A", chain.now_ms)
    chain.now_ms -= 2 * DAY
    assert chain.right(at, ANNA, 1) is None


def test_stored_value_is_spent_by_own_rights_and_they_are_given_up_when_head_office_knows() -> None:
    chain = SmallChain(budget=0)
    at, other = chain.tills
    chain.earn(at, ANNA, 30, asset="value_principal", by=LOCAL)
    chain.serve(chain.ask(at))  # the answer is lost: the right stays
    assert sum(chain.member(ANNA).reserved.values()) == 30
    chain.sync()
    assert not chain.member(ANNA).reserved
    assert not at.store.control().rights
    request = other.till.ask_hold(ANNA, "value_principal", 30, TODAY, chain.rng)
    assert request is not None
    reply = chain.serve(request)
    assert isinstance(reply, wire.HoldReply)
    assert reply.granted


def test_an_override_has_a_budget_of_its_own() -> None:
    chain = SmallChain(budget=0)
    at = chain.tills[0]
    chain.spend(at, ANNA, 7, OVERRIDE)
    chain.sync()
    tenant = chain.tenant
    assert (tenant.overdrawn, tenant.written_off, tenant.lost) == (7, 7, 0)


def test_what_a_lost_till_held_is_written_off_and_nobody_hears_it_any_more() -> None:
    chain = SmallChain(budget=60)
    at, other = chain.tills
    chain.earn(at, ANNA, 40)
    chain.sync(at)
    chain.spend(at, ANNA, 40, chain.right(at, ANNA, 40))
    assert chain.server.write_off(at.device) == 60
    assert chain.tenant.written_off == 60
    reply = chain.serve(chain.ask(at))
    assert reply == Refusal(reply.rid, "revoked")
    chain.hear(at, reply)
    assert at.store.control().revoked
    assert at.store.top() > 0, "its journal stays, for a supervised upload"
    chain.sync(other)
    assert chain.tenant.left == 60, "the room is free for the others"


def test_a_merge_waits_for_holds_and_moves_a_spend_debt_without_winning_budget() -> None:
    chain = SmallChain(budget=100)
    at, other = chain.tills
    chain.earn(at, ANNA, 30)
    chain.earn(at, BELA, 5)
    chain.sync()
    held = chain.hold(at, ANNA, 10)
    assert held is not None
    assert not chain.server.merge(ANNA, BELA, NOON)
    at.till.void_hold(held.id, TODAY, chain.rng)
    at.write_file()
    for till in (at, other):
        chain.spend(till, ANNA, 30, chain.right(till, ANNA, 30))
    chain.sync()
    assert chain.tenant.overdrawn == 30
    assert chain.server.merge(ANNA, BELA, NOON)
    assert chain.tenant.overdrawn == 25
    assert chain.points(BELA) == -25
    late = chain.earn(other, ANNA, 10)
    chain.sync()
    assert chain.points(BELA) == -15
    assert chain.shown(at, ANNA) == chain.shown(other, BELA) == -15
    assert late.id not in {entry.id.event for entry in chain.store.ledger(BELA)}


def test_a_merge_takes_days_benefits_and_the_higher_tier_along() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    event, on = b"v" * 16, TODAY.plus(-3)
    figures = (
        Entry(EntryId(event, 0), SPEND, "measure", 4000, on, on.plus(2)),
        Entry(EntryId(event, 1), SALES, "measure", 1, on, on.plus(2)),
        Entry(EntryId(event, 2), USE + "birthday", "measure", 1, on, expires=on),
        Entry(EntryId(event, 3), TIER, "upgrade", 2, on, on, on.plus(300)),
        Entry(EntryId(event, 4), POINTS, "earn", 9, on, on, on.plus(90)),
    )
    chain.write(at, Facts(event, "sale", ANNA, on, tuple(map(Posting, figures))))
    chain.earn(at, BELA, 1)
    chain.sync()
    before = chain.member(ANNA).state
    assert chain.server.merge(ANNA, BELA, NOON)
    after = chain.member(BELA).state
    assert after.day(on) == before.day(on)
    assert after.times_used("birthday", on.year) == 1
    assert after.standing is not None
    assert (after.standing.rank, after.standing.until) == (2, on.plus(300))
    assert chain.member(ANNA).state.day(on).spend == 0
    assert chain.points(BELA) == 10
    assert not chain.server.merge(ANNA, BELA, NOON), "asked twice"
