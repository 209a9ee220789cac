"""Puts head office together and lets it serve: the folder's lock, the writer, the web server."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import uvicorn

from app.protocol import facts
from app.protocol.chains import Reader
from headoffice.alone import alone
from headoffice.api.application import api_of, secrets_of
from headoffice.api.desk import Desk
from headoffice.console.pages import console_of
from headoffice.http import RATES, DataPlane, Rates
from headoffice.keys import ENVIRONMENT, FILE_NAME, server_key
from headoffice.office import STORE_FILE, Clock, Office, wall_ms
from headoffice.store.plain import Place
from headoffice.store.sqlite_place import SqlitePlace
from headoffice.watching import Watch
from headoffice.webhooks.mail import Mailer, settings_of
from headoffice.webhooks.sender import Sender
from headoffice.writer import GroupWriter

_KEEP_ALIVE_S: Final = 75
"""Longer than the time between two polls of a till: it keeps its connection."""
_AT_ONCE_MOST: Final = 5_000
_STOP_S: Final = 10
_NOTICE_S: Final = 1
_BACKLOG: Final = 2048


class Address(NamedTuple):
    """Where to listen, and with which certificate. `proxy`: addresses whose X-Forwarded-For is believed."""

    host: str = "127.0.0.1"
    port: int = 8440
    certificate: Path | None = None
    private_key: Path | None = None
    proxy: str = ""


def collect_seldom() -> None:
    """Let Python look for circles seldom: a group's records are many and none of them is in one. What is loaded
    by now stays for good and is not looked at again. For the process that does nothing but serve."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@contextlib.contextmanager
def at_work(
    folder: Path,
    *,
    now_ms: Clock = wall_ms,
    read: Reader = facts.read,
    rates: Rates = RATES,
    place: Place | None = None,
    private_webhooks: bool = False,
) -> Iterator[tuple[DataPlane, Office, GroupWriter]]:
    """Head office on a folder, its writer at work; `place`: its store, if not the folder's own file;
    `private_webhooks`: addresses of this machine and its network may be told, too.

    Raises AlreadyServing, BadKeyFile, BadMailSettings, StoreError, OSError.
    """
    store = SqlitePlace(folder / STORE_FILE) if place is None else place
    with alone(folder), contextlib.closing(store):
        key = server_key(Path(os.environ.get(ENVIRONMENT) or folder / FILE_NAME))
        watch = Watch()
        mailer = Mailer(settings_of(folder))
        office = Office(store, key, watch, now_ms=now_ms, read=read, mails=mailer.wants)
        writer = GroupWriter(office)
        console = console_of(office, writer, key.sign, mailer)
        writer.start()
        secrets = secrets_of(key.sign)
        sender = Sender(office, writer, secrets, mailer, private_webhooks)
        office.telling.wake = sender.wake
        sender.start()
        try:
            also = [
                *console.routes(),
                *api_of(Desk(office, writer, secrets, private_webhooks), watch),
            ]
            with store.hearing(writer.look_soon):
                yield DataPlane(office, writer, watch, rates, also), office, writer
        finally:
            sender.stop()
            writer.stop()
            console.desk.uploads.close()


def listening(address: Address) -> socket.socket:
    """The socket to serve on; port 0: a free one. Raises OSError where the address can't be had."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # asyncio sends without delay only where the protocol is named; else every answer takes 40 ms longer.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address.host, address.port))
        made.listen(_BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def web_server(plane: DataPlane, address: Address) -> uvicorn.Server:
    """The web server; call its `run` with the socket. It ends when its writer has: whoever supervises the
    process starts another one."""
    tls = address.certificate is not None

    async def end_with_the_writer() -> None:
        server.should_exit = server.should_exit or not plane.serving

    config = uvicorn.Config(
        plane.app(),
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(address.proxy),
        forwarded_allow_ips=address.proxy or None,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_STOP_S,
        callback_notify=end_with_the_writer,
        timeout_notify=_NOTICE_S,
        limit_concurrency=_AT_ONCE_MOST,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.private_key,
        ssl_context_factory=_tls_13 if tls else None,
    )
    server = uvicorn.Server(config)
    return server


def _tls_13(config: Any, usual: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = usual()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
