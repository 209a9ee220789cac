"""The chain's price list becomes the till's catalogue on its first business date, whole or not at all."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from app.catalogue_file import CatalogueFile, catalogue_csv, read_catalogue
from app.context import Session
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.price_list import CONTENT_BYTES_MOST, PriceList, body_of, price_list_of
from app.protocol.references import NEXT_PRICES, PRICES, REFERENCE_BUCKET
from app.protocol.wire import ReferenceRow
from app.queries.catalogue import CatalogueList, FromAbove, catalogue
from app.queries.counter import item_by_code
from app.sync import prices as taking
from app.sync.exchange import Exchange
from app.usecases.catalogue import ImportCatalogue, SaveItem, import_catalogue, save_item
from app.usecases.open_shift import OpenShift, open_shift
from db import rows
from db.staff_rows import all_staff
from tests.app.chain import Chain, settle
from tests.app.closing import manager_of
from tests.app.joined import sound, today
from tests.app.kiosk import Kiosk, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "template"]

HEAD = "code,name,price,barcodes\n"
TEA = "A1,Tea,10.00,6900000000112\n"
CUP = "A2,Cup,25.50,6900000000129 6900000000136\n"


def file_of(*lines: str) -> bytes:
    """A file as head office writes it anew before tills get it."""
    file = read_catalogue((HEAD + "".join(lines)).encode(), 2)
    assert not file.faults
    return catalogue_csv(file.items, 2)


def published(
    chain: Chain,
    number: int,
    starts: BusinessDate,
    content: bytes,
    *,
    key: str = PRICES,
    currency: str = "CNY",
) -> None:
    body = body_of(PriceList(starts, currency, content))
    chain.server.publish(ReferenceRow(key, REFERENCE_BUCKET, 0, number, body))


def manager(at: Kiosk) -> Session:
    with at.ctx.read() as conn:
        known = next((each for each in all_staff(conn) if each.role == "manager"), None)
    return Session(manager_of(at) if known is None else known.id, at.session.shift_id)


def shown(at: Kiosk) -> CatalogueList:
    return catalogue(at.ctx, manager(at), "")


def items(at: Kiosk) -> dict[str, tuple[int, bool]]:
    return {each.code: (each.price_minor, each.withdrawn) for each in shown(at).items}


def told(at: Kiosk) -> list[str]:
    with at.ctx.read() as conn:
        return [
            json.loads(f)["why"] for _, code, f in rows.incidents(conn) if code == "prices_unfit"
        ]


def of_the_store(at: Kiosk, *lines: str) -> None:
    command = ImportCatalogue(at.ctx.ids(), manager(at), (HEAD + "".join(lines)).encode())
    assert not import_catalogue(at.ctx, command).result.faults


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def exchange(chain: Chain, kiosk: Kiosk) -> Exchange:
    made = chain.let_in(kiosk)
    settle(made)
    return made


def test_the_list_replaces_what_the_store_had(
    chain: Chain, kiosk: Kiosk, exchange: Exchange
) -> None:
    of_the_store(kiosk, TEA, "B1,Own,3.00,6900000000129\n")
    on = today(kiosk)
    published(chain, 7, on, file_of("A1,Tea,12.00,6900000000112\n", CUP))
    settle(exchange)
    assert items(kiosk) == {"A1": (1200, False), "A2": (2550, False), "B1": (300, True)}
    assert item_by_code(kiosk.ctx, "6900000000129").code == "A2", (
        "its code belongs to another one now"
    )
    assert shown(kiosk).above == FromAbove(7, on)
    event = kiosk.last_event()
    assert (event.kind, event.doc["above"], event.doc["withdrawn"]) == ("catalogue", 7, 1)
    sound(kiosk)


def test_it_is_taken_once_and_a_list_without_changes_writes_no_item(
    chain: Chain, kiosk: Kiosk, exchange: Exchange
) -> None:
    published(chain, 7, today(kiosk), file_of(TEA))
    settle(exchange)
    settle(exchange)
    chain.server.restored(2_000_000_000_000)  # All rows come anew.
    settle(exchange)
    with kiosk.ctx.read() as conn:
        kinds = [row.kind for row in rows.events_after(conn, 0)]
    assert kinds.count("catalogue") == 1


def test_prices_are_head_offices_from_then_on(
    chain: Chain, kiosk: Kiosk, exchange: Exchange
) -> None:
    published(chain, 7, today(kiosk), file_of(TEA))
    settle(exchange)
    texts = {"code": "A1", "name": "Tea", "price": "1.00"}
    with pytest.raises(Refused) as no:
        save_item(kiosk.ctx, SaveItem(kiosk.ctx.ids(), manager(kiosk), texts, new=False))
    assert no.value.code is Refusal.PRICES_FROM_ABOVE
    with pytest.raises(Refused) as no:
        of_the_store(kiosk, CUP)
    assert no.value.code is Refusal.PRICES_FROM_ABOVE
    assert items(kiosk) == {"A1": (1000, False)}


def test_a_list_begins_on_its_date_without_a_line(
    chain: Chain, kiosk: Kiosk, exchange: Exchange
) -> None:
    on = today(kiosk)
    published(chain, 7, on, file_of(TEA))
    published(chain, 8, on.plus(1), file_of("A1,Tea,11.00,\n"), key=NEXT_PRICES)
    settle(exchange)
    assert items(kiosk) == {"A1": (1000, False)}
    assert (shown(kiosk).above, shown(kiosk).coming) == (FromAbove(7, on), FromAbove(8, on.plus(1)))
    kiosk.clock.step(days=1)
    chain.cut = True
    exchange.once()
    assert items(kiosk) == {"A1": (1100, False)}
    assert (shown(kiosk).above, shown(kiosk).coming) == (FromAbove(8, on.plus(1)), None)


def test_of_two_the_one_of_the_later_date_is_in_force_whichever_came_first(
    chain: Chain, kiosk: Kiosk, exchange: Exchange
) -> None:
    on = today(kiosk)
    published(chain, 7, on.plus(1), file_of("A1,Tea,11.00,\n"), key=NEXT_PRICES)
    published(chain, 8, on, file_of(TEA))
    settle(exchange)
    assert items(kiosk) == {"A1": (1000, False)}
    kiosk.clock.step(days=1)
    exchange.once()
    assert items(kiosk) == {"A1": (1100, False)}


def test_one_that_changes_much_waits_for_the_end_of_the_shift(
    chain: Chain, kiosk: Kiosk, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "AT_ONCE", 1)
    published(chain, 7, today(kiosk), file_of(TEA, CUP))
    settle(exchange)
    assert items(kiosk) == {}
    assert shown(kiosk).coming == FromAbove(7, today(kiosk))
    kiosk.end_shift()
    exchange.once()
    assert set(items(kiosk)) == {"A1", "A2"}


def test_what_happens_between_comparing_and_writing_is_seen(
    chain: Chain, kiosk: Kiosk, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(chain, 7, today(kiosk), file_of(TEA))
    done = list[str]()

    def meanwhile(content: bytes) -> Any:
        if not done:
            done.append("once")
            of_the_store(kiosk, "A1,Tea,99.00,\n", "C9,Own,1.00,\n")
        return sha256(content)

    monkeypatch.setattr(taking, "sha256", meanwhile)
    settle(exchange)
    exchange.once()
    assert done
    assert items(kiosk) == {"A1": (1000, False), "C9": (100, True)}


def test_a_shift_that_is_opened_meanwhile_is_not_kept_waiting(
    chain: Chain, kiosk: Kiosk, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "AT_ONCE", 1)
    published(chain, 7, today(kiosk), file_of(TEA))
    settle(exchange)
    published(chain, 8, today(kiosk), file_of("A1,Tea,11.00,\n", CUP))
    kiosk.end_shift()
    done = list[str]()

    def meanwhile(content: bytes) -> Any:
        if not done:
            done.append("once")
            open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 50000))
        return sha256(content)

    monkeypatch.setattr(taking, "sha256", meanwhile)
    settle(exchange)
    assert done
    assert items(kiosk) == {"A1": (1000, False)}
    kiosk.end_shift()
    exchange.once()
    assert set(items(kiosk)) == {"A1", "A2"}


@pytest.mark.parametrize(
    ("content", "currency", "why"),
    [
        (file_of(TEA), "JPY", "currency"),
        (HEAD.encode() + b"A1,Tea,much,\n", "CNY", "faults"),
        (b"\0" * (CONTENT_BYTES_MOST + 1), "CNY", "unreadable"),
    ],
)  # fmt: skip
def test_one_that_does_not_fit_is_told_once_and_changes_nothing(
    chain: Chain, kiosk: Kiosk, exchange: Exchange, content: bytes, currency: str, why: str
) -> None:
    of_the_store(kiosk, TEA)
    published(chain, 7, today(kiosk), content, currency=currency)
    settle(exchange)
    settle(exchange)
    settle(chain.exchange(kiosk))
    assert told(kiosk) == [why]
    assert items(kiosk) == {"A1": (1000, False)}
    assert (shown(kiosk).above, shown(kiosk).coming) == (None, None)
    of_the_store(kiosk, CUP)


def badge(at: Kiosk, number: str | None) -> None:
    """The manager's."""
    manager(at)
    with at.ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET badge = ? WHERE role = 'manager'", (number,))


