"""What went wrong in the field, played here: each stands as a test of its own."""

from __future__ import annotations

from app.domain.entries import POINTS
from app.protocol.till import Till
from app.protocol.wire import SyncReply, SyncRequest
from tests.sim.machine import Machine
from tests.sim.settings import MINUTE
from tests.sim.small_chain import ANNA, NOON, TODAY, SmallChain


def begun(tills: int = 2) -> tuple[SmallChain, list[Machine]]:
    """A chain whose tills have fetched all there is."""
    chain = SmallChain(tills)
    chain.sync()
    return chain, chain.tills


def test_a_sale_whose_answer_was_lost_is_one_sale_since_its_id_was_made_at_the_till() -> None:
    chain, (at, other) = begun()
    sale = chain.earn(at, ANNA, 12)
    for _ in range(3):
        chain.serve(chain.ask(at))  # stored; the answer never arrives, the till asks again
    chain.sync()
    assert chain.points(ANNA) == chain.shown(at, ANNA) == chain.shown(other, ANNA) == 12
    assert [entry.id.event for entry in chain.store.ledger(ANNA)] == [sale.id]


def test_two_senders_of_one_till_upload_each_event_once() -> None:
    """Two windows on one store: both send what is not acknowledged, and both answers come."""
    chain, (at, _) = begun()
    second = Till(at.store)
    for points in (3, 4, 5):
        chain.earn(at, ANNA, points)
        one = chain.ask(at)
        two = second.request(chain.rng, written=len(at.file))
        for request, till in ((two, second), (one, at.till), (two, second)):
            till.receive(chain.serve(request), NOON, TODAY, chain.rng)
            at.write_file()
    chain.sync()
    assert chain.points(ANNA) == 12
    assert len(chain.store.ledger(ANNA)) == 3
    assert at.store.control().epoch == 1, "nor is that a fork"


def test_an_edit_made_while_the_link_drops_stays_dirty() -> None:
    chain, (at, _) = begun()
    at.till.set_cell(ANNA, "phone", "1", NOON)
    request = chain.ask(at)
    reply = chain.serve(request)
    at.till.set_cell(ANNA, "phone", "2", NOON + 1)  # after it was sent, before the answer
    chain.hear(at, reply)
    assert [cell.value for cell in at.store.dirty()] == ["2"]
    chain.serve(chain.ask(at))  # stored, the answer is lost
    assert at.store.dirty()
    chain.sync()
    assert not at.store.dirty()
    assert chain.member(ANNA).cells["phone"].value == "2"


def test_a_late_draft_from_head_office_does_not_undo_a_paid_sale() -> None:
    """An answer from before the sale comes after it, twice, and once as an answer to nobody."""
    chain, (at, other) = begun()
    chain.earn(other, ANNA, 20)
    chain.sync(other)
    old = chain.serve(chain.ask(at))
    assert isinstance(old, SyncReply)
    held = chain.right(at, ANNA, 5)
    assert held is None, "the member is not here yet"
    chain.earn(at, ANNA, 7)
    assert chain.shown(at, ANNA) == 7
    assert chain.hear(at, old)
    assert chain.shown(at, ANNA) == 27, "the row comes below the own sale, not over it"
    chain.sync(at)
    assert not chain.hear(at, old)
    assert chain.shown(at, ANNA) == chain.points(ANNA) == 27


def test_points_do_not_double_on_retry_nor_when_the_till_begins_a_new_epoch() -> None:
    chain, (at, _) = begun()
    chain.earn(at, ANNA, 10)
    delayed = chain.ask(at)
    assert isinstance(delayed, SyncRequest)
    chain.serve(delayed)
    at.till.start(chain.rng, behind=True)  # its database is an old one: rebase, and chain all anew
    chain.sync()
    chain.now_ms += 90 * MINUTE
    for _ in range(2):
        chain.serve(delayed)  # the network still had copies of the first request
    chain.sync()
    assert at.store.control().epoch == 2
    assert [entry.amount for entry in chain.store.ledger(ANNA)] == [10]
    assert chain.shown(at, ANNA) == chain.points(ANNA) == 10
    assert chain.member(ANNA).state.sums == ((POINTS, 10),)
