"""Profiles, what the ledger's owner posts, and requests that no till writes."""

from __future__ import annotations

import pytest

from app.domain.entries import POINTS, Entry, EntryId
from app.domain.expiry import expire_event_id
from app.protocol import overlay, profiles, wire
from app.protocol.facts import Facts, NotReadable, Posting, Returned, read, write
from app.protocol.hlc import AHEAD_MOST_MS
from app.protocol.limits import Limits
from app.protocol.links import Place, genesis
from app.protocol.pull import take_snapshot
from app.protocol.wire import Cell, Cursor, SyncReply
from tests.sim.machine import Machine
from tests.sim.settings import DAY, HOUR
from tests.sim.small_chain import ANNA, BELA, NOON, TODAY, SmallChain


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


def test_what_is_forfeited_is_an_entry_and_takes_what_is_pending_too() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 5)
    event = chain.rng.randbytes(16)
    later = Entry(EntryId(event, 0), POINTS, "earn", 7, TODAY, TODAY.plus(9), TODAY.plus(90))
    chain.write(at, Facts(event, "sale", ANNA, TODAY, (Posting(later),)))
    event = chain.rng.randbytes(16)
    lapsed = Entry(EntryId(event, 0), POINTS, "earn", 3, TODAY.plus(-9), TODAY, TODAY.plus(-1))
    chain.write(at, Facts(event, "sale", ANNA, TODAY, (Posting(lapsed),)))
    chain.sync()
    assert chain.server.forfeit(ANNA, chain.now_ms) == {POINTS: 12}
    assert chain.points(ANNA) == 3, "what lapsed is booked as that"
    assert [(each.kind, each.amount) for each in chain.store.ledger(ANNA)][3:] == [("adjust", -12)]
    assert chain.member(ANNA).accounts[POINTS].owned == 3
    assert chain.server.forfeit(ANNA, chain.now_ms) == {}
    chain.earn(at, ANNA, 4)
    chain.sync()
    assert chain.server.forfeit(ANNA, chain.now_ms) == {POINTS: 4}, "it may come again"


def test_a_till_that_came_to_a_bucket_which_none_had_is_waited_for() -> None:
    """How far the slowest tills had come was read before it came."""
    chain = SmallChain()
    seen = profiles.slowest(chain.store.devices())
    chain.server.erase(BELA, "new")
    assert profiles.erasure_done(chain.store, BELA, seen), "nobody has the bucket"
    chain.server.enrol(b"new till".ljust(16), "new", "new")
    assert not profiles.erasure_done(chain.store, BELA, seen)


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


def test_units_of_a_return_that_was_voided_can_be_returned_again() -> None:
    chain = SmallChain()
    at, other = chain.tills
    sale = chain.earn(at, ANNA, 20, lines=2)
    back = give_back(chain, at, sale, (Returned(0, 2, 10, 0),))
    event = chain.rng.randbytes(16)
    entry = Entry(EntryId(event, 0), POINTS, "reverse", 10, TODAY, refers_to=EntryId(back.id, 0))
    kept = (Returned(0, -2, 0, 0),)
    chain.write(
        at, Facts(event, "void", ANNA, TODAY, (Posting(entry),), sale=sale.id, returned=kept)
    )
    chain.sync()
    give_back(chain, other, sale, (Returned(0, 2, 10, 0),))
    chain.sync()
    assert chain.points(ANNA) == 10
    kinds = [entry.kind for entry in chain.store.ledger(ANNA)]
    assert kinds.count("adjust") == 0, "nothing was returned twice"


def keep_again(chain: SmallChain, at: Machine, sale: Facts, back: Facts) -> None:
    """Void a return."""
    event = chain.rng.randbytes(16)
    (posting,) = back.postings
    entry = Entry(
        EntryId(event, 0),
        POINTS,
        "reverse",
        -posting.entry.amount,
        TODAY,
        refers_to=posting.entry.id,
    )
    kept = tuple(Returned(part.line, -part.quantity, 0, 0) for part in back.returned)
    chain.write(
        at, Facts(event, "void", ANNA, TODAY, (Posting(entry),), sale=sale.id, returned=kept)
    )


@pytest.mark.parametrize("voided", [0, 1])
def test_what_was_corrected_goes_back_when_either_of_two_returns_is_voided(voided: int) -> None:
    chain = SmallChain()
    sale = chain.earn(chain.tills[0], ANNA, 20, lines=2)
    chain.sync()
    backs = [give_back(chain, at, sale, (Returned(0, 2, 10, 0),)) for at in chain.tills]
    chain.sync()
    assert chain.points(ANNA) == 10
    keep_again(chain, chain.tills[voided], sale, backs[voided])
    chain.sync()
    assert chain.points(ANNA) == 10, "one of them stands, and the goods of one line are back"
    keep_again(chain, chain.tills[1 - voided], sale, backs[1 - voided])
    chain.sync()
    assert chain.points(ANNA) == 20
    give_back(chain, chain.tills[0], sale, (Returned(0, 2, 10, 0),))
    chain.sync()
    assert chain.points(ANNA) == 10
    amounts = [entry.amount for entry in chain.store.ledger(ANNA) if entry.kind == "adjust"]
    assert amounts == [10, -10]


