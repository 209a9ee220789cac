"""A proxy on loopback that loses, cuts, doubles and delays what a till and its head office say to each other.

One request at a time is taken apart, a fault is drawn from a seeded source or from a test's list, and counted.
It knows lengths of HTTP messages and nothing of what they say.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

FAULTS: Final = (
    "request lost", "request cut", "request twice", "request late again", "reply lost", "reply cut",
    "reply altered", "reset before", "reset after", "half closed", "delayed",
)  # fmt: skip
PASS: Final = "passed"
TIMEOUT_S: Final = 20.0
DELAY_MOST_S: Final = 0.12


class Lossy:
    """The proxy. `chance` of a fault for each request while it is `broken`; `next_faults` come first."""

    def __init__(self, upstream: str, seed: int, *, chance: float = 0.6) -> None:
        parts = urlsplit(upstream)
        assert parts.hostname is not None
        assert parts.port is not None
        self._upstream = (parts.hostname, parts.port)
        self._rng = random.Random(seed)
        self._chance = chance
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._kept: deque[bytes] = deque(maxlen=4)
        self._lock = threading.Lock()
        self._clients: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.counts: Counter[str] = Counter()
        self.bytes = 0
        """Of requests and answers that passed whole, heads and bodies."""
        self.next_faults: deque[str] = deque()
        self.broken = True
        self.before_reply: Callable[[], None] | None = None
        """Called once, with a reply in hand that the till has not got yet."""
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def heal(self) -> None:
        """From now on everything arrives."""
        self.broken = False

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.settimeout(TIMEOUT_S)
            thread = threading.Thread(target=self._client, args=(client,), name="lossy client")
            with self._lock:
                self._clients.add(client)
                self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Let every connection go, and wait for their threads."""
        # A thread that waits in accept is not woken by close alone.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            clients, threads = list(self._clients), list(self._threads)
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()

    def _client(self, client: socket.socket) -> None:
        try:
            with client, contextlib.suppress(OSError):
                while (request := _message(client)) and self._serve_one(client, request):
                    pass
        finally:
            with self._lock:
                self._clients.discard(client)

    def _draw(self) -> tuple[str, random.Random]:
        """A fault, and a source of chance of its own: threads don't share one."""
        with self._lock:
            own = random.Random(self._rng.getrandbits(64))
            if self.next_faults:
                fault = self.next_faults.popleft()
            elif self.broken and own.random() < self._chance:
                fault = own.choice(FAULTS)
            else:
                fault = PASS
            self.counts[fault] += 1
            return fault, own

    def _serve_one(self, client: socket.socket, request: bytes) -> bool:
        """One request and its answer; whether the connection goes on."""
        fault, rng = self._draw()
        if fault == "request lost":
            return False
        if fault == "reset before":
            return _reset(client)
        if fault == "request cut":
            self._ask(request[: rng.randrange(1, len(request))], whole=False)
            return False
        if fault == "delayed":
            time.sleep(rng.random() * DELAY_MOST_S)
        if fault == "request late again" and self._kept:
            self._ask(rng.choice(list(self._kept)))
        reply = self._ask(request)
        if fault == "request twice":
            again = self._ask(request)
            reply = rng.choice([reply, again])
        self._kept.append(request)
        self.bytes += len(request) + len(reply)
        if self.before_reply is not None:
            call, self.before_reply = self.before_reply, None
            call()
        return self._answer(client, reply, fault, rng)

    def _answer(self, client: socket.socket, reply: bytes, fault: str, rng: random.Random) -> bool:
        if fault == "reply lost" or not reply:
            return False
        if fault == "reset after":
            return _reset(client)
        if fault == "reply cut":
            client.sendall(reply[: rng.randrange(1, len(reply))])
            return False
        if fault == "half closed":
            client.sendall(reply[: rng.randrange(1, len(reply))])
            client.shutdown(socket.SHUT_WR)
            client.recv(1)
            return False
        if fault == "reply altered":
            at = rng.randrange(reply.index(b"\r\n\r\n") + 4, len(reply))
            reply = reply[:at] + bytes([reply[at] ^ 1]) + reply[at + 1 :]
        client.sendall(reply)
        return True

    def _ask(self, request: bytes, *, whole: bool = True) -> bytes:
        """Give bytes to head office on a connection of their own; its answer, empty if there is none."""
        try:
            with socket.create_connection(self._upstream, TIMEOUT_S) as line:
                line.sendall(request)
                return _message(line) if whole else b""
        except OSError:
            return b""


def _message(line: socket.socket) -> bytes:
    """One HTTP message as it came; empty where the other side went away before it was whole."""
    found = bytearray()
    while b"\r\n\r\n" not in found:
        part = line.recv(65536)
        if not part:
            return b""
        found += part
    head, _, body = bytes(found).partition(b"\r\n\r\n")
    length = 0
    for field in head.split(b"\r\n")[1:]:
        name, _, value = field.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        part = line.recv(65536)
        if not part:
            return b""
        body += part
    return head + b"\r\n\r\n" + body


def _reset(client: socket.socket) -> bool:
    """Close by a reset, not by an end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


@contextlib.contextmanager
def lossy(upstream: str, seed: int, *, chance: float = 0.6) -> Iterator[Lossy]:
    """A proxy at work before a server."""
    proxy = Lossy(upstream, seed, chance=chance)
    thread = threading.Thread(target=proxy.serve, name="lossy proxy")
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
