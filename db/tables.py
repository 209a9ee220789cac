"""Tables that the back office asks composed questions of, as SQLAlchemy knows them.

Imported when such a screen first asks, never by the counter. Only what is asked is declared; a test compares
the columns with the real schema.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table

METADATA: Final = MetaData()
event: Final = Table(
    "event",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("epoch", Integer),
    Column("id", LargeBinary),
    Column("command_id", LargeBinary),
    Column("kind", String),
    Column("body", LargeBinary),
    Column("hash", LargeBinary),
)
event_figures: Final = Table(
    "event_figures",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("business_date", Integer),
)
