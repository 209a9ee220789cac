"""Who is let in to the open API, how often, with what: every no is a problem, and none says what was sent."""

from __future__ import annotations

import io
import json
import logging
import socket
from collections.abc import Iterator

import httpx
import pytest

from headoffice.api import gate
from headoffice.watching import JsonLines
from tests.headoffice.api_office import PHONE, System, code_of, end, key_for, system
from tests.headoffice.http_office import ANNA, Served, begin_chain, rows, served, wait_for

MEMBER = f"/v1/members/{ANNA.hex()}"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A chain with a member."""
    folder = tmp_path_factory.mktemp("office")
    begin_chain(folder)
    with served(folder) as made:
        till = made.till(1)
        till.earn(ANNA)
        till.sync()
        yield made


@pytest.fixture(scope="module")
def shop(at: Served) -> Iterator[System]:
    """A system that may do everything."""
    with system(at) as made:
        yield made


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic {key}",
        "{key}",
        "Bearer {other}",
        "Bearer {wrong}",
        "Bearer \xff",
    ],
)
def test_without_a_right_key_nobody_comes_in(shop: System, sent: str) -> None:
    key = shop.key
    named = sent.format(key=key, other=f"rgk_{'0' * 12}{key[16:]}", wrong=key[:-1] + "!")
    headers = [(b"authorization", named.encode("latin-1"))] if sent else []
    response = httpx.get(f"{shop.at.url}/admin{MEMBER}", headers=headers)
    assert (response.status_code, code_of(response)) == (401, "no_key")
    assert response.headers["www-authenticate"] == "Bearer"


def test_another_keys_secret_opens_nothing(shop: System) -> None:
    other = key_for(shop.at.folder)
    mixed = f"{shop.key[:17]}{other[17:]}"
    response = httpx.get(
        f"{shop.at.url}/admin{MEMBER}", headers={"authorization": f"Bearer {mixed}"}
    )
    assert code_of(response) == "no_key"


def test_an_ended_key_is_shut_out_without_a_restart(at: Served) -> None:
    with system(at) as short:
        assert short.get(MEMBER)["balance"] == 7
        end(at.folder, short.key)
        wait_for(lambda: short.ask("GET", MEMBER).status_code == 401)


def test_a_key_is_kept_as_a_digest_and_its_use_is_written_down(at: Served) -> None:
    with system(at, name="once") as once:
        once.get(MEMBER)
        wait_for(lambda: bool(at.office._used))
        at.office._written_ms = 0
        text = f"SELECT used_ms, digest, scopes FROM api_key WHERE key_id = '{once.key[4:16]}'"
        wait_for(lambda: rows(at.folder, text)[0][0] > 0)
        assert once.key[17:].encode() not in rows(at.folder, text)[0][1]
    assert once.key[17:].encode() not in (at.folder / "office.db").read_bytes()


def test_a_key_whose_chain_has_gone_meanwhile_stops_nothing(at: Served, shop: System) -> None:
    at.office._used[b"gone" * 4, "0" * 12] = 1
    at.office._written_ms = 0
    wait_for(lambda: at.office._written_ms > 0)
    assert at.writer.alive
    assert shop.get(MEMBER)["balance"] == 7


def test_too_many_requests_wait_and_the_headers_say_so(at: Served) -> None:
    with system(at, per_minute=6, name="slow") as slow:
        told = [slow.ask("GET", MEMBER) for _ in range(3)]
    assert [each.status_code for each in told] == [200, 200, 429]
    assert told[0].headers["ratelimit-policy"] == '"key";q=2;w=20'
    assert told[0].headers["ratelimit"].startswith('"key";r=1;')
    assert (code_of(told[2]), told[2].headers["ratelimit"][:10]) == ("too_many", '"key";r=0;')
    assert 1 <= int(told[2].headers["retry-after"]) <= 11


def test_the_limit_of_one_key_is_nobody_elses(at: Served, shop: System) -> None:
    with system(at, per_minute=3, name="tiny") as tiny:
        tiny.get(MEMBER)
        assert code_of(tiny.ask("GET", MEMBER)) == "too_many"
    with system(at, per_minute=3, name="other") as other:
        assert other.get(MEMBER)["balance"] == 7


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/members/", 404, "not_found"),
        ("GET", "/v1/members/a%0Ab", 422, "invalid"),
        ("DELETE", MEMBER, 405, "method"),
        ("GET", "/v1/members/xyz", 422, "invalid"),
        ("GET", f"{MEMBER}/ledger?limit=0", 422, "invalid"),
        ("GET", f"{MEMBER}/ledger?limit=a", 422, "invalid"),
    ],
)
def test_what_is_not_there_is_a_problem(
    shop: System, method: str, path: str, status: int, code: str
) -> None:
    response = shop.ask(method, path)
    assert (response.status_code, code_of(response)) == (status, code)


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("limits=7", [("limits", "extra_forbidden")]),
        ("limit=7&limit=8", [("limit", "repeated")]),
        ("x=1&x=2&limit=7", [("x", "extra_forbidden"), ("x", "extra_forbidden")]),
        (f"{'n' * 99}", [("n" * 40, "extra_forbidden")]),
    ],
)
def test_a_query_that_is_not_understood_whole_is_answered_no_question(
    shop: System, query: str, wrong: list[tuple[str, str]]
) -> None:
    response = shop.ask("GET", f"{MEMBER}/ledger?{query}")
    assert (response.status_code, code_of(response)) == (422, "invalid")
    assert [(each["name"], each["why"]) for each in response.json()["errors"]] == wrong
    assert {each["in"] for each in response.json()["errors"]} == {"query"}
    assert shop.ask("POST", "/v1/members/find?store=1", {"card": "1"}).status_code == 422
    assert shop.ask("GET", f"{MEMBER}/ledger?limit=7").status_code == 200


def test_wrong_values_are_told_by_their_places_and_never_said_again(shop: System) -> None:
    response = shop.ask("POST", "/v1/members/find", {"phone": 13800006621, "strange": PHONE})
    assert code_of(response) == "invalid"
    found = {(each["pointer"], each["why"]) for each in response.json()["errors"]}
    assert found == {("#/phone", "string_type"), ("#/strange", "extra_forbidden")}
    assert "6621" not in response.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b'"x"', b"\xff\xfe", b'{"phone": NaN}', b"null"]
)
def test_a_body_that_is_none_is_a_problem(shop: System, body: bytes) -> None:
    headers = {"authorization": f"Bearer {shop.key}", "content-type": "application/json"}
    response = shop.client.post("/v1/members/find", content=body, headers=headers)
    assert response.status_code in (400, 422), response.text
    assert code_of(response) in ("not_a_request", "invalid")


def test_only_json_is_taken_and_no_more_than_64_kib(shop: System) -> None:
    headers = {"authorization": f"Bearer {shop.key}"}

    def send(body: bytes, **named: str) -> httpx.Response:
        more = {name.replace("_", "-"): value for name, value in named.items()}
        return shop.client.post("/v1/members/find", content=body, headers={**headers, **more})

    assert code_of(send(b'{"card":"1"}', content_type="text/plain")) == "media"
    packed = send(b"x", content_type="application/json", content_encoding="gzip")
    assert code_of(packed) == "media"
    large = json.dumps({"card": "1" * gate.BODY_BYTES_MOST}).encode()
    assert code_of(send(large, content_type="application/json")) == "too_big"


def test_a_strangers_body_is_not_read(shop: System) -> None:
    host, port = shop.at.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(
            b"POST /admin/v1/members/find HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n{"
        )
        assert line.recv(100).startswith(b"HTTP/1.1 401")


def test_a_body_that_does_not_come_is_not_waited_for(
    shop: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "READ_S", 0.2)
    host, port = shop.at.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        head = f"authorization: Bearer {shop.key}\r\ncontent-length: 10\r\n\r\n{{"
        line.sendall(f"POST /admin/v1/members/find HTTP/1.1\r\nhost: x\r\n{head}".encode())
        assert line.recv(100).startswith(b"HTTP/1.1 408")


def test_a_key_without_the_scope_hears_which_one(at: Served) -> None:
    with system(at, "stores:read", name="little") as little:
        response = little.ask("GET", MEMBER)
        assert (code_of(response), response.json()["needs"]) == ("scope", "members:read")


def test_a_mistake_of_ours_says_nothing_and_the_log_names_its_kind(
    shop: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("headoffice")
    log.addHandler(handler)
    log.setLevel(logging.INFO)

    def wrong(*_: object) -> None:
        raise KeyError(PHONE)

    monkeypatch.setattr("headoffice.api.reads.by_value", wrong)
    try:
        response = shop.ask("POST", "/v1/members/find", {"phone": PHONE})
        wait_for(lambda: '"status": 500' in told.getvalue())
    finally:
        log.removeHandler(handler)
    assert (response.status_code, code_of(response)) == (500, "internal")
    assert "KeyError" in told.getvalue()
    for secret in (PHONE, PHONE[3:], shop.key[17:]):
        assert secret not in told.getvalue() + response.text


def test_a_stranger_makes_no_figure_grow_by_the_methods_that_it_sends(at: Served) -> None:
    for number in range(5):
        response = httpx.request(f"R4ND0M{number}", f"{at.url}/admin{MEMBER}")
        assert response.status_code == 401
    told = httpx.get(f"{at.url}/metrics").text
    assert "R4ND0M" not in told
    assert 'path="other ' in told
