"""Head office moves to another address: its tills go there once it answers them there, and not before."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import zstandard

from app.protocol.references import OFFICE_ADDRESS, REFERENCE_BUCKET
from app.protocol.wire import ReferenceRow
from app.queries.exchange import standing
from app.sync import new_address
from app.sync.exchange import Exchange
from app.sync.looking_up import LookingUp
from app.usecases.enrol import ProfileInput
from db import head_office
from headoffice.__main__ import CANNOT, main
from headoffice.office import STORE_FILE
from tests.app.chain import settle
from tests.app.joined import sell_to, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.counters import let_in, lines, office, till
from tests.headoffice.http_office import TENANT, Served, begin_chain, opened, rows, served, wait_for
from tests.headoffice.lossy import Lossy, lossy

__all__ = ["kiosk", "lines", "made_template", "office", "template", "till"]


@pytest.fixture
def new(office: Served) -> Iterator[Lossy]:
    """Another address of the same head office."""
    with lossy(office.url, 1) as found:
        found.heal()
        yield found


def tell(office: Served, address: str) -> None:
    assert main(["address", address, "--data", str(office.folder)]) == 0
    heard_of(office, address)


def heard_of(office: Served, address: str) -> None:
    """The serving head office has seen what another process wrote."""
    head = rows(office.folder, f"SELECT feed FROM reference_set WHERE key = '{OFFICE_ADDRESS}'")[0][
        0
    ]
    wait_for(lambda: office.office.known[TENANT].heads[REFERENCE_BUCKET] >= head)


def at(till: Kiosk) -> tuple[str, str]:
    """Where it asks, and what it was told besides."""
    found = standing(till.ctx)
    assert found is not None
    return found.address, found.told


def test_a_till_goes_there_once_it_answers_by_the_same_key(
    till: Kiosk, office: Served, lines: list[Exchange], new: Lossy
) -> None:
    one, asking = let_in(till, office, lines), LookingUp(till.ctx)
    settle(one)
    assert asking.find("13912340078") == 0
    tell(office, new.url)
    assert at(till) == (office.url, "")
    settle(one)
    settle(one)
    assert at(till) == (new.url, "")
    before = new.bytes
    sell_to(till, till.member_id)
    settle(one)
    assert new.bytes > before, "events go there"
    before = new.bytes
    assert asking.find("13912340078") == 0
    assert new.bytes > before, "and what the counter asks"
    asking.close()
    sound(till)


def test_where_nobody_answers_the_old_address_stands_and_it_is_tried_again(
    till: Kiosk,
    office: Served,
    lines: list[Exchange],
    new: Lossy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    new.next_faults.extend(["reset before"])
    tell(office, new.url)
    settle(one)
    monkeypatch.setattr(new_address, "AGAIN_S", 0.0)
    again = one.once()
    assert again is not None
    assert not again.why, "nobody at the counter hears of it"
    one.once()
    assert not new.next_faults
    assert at(till) == (new.url, "")


@pytest.mark.parametrize("knows", ["the store", "nothing"])
def test_a_stranger_there_is_not_head_office(
    till: Kiosk, office: Served, lines: list[Exchange], tmp_path: Path, knows: str
) -> None:
    """Not even one who has a copy of the store: the key is what counts."""
    one = let_in(till, office, lines)
    settle(one)
    folder = tmp_path / "other"
    folder.mkdir()
    if knows == "nothing":
        begin_chain(folder)
    else:
        with contextlib.closing(sqlite3.connect(office.folder / STORE_FILE)) as store:
            store.execute("VACUUM INTO ?", (str(folder / STORE_FILE),))
    with served(folder) as other:
        tell(office, other.url)
        settle(one)
        settle(one)
        assert at(till) == (office.url, other.url), "both are shown"
        sell_to(till, till.member_id)
        settle(one)
    sound(till)


def test_an_address_that_does_not_encrypt_is_never_asked(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    address = "http://office.example:8440"
    with opened(office.folder) as (store, _), store.writing():
        row = ReferenceRow(OFFICE_ADDRESS, REFERENCE_BUCKET, 0, 1, address.encode())
        store.put_reference(row)
    heard_of(office, address)
    settle(one)
    with till.ctx.read() as conn:
        row_here = head_office.head_office(conn)
        assert row_here is not None
        assert new_address.NewAddress().due(conn, row_here) == ""
    assert at(till) == (office.url, address)


@pytest.mark.parametrize(
    "address",
    ["office.example", "http://office.example", "ftp://office.example", "https://", "https://a b",
     "https://office.example/console", "https://u:p@office.example", "https://office.example?x=1",
     "https://office.example:port", "https://总部.example", "https://" + "a" * 200],
)  # fmt: skip
def test_what_is_no_address_is_told_to_nobody(office: Served, address: str) -> None:
    assert main(["address", address, "--data", str(office.folder)]) == CANNOT
    assert rows(office.folder, "SELECT * FROM reference_set WHERE key = 'office_address'") == []


class _Listening(BaseHTTPRequestHandler):
    """Somebody who is not head office, and keeps what is sent to them."""

    heard: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "zstd":
            body = zstandard.ZstdDecompressor().stream_reader(body).read()
        self.heard.append(body)
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_nobody_is_told_of_a_member_before_they_proved_to_be_head_office(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    _Listening.heard.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Listening) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        tell(office, f"http://127.0.0.1:{stranger.server_port}")
        one.once()
        assert at(till)[1], "it has heard of the address"
        till.enrol(ProfileInput("周来访", "13912340078"))
        one.once()
        stranger.shutdown()
    assert _Listening.heard
    assert not any(b"12340078" in each or "周来访".encode() in each for each in _Listening.heard)
