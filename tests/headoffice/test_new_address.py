"""Head office moves to another address: its tills go there once it answers them there, and not before."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import zstandard

from app import bases
from app.protocol.endpoints import Enrolled
from app.protocol.references import OFFICE_ADDRESS, REFERENCE_BUCKET
from app.protocol.wire import ReferenceRow
from app.queries.exchange import standing
from app.sync import new_address
from app.sync.exchange import Exchange
from app.sync.join import take_in
from app.sync.looking_up import LookingUp
from app.usecases.enrol import ProfileInput
from db import head_office
from db import rows as store_rows
from headoffice.__main__ import CANNOT, main
from headoffice.keys import FILE_NAME
from headoffice.office import STORE_FILE
from tests.app.chain import settle
from tests.app.joined import sell_to, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.counters import let_in, lines, office, second, till
from tests.headoffice.http_office import TENANT, Served, begin_chain, opened, rows, served, wait_for
from tests.headoffice.lossy import Lossy, lossy

__all__ = ["kiosk", "lines", "made_template", "office", "second", "template", "till"]


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


@pytest.mark.parametrize(
    "nowhere",
    [
        "https://office..example:8440",
        f"https://{'a' * 64}.example",
        "https://xn--a-ecp",
        "https://[1",
    ],
)
def test_an_address_at_which_nobody_can_be_asked_ends_nothing(
    till: Kiosk, office: Served, lines: list[Exchange], new: Lossy, nowhere: str
) -> None:
    """Head office refuses such a one; a till of ours may have been told by an older."""
    one = let_in(till, office, lines)
    settle(one)
    with opened(office.folder) as (store, _), store.writing():
        row = ReferenceRow(OFFICE_ADDRESS, REFERENCE_BUCKET, 0, 1, nowhere.encode())
        store.put_reference(row)
    heard_of(office, nowhere)
    settle(one)
    assert at(till) == (office.url, nowhere)
    sell_to(till, till.member_id)
    settle(one)
    sound(till)
    tell(office, new.url)
    settle(one)
    assert new.url in at(till), "the right one is heard"


def test_a_till_that_has_joined_another_head_office_meanwhile_stays_there(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    settle(let_in(till, office, lines))
    with till.ctx.write_rows() as conn:
        asked = head_office.head_office(conn)
        assert asked is not None
        head_office.put_head_office(conn, asked._replace(their_key=bytes(32)))
        new_address.NewAddress().go(conn, asked, "https://office.example")
        assert store_rows.meta(conn, new_address.FORMER) is None
    assert at(till) == (office.url, "")


@pytest.fixture
def moved(till: Kiosk, office: Served, lines: list[Exchange], new: Lossy) -> Exchange:
    """A till that is at the new address, and has sold there."""
    one = let_in(till, office, lines)
    settle(one)
    tell(office, new.url)
    settle(one)
    settle(one)
    assert at(till) == (new.url, "")
    sell_to(till, till.member_id)
    settle(one)
    return one


def test_where_the_new_address_falls_silent_for_long_the_one_before_is_asked_again(
    till: Kiosk, office: Served, moved: Exchange, new: Lossy, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell_to(till, till.member_id)
    new.broken, new.next_faults = True, deque(["reply lost"] + ["reset before"] * 50)
    monkeypatch.setattr(new_address, "AGAIN_S", 0.0)
    for _ in range(3):
        gone = moved.once()
        assert gone is not None
        assert gone.why == "gone"
    assert at(till) == (new.url, ""), "a line that drops now and then moves nobody"
    monkeypatch.setattr(new_address, "SILENT_S", 0.0)
    moved.once()
    assert at(till) == (office.url, new.url)
    before = rows(office.folder, "SELECT count(*) FROM event")[0][0]
    monkeypatch.undo()
    sell_to(till, till.member_id)
    moved.once()
    assert rows(office.folder, "SELECT count(*) FROM event")[0][0] > before, "it sells there"
    new.next_faults.clear()
    new.heal()
    monkeypatch.setattr(new_address, "AGAIN_S", 0.0)
    settle(moved)
    assert at(till) == (new.url, ""), "what tills are told goes before"
    sound(till)


def test_where_neither_answers_the_one_before_is_asked_too(
    till: Kiosk, office: Served, moved: Exchange, new: Lossy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Head office moves once more, and neither address is reached from here."""
    with lossy(office.url, 2) as third:
        third.next_faults = deque(["reset before"] * 50)
        tell(office, third.url)
        settle(moved)
        new.next_faults = deque(["reset before"] * 50)
        moved.once()
        monkeypatch.setattr(new_address, "AGAIN_S", 0.0)
        monkeypatch.setattr(new_address, "SILENT_S", 0.0)
        moved.once()
        moved.once()
    assert at(till) == (office.url, third.url)