def refused(chain: Chain, at: Kiosk, exchange: Exchange, content: bytes) -> None:
    """A list that can't be taken here."""
    published(chain, 7, today(at), content)
    while not told(at):
        exchange.once()
    assert (told(at), items(at), shown(at).coming) == (["faults"], {}, None)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Each reading of a list's items."""
    found = list[bytes]()

    def counted(content: bytes, exponent: int) -> CatalogueFile:
        found.append(content)
        return read_catalogue(content, exponent)

    monkeypatch.setattr(taking, "read_catalogue", counted)
    return found


def test_one_that_was_refused_is_taken_once_what_was_wrong_here_is_mended(
    chain: Chain, kiosk: Kiosk, exchange: Exchange, read: list[bytes]
) -> None:
    badge(kiosk, "A2")
    refused(chain, kiosk, exchange, file_of(TEA, CUP))
    for _ in range(3):
        exchange.once()
    assert len(read) == 1, "the same list is not read anew at each turn"
    badge(kiosk, "B2")
    exchange.once()
    assert items(kiosk) == {"A1": (1000, False), "A2": (2550, False)}
    assert (told(kiosk), len(read)) == (["faults"], 2)
    sound(kiosk)


def test_each_fault_that_is_left_is_waited_for(
    chain: Chain, kiosk: Kiosk, exchange: Exchange
) -> None:
    badge(kiosk, "A1")
    refused(chain, kiosk, exchange, file_of(TEA, CUP))
    badge(kiosk, "A2")
    settle(exchange)
    assert items(kiosk) == {}
    badge(kiosk, None)
    settle(exchange)
    assert set(items(kiosk)) == {"A1", "A2"}


