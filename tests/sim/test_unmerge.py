"""A merge that is taken back: each has their own again, and what was spent meanwhile is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.entries import POINTS, SALES, SPEND, TIER, Entry, EntryId
from app.protocol import overlay
from app.protocol.facts import LOCAL, Facts, Posting, write
from app.protocol.holds import void_hold
from app.protocol.unmerging import Parted
from app.protocol.wire import SyncReply
from tests.sim.machine import facts_of
from tests.sim.settings import DAY
from tests.sim.small_chain import ANNA, BELA, NOON, TODAY, SmallChain

CARA = b"cara" * 4


def merged(anna: int = 30, bela: int = 50) -> SmallChain:
    """Anna's record goes on as Bela's; the first till knows it, the second does not yet."""
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, anna, good_for=10)
    chain.earn(at, BELA, bela, good_for=20)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync(at)
    return chain


def test_each_has_their_own_again_everywhere() -> None:
    chain = merged()
    chain.sync()
    assert chain.shown(chain.tills[1], ANNA) == 80
    assert chain.server.unmerge(ANNA, NOON) == (Parted(POINTS, 30, 30),)
    chain.sync()
    assert (chain.points(ANNA), chain.points(BELA)) == (30, 50)
    for at in chain.tills:
        assert (chain.shown(at, ANNA), chain.shown(at, BELA)) == (30, 50)
    dates = [(lot.remaining, lot.expires) for lot in chain.member(ANNA).state.lots]
    assert dates == [(30, TODAY.plus(10))], "good for as long as before"
    assert chain.server.unmerge(ANNA, NOON) is None, "asked twice"
    assert chain.points(BELA) == 50


def test_what_was_spent_meanwhile_is_said_and_not_taken_from_the_other() -> None:
    chain = merged()
    at = chain.tills[0]
    held = chain.hold(at, BELA, 40)  # takes Anna's thirty first, which lapse sooner
    assert chain.server.unmerge(ANNA, NOON) is None, "something is reserved"
    chain.spend(at, BELA, 40, held)
    chain.sync()
    assert chain.server.unmerge(ANNA, NOON) == (Parted(POINTS, 30, 0),)
    assert (chain.points(ANNA), chain.points(BELA)) == (0, 40)


def test_what_came_late_for_the_gone_member_is_theirs_and_what_comes_after_too() -> None:
    chain = merged()
    at, other = chain.tills
    sale = chain.earn(other, ANNA, 7)
    chain.sync()
    known = chain.store.event(sale.id)
    assert known is not None
    assert known.standing == "forwarded"
    assert chain.server.unmerge(ANNA, NOON) == (Parted(POINTS, 37, 37),)
    chain.earn(other, ANNA, 5)  # by a till that has not heard of it
    chain.earn(at, BELA, 1)
    chain.sync()
    assert (chain.points(ANNA), chain.points(BELA)) == (42, 51)
    assert chain.shown(at, ANNA) == chain.shown(other, ANNA) == 42


def test_a_debt_goes_back_with_its_part_of_the_bound() -> None:
    chain = SmallChain(budget=100)
    at, other = chain.tills
    chain.earn(at, ANNA, 30)
    chain.spend(at, BELA, 0, None)
    chain.sync()
    for till in (at, other):
        chain.spend(till, ANNA, 30, chain.right(till, ANNA, 30))
    chain.sync()
    assert chain.server.merge(ANNA, BELA, NOON)
    assert (chain.points(BELA), chain.tenant.overdrawn) == (-30, 30)
    assert chain.server.unmerge(ANNA, NOON) == (Parted(POINTS, -30, -30),)
    assert (chain.points(ANNA), chain.points(BELA), chain.tenant.overdrawn) == (-30, 0, 30)
    account = chain.member(ANNA).accounts[POINTS]
    assert (account.overdrawn, account.receivable) == (30, 0)


def test_days_and_a_tier_that_came_with_the_merge_go_back() -> None:
    chain = SmallChain()
    at, other = chain.tills
    chain.earn(at, BELA, 1)
    chain.write(at, _sale(b"v" * 16, ANNA, 4000, 2))
    chain.sync()
    anna, bela = chain.member(ANNA).state, chain.member(BELA).state
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.write(other, _sale(b"w" * 16, ANNA, 500, 3))  # late: a higher tier
    chain.sync()
    standing = chain.member(BELA).state.standing
    assert standing is not None
    assert standing.rank == 3
    chain.server.unmerge(ANNA, NOON)
    on = TODAY.plus(-3)
    assert chain.member(ANNA).state.day(on).spend == 4500
    assert chain.member(ANNA).state.day(on).sales == 2
    back = chain.member(ANNA).state.standing
    assert back is not None
    assert back.rank == 3
    assert chain.member(BELA).state.day(on)[2:] == bela.day(on)[2:]
    assert chain.member(BELA).state.standing is None
    assert anna.standing is not None


def _sale(event: bytes, member: bytes, spend: int, rank: int) -> Facts:
    on = TODAY.plus(-3)
    figures = (
        Entry(EntryId(event, 0), SPEND, "measure", spend, on, on),
        Entry(EntryId(event, 1), SALES, "measure", 1, on, on),
        Entry(EntryId(event, 2), TIER, "upgrade", rank, on, on, on.plus(300)),
    )
    return Facts(event, "sale", member, on, tuple(map(Posting, figures)))


def test_profiles_are_two_again_and_late_fields_too() -> None:
    chain = SmallChain()
    at, other = chain.tills
    at.till.set_cell(BELA, "name", "Bela", NOON)
    at.till.set_cell(BELA, "consent:marketing:sms", "given", NOON)
    at.till.set_cell(ANNA, "name", "Anna", NOON)
    at.till.set_cell(ANNA, "consent:marketing:sms", "withdrawn", NOON)
    chain.sync()
    chain.server.merge(ANNA, BELA, NOON)
    other.till.set_cell(ANNA, "phone", "1", NOON + 5)  # late
    chain.sync()
    assert {c.value for c in chain.member(BELA).cells.values()} == {"Anna", "withdrawn", "1"}
    assert {c.member for c in chain.member(BELA).cells.values()} == {ANNA}
    chain.server.unmerge(ANNA, NOON)
    chain.sync()
    for member, wanted in ((ANNA, {"Anna", "withdrawn", "1"}), (BELA, {"Bela", "given"})):
        assert {cell.value for cell in chain.member(member).cells.values()} == wanted
        for till in chain.tills:
            base = till.store.base(member)
            assert base is not None
            assert {cell.value for cell in base.row.cells} == wanted
    assert {record.sent.value for record in chain.store.cells(BELA)} == {"Bela", "given"}


def test_after_a_restore_a_field_is_sent_again_for_whom_it_was_written() -> None:
    """Found by seeds 7013769 and 7016973. The restored head office knows of no merge: a till that shows Anna's
    name in Bela's row gives it back to Anna, and a merge taken back at once takes nothing from Bela."""
    chain = SmallChain()
    at, other = chain.tills
    at.till.set_cell(BELA, "phone", "1", NOON)
    chain.earn(at, ANNA, 1)
    chain.sync()
    backup = chain.store.copy()
    at.till.set_cell(ANNA, "name", "Anna", NOON + 1)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync()
    assert overlay.profile(other.store, BELA)["name"].value == "Anna"
    chain.server = replace(chain.server, store=backup)
    chain.server.restored(NOON)
    chain.sync()
    for _ in range(2):
        assert {cell.value for cell in chain.member(ANNA).cells.values()} == {"Anna"}
        assert {cell.value for cell in chain.member(BELA).cells.values()} == {"1"}
        assert chain.server.merge(ANNA, BELA, NOON)
        assert {cell.member for cell in chain.member(BELA).cells.values()} == {ANNA, BELA}
        assert chain.server.unmerge(ANNA, NOON) is not None


