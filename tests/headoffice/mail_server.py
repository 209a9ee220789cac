"""A mail server on loopback for tests, and head office's settings for it."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest


class Smtp(socketserver.StreamRequestHandler):
    """A mail server: takes what comes."""

    mails: ClassVar[list[bytes]] = []
    said: ClassVar[list[bytes]] = []
    """Commands as they came, with "tls " before those that came encrypted."""
    security: ClassVar[str] = "none"
    tls: ClassVar[ssl.SSLContext | None] = None

    def setup(self) -> None:
        super().setup()
        if self.security == "tls":
            self._encrypt()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline():
            encrypted = isinstance(self.request, ssl.SSLSocket)
            self.said.append(b"tls " * encrypted + line)
            word = line.split()[0].upper()
            if word == b"EHLO":
                offers = self.security == "starttls" and not encrypted
                self._say("250-here\r\n" + "250-STARTTLS\r\n" * offers + "250 AUTH PLAIN")
            elif word == b"STARTTLS":
                self._say("220 go on")
                self._encrypt()
            elif word == b"AUTH":
                self._say("235 ok")
            elif word == b"DATA":
                self._say("354 go on")
                self._take()
            else:
                self._say("221 bye" if word == b"QUIT" else "250 ok")

    def _encrypt(self) -> None:
        assert self.tls is not None
        super().finish()
        self.request = self.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        self.mails.append(b"".join(lines))
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextlib.contextmanager
def mail_server(
    monkeypatch: pytest.MonkeyPatch | None = None,
    security: str = "none",
    tls: ssl.SSLContext | None = None,
) -> Iterator[int]:
    Smtp.mails.clear()
    Smtp.said.clear()
    if monkeypatch is not None:
        monkeypatch.setattr(Smtp, "security", security)
        monkeypatch.setattr(Smtp, "tls", tls)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def mail_toml(folder: Path, at: int, **more: str) -> None:
    """Settings for mails."""
    plain = {
        "host": '"127.0.0.1"',
        "port": str(at),
        "security": '"none"',
        "sender": '"ho@example.com"',
    }
    plain |= {"to": '{ "Chain T" = ["boss@example.com"], "*" = ["it@example.com"] }', **more}
    text = "\n".join(f"{name} = {value}" for name, value in plain.items())
    (folder / "mail.toml").write_text(text, encoding="utf-8")
