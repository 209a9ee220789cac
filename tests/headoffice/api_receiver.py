"""A webhook's receiver that does what it is told: takes, fails, hangs, lies."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.headoffice.http_office import wait_for


@dataclass(frozen=True, slots=True)
class Heard:
    """One try."""

    at_s: float
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def type(self) -> str:
        """What it is about."""
        return str(self.plain["type"])

    @property
    def plain(self) -> dict[str, Any]:
        """The body."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def signed_by(self, secret: str) -> bool:
        """Whether one of its signatures was made with this secret (Standard Webhooks)."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        told = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}."
        mark = base64.b64encode(hmac.digest(key, told.encode() + self.body, "sha256")).decode()
        return f"v1,{mark}" in self.headers["webhook-signature"].split()


Answer = Callable[[Heard, socket.socket], None]


def says(status: str, more: str = "") -> Answer:
    """An answer with this status line."""

    def answer(_: Heard, line: socket.socket) -> None:
        line.sendall(f"HTTP/1.1 {status}\r\n{more}content-length: 0\r\n\r\n".encode())

    return answer


def hangs(_: Heard, line: socket.socket) -> None:
    """Nothing, until the other side goes."""
    with contextlib.suppress(OSError):
        line.recv(1)


def drips(_: Heard, line: socket.socket) -> None:
    """A byte now and then, without an end."""
    with contextlib.suppress(OSError):
        while True:
            line.sendall(b"H")
            time.sleep(0.02)


def floods(_: Heard, line: socket.socket) -> None:
    """A first line without an end."""
    with contextlib.suppress(OSError):
        for _each in range(10_000):
            line.sendall(b"x" * 65_536)


def lies(_: Heard, line: socket.socket) -> None:
    """Something that is no HTTP."""
    line.sendall(b"220 welcome to the mail server\r\n")


def goes(_: Heard, line: socket.socket) -> None:
    """Nothing at all."""
    line.close()


@dataclass(slots=True)
class Receiver:
    """`answer` is what it does from now on."""

    answer: Answer = field(default_factory=lambda: says("204 No Content"))
    heard: list[Heard] = field(default_factory=list)
    url: str = ""

    def types(self, member: str | None = None) -> list[str]:
        """What it heard, of one member or of all."""
        return [
            each.type for each in self.heard if member in (None, each.plain["data"].get("member"))
        ]

    def wait(self, count: int) -> None:
        """Until it heard so much."""
        wait_for(lambda: len(self.heard) >= count)


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a port of its own."""
    made = Receiver()
    with socket.create_server(("127.0.0.1", 0)) as door:
        made.url = f"http://127.0.0.1:{door.getsockname()[1]}/hook?a=1"
        threads = [threading.Thread(target=_serve, args=(door, made), daemon=True)]
        threads[0].start()
        try:
            yield made
        finally:
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)


def _serve(door: socket.socket, made: Receiver) -> None:
    with contextlib.suppress(OSError):
        while True:
            line, _ = door.accept()
            threading.Thread(target=_take, args=(line, made), daemon=True).start()


def _take(line: socket.socket, made: Receiver) -> None:
    with line, line.makefile("rb") as file, contextlib.suppress(OSError, IndexError, KeyError):
        path = file.readline().split()[1].decode()
        headers = dict[str, str]()
        while text := file.readline().strip():
            name, _, value = text.decode().partition(": ")
            headers[name] = value
        body = file.read(int(headers["content-length"]))
        heard = Heard(time.monotonic(), path, headers, body)
        made.heard.append(heard)
        made.answer(heard, line)
