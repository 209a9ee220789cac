"""A printer on a TCP port, usually 9100: asked before it is sent to, and asked after whether it
has printed.

`send` of a whole job returning says nothing: a stalled printer's job vanishes into buffers. So a
job counts as delivered only when the printer answered a barrier behind it. One connection per
job, nothing is ever sent twice.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

from printing.devices.address import TcpAddress
from printing.devices.errors import (
    DeliveryUncertain,
    PrinterNotReady,
    PrinterSilent,
    PrinterUnreachable,
)
from printing.devices.status import (
    BARRIER,
    REQUESTS,
    Status,
    is_barrier,
    is_status,
    read_status,
    request,
)

_ANSWER_S_MAX = 1.0  # a real-time answer takes milliseconds; later than this it is no answer
_CHUNK = 4096


def tcp_status(address: TcpAddress, timeout_s: float) -> Status:
    """What the printer says now. Raises PrinterUnreachable; a silent printer is a Status of
    unknowns.
    """
    with _connect(address, timeout_s) as connection:
        return _ask(connection, min(timeout_s, _ANSWER_S_MAX))


def tcp_send(address: TcpAddress, job: bytes, timeout_s: float) -> bool:
    """Sends a job once; True when the printer confirmed it, False when it is one that never
    answers.

    Raises PrinterUnreachable, PrinterSilent and PrinterNotReady before byte 1, DeliveryUncertain
    after it. `timeout_s` is for connecting, for each wait on a full buffer and for the
    confirmation.
    """
    with _connect(address, timeout_s) as connection:
        if address.answers:
            status = _ask(connection, min(timeout_s, _ANSWER_S_MAX))
            if not status.known:
                raise PrinterSilent(str(address), "no answer")
            if status.problem:
                raise PrinterNotReady(str(address), status.problem)
        _write(connection, address, job + BARRIER if address.answers else job, timeout_s)
        if address.answers:
            _await_barrier(connection, address, timeout_s)
        else:
            _let_it_read(connection, min(timeout_s, _ANSWER_S_MAX))
    return address.answers


def _connect(address: TcpAddress, timeout_s: float) -> socket.socket:
    try:
        return socket.create_connection((address.host, address.port), timeout=timeout_s)
    except (OSError, UnicodeError) as error:
        raise PrinterUnreachable(str(address), _words(error)) from error


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _ask(connection: socket.socket, timeout_s: float) -> Status:
    """The three status questions, one after the other. The first one that gets no answer ends the
    asking.
    """
    replies = {}
    for number in REQUESTS:
        try:
            connection.settimeout(timeout_s)
            connection.sendall(request(number))
        except OSError:
            break
        reply = _next_byte(connection, is_status, timeout_s)
        if reply is None:
            break
        replies[number] = reply
    return read_status(replies)


def _next_byte(
    connection: socket.socket, fits: Callable[[int], bool], timeout_s: float
) -> int | None:
    """The next byte that fits within the time, or None: silence, end of connection or other bytes
    only.
    """
    deadline = time.monotonic() + timeout_s
    while (left := deadline - time.monotonic()) > 0:
        try:
            connection.settimeout(left)
            received = connection.recv(1)
        except OSError:
            return None
        if not received:
            return None
        if fits(received[0]):
            return received[0]
    return None


def _write(connection: socket.socket, address: TcpAddress, job: bytes, timeout_s: float) -> None:
    sent = 0
    connection.settimeout(timeout_s)
    view = memoryview(job)
    while sent < len(job):
        try:
            sent += connection.send(view[sent : sent + _CHUNK])
        except OSError as error:
            if sent == 0:
                raise PrinterUnreachable(str(address), _words(error)) from error
            problem = _ask(connection, min(timeout_s, _ANSWER_S_MAX)).problem
            raise DeliveryUncertain(str(address), _words(error), problem) from error


def _await_barrier(connection: socket.socket, address: TcpAddress, timeout_s: float) -> None:
    if _next_byte(connection, is_barrier, timeout_s) is None:
        problem = _ask(connection, min(timeout_s, _ANSWER_S_MAX)).problem
        raise DeliveryUncertain(str(address), problem or "not confirmed", problem)


def _let_it_read(connection: socket.socket, timeout_s: float) -> None:
    """Ends our side and takes what still comes until the printer ends its own: closing with unread
    bytes would reset the connection and lose the end of the job.
    """
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        _next_byte(connection, lambda _: False, timeout_s)
