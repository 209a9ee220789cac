"""Head office's own addresses: where it tells its tills to go, and by which of them they come.

A till goes only where it is answered by head office's key (app/sync/new_address.py), so a wrong address leads
nobody astray; it is asked in vain.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from app.protocol.references import OFFICE_ADDRESS, REFERENCE_BUCKET, address_of
from app.protocol.wire import ReferenceRow
from headoffice.store.records import Records

_LOCAL: Final = ("127.0.0.1", "::1", "localhost")
_HOST: Final = re.compile(r"(?:[a-z0-9._-]{1,200}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
_USUAL: Final = {"https": ":443", "http": ":80"}


def is_address(text: str) -> bool:
    """Whether tills can be told this: a URL that encrypts, or this machine's own, without path or more."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return (
        address_of(text.encode("ascii", "replace")) == text
        and parts.scheme in ("https", "http" if parts.hostname in _LOCAL else "https")
        and bool(parts.hostname)
        and parts.netloc == text.partition("//")[2]
        and "@" not in parts.netloc
        and " " not in text
    )


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
