"""Single rules of the protocol, each where the swarm would meet it rarely or not at all."""

from __future__ import annotations

import pytest

from app.domain.entries import POINTS, Entry, EntryId
from app.domain.expiry import expire_event_id
from app.domain.state import EMPTY
from app.protocol import overlay, own_chain, wire
from app.protocol.facts import LOCAL, OVERRIDE, Facts, Posting, Returned
from app.protocol.hlc import AHEAD_MOST_MS
from app.protocol.limits import Limits
from app.protocol.links import Place
from app.protocol.store import Tenant
from app.protocol.till_store import TillStore
from app.protocol.wire import Cell, Cursor, Fork, NewTimeline, Refusal, SyncReply
from tests.sim import machine as machines
from tests.sim.machine import Image, Machine
from tests.sim.settings import DAY, HOUR
from tests.sim.small_chain import ANNA, BELA, NOON, TODAY, SmallChain


def bound(tenant: Tenant) -> int:
    return tenant.overdrawn + tenant.left - tenant.budget - tenant.lost - tenant.written_off


# Rights -----------------------------------------------------------------------------------------


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
    assert not list(at.store.bases())
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


# Chains -----------------------------------------------------------------------------------------


def test_two_live_clones_are_locked_after_some_rebases() -> None:
    chain = SmallChain(1, limits=Limits(rebases_a_day=3))
    at = chain.tills[0]
    chain.earn(at, ANNA, 5)
    chain.sync()
    at.take_image()
    clone = chain.new_till("clone")
    assert isinstance(at.image, Image)
    clone.store = at.image.database.copy()
    clone.file = list(at.image.file)
    clone.start(TODAY)
    replies = []
    for number in range(40):
        till = (at, clone)[number % 2]
        chain.earn(till, ANNA, 1)
        reply = chain.serve(chain.ask(till))
        replies.append(reply)
        chain.hear(till, reply)
    assert any(isinstance(reply, Fork) for reply in replies)
    assert any(isinstance(reply, Refusal) and reply.why == "locked" for reply in replies)
    chain.server.unlock(at.device)
    chain.sync(at)
    assert at.store.control().acked == at.store.top()


def test_a_rebase_asked_for_twice_gives_one_epoch() -> None:
    chain = SmallChain(1)
    at = chain.tills[0]
    chain.earn(at, ANNA, 5)
    chain.sync()
    at.start(TODAY)
    at.till.start(chain.rng, behind=True)
    first, second = chain.ask(at), chain.ask(at)
    epochs = {getattr(chain.serve(each), "epoch", 0) for each in (first, second, first)}
    assert epochs == {2}


def restore_to_the_middle_of_a_rebase(chain: SmallChain) -> None:
    """A database is saved while a rebase is asked for, which is done, and comes back after it."""
    at = chain.tills[0]
    chain.earn(at, ANNA, 5)
    chain.sync()
    at.till.start(chain.rng, behind=True)
    at.save()
    chain.sync()
    chain.earn(at, ANNA, 10, asset="value_principal", by=LOCAL)
    chain.serve(chain.ask(at))
    assert chain.member(ANNA).reserved
    at.restore_database()
    at.start(TODAY)
    chain.sync()


def test_rights_from_after_a_rebase_are_fenced_though_its_nonce_was_restored() -> None:
    chain = SmallChain()
    restore_to_the_middle_of_a_rebase(chain)
    assert not chain.member(ANNA).reserved
    assert chain.tills[0].store.control().epoch == 3


