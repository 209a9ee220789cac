"""How often a till shakes hands with its head office: once, as long as somebody asks now and then."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import httpcore
import pytest

from app.domain.errors import Refused
from app.sync.client import KEPT_S, NoAnswer
from app.sync.connections import Connections
from app.sync.exchange import POLL_S, Exchange
from app.sync.join import join
from app.sync.looking_up import LookingUp
from db import head_office
from headoffice import serving
from tests.app.chain import settle
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.counters import office, till
from tests.headoffice.http_office import Served, code_for
from ui.desk_exchange import ExchangeDesk

__all__ = ["kiosk", "made_template", "office", "template", "till"]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The connections that were made."""
    found: list[object] = []
    connect = httpcore.SyncBackend.connect_tcp

    def counted(*given: Any, **named: Any) -> httpcore.NetworkStream:
        found.append(connect(*given, **named))
        return found[-1]  # type: ignore[return-value]

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", counted)
    return found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock by which connections grow old: `s` seconds ahead."""
    ahead = SimpleNamespace(s=0.0)
    module = vars(httpcore)["_sync"].http11
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + ahead.s)
    monkeypatch.setattr(module, "time", clock)
    return ahead


@pytest.fixture
def shared() -> Iterator[Connections]:
    with closing(Connections()) as found:
        yield found


def test_polls_and_the_counters_questions_share_a_connection_that_outlives_a_pause(
    till: Kiosk, office: Served, shared: Connections, made: list[object], later: SimpleNamespace
) -> None:
    join(till.ctx, office.url, code_for(office.folder, "North", "till 1"))
    exchange = Exchange(till.ctx, open_line=shared.line)
    looking = LookingUp(till.ctx, open_line=shared.line)
    made.clear()
    settle(exchange)
    for _ in range(3):
        later.s += POLL_S + 1
        assert looking.find("13800138000") == 0
        later.s += POLL_S + 1
        assert exchange.once() is not None
    assert len(made) == 1


def test_head_office_keeps_a_connection_longer_than_a_till_and_both_longer_than_a_pause() -> None:
    assert POLL_S < KEPT_S < vars(serving)["_KEEP_ALIVE_S"]


def test_another_address_gets_connections_of_its_own_and_nothing_is_asked_in_the_end(
    till: Kiosk, office: Served, shared: Connections, made: list[object]
) -> None:
    join(till.ctx, office.url, code_for(office.folder, "North", "till 1"))
    with till.ctx.read() as conn:
        row = head_office.head_office(conn)
    assert row is not None
    exchange = Exchange(till.ctx, open_line=shared.line)
    settle(exchange)
    made.clear()
    old = shared.line(till.ctx, row)
    shared.line(till.ctx, row._replace(address=office.url.replace("127.0.0.1", "localhost")))
    with pytest.raises(NoAnswer):
        old.ask("/v1/sync", bytes(16), 1, b"question")
    shared.close()
    with pytest.raises(NoAnswer):
        shared.line(till.ctx, row)
    assert made == []


def test_the_windows_lanes_share_them_and_stop_lets_them_go(
    till: Kiosk, office: Served, made: list[object]
) -> None:
    join(till.ctx, office.url, code_for(office.folder, "North", "till 1"))
    desk = ExchangeDesk(till.till)
    made.clear()
    for _ in range(100):
        heard = desk.once()
        assert heard is not None
        if heard.again_s == POLL_S:
            break
    assert desk.look_up("13800138000") == 0
    with pytest.raises(Refused):
        desk.find_sale("01-000999")
    assert len(made) == 1
    desk.stop()
    assert desk.once() is None
    assert len(made) == 1


def test_whoever_waits_for_a_silent_head_office_is_let_go_at_once(shared: Connections) -> None:
    """It takes the question and says nothing: a till that is closed does not wait for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        context = SimpleNamespace(till=SimpleNamespace(device=b"d" * 16))
        row = SimpleNamespace(address=address, seed=b"s" * 32, their_key=b"k" * 32)
        line, told = shared.line(context, row), list[NoAnswer]()  # type: ignore[arg-type]
        line._clock_s = time.time

        def ask() -> None:
            with pytest.raises(NoAnswer) as caught:
                line.ask("/v1/sync", b"r" * 16, 1, b"question")
            told.append(caught.value)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        taken, _ = silent.accept()
        with taken:
            while not taken.recv(65_536).endswith(b"question"):
                pass
            asking.join(0.3)  # by now it reads; one that does not yet would fail by itself
            shared.close()
            asking.join(5)
            assert told
