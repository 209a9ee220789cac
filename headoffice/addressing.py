"""Head office's own addresses: where it tells its tills to go, and by which of them they come.

A till goes only where it is answered by head office's key (app/sync/new_address.py), so a wrong address leads
nobody astray; it is asked in vain.
"""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from app.protocol.references import OFFICE_ADDRESS, REFERENCE_BUCKET, address_of
from app.protocol.wire import ReferenceRow
from headoffice.store.records import Records

_LOCAL: Final = ("127.0.0.1", "::1", "localhost")
_HOST: Final = re.compile(r"(?:[a-z0-9._-]{1,200}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NAME_MOST: Final = 253
_USUAL: Final = {"https": ":443", "http": ":80"}


def is_address(text: str) -> bool:
    """Whether tills can be told this: a URL that encrypts, or this machine's own, without path or more."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    name = f"[{host}]" if ":" in host else host
    return (
        address_of(text.encode("ascii", "replace")) == text
        and parts.scheme in ("https", "http" if host in _LOCAL else "https")
        and _is_host(host)
        and port != 0
        and parts.netloc.lower() == (name if port is None else f"{name}:{port}")
        and parts.netloc == text.partition("//")[2]
    )


def _is_host(name: str) -> bool:
    """Whether a computer can be called so. Where nobody could ask, tills would be sent for nothing."""
    with suppress(ValueError):
        return bool(ip_address(name))
    labels = name.split(".")
    with suppress(UnicodeError):
        name.encode("ascii").decode("idna")
        return (
            len(name) <= _NAME_MOST
            and all(map(_LABEL.fullmatch, labels))
            and not labels[-1].isdigit()
        )
    return False


def told(store: Records) -> str:
    """The address that tills are told; empty: none is."""
    known = store.reference(OFFICE_ADDRESS)
    return address_of(None if known is None else known.body)


def tell(store: Records, address: str) -> None:
    """Tell tills where head office is from now on; "": nowhere else. Inside `writing()`."""
    known = store.reference(OFFICE_ADDRESS)
    version = 1 if known is None else known.version + 1
    body = address.encode("ascii") or None
    store.put_reference(ReferenceRow(OFFICE_ADDRESS, REFERENCE_BUCKET, 0, version, body))


def host_of(header: str) -> str:
    """The host that a request names, with its port if that is unusual; "" for what is none: anybody may send
    anything there."""
    host = header.lower()
    return host if _HOST.fullmatch(host) else ""


def host_in(address: str) -> str:
    """The same of an address: what requests name that come by it."""
    parts = urlsplit(address)
    return parts.netloc.lower().removesuffix(_USUAL.get(parts.scheme, ":"))