def test_a_field_of_a_third_record_keeps_its_name_when_the_first_one_leaves() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    for member, name in ((ANNA, "name"), (BELA, "phone"), (CARA, "note")):
        at.till.set_cell(member, name, "x", NOON)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, NOON)
    assert chain.server.merge(BELA, CARA, NOON)
    assert chain.server.unmerge(BELA, NOON) is not None
    assert {name: cell.member for name, cell in chain.member(BELA).cells.items()} == {
        "name": ANNA,
        "phone": BELA,
    }


def test_a_cell_that_lost_at_head_office_is_shown_in_the_row_of_whoever_holds_it() -> None:
    chain = SmallChain()
    at, other = chain.tills
    at.till.set_cell(ANNA, "name", "Anna", NOON + 9)
    chain.earn(at, BELA, 1)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync()
    other.till.set_cell(BELA, "name", "old", NOON)
    other.store.put_dirty(other.store.dirty()[0]._replace(hlc=1))
    chain.sync(other)
    assert overlay.profile(other.store, BELA)["name"].value == "Anna"
    reply = chain.serve(chain.ask(other, compare=True))
    assert isinstance(reply, SyncReply)
    assert not reply.differs


def test_an_erasure_takes_what_was_kept_for_an_un_merge_too() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    for member in (ANNA, BELA, CARA):
        at.till.set_cell(member, "name", "x", NOON)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, NOON)
    assert chain.server.merge(BELA, CARA, NOON)
    assert chain.store.cells(ANNA)
    chain.server.erase(CARA, "all")
    assert not any(chain.store.cells(member) for member in (ANNA, BELA, CARA))
    assert chain.server.unmerge(BELA, NOON) is None, "there is nobody to give anything back to"


