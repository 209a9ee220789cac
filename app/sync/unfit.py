"""What head office gave and this till can't use: noted once for whoever looks after the till."""

from __future__ import annotations

import json
from typing import Final

from app.context import Tx
from app.log import log
from app.protocol.events import micros
from db import rows

UNREADABLE: Final = "unreadable"


def tell_unfit(tx: Tx, code: str, version: int, why: str, told: str) -> None:
    """An incident. `why`: a code, for which the screen has words; `told`: more of it, for the log alone."""
    log.warning("%s %s: %s", code, version, told or why)
    facts = json.dumps({"version": version, "why": why})
    known = [(other, kept) for _, other, kept in rows.incidents(tx.conn)]
    if (code, facts) not in known:
        rows.add_incident(tx.conn, at_us=micros(tx.now()), code=code, facts=facts)
