"""What a till says of its program to head office: version and schema, for the list of tills."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Final

import msgspec

from app.protocol.wire import Request, SyncRequest
from db.migrate import shipped

_NAME: Final = "regulars"


def saying_program(request: Request) -> Request:
    """A poll with this till's program in it; every other request as it is."""
    if not isinstance(request, SyncRequest):
        return request
    app, schema = _program()
    return msgspec.structs.replace(request, app=app, schema=schema)


@cache
def _program() -> tuple[str, int]:
    try:
        version = metadata.version(_NAME)
    except metadata.PackageNotFoundError:
        version = ""
    return version, max(each.number for each in shipped())
