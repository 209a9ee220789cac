"""One request is one transaction: whole, or not there, and never beside another writer."""

from __future__ import annotations

import threading

import pytest

from app.domain.entries import POINTS, Entry, EntryId
from app.protocol.links import Link
from app.protocol.store import GrantRow, Member, StoredEvent
from app.protocol.wire import Cell
from headoffice.store.errors import StoreBusy
from headoffice.store.records import Records
from tests.headoffice.office import BUCKET, NOW, TENANT, TODAY, Database, Shop, server


class Failure(Exception):
    """What a test makes go wrong."""


def fail_at_the_end(shop: Shop, store: Records) -> None:
    """Serve the till's next request, and fail once all of it is put."""
    request = shop.at.till.request(shop.rng, written=len(shop.at.file))
    with store.writing([request]):
        server(store).handle(request, NOW, shop.rng)
        raise Failure


def test_a_request_that_fails_at_its_end_leaves_nothing(office: Database) -> None:
    shop = Shop(1)
    with office.opened() as store:
        shop.enrol(store)
        shop.sell()
        shop.sync(store)
        before = office.dump()
        shop.sell()
        shop.at.till.set_cell(shop.members[0], "name", "Wang", NOW)
        with pytest.raises(Failure):
            fail_at_the_end(shop, store)
        assert office.dump() == before


def test_after_a_failed_request_the_next_one_takes_the_numbers_that_it_would_have(
    office: Database,
) -> None:
    shop = Shop(2)
    with office.opened() as store:
        shop.enrol(store)
        shop.sell()
        with pytest.raises(Failure):
            fail_at_the_end(shop, store)
        shop.sync(store)
        with store.reading():
            feeds = [row.feed for row in store.rows(BUCKET, 0, 100)]
            assert store.head(BUCKET) == 3
            assert max(feeds) == 3


def test_a_commit_that_is_refused_leaves_nothing_and_the_store_goes_on(office: Database) -> None:
    member = Member(b"M" * 16, BUCKET)
    entry = Entry(EntryId(b"E" * 16, 0), POINTS, "earn", 5, TODAY)
    with office.opened() as store:
        before = office.dump()
        with pytest.raises(office.refusals), store.writing():
            store.put_member(member, [entry])
        assert office.dump() == before
        with store.writing():
            store.put_event(StoredEvent(b"E" * 16, b"{}", "posted"))
            store.put_member(member, [entry])
        with store.reading():
            assert store.ledger(member.id) == (entry,)


def test_a_second_writer_that_does_not_get_in_is_told_why(office: Database) -> None:
    with office.opened() as first, office.opened(wait_ms=30) as second, first.writing():
        with pytest.raises(StoreBusy, match="not done after 30 ms"):
            second.writing().__enter__()
        with second.reading():
            assert second.tenant() == TENANT


def test_a_second_writer_waits_for_the_first(office: Database) -> None:
    order: list[str] = []
    asking = threading.Event()

    def later() -> None:
        with office.opened(wait_ms=60_000) as second:
            asking.set()
            with second.writing():
                order.append("second")
                second.put_tenant(second.tenant()._replace(lost=1 + second.tenant().lost))

    with office.opened() as first:
        thread = threading.Thread(target=later)
        with first.writing():
            thread.start()
            assert asking.wait(60)
            first.put_tenant(first.tenant()._replace(lost=1))
            order.append("first")
        thread.join(60)
        with first.reading():
            assert first.tenant().lost == 2
    assert order == ["first", "second"]


def test_records_are_put_inside_a_write_transaction_only(office: Database) -> None:
    with office.opened() as store:
        with pytest.raises(AssertionError, match=r"inside writing\(\)"):
            store.put_member(Member(b"M" * 16, BUCKET))
        with store.reading(), pytest.raises(AssertionError, match=r"inside writing\(\)"):
            store.put_tenant(TENANT)
        with pytest.raises(AssertionError, match=r"inside writing\(\) or reading\(\)"):
            store.tenant()


@pytest.mark.parametrize("table", ["event", "link", "ledger"])
@pytest.mark.parametrize("change", ["UPDATE {} SET dist_key = dist_key", "DELETE FROM {}"])
def test_what_came_is_never_changed(office: Database, table: str, change: str) -> None:
    shop = Shop(3)
    with office.opened() as store:
        shop.enrol(store)
        shop.sell()
        shop.sync(store)
    with pytest.raises(office.refusals, match="insert-only"):
        office.change(change.format(table))


def test_an_event_and_a_link_are_written_once(office: Database) -> None:
    shop = Shop(4)
    event = StoredEvent(b"E" * 16, b"{}", "quarantined")
    link = Link(1, 1, event.id, b"c" * 32)
    with office.opened() as store:
        shop.enrol(store)
        with store.writing():
            store.put_event(event)
            store.put_link(shop.at.device, link)
        with pytest.raises(office.refusals), store.writing():
            store.put_event(event)
        with pytest.raises(office.refusals), store.writing():
            store.put_link(shop.at.device, link)


def test_an_entry_is_in_the_ledger_once(office: Database) -> None:
    entry = Entry(EntryId(b"E" * 16, 0), POINTS, "earn", 5, TODAY)
    with office.opened() as store:
        with store.writing():
            store.put_event(StoredEvent(b"E" * 16, b"{}", "posted"))
            store.put_member(Member(b"M" * 16, BUCKET), [entry])
        with pytest.raises(office.refusals), store.writing():
            store.put_member(Member(b"N" * 16, BUCKET), [entry])


def test_a_device_has_one_open_grant(office: Database) -> None:
    shop = Shop(5)
    device = shop.at.device
    with office.opened() as store:
        shop.enrol(store)
        with store.writing():
            store.put_grant(GrantRow(b"G" * 16, device, 1, 10, 5, NOW))
        with pytest.raises(office.refusals), store.writing():
            store.put_grant(GrantRow(b"H" * 16, device, 1, 10, 5, NOW))


def test_two_tenants_of_one_file_do_not_see_each_other(office: Database) -> None:
    other = TENANT._replace(id=b"U" * 16, budget=7)
    with office.opened() as ours, office.opened(tenant=other) as theirs:
        with ours.writing():
            ours.put_member(Member(b"M" * 16, BUCKET, cells={"name": CELL}))
        with theirs.reading():
            assert theirs.tenant() == other
            assert theirs.member(b"M" * 16) is None
            assert theirs.head(BUCKET) == 0
        with theirs.writing():
            theirs.put_member(Member(b"M" * 16, "south"))
        with ours.reading():
            seen = ours.member(b"M" * 16)
            assert seen is not None
            assert (seen.bucket, seen.cells) == (BUCKET, {"name": CELL})


CELL = Cell(b"M" * 16, "name", "Li", 1, b"D" * 16)
