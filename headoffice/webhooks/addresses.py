"""Where a webhook may go: an address of the open internet, as it is at the moment of sending.

Names are resolved anew for each message, and the connection goes to the very address that was looked at: so a
name that points elsewhere a moment later reaches nothing of ours.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

URL_MOST: Final = 500
_URL: Final = re.compile(r"https?://[!-~]+")
_EMBEDDING: Final = tuple(
    map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)
"""Networks whose addresses hold one of IPv4: what lies behind them is not said by the address alone."""


class Target(NamedTuple):
    """A URL in parts. `path` has the question with it."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def named(self) -> str:
        """As a Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def target_of(url: str, *, private: bool) -> Target | None:
    """The parts of a URL that may be a webhook's; None: it may not. `private`: of this machine or network, too,
    which needs no TLS."""
    if len(url) > URL_MOST or not _URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    tls = parts.scheme == "https"
    if not parts.hostname or "@" in parts.netloc or "#" in url or not (tls or private):
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(tls, parts.hostname, port or (443 if tls else 80), path)
    numbers = _address(target.host)
    return None if numbers and not private and not is_open(numbers) else target


def all_open(hosts: Iterable[str]) -> bool:
    """Whether all that a name stands for is of the open internet."""
    found = [_address(host) for host in hosts]
    return bool(found) and all(each is not None and is_open(each) for each in found)


def is_open(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is one of the open internet: nobody's own network, not this machine, no group's."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_open(address.ipv4_mapped)
        if any(address in network for network in _EMBEDDING):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
