"""The unit of work: what it asks of a database, and that forgetting what it only read changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from headoffice.store import feeds, known, records
from headoffice.store.records import Records
from tests.headoffice.office import NOW, Database, Shop, server
from tests.headoffice.twins import Pace, in_files, run_twins
from tests.long.scratch import scratch


def test_a_transaction_that_forgets_what_it_only_read_does_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(known, "KEPT_MOST", 2)
    monkeypatch.setattr(records, "PAGE", 3)
    monkeypatch.setattr(feeds, "WINDOW_MOST", 3)
    compared: Counter[str] = Counter()
    for seed in range(40, 44):
        with scratch(in_memory=True) as folder:
            compared += run_twins(seed, 300, in_files(folder, Pace(12)))
    assert compared["requests"] > 400


def calls(store: Records, shops: list[Shop], *, told: bool) -> Counter[str]:
    """How often the database was asked for a group of pushes; `told`: they were known before."""
    for shop in shops:
        shop.sell()
    asked = [shop.at.till.request(shop.rng, written=len(shop.at.file)) for shop in shops]
    found: Counter[str] = Counter()
    rows: Any = store._rows
    with pytest.MonkeyPatch.context() as patch:
        for name in ("find", "last", "ask", "write", "drop"):
            patch.setattr(rows, name, _counted(getattr(rows, name), name, found))
        with store.writing(asked if told else []):
            for request, shop in zip(asked, shops, strict=True):
                server(store).handle(request, NOW, shop.rng)
    return found


def _counted(call: Callable[..., Any], name: str, found: Counter[str]) -> Callable[..., Any]:
    def counted(*args: Any) -> Any:
        found[name] += 1
        return call(*args)

    return counted


def test_a_group_asks_and_writes_no_more_often_than_one_push(office: Database) -> None:
    shops = [Shop(seed) for seed in range(21)]
    with office.opened() as store:
        for shop in shops:
            shop.enrol(store)
            shop.sync(store)
        one = calls(store, shops[:1], told=True)
        twenty = calls(store, shops[1:], told=True)
        unasked = calls(store, shops[1:], told=False)
    assert twenty["write"] == one["write"]
    # What several lack is one more page: members' rows and references. One till has its grant.
    assert twenty.total() <= one.total() + 3
    assert unasked["find"] > 5 * twenty["find"]


def test_a_record_is_written_once_however_often_it_is_put(office: Database) -> None:
    shop = Shop(1, members=1)
    with office.opened() as store:
        shop.enrol(store)
        shop.sync(store)
        shop.sell(20)
        request = shop.at.till.request(shop.rng, written=len(shop.at.file))
        written: Counter[str] = Counter()
        rows: Any = store._rows
        write = rows.write

        def counted(table: Any, found: Any) -> None:
            written[table.name] += len(found)
            write(table, found)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows, "write", counted)
            with store.writing([request]):
                server(store).handle(request, NOW, shop.rng)
                assert not written
    assert written["event"] == written["link"] == written["ledger"] == 20
    assert written["member"] == written["device"] == written["tenant"] == written["feed_head"] == 1
