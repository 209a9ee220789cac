"""Where webhooks may not go: into head office's own network, by whatever name or spelling."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from headoffice.webhooks import sending
from headoffice.webhooks.addresses import Target, all_open, target_of
from headoffice.webhooks.outbox import Webhook
from tests.headoffice.api_office import code_of, system
from tests.headoffice.api_receiver import receiving
from tests.headoffice.http_office import ANNA, TENANT, begin_chain, rows, served, wait_for
from tests.headoffice.test_http_command import certificate

OPEN = ("93.184.215.14", "8.8.8.8", "::ffff:8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c")
NOT_OPEN = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::",
    "2001:0:1::1", "2001:db8::1", "not an address",
)  # fmt: skip


@pytest.mark.parametrize("host", OPEN)
def test_an_address_of_the_open_internet_is_open(host: str) -> None:
    assert all_open([host])


@pytest.mark.parametrize("host", NOT_OPEN)
def test_no_other_address_is(host: str) -> None:
    assert not all_open([host])
    assert not all_open([OPEN[0], host]), "one that is not is enough"


def test_a_name_that_stands_for_nothing_is_not_open() -> None:
    assert not all_open([])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https:///x", "//example.com",
        "https://user:pw@example.com/", "https://example.com/#x", "https://example.com:99999/",
        "https://exa mple.com/", "https://example.com/\r\nx: y", "https://example.com/é", "https://[::1",
        "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1:443/", "https://169.254.169.254/latest",
        "https://" + "x" * 500 + ".com/", "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_a_url_that_may_be_no_webhook(url: str) -> None:
    assert target_of(url, private=False) is None


def test_a_url_in_parts() -> None:
    plain = target_of("https://Example.com/a/b?c=d&e", private=False)
    assert plain == Target(True, "example.com", 443, "/a/b?c=d&e")
    odd = target_of("https://[2606:2800::1]:8443?x", private=False)
    assert odd is not None
    assert (odd.named, odd.path) == ("[2606:2800::1]:8443", "/?x")
    assert target_of("http://127.0.0.1:8080/", private=True) == Target(
        False, "127.0.0.1", 8080, "/"
    )


def test_a_name_of_this_machine_is_not_told_whatever_the_url_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_chain(tmp_path)
    with (
        receiving() as receiver,
        served(tmp_path, private_webhooks=False) as at,
        system(at) as shop,
    ):
        port = receiver.url.split(":")[2].split("/")[0]
        local = f"https://localhost:{port}/hook"
        refused = shop.ask(
            "POST", "/v1/webhooks", {"url": "https://127.0.0.1/", "events": ["points.changed"]}
        )
        assert (code_of(refused), refused.json()["errors"][0]["pointer"]) == ("invalid", "#/url")
        shop.post("/v1/webhooks", {"url": local, "events": ["points.changed"]})
        # And one that was made while it was allowed.
        hook = Webhook(TENANT, b"h" * 16, receiver.url, frozenset(("points.changed",)), 1, 0, 0)
        at.office.telling.put(hook)
        till = at.till(1)
        till.earn(ANNA)
        till.sync()
        text = "SELECT last FROM webhook_message ORDER BY webhook_id"
        wait_for(lambda: {row[0] for row in rows(tmp_path, text)} == {"private_address"})
        assert receiver.heard == []


def test_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, gone = list[str](), list[tuple[str, Any]]()

    async def resolve(_: object, host: str, *__: object, **___: object) -> list[Any]:
        asked.append(host)
        return (
            [(0, 0, 0, "", (OPEN[0], 443))]
            if len(asked) == 1
            else [(0, 0, 0, "", ("127.0.0.1", 443))]
        )

    async def connect(host: str, port: int, **options: Any) -> Any:
        gone.append((host, options["server_hostname"]))
        raise ConnectionRefusedError

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", resolve)
    monkeypatch.setattr(asyncio, "open_connection", connect)
    target, tls = Target(True, "shop.example", 443, "/"), ssl.create_default_context()
    told = [asyncio.run(sending.post(target, b"", {}, private=False, tls=tls)) for _ in range(2)]
    assert told == ["unreachable", "private_address"]
    assert gone == [(OPEN[0], "shop.example")]


def test_tls_without_a_right_certificate_is_not_spoken(tmp_path: Path) -> None:
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(*certificate(tmp_path))
    heard = list[bytes]()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()
        writer.close()

    async def both() -> list[str]:
        ours = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        async with await asyncio.start_server(take, "127.0.0.1", 0, ssl=theirs) as server:
            port = server.sockets[0].getsockname()[1]
            target = Target(True, "127.0.0.1", port, "/x")
            return [
                await sending.post(target, b"{}", {}, private=True, tls=each)
                for each in (ssl.create_default_context(), ours)
            ]

    assert asyncio.run(both()) == ["tls", ""]
    assert [each.split(b"\r\n")[0] for each in heard] == [b"POST /x HTTP/1.1"]