def test_a_sale_of_somebody_who_was_merged_is_corrected_though_it_comes_after_its_returns() -> None:
    """Found by seed 21000715: the sale is known to its returns by its own id, not by its forward's."""
    chain = SmallChain(3)
    sold, one, other = chain.tills
    chain.earn(one, ANNA, 1)
    chain.earn(other, BELA, 1)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, chain.now_ms)
    sale = chain.earn(sold, ANNA, 20, lines=2)
    for at in (one, other):
        give_back(chain, at, sale, (Returned(0, 2, 10, 0),))
        chain.sync(at)
    chain.sync(sold)
    assert chain.points(BELA) == 2 + 10, "one line is back, once"


def test_a_void_after_an_un_merge_undoes_its_own_return() -> None:
    """Found by seed 21000102: the return was forwarded while they were one, and the void was not."""
    chain = SmallChain()
    at, other = chain.tills
    sale = chain.earn(at, ANNA, 20, lines=1)
    chain.earn(other, BELA, 1)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, chain.now_ms)
    first = give_back(chain, at, sale, (Returned(0, 1, 9, 0),))
    chain.sync(at)
    for taken in (11, 6, 4):
        give_back(chain, other, sale, (Returned(0, 1, taken, 0),))
    chain.sync(other)
    assert chain.server.unmerge(ANNA, chain.now_ms) is not None
    keep_again(chain, at, sale, first)
    chain.sync()
    assert chain.points(ANNA) + chain.points(BELA) == 1 + 20 - 11 - 6


def test_a_void_undoes_the_return_that_it_names() -> None:
    """Which of some returns of as many units says what is in excess without it."""
    chain = SmallChain()
    at, other = chain.tills
    sale = chain.earn(at, ANNA, 20, lines=1)
    chain.sync()
    first = give_back(chain, at, sale, (Returned(0, 1, 9, 0),))
    chain.sync()
    give_back(chain, other, sale, (Returned(0, 1, 11, 0),))
    give_back(chain, other, sale, (Returned(0, 1, 6, 0),))
    give_back(chain, other, sale, (Returned(0, 1, 4, 0),))
    chain.sync()
    assert chain.points(ANNA) == 0, "six of a third unit and four of a fourth came back"
    keep_again(chain, at, sale, first)
    chain.sync()
    assert chain.points(ANNA) == 20 - 11 - 6


@pytest.mark.parametrize(
    "part", [Returned(0, -1, 1, 0), Returned(0, -1, 0, 1), Returned(-1, 1, 0, 0)]
)
def test_points_come_with_units_that_come_back_alone(part: Returned) -> None:
    event = bytes(16)
    facts = Facts(event, "void", ANNA, TODAY, sale=bytes(16), returned=(part,))
    with pytest.raises(NotReadable):
        read(write(facts))


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


def test_a_till_gets_no_rows_of_a_bucket_that_is_not_its_own() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 5)
    chain.sync()
    take_snapshot(chain.store, "all", 1, chain.server.limits)
    control = at.store.control()
    chain.server.enrol(b"s" * 16, "south")
    asked = wire.SnapshotRequest(b"r", b"s" * 16, control.timeline, "all", 0, 0)
    assert chain.serve(asked) == wire.Refusal(b"r", "no_snapshot")
    place = genesis(chain.tenant.id, b"s" * 16, 1)
    cursors = {"all": Cursor(0, 0), "south": Cursor(0, 0)}
    pulled = chain.serve(
        wire.SyncRequest(b"r", b"s" * 16, control.timeline, place, 0, (), (), cursors)
    )
    assert isinstance(pulled, SyncReply)
    assert not pulled.rows
    assert set(pulled.cursors) == {"south"}


def test_a_new_till_begins_with_a_snapshot_frame_by_frame_and_goes_on_where_it_was_killed() -> None:
    chain = SmallChain(1)
    at = chain.tills[0]
    for number in range(9):
        chain.earn(at, number.to_bytes(16, "big"), 1)
    chain.sync()
    take_snapshot(chain.store, "all", 1, chain.server.limits)
    new = chain.new_till("new")
    chain.tills.append(new)
    frames = []
    while "all" not in new.store.control().cursors:
        reply = chain.serve(chain.ask(new))
        assert isinstance(reply, wire.SnapshotReply)
        frames.append(reply.frame)
        if reply.frame == 2 and frames.count(2) == 1:
            new.crash()  # before it applied the third one
            new.start(TODAY)
            continue
        chain.hear(new, reply)
    assert frames == [0, 1, 2, 2, 3, 4]
    chain.sync()
    assert len(list(new.store.bases())) == 9