def test_the_last_merge_is_undone_first_and_the_first_one_then() -> None:
    chain = merged()
    at, other = chain.tills
    chain.earn(at, CARA, 100)
    chain.sync(at)
    assert chain.server.merge(BELA, CARA, NOON)
    chain.earn(other, ANNA, 7)
    chain.sync()
    assert chain.points(CARA) == 187
    assert chain.server.unmerge(ANNA, NOON) is None
    assert chain.server.unmerge(BELA, NOON) == (Parted(POINTS, 87, 87),)
    assert chain.server.unmerge(ANNA, NOON) is not None
    assert [chain.points(each) for each in (ANNA, BELA, CARA)] == [37, 50, 100]


def test_two_records_can_become_one_again_and_two_again() -> None:
    chain = merged()
    for _ in range(2):
        assert chain.server.unmerge(ANNA, NOON) == (Parted(POINTS, 30, 30),)
        assert (chain.points(ANNA), chain.points(BELA)) == (30, 50)
        assert chain.server.merge(ANNA, BELA, NOON)
        assert chain.points(BELA) == 80
    assert chain.server.unmerge(ANNA, NOON) is not None
    assert chain.server.merge(BELA, ANNA, NOON), "the other way round too"
    chain.now_ms += DAY
    chain.sync()
    for at in chain.tills:
        assert chain.shown(at, ANNA) == chain.shown(at, BELA) == 80


