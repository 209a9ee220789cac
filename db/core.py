"""SQLAlchemy's select() on the store's own connections, for questions that are composed at run time.

The counter's hot path is plain SQL; this is imported when a back-office screen first asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from db.connection import Connection

_DIALECT: Final = sqlite.dialect(paramstyle="qmark")


def rows(conn: Connection, statement: Select[Any]) -> Iterator[tuple[Any, ...]]:
    """Run a statement with its values bound by position; the rows as the driver has them."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    values = compiled.params
    bound = [values[name] for name in compiled.positiontup or ()]
    return iter(conn.execute(str(compiled), bound))