def test_a_nonce_that_is_used_again_would_leave_them_reserved_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The planted twin of the test above; the swarm found this one once in some hundred seeds."""

    def give_up(store: TillStore, nonce: bytes) -> None:
        control = store.control()
        kept = control.nonce or nonce
        store.put_control(control._replace(nonce=kept, grant=None, holds=(), rights=()))

    monkeypatch.setattr(own_chain, "give_up", give_up)
    chain = SmallChain()
    restore_to_the_middle_of_a_rebase(chain)
    assert chain.member(ANNA).reserved


def test_push_is_taken_from_a_version_that_may_not_pull() -> None:
    chain = SmallChain(1)
    at = chain.tills[0]
    chain.sync()
    chain.earn(at, ANNA, 5)
    request = chain.ask(at)
    assert isinstance(request, wire.SyncRequest)
    newer = wire.PROTOS[1] + 1
    future = wire.SyncRequest(
        **{
            **{name: getattr(request, name) for name in request.__struct_fields__},
            "protos": (newer, newer),
        }
    )
    reply = chain.serve(future)
    assert isinstance(reply, SyncReply)
    assert reply.upgrade
    assert not reply.rows
    assert chain.points(ANNA) == 5
    chain.hear(at, reply)
    assert at.store.control().acked == 1


def test_an_event_of_an_id_that_is_taken_is_kept_in_quarantine() -> None:
    chain = SmallChain()
    at, other = chain.tills
    first = chain.earn(at, ANNA, 5)
    chain.write(other, first._replace(on=TODAY.plus(1)))
    chain.sync()
    assert chain.points(ANNA) == 5
    assert other.store.control().acked == 1


def test_after_a_restore_nothing_is_promised_until_every_till_has_told_what_it_had() -> None:
    chain = SmallChain()
    at, other = chain.tills
    chain.earn(at, ANNA, 20)
    chain.sync()
    backup = chain.store.copy()
    chain.earn(other, ANNA, 4)
    chain.sync()
    chain.server = type(chain.server)(backup, chain.server.limits)
    chain.server.restored(NOON + 1)
    assert isinstance(chain.serve(chain.ask(at)), NewTimeline)
    chain.sync(at)
    assert chain.points(ANNA) == 20
    assert chain.hold(at, ANNA, 5) is None
    assert at.store.control().grant is None
    chain.sync(other)
    assert chain.points(ANNA) == 24
    assert chain.hold(at, ANNA, 5) is not None


def test_a_row_that_differs_is_found_by_its_digest_and_fetched_anew() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 20)
    chain.sync()
    right = chain.serve(chain.ask(at, compare=True))
    assert isinstance(right, SyncReply)
    assert not right.differs
    base = at.store.base(ANNA)
    assert base is not None
    at.store.put_base(base._replace(row=base.row._replace(state=EMPTY)))
    wrong = chain.serve(chain.ask(at, compare=True))
    assert isinstance(wrong, SyncReply)
    assert wrong.differs == ("all",)
    chain.hear(at, wrong)
    chain.sync()
    assert chain.shown(at, ANNA) == 20


def test_a_thousand_changed_rows_come_in_five_exchanges_at_most() -> None:
    chain = SmallChain(limits=Limits())
    at, other = chain.tills
    chain.sync()
    for number in range(1000):
        chain.earn(at, number.to_bytes(16, "big"), 1)
    while at.store.control().acked < at.store.top():
        chain.hear(at, chain.serve(chain.ask(at)))
    exchanges = 0
    while len(list(other.store.bases())) < 1000:
        chain.hear(other, chain.serve(chain.ask(other)))
        exchanges += 1
    assert exchanges <= 5


def test_an_epoch_of_another_future_is_not_taken_for_the_own_one_by_its_number() -> None:
    """Head office and the till's database are both put back, each to another time; found by the swarm."""
    chain = SmallChain(1)
    at = chain.tills[0]
    backup = chain.store.copy()
    for points in (1, 2, 4):
        chain.earn(at, ANNA, points)
    before = at.store.copy()
    chain.sync()
    at.till.start(chain.rng, behind=True)
    chain.sync()
    after = at.store.copy()
    assert after.control().epoch == 2
    chain.server = type(chain.server)(backup, chain.server.limits)
    chain.server.restored(NOON + 1)
    for database in (before, after):
        at.crash()
        at.store = database
        at.start(TODAY)
        chain.serve(
            chain.ask(at)
        )  # with the older one: a rebase to epoch 2 there; the answer is lost
    chain.sync()
    assert chain.points(ANNA) == 7


# Profiles ---------------------------------------------------------------------------------------


def test_a_clock_far_ahead_wins_once_and_not_for_ever() -> None:
    chain = SmallChain()
    at, other = chain.tills
    at.till.set_cell(ANNA, "name", "ahead", NOON + 30 * DAY)
    request = chain.ask(at)
    reply = chain.serve(request)
    assert isinstance(reply, SyncReply)
    assert reply.clock_skew
    chain.now_ms += HOUR
    other.till.set_cell(ANNA, "name", "later", chain.now_ms)
    chain.sync(other)
    chain.now_ms += AHEAD_MOST_MS * 4
    chain.serve(request)  # comes again, clamped to a later now if it were not remembered
    assert chain.member(ANNA).cells["name"].value == "later"
    chain.sync()
    assert not at.store.dirty()