def test_points_that_come_back_after_the_un_merge_are_the_survivors_for_good() -> None:
    """They came with Anna, Bela spent them, and a void gives them back when Anna has gone."""
    chain = merged()
    at = chain.tills[0]
    right = chain.right(at, BELA, 30)
    spent = chain.spend(at, BELA, 30, right)
    chain.sync()
    assert chain.server.unmerge(ANNA, NOON) == (Parted(POINTS, 30, 0),)
    event = chain.rng.randbytes(16)
    back = Entry(EntryId(event, 0), POINTS, "reverse", 30, TODAY, refers_to=EntryId(spent.id, 0))
    chain.write(at, Facts(event, "void", BELA, TODAY, (Posting(back),), sale=spent.id))
    chain.earn(at, CARA, 5)
    chain.sync()
    assert chain.server.merge(BELA, CARA, NOON)
    assert chain.server.unmerge(BELA, NOON) == (Parted(POINTS, 80, 80),)
    assert [chain.points(each) for each in (ANNA, BELA, CARA)] == [0, 80, 5]
    assert chain.server.merge(ANNA, BELA, NOON)
    assert chain.server.unmerge(ANNA, NOON) == ()
    assert [chain.points(each) for each in (ANNA, BELA, CARA)] == [0, 80, 5]


def test_rights_of_a_till_are_given_up_before_two_records_part() -> None:
    chain = merged()
    at = chain.tills[0]
    chain.earn(at, ANNA, 9, asset="value_principal", by=LOCAL)
    chain.hear(at, chain.serve(chain.ask(at)))
    assert chain.server.unmerge(ANNA, NOON) is None
    chain.sync()
    parted = (Parted(POINTS, 30, 30), Parted("value_principal", 9, 9))
    assert chain.server.unmerge(ANNA, NOON) == parted


@pytest.mark.parametrize(
    "facts",
    [
        Facts(b"x" * 16, "unmerge", ANNA, TODAY),
        Facts(b"x" * 16, "merge", ANNA, TODAY),
        Facts(b"x" * 16, "sale", ANNA, TODAY, source=BELA),
        Facts(b"x" * 16, "sale", ANNA, TODAY, passed=(b"m" * 16,)),
    ],
)
def test_what_only_head_office_writes_is_kept_aside_when_a_till_sends_it(facts: Facts) -> None:
    chain = SmallChain()
    at = chain.tills[0]
    entry = Entry(EntryId(facts.id, 0), POINTS, "adjust", 5, TODAY, refers_to=EntryId(facts.id, 0))
    chain.write(at, facts._replace(postings=(Posting(entry),)))
    chain.earn(at, ANNA, 3)
    chain.sync()
    assert chain.points(ANNA) == 3
    assert at.store.control().acked == at.store.top()
    assert chain.store.event(facts.id) is None


def test_a_source_and_a_way_are_read_back_as_they_were_written() -> None:
    facts = Facts(b"x" * 16, "sale", ANNA, TODAY, source=BELA, passed=(b"m" * 16, b"n" * 16))
    assert facts_of(write(facts)) == facts


def test_a_hold_that_was_let_go_stands_in_nobodys_way() -> None:
    chain = merged()
    at = chain.tills[0]
    held = chain.hold(at, ANNA, 10)
    assert held is not None
    device = chain.store.device(at.device)
    assert device is not None
    void_hold(chain.store, device, held.id)
    assert chain.server.unmerge(ANNA, NOON) is not None


def test_rows_that_name_each_other_are_one_member_until_the_newer_one_comes() -> None:
    """A merge, undone and done the other way round, of which a till has the halves of two moments."""
    chain = merged()
    at = chain.tills[0]
    old = at.store.base(ANNA)
    assert old is not None
    assert old.row.alias == BELA
    chain.server.unmerge(ANNA, NOON)
    assert chain.server.merge(BELA, ANNA, NOON)
    chain.sync(at)
    now = at.store.base(ANNA)
    assert now is not None
    at.store.put_base(old)
    chain.earn(at, ANNA, 3)
    chain.earn(at, BELA, 4)
    first = min(ANNA, BELA)
    assert {overlay.survivor(at.store, each) for each in (ANNA, BELA)} == {first}
    assert len(overlay.later_entries(at.store, first)) == 2
    assert chain.shown(at, ANNA) == chain.shown(at, BELA)
    at.store.put_base(now)
    chain.sync()
    assert chain.shown(at, ANNA) == chain.shown(at, BELA) == 87
