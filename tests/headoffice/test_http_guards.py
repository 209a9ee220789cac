"""Who is not believed, what is not read, and that head office goes on answering whatever it is sent (R11)."""

from __future__ import annotations

import contextlib
import io
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.protocol import endpoints, signing, wire
from app.protocol.endpoints import WIRE_BYTES_MOST, Enrol, Problem, Rotate
from app.protocol.wire import Cell, HoldRequest, RebaseRequest, Refusal, SyncRequest
from headoffice import http, letting_in
from headoffice.directory import KnownTill
from headoffice.http import RATES
from tests.headoffice.api_office import written
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    HttpTill,
    Served,
    begin_chain,
    code_for,
    opened,
    served,
    wait_for,
)
from tests.sim.hostile import spoilt

MIB = 1024 * 1024
FAST = RATES._replace(device_per_s=1e6, device_burst=10**6, enrol_per_s=1e6, enrol_burst=10**6)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Served]:
    begin_chain(tmp_path)
    with served(tmp_path, rates=FAST) as at:
        yield at


@pytest.fixture
def till(chain: Served) -> HttpTill:
    made = chain.till()
    made.earn()
    made.sync()
    return made


def events(chain: Served) -> int:
    with opened(chain.folder) as (store, _), store.reading():
        return sum(device.place.seq for device in store.devices())


# Who is believed ----------------------------------------------------------------------------------


def test_another_key_is_a_bad_signature_and_nothing_is_kept(chain: Served, till: HttpTill) -> None:
    till.earn()
    before, request = events(chain), till.ask()
    response = till.send(request, key=Ed25519PrivateKey.generate())
    assert (response.status, till.problem(response, request.rid)) == (401, "bad_signature")
    assert events(chain) == before
    assert till.send(request).status == 200


def test_a_body_that_is_not_the_signed_one_is_a_bad_signature(
    chain: Served, till: HttpTill
) -> None:
    idle = till.ask()
    till.earn()
    before, request = events(chain), till.ask()
    response = till.post(
        endpoints.SYNC, wire.to_bytes(idle), request.rid, epoch=1, sent=wire.to_bytes(request)
    )
    assert till.problem(response, request.rid) == "bad_signature"
    assert events(chain) == before


def test_a_device_that_was_never_let_in_is_unknown(chain: Served, till: HttpTill) -> None:
    stranger = chain.stranger(9)
    response = stranger.post(endpoints.SYNC, wire.to_bytes(till.ask()), b"r" * 16)
    stranger.server_key = till.server_key
    assert (response.status, stranger.problem(response, b"r" * 16)) == (401, "unknown_device")


@pytest.mark.parametrize("way", [-1, 1])
def test_a_clock_more_than_five_minutes_off_hears_the_right_time(
    chain: Served, till: HttpTill, way: int
) -> None:
    request = till.ask()
    chain.clock.stood_ms = chain.clock()
    now_s = chain.clock() // 1000
    response = till.send(request, created_s=now_s + way * 301)
    assert response.status == 401
    problem = endpoints.message_of(till.signed_body(response, request.rid), Problem)
    assert (problem.code, problem.now_ms) == ("clock", chain.clock())
    assert till.send(request, created_s=now_s + way * 300).status == 200


