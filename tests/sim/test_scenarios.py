"""Failures that shops have met with other systems, each by name (goal G15; sync.md section 1 has the reports).

Each test says what went wrong there; here the same happens to the protocol's two halves. The most telling ones
run once more with the counter's own till over a real line: tests/headoffice/test_lossy.py.
"""

from __future__ import annotations

import pytest

from app.domain.entries import POINTS, Entry, EntryId
from app.protocol import overlay, wire
from app.protocol.facts import Facts, Posting
from app.protocol.limits import Limits
from app.protocol.wire import SyncReply, SyncRequest
from tests.sim.machine import Machine
from tests.sim.settings import DAY, HOUR
from tests.sim.small_chain import ANNA, BELA, NOON, TODAY, SmallChain


def ledger(chain: SmallChain, member: bytes) -> list[int]:
    return [entry.amount for entry in chain.store.ledger(member)]


# Odoo -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 5])
def test_the_reply_is_lost_and_the_order_is_sent_again(times: int) -> None:
    """Odoo: the server gives the id, the reply is lost, the order is there twice."""
    chain = SmallChain()
    at, other = chain.tills
    sale = chain.earn(at, ANNA, 20)
    for _ in range(times):
        assert isinstance(chain.serve(chain.ask(at)), SyncReply)  # nobody hears it
    assert chain.points(ANNA) == 20
    chain.sync()
    assert ledger(chain, ANNA) == [20]
    assert chain.shown(at, ANNA) == chain.shown(other, ANNA) == 20
    assert chain.store.event(sale.id) is not None


@pytest.mark.parametrize("first_is_heard", [True, False])
def test_two_senders_upload_the_same_orders(first_is_heard: bool) -> None:
    """Odoo: two windows of one till send the same outbox, one of them with an order more."""
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 20)
    one = chain.ask(at)
    chain.earn(at, ANNA, 5)
    two = chain.ask(at)
    assert isinstance(one, SyncRequest)
    assert isinstance(two, SyncRequest)
    assert set(one.events) < set(two.events)
    replies = [chain.serve(request) for request in (two, one, two, one)]
    heard = chain.hear(at, replies[1 if first_is_heard else 0])
    assert heard is not first_is_heard, "the till listens to its latest question alone"
    assert ledger(chain, ANNA) == [20, 5]
    chain.sync()
    assert ledger(chain, ANNA) == [20, 5]
    device = chain.store.device(at.device)
    assert device is not None
    assert device.place.epoch == 1, "no fork: it is one till"


def test_two_clones_of_a_till_upload_each_their_own_orders() -> None:
    """Worse than two windows: the till's disk was copied, both go on. Neither's sale is lost or doubled."""
    chain = SmallChain(1)
    at = chain.tills[0]
    chain.earn(at, ANNA, 1)
    chain.sync()
    clone = Machine("clone", "all", at.store.copy(), chain.rng, 0, at.side, file=list(at.file))
    chain.tills.append(clone)
    chain.earn(at, ANNA, 20)
    chain.earn(clone, ANNA, 300)
    for _ in range(6):
        for each in chain.tills:
            chain.hear(each, chain.serve(chain.ask(each)))
    assert sorted(ledger(chain, ANNA)) == [1, 20, 300]


def test_the_link_drops_in_the_middle_of_a_sync_and_what_was_changed_meanwhile_stays_dirty() -> (
    None
):
    """Odoo: an order changed while a sync is under way is marked as sent by that sync's reply."""
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 20)
    at.till.set_cell(ANNA, "name", "first", NOON)
    under_way = chain.serve(chain.ask(at))
    chain.earn(at, ANNA, 5)
    at.till.set_cell(ANNA, "name", "second", NOON + 1)
    assert chain.hear(at, under_way)
    assert at.store.control().acked == at.store.top() - 1
    assert [cell.value for cell in at.store.dirty()] == ["second"]
    assert overlay.profile(at.store, ANNA)["name"].value == "second"
    chain.ask(at)  # and the link drops
    at.crash()
    at.start(TODAY)
    assert [cell.value for cell in at.store.dirty()] == ["second"]
    chain.sync()
    assert ledger(chain, ANNA) == [20, 5]
    assert chain.member(ANNA).cells["name"].value == "second"


def test_the_link_drops_between_two_pages_and_the_paging_goes_on_where_it_was() -> None:
    """Half of the rows are there, then nothing: neither shown as whole nor begun anew for ever."""
    chain = SmallChain()
    at, other = chain.tills
    for number in range(8):
        chain.earn(at, number.to_bytes(16, "big"), 1)
    chain.sync(at)
    pages = 0
    while True:
        reply = chain.serve(chain.ask(other))
        pages += isinstance(reply, SyncReply) and bool(reply.rows)
        chain.hear(other, reply)
        chain.serve(chain.ask(other))  # one that nobody hears
        other.crash()
        other.start(TODAY)
        if isinstance(reply, SyncReply) and not reply.more and not reply.rows:
            break
    assert pages == 3, "eight rows by pages of three"
    assert len(list(other.store.bases())) == 8


def test_a_late_draft_from_the_server_does_not_overwrite_a_paid_order() -> None:
    """Odoo: the server's older state comes back and the till takes it for the newest."""
    chain = SmallChain()
    at, other = chain.tills
    chain.earn(at, ANNA, 20)
    chain.sync()
    chain.earn(other, ANNA, 3)
    chain.sync(other)
    draft = chain.serve(chain.ask(at))  # head office's state from before the sale
    chain.earn(at, ANNA, 100)
    assert chain.hear(at, draft)
    assert chain.shown(at, ANNA) == 123, "the row is taken, the own sale stays on top"
    later = chain.serve(chain.ask(at))
    assert chain.hear(at, later)
    assert not chain.hear(at, draft), "and what comes a second time is not heard"
    assert chain.shown(at, ANNA) == chain.points(ANNA) == 123


