"""A printer that is a program: it listens on a TCP port of this machine and answers as the
command reference says.

It can be without paper, open, off-line, mute, slow to take data, or drop the connection in the
middle of a job. It keeps the bytes of every job. It imports nothing of the product.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass
class Faults:
    """What is wrong with it. `reset_after` drops the connection once so many bytes of a job have
    come; `paper_out_after` empties the roll there.
    """

    paper_out: bool = False
    paper_near_end: bool = False
    cover_open: bool = False
    offline: bool = False
    cutter_error: bool = False
    mute: bool = False
    mute_barrier: bool = False
    stalled: bool = False
    reset_after: int | None = None
    paper_out_after: int | None = None
    answers: dict[int, int] = field(default_factory=dict)


class SoftwarePrinter:
    """Use it as a context: inside it, `port` accepts jobs one after another."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.jobs: list[bytes] = []
        self.asked: list[int] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._listener.settimeout(0.05)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._thread.join(5)
        self._listener.close()

    def job_after(self, seconds: float = 5.0) -> bytes:
        """The last job, once its connection has ended."""
        for _ in range(int(seconds / 0.01)):
            if self.jobs:
                return self.jobs[-1]
            self._closing.wait(0.01)
        raise AssertionError("no job came")

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            with connection:
                self._connection(connection)

    def _connection(self, connection: socket.socket) -> None:
        job = bytearray()
        connection.settimeout(0.05)
        pending = b""
        while not self._closing.is_set():
            if self.faults.stalled and job:
                self._closing.wait(0.05)
                continue
            try:
                received = connection.recv(512 if self.faults.stalled else 65536)
            except TimeoutError:
                continue
            except OSError:
                break
            if not received:
                break
            pending = self._take(connection, pending + received, job)
            if self.faults.reset_after is not None and len(job) >= self.faults.reset_after:
                # A linger of zero makes the end a reset, as when the power goes.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                break
        if job:
            self.jobs.append(bytes(job))

    def _take(self, connection: socket.socket, data: bytes, job: bytearray) -> bytes:
        """Answers what is asked and keeps the rest; what may be the beginning of a question waits
        for more.
        """
        place = 0
        while place < len(data):
            if data[place : place + 2] == b"\x10\x04" and len(data) > place + 2:
                self._status(connection, data[place + 2])
                place += 3
            elif data[place : place + 2] == b"\x1dr" and len(data) > place + 2:
                self._barrier(connection)
                place += 3
            elif data[place] in (0x10, 0x1D) and len(data) - place < 3:
                break
            else:
                job.append(data[place])
                place += 1
                if len(job) == self.faults.paper_out_after:
                    self.faults.paper_out = True
        return data[place:]

    def _status(self, connection: socket.socket, number: int) -> None:
        faults = self.faults
        self.asked.append(number)
        if faults.mute:
            return
        stopped = faults.paper_out or faults.cover_open or faults.offline or faults.cutter_error
        reply = {
            1: 0x08 * stopped,
            2: 0x04 * faults.cover_open | 0x20 * faults.paper_out | 0x40 * faults.cutter_error,
            3: 0x08 * faults.cutter_error,
            4: 0x60 * faults.paper_out | 0x0C * (faults.paper_near_end or faults.paper_out),
        }[number]
        connection.sendall(bytes((faults.answers.get(number, 0x12 | reply),)))

    def _barrier(self, connection: socket.socket) -> None:
        """Processed in order: it waits for ever behind data that can't be printed."""
        faults = self.faults
        if not (faults.mute or faults.mute_barrier or faults.paper_out or faults.cover_open):
            connection.sendall(b"\x00")