def test_a_value_that_nobody_saw_before_it_was_lost_is_kept_for_people_to_see() -> None:
    chain = SmallChain()
    at, other = chain.tills
    at.till.set_cell(ANNA, "name", "one", NOON)
    other.till.set_cell(ANNA, "name", "two", NOON + 5)
    chain.sync()
    at.till.set_cell(ANNA, "name", "three", NOON + 9)
    chain.sync()
    lost = [record.conflict for record in chain.store.cells(ANNA) if record.conflict is not None]
    assert [cell.value for cell in lost] == ["one"]
    assert chain.member(ANNA).cells["name"].value == "three"


def test_an_erased_person_stays_erased_and_the_points_stay() -> None:
    chain = SmallChain()
    at, other = chain.tills
    chain.earn(at, ANNA, 5)
    at.till.set_cell(ANNA, "name", "Anna", NOON)
    chain.sync()
    other.till.set_cell(ANNA, "name", "Anne", NOON + 5)
    chain.server.erase(ANNA, "all")
    assert not chain.server.erasure_done(ANNA)
    chain.sync(at)
    assert not chain.server.erasure_done(ANNA), "the other till may still show the person"
    chain.sync()
    assert chain.server.erasure_done(ANNA)
    assert not chain.member(ANNA).cells
    assert not chain.store.cells(ANNA)
    for till in (at, other):
        base = till.store.base(ANNA)
        assert base is not None
        assert base.row.erased
        assert not base.row.cells
        assert not till.store.dirty()
    assert chain.points(ANNA) == 5


# The owner --------------------------------------------------------------------------------------


def give_back(chain: SmallChain, at: Machine, sale: Facts, parts: tuple[Returned, ...]) -> Facts:
    event = chain.rng.randbytes(16)
    taken = sum(part.taken for part in parts)
    entry = Entry(
        EntryId(event, 0), POINTS, "reverse", -taken, TODAY, refers_to=EntryId(sale.id, 0)
    )
    return chain.write(
        at,
        Facts(event, "return", sale.member, TODAY, (Posting(entry),), sale=sale.id, returned=parts),
    )


def test_lines_that_two_tills_took_back_are_corrected_once() -> None:
    chain = SmallChain()
    at, other = chain.tills
    sale = chain.earn(at, ANNA, 20, lines=2)
    chain.sync()
    give_back(chain, at, sale, (Returned(0, 2, 10, 0),))
    give_back(chain, other, sale, (Returned(0, 1, 5, 0), Returned(1, 2, 10, 0)))
    chain.sync()
    assert chain.points(ANNA) == 0, "ten for line 0, ten for line 1, five too many given back"
    kinds = [entry.kind for entry in chain.store.ledger(ANNA)]
    assert kinds.count("adjust") == 1


def test_lines_are_reserved_for_one_return_only() -> None:
    chain = SmallChain()
    at, other = chain.tills
    sale = chain.earn(at, ANNA, 20, lines=1)
    chain.sync()
    asked = other.till.ask_return(sale.id, ((0, 2),), TODAY, chain.rng)
    again = at.till.ask_return(sale.id, ((0, 1),), TODAY, chain.rng)
    assert asked is not None
    assert again is not None
    first, second = chain.serve(asked), chain.serve(again)
    assert isinstance(first, wire.HoldReply)
    assert isinstance(second, wire.HoldReply)
    assert first.granted
    assert first.sale is not None
    assert not first.splits, "nothing was spent in it"
    assert not second.granted