def test_an_older_row_that_comes_after_a_newer_one_changes_nothing() -> None:
    """A frame of last night's snapshot after today's page."""
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 20)
    chain.sync()
    base = at.store.base(ANNA)
    assert base is not None
    chain.earn(at, ANNA, 5)
    chain.sync()
    control = at.store.control()
    request = chain.ask(at)
    assert isinstance(request, SyncRequest)
    reply = chain.serve(request)
    assert isinstance(reply, SyncReply)
    fields = {name: getattr(reply, name) for name in reply.__struct_fields__}
    assert chain.hear(at, SyncReply(**{**fields, "rows": (base.row,)}))
    assert chain.shown(at, ANNA) == 25
    assert at.store.control().cursors == control.cursors


@pytest.mark.parametrize("kind", ["hold", "risk"])
def test_points_are_neither_given_nor_taken_twice_on_a_retry(kind: str) -> None:
    """Odoo: an offline order with points is sent again, and the points with it."""
    chain = SmallChain()
    at, other = chain.tills
    chain.earn(at, ANNA, 50)
    chain.sync()
    right = chain.hold(at, ANNA, 30) if kind == "hold" else chain.right(at, ANNA, 30)
    assert right is not None
    event = chain.rng.randbytes(16)
    entries = (
        Posting(Entry(EntryId(event, 0), POINTS, "redeem", -30, TODAY), right),
        Posting(Entry(EntryId(event, 1), POINTS, "earn", 7, TODAY, TODAY, TODAY.plus(9))),
    )
    chain.write(at, Facts(event, "sale", ANNA, TODAY, entries))
    requests = []
    for _ in range(4):
        requests.append(chain.ask(at))
        chain.serve(requests[-1])
    for request in requests:
        chain.serve(request)  # the network had kept copies
    chain.sync()
    assert ledger(chain, ANNA) == [50, -30, 7]
    assert not chain.member(ANNA).reserved
    assert chain.shown(at, ANNA) == chain.shown(other, ANNA) == 27
    assert (chain.tenant.lost, chain.tenant.overdrawn) == (0, 0)


def test_a_paid_order_survives_the_end_of_the_window() -> None:
    """Odoo: orders lived in the browser; it was closed with orders waiting."""
    chain = SmallChain()
    at = chain.tills[0]
    for number in range(3):
        chain.earn(at, ANNA, 10 + number)
        at.crash()
        at.start(TODAY)
    chain.sync()
    assert ledger(chain, ANNA) == [10, 11, 12]


# ERPNext, Square and others ---------------------------------------------------------------------


def test_points_are_spent_without_a_line_and_never_beyond_the_bound() -> None:
    """ERPNext 14885, Square: no points without a line at all. Here two shops spend the same points offline:
    what is too much is within the budget, and known."""
    chain = SmallChain(budget=100, limits=Limits(grant_most=60, cap=40, page_rows=3))
    at, other = chain.tills
    chain.earn(at, ANNA, 40)
    chain.sync()
    for till in (at, other):
        right = chain.right(till, ANNA, 40)
        assert right is not None
        chain.spend(till, ANNA, 40, right)
        assert chain.right(till, ANNA, 1) is None, "her points are gone here"
    chain.sync()
    assert chain.points(ANNA) == -40
    assert chain.tenant.overdrawn == 40
    assert chain.tenant.overdrawn + chain.tenant.left <= 100
    chain.earn(other, ANNA, 40)
    chain.sync()
    assert chain.tenant.overdrawn == 0, "the next points repay it"


def test_what_was_sold_offline_is_taken_however_late_it_comes() -> None:
    """Square, Stripe, Clover: payments that are not sent within 24 to 72 hours are lost."""
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 20, good_for=30)
    right = chain.right(at, ANNA, 5)
    assert right is None, "no grant yet: nothing to spend by"
    chain.now_ms += 120 * DAY
    chain.server.book_expiries(chain.now_ms)
    chain.sync()
    assert ledger(chain, ANNA)[0] == 20
    assert at.store.control().acked == at.store.top()


def test_a_till_that_is_shut_out_keeps_what_nobody_has_heard_yet() -> None:
    """Square 8106: signing out with payments waiting loses them."""
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 20)
    chain.server.write_off(at.device)
    reply = chain.serve(chain.ask(at))
    assert isinstance(reply, wire.Refusal)
    chain.hear(at, reply)
    assert at.store.control().revoked
    assert at.store.top() == len(at.file) == 1
    at.crash()
    at.start(TODAY)
    assert at.store.body(1) == at.file[0]


def test_one_order_that_nobody_can_read_does_not_dam_the_others() -> None:
    """WatermelonDB, Odoo: one record that the server refuses, and nothing after it is ever sent."""
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 1)
    body = b'{"v":99,"id":"of a later version"}'
    at.commit(Facts(b"o" * 16, "odd", None, TODAY), body)
    chain.earn(at, BELA, 2)
    chain.sync()
    assert (chain.points(ANNA), chain.points(BELA)) == (1, 2)
    assert at.store.control().acked == at.store.top() == 3


def test_a_clock_that_is_set_back_wins_no_lease() -> None:
    """Offline limits that run by the wall clock end when somebody turns it back."""
    chain = SmallChain(limits=Limits(grant_most=60, cap=60, lease_ms=2 * HOUR))
    at = chain.tills[0]
    chain.earn(at, ANNA, 50)
    chain.sync()
    assert chain.right(at, ANNA, 10) is not None
    at.till.set_cell(ANNA, "name", "x", chain.now_ms + 3 * HOUR)
    assert chain.right(at, ANNA, 10) is None, "the last stamp knows better than the clock"
