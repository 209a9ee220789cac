"""A lost till's outbox that is brought after all: posted once, covered by the write-off, nothing reserved."""

from __future__ import annotations

from app.domain.entries import Entry, EntryId
from app.protocol.facts import LOCAL, Authority, Facts, Posting
from app.protocol.late import Late
from tests.sim.machine import Machine
from tests.sim.small_chain import ANNA, BELA, NOON, SmallChain

VALUE = "value_principal"


def figures(chain: SmallChain) -> tuple[int, int, int]:
    """D, W and F."""
    tenant = chain.tenant
    return tenant.overdrawn, tenant.written_off, tenant.lost


def bring(chain: SmallChain, at: Machine) -> Late:
    """Its journal file, twice: the second time changes nothing."""
    found = chain.server.take_late(at.device, at.file, NOON)
    after = figures(chain), chain.points(ANNA)
    again = chain.server.take_late(at.device, at.file, NOON)
    assert (again.new, figures(chain), chain.points(ANNA)) == (0, *after)
    assert not list(chain.store.members_reserved_for(at.device))
    return found


def test_what_it_spent_by_its_grant_is_covered_by_the_write_off() -> None:
    chain = SmallChain(budget=60)
    at, other = chain.tills
    chain.earn(at, ANNA, 40)
    chain.sync()
    chain.spend(at, ANNA, 40, chain.right(at, ANNA, 40))
    assert chain.server.write_off(at.device) == 60
    chain.sync(other)
    chain.spend(other, ANNA, 40, chain.right(other, ANNA, 40))
    chain.sync(other)
    assert bring(chain, at).new == 1
    assert figures(chain) == (40, 60, 0), "the same points were spent twice; W had that in it"
    assert chain.tenant.overdrawn + chain.tenant.left <= 60 + 60


def test_what_it_spent_by_its_own_credits_is_covered_too_and_new_credits_are_free() -> None:
    chain = SmallChain(budget=0)
    at = chain.tills[0]
    chain.earn(at, ANNA, 30, asset=VALUE, by=LOCAL)
    chain.serve(chain.ask(at))  # The answer is lost.
    assert chain.member(ANNA).reserved
    spend_value(chain, at, 20)
    chain.earn(at, ANNA, 7, asset=VALUE, by=LOCAL)
    spend_value(chain, at, 5)
    assert chain.server.write_off(at.device) == 30
    assert bring(chain, at).new >= 3
    assert figures(chain) == (0, 30, 0)
    assert chain.member(ANNA).state.balance(VALUE) == 12
    assert chain.member(ANNA).accounts[VALUE].avail == 12


def test_what_it_earned_stays_its_own_until_the_last_portion_says_what_it_spent() -> None:
    chain = SmallChain(budget=0)
    at, other = chain.tills
    chain.earn(other, ANNA, 1)
    chain.sync()
    chain.earn(at, ANNA, 30, by=LOCAL)
    chain.spend(at, ANNA, 20, LOCAL)
    chain.server.write_off(at.device)
    chain.server.take_late(at.device, at.file[:-1], NOON, last=False)
    chain.sync(other)
    assert chain.hold(other, ANNA, 31) is None, "some of it may have been spent"
    assert bring(chain, at).new == 1
    assert figures(chain) == (0, 0, 0)
    assert chain.hold(other, ANNA, 11) is not None


def spend_value(chain: SmallChain, at: Machine, amount: int) -> None:
    event, on = chain.rng.randbytes(16), at.today(NOON)
    entry = Entry(EntryId(event, 0), VALUE, "redeem", -amount, on)
    chain.write(at, Facts(event, "spend", ANNA, on, (Posting(entry, LOCAL),)))


def test_a_hold_that_was_written_off_covers_its_capture_though_the_member_was_merged_since() -> (
    None
):
    chain = SmallChain(budget=0)
    at, other = chain.tills
    chain.earn(at, ANNA, 30)
    chain.earn(other, BELA, 1)
    chain.sync()
    held = chain.hold(at, ANNA, 30)
    assert isinstance(held, Authority)
    chain.spend(at, ANNA, 30, held)
    assert chain.server.write_off(at.device) == 30
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync(other)
    taken = chain.hold(other, BELA, 31)
    chain.spend(other, BELA, 31, taken)
    chain.sync(other)
    assert chain.server.take_late(at.device, at.file, NOON) == Late(2, 1, 0)
    assert figures(chain) == (30, 30, 0)


def test_bytes_that_nobody_can_read_wait_in_quarantine_and_dam_nothing() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 1)
    chain.server.write_off(at.device)
    bodies = [b"odd", *at.file]
    assert chain.server.take_late(at.device, bodies, NOON) == Late(2, 2, 1)
    assert chain.server.take_late(at.device, bodies, NOON) == Late(2, 0, 0)
    assert chain.points(ANNA) == 1


def test_a_hold_that_was_written_off_covers_its_capture_though_two_were_parted_since() -> None:
    """Found by seed 21001720: the hold was of the survivor, the spend is of who was merged."""
    chain = SmallChain(budget=0)
    at, other = chain.tills
    chain.earn(at, ANNA, 30)
    chain.earn(other, BELA, 1)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync()
    held = chain.hold(at, BELA, 30)
    assert isinstance(held, Authority)
    chain.spend(at, ANNA, 30, held)
    assert chain.server.write_off(at.device) == 30
    assert chain.server.unmerge(ANNA, NOON) is not None
    chain.spend(other, ANNA, 30, chain.right(other, ANNA, 30))
    chain.sync(other)
    assert bring(chain, at).new == 1
    assert figures(chain) == (30, 30, 0)


def test_own_credits_that_were_written_off_cover_a_spend_though_two_were_parted_since() -> None:
    """Found by seed 21009108: they were written off as the survivor's."""
    chain = SmallChain(budget=0)
    at, other = chain.tills
    chain.earn(other, ANNA, 1)
    chain.earn(other, BELA, 1)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.earn(at, ANNA, 30, asset=VALUE, by=LOCAL)
    chain.serve(chain.ask(at))  # The answer is lost.
    assert chain.member(BELA).reserved
    spend_value(chain, at, 20)
    assert chain.server.write_off(at.device) == 30
    assert chain.server.unmerge(ANNA, NOON) is not None
    assert bring(chain, at).new >= 1
    assert chain.tenant.lost == 0
