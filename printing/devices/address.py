"""Where a printer is: the text of the settings as a typed address."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

PORT = 9100
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A printer in the network. `answers` is False for clones that never report a status: their
    jobs are sent blind and never confirmed.
    """

    host: str
    port: int = PORT
    answers: bool = True

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}" + ("" if self.answers else "?blind")


@dataclass(frozen=True, slots=True)
class FileAddress:
    """A file that jobs are appended to (a device file, too), or a folder that gets one file for
    each job.
    """

    path: Path
    one_per_job: bool = False

    def __str__(self) -> str:
        return f"file:{self.path}" + ("/" if self.one_per_job else "")


Address = TcpAddress | FileAddress


def parse_address(text: str) -> Address:
    """`tcp://HOST`, `tcp://HOST:PORT`, `tcp://HOST?blind` (also without `tcp://`), `file:PATH`
    (append), `file:PATH/` (one file per job). Raises ValueError for anything else; a single word
    is a host only with `tcp://` or a port, as it could be anything that was typed into the wrong field.
    """
    text = text.strip()
    if text.startswith("file:"):
        path = text.removeprefix("file:")
        if not path.strip("/"):
            raise ValueError(f"no path in {text!r}")
        return FileAddress(Path(path), one_per_job=path.endswith("/"))
    place, blind, rest = text.removeprefix("tcp://").partition("?blind")
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = place.partition(":")
    alone = "." not in host and not port and not text.startswith("tcp://")
    bracketed = place.startswith("[")
    if rest or ":" in port or (alone and not bracketed) or not _is_host(host, v6=bracketed):
        raise ValueError(f"no printer address: {text!r}")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"no port number: {port!r}")
    return TcpAddress(host, int(port or PORT), answers=not blind)


def _is_host(host: str, *, v6: bool) -> bool:
    """An address of the network, or a name; 192.168.1.500 is neither."""
    if v6 or all(label.isdecimal() for label in host.split(".")):
        try:
            return ipaddress.ip_address(host).version == (6 if v6 else 4)
        except ValueError:
            return False
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.split("."))
