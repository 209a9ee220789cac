"""Reference data that head office gave becomes this till's own: versions of the programme, who works here.

A version goes into the journal before anything is sold by it, so `verify` and a restore know by which rules
without head office. It comes days before its first business date, as a rule.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from app import posting
from app.context import Tx
from app.domain.programme import Programme
from app.domain.programme_checks import ProgrammeError
from app.domain.programme_plain import programme_from_plain
from app.domain.programme_versions import is_chains
from app.log import log
from app.protocol.events import micros
from app.protocol.references import is_programme, key_for
from app.protocol.shop_staff import STAFF
from app.protocol.wire import ReferenceRow
from app.sync.staff_above import take_staff
from db import rows, till

UNFIT: Final = "programme_unfit"


def take_references(tx: Tx, came: Sequence[ReferenceRow]) -> bool:
    """Take what came into the journal. True: versions of the programme or people are others now, once this is
    committed.

    What can't be used here is an incident, told once, and dams nothing.
    """
    found = [each for each in came if is_programme(each.key) and each.body is not None]
    taken = [_take(tx, each) for each in sorted(found, key=lambda row: row.version)]
    people = [each for each in came if each.key == key_for(STAFF, tx.context.till.device)]
    taken += [take_staff(tx, each) for each in people]
    return any(taken)


def _take(tx: Tx, row: ReferenceRow) -> bool:
    if till.programme(tx.conn, row.version) is not None:
        return False
    assert row.body is not None
    try:
        plain = json.loads(row.body)
        parsed = programme_from_plain(plain)
        reason = _unfit(tx, row, parsed)
    except (ValueError, ProgrammeError) as error:
        plain, reason = {}, str(error)
    if reason:
        _told(tx, row.version, reason)
        return False
    _record(tx, parsed, plain)
    return True


def _unfit(tx: Tx, row: ReferenceRow, parsed: Programme) -> str:
    """Why a version that can be read is not for this till, "" where it is."""
    facts = tx.context.till
    if parsed.version != row.version or not is_chains(parsed):
        return "its number is not its own"
    if parsed.currency != facts.currency:
        return f"its currency is {parsed.currency.code}"
    if parsed.cut_off_minute != facts.cut_off_minute:
        return f"its days begin at minute {parsed.cut_off_minute}"
    return ""


def _record(tx: Tx, parsed: Programme, plain: dict[str, Any]) -> None:
    tx.record(
        posting.PROGRAMME,
        event_id=tx.context.ids(),
        session=None,
        business_date=tx.context.business_date(),
        programme=parsed.version,
        doc={"version": parsed.version, "starts": int(parsed.starts), "programme": plain},
        command_id=tx.context.ids(),
    )
    log.info("programme %s, from %s", parsed.version, parsed.starts.iso())


def _told(tx: Tx, version: int, reason: str) -> None:
    log.warning("programme %s is not used: %s", version, reason)
    facts = json.dumps({"version": version, "why": reason})
    told = [(code, kept) for _, code, kept in rows.incidents(tx.conn)]
    if (UNFIT, facts) not in told:
        rows.add_incident(tx.conn, at_us=micros(tx.now()), code=UNFIT, facts=facts)