def test_an_expiry_waits_for_reservations_and_is_taken_back_for_a_spend_that_was_in_time() -> None:
    chain = SmallChain(limits=Limits(grant_most=60, cap=60, lease_ms=9 * DAY, grace_days=2))
    at, other = chain.tills
    chain.earn(at, ANNA, 20, good_for=1)
    chain.sync()
    held = chain.hold(at, ANNA, 5)
    right = chain.right(other, ANNA, 8)
    chain.spend(other, ANNA, 8, right)  # not sent before the booking
    chain.now_ms += 4 * DAY
    assert chain.server.book_expiries(chain.now_ms) == 0
    assert held is not None
    at.till.void_hold(held.id, TODAY, chain.rng)
    at.write_file()
    chain.sync(at)
    assert chain.server.book_expiries(chain.now_ms) == 1
    assert chain.server.book_expiries(chain.now_ms) == 0
    assert chain.points(ANNA) == 0
    chain.sync(other)
    assert chain.points(ANNA) == 0
    kinds = [entry.kind for entry in chain.store.ledger(ANNA)]
    assert kinds == ["earn", "expire", "unexpire", "redeem"]
    assert chain.tenant.overdrawn == 0


def test_a_cell_survives_a_head_office_that_forgot_it() -> None:
    chain = SmallChain()
    at, other = chain.tills
    chain.sync()
    backup = chain.store.copy()
    at.till.set_cell(ANNA, "name", "Anna", NOON + 5)
    chain.sync()
    chain.server = type(chain.server)(backup, chain.server.limits)
    chain.server.restored(NOON + 9)
    chain.sync(other)
    cell = chain.member(ANNA).cells["name"]
    assert cell == Cell(ANNA, "name", "Anna", cell.hlc, at.device)


# Hostile tills ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"acked": Place(1, -1, b"")},
        {"acked": Place(1, 7, b"x")},
        {"acked": Place(9, 0, b"")},
        {"top": -3},
        {"cursors": {"all": Cursor(-5, -5)}},
        {"cursors": {"nowhere": Cursor(1, 1)}},
        {"cells": (Cell(ANNA, "name", "x", 1 << 63, b"d"), Cell(ANNA, "name", "y", -1, b"d"))},
        {"events": (b"", b"\xff", b"{}" * 900)},
    ],
)
def test_a_request_that_no_till_writes_is_answered_and_breaks_nothing(
    change: dict[str, object],
) -> None:
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 5)
    chain.sync()
    request = chain.ask(at)
    assert isinstance(request, wire.SyncRequest)
    fields = {name: getattr(request, name) for name in request.__struct_fields__}
    chain.serve(wire.SyncRequest(**{**fields, **change}))
    assert chain.points(ANNA) == 5
    chain.sync()
    assert at.store.control().acked == at.store.top()


@pytest.mark.parametrize("amount", [0, -5, 6])
def test_a_hold_is_for_something_that_is_there(amount: int) -> None:
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 5)
    chain.sync()
    assert chain.hold(at, ANNA, amount) is None
    assert not chain.member(ANNA).reserved


@pytest.mark.parametrize("lines", [(), ((0, 0),), ((0, -1),), ((0, 2), (0, 1)), ((1, 1),)])
def test_lines_that_are_not_there_can_not_be_reserved(lines: tuple[tuple[int, int], ...]) -> None:
    chain = SmallChain()
    at = chain.tills[0]
    sale = chain.earn(at, ANNA, 20, lines=1)
    chain.sync()
    asked = at.till.ask_return(sale.id, lines, TODAY, chain.rng)
    assert asked is not None
    reply = chain.serve(asked)
    assert isinstance(reply, wire.HoldReply)
    assert not reply.granted


def test_a_lone_till_that_joins_hands_over_its_journal_and_its_own_bookings_stand() -> None:
    chain = SmallChain(budget=0)
    at = chain.tills[0]
    sale = chain.earn(at, ANNA, 20, good_for=1)
    chain.earn(at, ANNA, 10)
    chain.spend(at, ANNA, 12, None)
    on = TODAY.plus(2)
    event = expire_event_id(ANNA, on)
    booked = Entry(
        EntryId(event, 0), POINTS, "expire", -8, on, expires=TODAY.plus(1),
        refers_to=EntryId(sale.id, 0),
    )  # fmt: skip
    chain.write(at, Facts(event, "expire", ANNA, on, (Posting(booked),)))
    alone = overlay.shown(at.store, ANNA)
    chain.sync()
    assert chain.member(ANNA).state == alone
    assert (chain.points(ANNA), chain.tenant.lost, chain.tenant.overdrawn) == (10, 0, 0)
    chain.now_ms += 20 * DAY
    assert chain.server.book_expiries(chain.now_ms) == 0
    assert chain.shown(chain.tills[1], ANNA) == 10