def test_one_answer_ends_the_silence(
    till: Kiosk, office: Served, moved: Exchange, new: Lossy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_address, "AGAIN_S", 0.0)
    new.next_faults.append("reset before")
    moved.once()
    moved.once()
    assert not new.next_faults
    monkeypatch.setattr(new_address, "SILENT_S", 0.0)
    moved.once()
    assert at(till) == (new.url, "")


def copied(office: Served, folder: Path) -> Path:
    """The store as it is, and the key: what must never be served at two addresses."""
    folder.mkdir()
    shutil.copy(office.folder / FILE_NAME, folder / FILE_NAME)
    with contextlib.closing(sqlite3.connect(office.folder / STORE_FILE)) as store:
        store.execute("VACUUM INTO ?", (str(folder / STORE_FILE),))
    return folder


@pytest.mark.parametrize("newer", ["own sales", "others' sales", "nothing", "restored"])
def test_an_older_copy_of_head_office_is_gone_to_by_nobody(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange], tmp_path: Path, newer: str
) -> None:
    one, other = let_in(till, office, lines), let_in(second, office, lines, "till 2")
    settle(one)
    settle(other)
    folder = copied(office, tmp_path / "copy")
    if newer != "nothing":
        seller = other if newer == "others' sales" else one
        sell_to(second if seller is other else till, till.member_id)
        settle(seller)
        settle(one)
    if newer == "restored":
        assert main(["restored", "--data", str(folder)]) == 0
    with served(folder) as copy:
        tell(copy, copy.url)
        tell(office, copy.url)
        settle(one)
        one.once()
    may = newer in ("nothing", "restored")
    assert at(till) == ((copy.url, "") if may else (office.url, copy.url))


def test_a_till_that_is_shut_out_hears_of_it_at_the_new_address(
    till: Kiosk, office: Served, lines: list[Exchange], new: Lossy
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    tell(office, new.url)
    one.once()
    assert at(till) == (office.url, new.url)
    assert main(["revoke", till.ctx.till.device.hex(), "--data", str(office.folder)]) == 0
    device = till.ctx.till.device
    wait_for(lambda: office.office.tills[device].standing == "lost")
    one.once()
    assert at(till) == (new.url, "")


@pytest.mark.usefixtures("moved")
def test_a_till_that_joins_anew_knows_of_no_address_before(till: Kiosk, office: Served) -> None:
    with till.ctx.read() as conn:
        assert store_rows.meta(conn, new_address.FORMER) == office.url
        row = head_office.head_office(conn)
    assert row is not None
    control = bases.CONTROL.unpack(row.control)
    answer = Enrolled(
        bytes(16), control.tenant, "Chain", "North", "till 1", "all", control.buckets, control.timeline,
        control.epoch + 1, row.their_key,
    )  # fmt: skip
    take_in(till.ctx, office.url, row.seed, answer, random.Random(1))
    with till.ctx.read() as conn:
        assert store_rows.meta(conn, new_address.FORMER) is None


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
     "https://office.example:port", "https://总部.example", "https://" + "a" * 200,
     "https://office..example:8440", "https://.example", f"https://{'a' * 64}.example", "https://xn--a-ecp",
     "https://[::1]x", "https://[v1.a]", "https://999.1.1.1", "https://ex\\ample", "https://<b>x",
     "https://a%zz", "https://office.example:", "https://office.example:0", "https://1.2.3", "https://[1"],
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