def test_who_wants_to_be_let_in_needs_a_right_clock_too(chain: Served) -> None:
    till = chain.stranger()
    code = code_for(chain.folder, "North", "till 1")
    rid, key = till.rng.randbytes(16), till.key.public_key().public_bytes_raw()
    body = endpoints.to_bytes(Enrol(rid, till.device, code, key))
    response = till.post(endpoints.ENROL, body, rid, created_s=chain.clock() // 1000 - 400)
    assert endpoints.message_of(response.content, Problem).code == "clock"
    till.enrol(code)


@pytest.mark.parametrize("path", [endpoints.ENROL, endpoints.ROTATE])
def test_getting_in_and_changing_a_key_is_for_oneself_alone(
    chain: Served, till: HttpTill, path: str
) -> None:
    rid, key = till.rng.randbytes(16), till.key.public_key().public_bytes_raw()
    code = code_for(chain.folder, "South", "till 2")
    for named_rid, device in ((b"x" * 16, till.device), (rid, b"d" * 16)):
        message = (
            Enrol(named_rid, device, code, key)
            if path == endpoints.ENROL
            else Rotate(named_rid, device, key, b"")
        )
        response = till.post(path, endpoints.to_bytes(message), rid)
        assert till.problem(response, rid) == "not_the_signer"


def test_a_change_of_key_is_done_once_and_for_live_tills_alone(
    chain: Served, till: HttpTill
) -> None:
    rid, key = till.rng.randbytes(16), Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    proof = key.sign(endpoints.rotation(till.device, public))
    body = endpoints.to_bytes(Rotate(rid, till.device, public, proof))
    assert till.post(endpoints.ROTATE, body, rid).status == 200
    assert till.problem(till.post(endpoints.ROTATE, body, rid), rid) == "replayed"
    chain.office.put_till(chain.office.tills[till.device]._replace(standing="lost"))
    response = till.post(endpoints.ROTATE, body, rid)
    assert response.status == 403
    assert wire.reply_of(till.signed_body(response, rid)) == Refusal(rid, "revoked")


def test_a_body_that_came_slowly_is_believed_by_the_keys_of_its_end(
    chain: Served, till: HttpTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up, look_up = list[bytes](), chain.office.till

    def counted(device: bytes) -> KnownTill | None:
        looked_up.append(device)
        return look_up(device)

    monkeypatch.setattr(chain.office, "till", counted)
    second, third = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    till.rotate(second)
    till.key = second
    request = till.ask()
    body, at_s = wire.to_bytes(request), chain.clock() // 1000
    head = signing.RequestHead("POST", endpoints.SYNC, request.rid, till.device, 1, at_s)
    signed = signing.sign_request(head, body, second.sign)
    address = till.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=30) as slow:
        looked_up.clear()
        lines = [f"{name}: {value}" for name, value in signed.items()]
        told = ["POST /v1/sync HTTP/1.1", "host: x", f"content-length: {len(body)}", *lines, "", ""]
        slow.sendall("\r\n".join(told).encode() + body[:1])
        wait_for(lambda: bool(looked_up))
        till.exchange()
        till.rotate(third)
        slow.sendall(body[1:])
        assert slow.recv(1000).startswith(b"HTTP/1.1 200")
    till.key = third
    till.exchange()


def test_a_key_that_another_process_has_heard_to_be_over_changes_nothing(
    chain: Served, till: HttpTill
) -> None:
    """Two processes serve one store: this one knows the till as it was before."""
    known, (second, third) = chain.office.tills[till.device], _keys(2)
    for key in (second, third):
        till.rotate(key)
        till.key = key
        till.exchange()
    public = _keys(1)[0].public_key().public_bytes_raw()
    asked = Rotate(b"r" * 16, till.device, public, b"")

    def kept() -> KnownTill:
        with opened(chain.folder) as (_, directory):
            return next(each for each in directory.tills_of(TENANT) if each.device == till.device)

    before = kept()
    assert (
        written(chain, lambda _: letting_in.rotate(chain.office, known, asked, by_next=False))
        is None
    )
    assert kept() == before
    known = chain.office.tills[till.device]
    assert written(chain, lambda _: letting_in.rotate(chain.office, known, asked, by_next=False))
    assert kept().next_key == public


def _keys(count: int) -> list[Ed25519PrivateKey]:
    return [Ed25519PrivateKey.generate() for _ in range(count)]


def test_a_request_that_was_served_is_not_served_again(chain: Served, till: HttpTill) -> None:
    till.earn()
    request = till.ask()
    assert till.send(request).status == 200
    before = events(chain)
    response = till.send(request)
    assert (response.status, till.problem(response, request.rid)) == (409, "replayed")
    assert events(chain) == before


def test_a_till_speaks_for_itself_alone(chain: Served, till: HttpTill) -> None:
    other = chain.till(2, "South")
    other.earn()
    foreign = other.ask()
    response = till.post(endpoints.SYNC, wire.to_bytes(foreign), foreign.rid, epoch=1)
    assert till.problem(response, foreign.rid) == "not_the_signer"
    own = till.ask()
    response = till.post(endpoints.SYNC, wire.to_bytes(own), b"x" * 16, epoch=1)
    assert till.problem(response, b"x" * 16) == "not_the_signer"
    own = till.ask()
    assert till.problem(till.send(own, epoch=2), own.rid) == "not_the_signer"


def test_a_message_is_taken_at_its_own_address_alone(till: HttpTill) -> None:
    request = till.ask()
    response = till.post(endpoints.HOLD, wire.to_bytes(request), request.rid, epoch=1)
    assert till.problem(response, request.rid) == "not_a_message"


def test_too_many_requests_of_a_device_wait(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    rates = RATES._replace(device_per_s=0.01, device_burst=4)
    with served(tmp_path, rates=rates) as chain:
        till = chain.till()
        assert [till.send(till.ask()).status for _ in range(4)] == [200] * 4
        request = till.ask()
        response = till.send(request)
        assert (response.status, till.problem(response, request.rid)) == (429, "too_many")
        assert 1 <= int(response.headers["retry-after"]) <= 100
        assert chain.till(2, "South").send(request).status == 400, "another device is not held up"


def test_too_many_requests_of_a_chain_wait(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    begin_chain(tmp_path, tenant=b"U" * 16)
    with served(tmp_path, rates=RATES._replace(chain_per_s=0.01, chain_burst=2)) as chain:
        tills = [chain.till(seed) for seed in (1, 2, 3)]
        assert [till.send(till.ask()).status for till in tills] == [200, 200, 429]
        other = chain.till(4, tenant=b"U" * 16)
        assert other.send(other.ask()).status == 200


# What is read -------------------------------------------------------------------------------------


def test_more_than_a_mebibyte_is_too_big_and_the_next_request_is_served(till: HttpTill) -> None:
    for size in (WIRE_BYTES_MOST + 1, 6 * MIB):
        response = till.post(endpoints.SYNC, b"x" * size, b"r" * 16, epoch=1)
        assert (response.status, till.problem(response, b"r" * 16)) == (413, "too_big")
    till.exchange()


def test_nobody_that_we_do_not_know_sends_a_large_body(chain: Served, till: HttpTill) -> None:
    stranger = chain.stranger(9)
    stranger.server_key = till.server_key
    response = stranger.post(endpoints.SYNC, b"x" * 3 * MIB, b"r" * 16)
    assert stranger.problem(response, b"r" * 16) == "unknown_device"
    for path in (endpoints.ENROL, endpoints.ROTATE):
        response = till.post(path, b"x" * 4097, b"r" * 16)
        assert till.problem(response, b"r" * 16) == "too_big"
    till.exchange()


def bombs() -> list[bytes]:
    """A hundred mebibytes of nothing as a small frame, with its size told and not."""
    told = zstandard.compress(bytes(100 * MIB))
    frame = io.BytesIO()
    with zstandard.ZstdCompressor().stream_writer(frame, closefd=False) as writer:
        for _ in range(100):
            writer.write(bytes(MIB))
    return [told, frame.getvalue()]


def test_a_small_frame_that_holds_a_lot_is_too_big(till: HttpTill) -> None:
    for bomb in bombs():
        assert len(bomb) < WIRE_BYTES_MOST
        rid = till.rng.randbytes(16)
        response = till.post(endpoints.SYNC, bomb, rid, epoch=1, content_encoding="zstd")
        assert (response.status, till.problem(response, rid)) == (413, "too_big")
    till.exchange()


def test_an_encoding_that_is_not_ours_is_refused(till: HttpTill) -> None:
    request = till.ask()
    response = till.send(request, content_encoding="gzip")
    assert (response.status, till.problem(response, request.rid)) == (415, "encoding")


def test_more_events_than_a_batch_holds_are_too_big(till: HttpTill) -> None:
    request = till.ask()
    assert isinstance(request, SyncRequest)
    many = SyncRequest(
        request.rid, till.device, request.timeline, request.acked, 1000, (b"{}",) * 501, (), {}
    )
    response = till.send(many)
    assert till.problem(response, request.rid) == "too_big"


def test_values_that_no_till_writes_are_refused_whole(chain: Served, till: HttpTill) -> None:
    request, before = till.ask(), events(chain)
    assert isinstance(request, SyncRequest)
    control = till.at.store.control()
    cells = [
        Cell(b"short", "name", "A", 1, till.device),
        Cell(ANNA, "name", "A\0", 1, till.device),
        Cell(ANNA, "n" * 201, "A", 1, till.device),
        Cell(ANNA, "name", "A", 1, b""),
    ]
    odd: list[wire.Request] = [
        SyncRequest(
            till.rng.randbytes(16), till.device, request.timeline, request.acked, request.top, (),
            (cell,), dict(request.cursors),
        )
        for cell in cells
    ]  # fmt: skip
    rid = till.rng.randbytes(16)
    hold = HoldRequest(rid, till.device, 1, control.timeline, b"", ANNA, "points", 1, till.today)
    odd += [hold, RebaseRequest(till.rng.randbytes(16), till.device, 1, b"n" * 65, ())]
    for message in odd:
        response = till.send(message)
        assert (response.status, till.problem(response, message.rid)) == (400, "not_a_message")
    assert events(chain) == before
    till.exchange()


def test_spoilt_messages_with_a_good_signature_never_break_the_server(
    chain: Served, till: HttpTill
) -> None:
    rng = random.Random(5)
    till.earn()
    till.at.till.set_cell(ANNA, "name", "Anna", till.clock())
    good: list[wire.Request] = [till.ask(), till.hold(ANNA, 3)]
    statuses = set[int]()
    for number in range(200):
        message = good[number % 2]
        body = spoilt(wire.to_bytes(message), rng)
        path = (endpoints.SYNC, endpoints.HOLD)[number % 2]
        response = till.post(path, body, message.rid, epoch=1)
        assert till.signed_body(response, message.rid)
        statuses.add(response.status)
    assert statuses <= {200, 400, 409, 413}
    assert 400 in statuses
    till.sync()


def test_random_bytes_and_headers_on_every_path_get_an_answer_on_the_same_connection(
    chain: Served, till: HttpTill
) -> None:
    rng = random.Random(7)
    paths = [
        endpoints.SYNC, endpoints.HOLD, endpoints.REBASE, endpoints.SNAPSHOT, endpoints.ENROL,
        endpoints.ROTATE, "/healthz", "/metrics", "/v1/none", "/",
    ]  # fmt: skip
    letters = [chr(code) for code in range(33, 127)]
    with httpx.Client(base_url=chain.url, timeout=30) as client:
        for number in range(300):
            headers = {"content-encoding": rng.choice(["zstd", "identity", "br"])}
            text = "".join(rng.choices(letters, k=rng.randint(0, 200)))
            headers[signing.HEADER] = rng.choice(["", "7.1700000000."]) + text
            method = rng.choice(["POST", "POST", "POST", "GET", "PUT", "DELETE"])
            path = paths[number % len(paths)]
            response = client.request(
                method, path, content=rng.randbytes(rng.randint(0, 3000)), headers=headers
            )
            assert response.status_code < 500
            assert b"Traceback" not in response.content
    for _ in range(100):
        rid = rng.randbytes(16)
        path = rng.choice(paths[:6])
        encoding, body = rng.choice(["zstd", "identity"]), rng.randbytes(rng.randint(0, 3000))
        heard = till.post(path, body, rid, epoch=1, content_encoding=encoding)
        assert till.problem(heard, rid) in ("not_a_message", "not_the_signer")
    till.exchange()


def test_a_body_that_does_not_come_is_not_waited_for(
    till: HttpTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_S", 0.2)
    address = till.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=30) as slow:
        head = signing.RequestHead("POST", endpoints.SYNC, b"r" * 16, till.device, 1, 0)
        signed = signing.sign_request(head, b"", till.key.sign)
        lines = [f"{name}: {value}" for name, value in signed.items()]
        told = ["POST /v1/sync HTTP/1.1", "host: x", "content-length: 100", *lines, "", "half"]
        slow.sendall("\r\n".join(told).encode())
        assert slow.recv(1000).startswith(b"HTTP/1.1 408")
    till.exchange()


def test_what_is_no_http_at_all_harms_nobody(till: HttpTill) -> None:
    rng = random.Random(9)
    address = till.url.removeprefix("http://").split(":")
    for number in range(40):
        with socket.create_connection((address[0], int(address[1])), timeout=30) as raw:
            start = b"POST /v1/sync HTTP/1.1\r\nhost: x\r\n" if number % 2 else b""
            raw.sendall(start + rng.randbytes(rng.randint(1, 400)) + b"\r\n\r\n")
            raw.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                heard = raw.recv(4000)
                assert not heard or heard.startswith(b"HTTP/1.1 4")
    till.exchange()


def test_a_problem_of_a_request_that_nobody_signed_is_plain(chain: Served) -> None:
    with httpx.Client(base_url=chain.url) as client:
        response = client.post(endpoints.SYNC, content=b"hello")
        assert (response.status_code, response.headers["content-type"]) == (400, endpoints.PROBLEM)
        assert endpoints.message_of(response.content, Problem).code == "not_signed"
        assert signing.HEADER not in response.headers
        assert client.get("/v1/nothing").status_code == 404
        assert client.get(endpoints.SYNC).status_code == 405


# Whose address it is ----------------------------------------------------------------------------


@pytest.mark.parametrize(("proxy", "last"), [("127.0.0.1", 403), ("", 429)])
def test_only_a_trusted_proxy_says_whose_try_it_is(tmp_path: Path, proxy: str, last: int) -> None:
    begin_chain(tmp_path)
    with served(tmp_path, proxy=proxy) as chain:
        stranger = chain.stranger()
        statuses = []
        for number in range(6):
            rid, key = stranger.rng.randbytes(16), stranger.key.public_key().public_bytes_raw()
            body = endpoints.to_bytes(Enrol(rid, stranger.device, "00000000", key))
            heard = stranger.post(endpoints.ENROL, body, rid, x_forwarded_for=f"10.1.2.{number}")
            statuses.append(heard.status)
        assert statuses == [403] * 5 + [last]


@pytest.mark.parametrize(
    ("form", "last"), [("2001:db8:0:1::{:x}", 429), ("::ffff:10.1.2.{}", 403), ("10.1.2.{}", 403)]
)
def test_addresses_of_one_ipv6_network_are_one_address_and_those_of_ipv4_are_not(
    tmp_path: Path, form: str, last: int
) -> None:
    begin_chain(tmp_path)
    with served(tmp_path, proxy="127.0.0.1") as chain:
        stranger = chain.stranger()
        statuses = []
        for number in range(6):
            rid, key = stranger.rng.randbytes(16), stranger.key.public_key().public_bytes_raw()
            body = endpoints.to_bytes(Enrol(rid, stranger.device, "00000000", key))
            address = form.format(number)
            statuses.append(
                stranger.post(endpoints.ENROL, body, rid, x_forwarded_for=address).status
            )
        assert statuses == [403] * 5 + [last]