def test_a_fault_of_the_list_itself_is_mended_nowhere(
    chain: Chain, kiosk: Kiosk, exchange: Exchange, read: list[bytes]
) -> None:
    refused(chain, kiosk, exchange, HEAD.encode() + b"A1,Tea,much,\nA2,Cup,1.00,\n")
    settle(exchange)
    exchange.once()
    assert len(read) == 1


def test_a_new_list_is_taken_though_the_one_before_was_refused(
    chain: Chain, kiosk: Kiosk, exchange: Exchange
) -> None:
    badge(kiosk, "A2")
    refused(chain, kiosk, exchange, file_of(TEA, CUP))
    published(chain, 8, today(kiosk), file_of(TEA))
    settle(exchange)
    assert items(kiosk) == {"A1": (1000, False)}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b'{"v": 2, "starts": 1, "currency": "CNY"}\n',
        b'{"v": 1, "starts": "1", "currency": "CNY"}\n',
        b'{"v": 1, "starts": 1, "currency": "CNY"}\nno zstd',
    ],
)
def test_what_is_no_list_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        price_list_of(body)


def test_a_list_comes_back_from_its_bytes() -> None:
    prices = PriceList(BusinessDate(20_000), "CNY", file_of(TEA, CUP))
    assert price_list_of(body_of(prices)) == prices
