"""One try to deliver a message over HTTP: bounded in time and bytes, to an address that was looked at, and
never on to another one."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Final

from headoffice.webhooks.addresses import Target, all_open

TRY_S: Final = 10
ANSWER_BYTES_MOST: Final = 4096
"""Of an answer its first line is read; what follows is nobody's business."""
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r]")


async def post(
    target: Target, body: bytes, named: Mapping[str, str], *, private: bool, tls: ssl.SSLContext
) -> str:
    """Try it; "" where the receiver took it, else what was in the way, as a code."""
    try:
        async with asyncio.timeout(TRY_S):
            return await _post(target, body, named, private=private, tls=tls)
    except TimeoutError:
        return "too_slow"
    except ssl.SSLError:
        return "tls"
    except (OSError, EOFError, asyncio.LimitOverrunError, UnicodeError):
        return "unreachable"


async def _post(
    target: Target, body: bytes, named: Mapping[str, str], *, private: bool, tls: ssl.SSLContext
) -> str:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    hosts = [str(each[4][0]) for each in found]
    if not private and not all_open(hosts):
        return "private_address"
    reader, writer = await asyncio.open_connection(
        hosts[0],
        target.port,
        limit=ANSWER_BYTES_MOST,
        ssl=tls if target.tls else None,
        server_hostname=target.host if target.tls else None,
    )
    try:
        head = {
            "host": target.named,
            "content-type": "application/json",
            "content-length": str(len(body)),
            "user-agent": "Regulars-Webhooks/1",
            "connection": "close",
            **named,
        }
        lines = [
            f"POST {target.path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in head.items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode("ascii") + body)
        await writer.drain()
        found_status = _STATUS.match(await reader.readuntil(b"\n"))
        if found_status is None:
            return "no_answer"
        status = int(found_status[1])
        return "" if 200 <= status < 300 else f"status_{status}"
    finally:
        writer.transport.abort()
