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
from app.protocol.references import is_programme, key_for
from app.protocol.shop_staff import STAFF
from app.protocol.wire import ReferenceRow
from app.sync.staff_above import take_staff
from app.sync.unfit import UNREADABLE, tell_unfit
from db import till

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
    except (ValueError, ProgrammeError) as error:
        tell_unfit(tx, UNFIT, row.version, UNREADABLE, str(error))
        return False
    why = _unfit(tx, row, parsed)
    if why:
        tell_unfit(tx, UNFIT, row.version, why, f"{parsed.currency}, {parsed.cut_off_minute}")
        return False
    _record(tx, parsed, plain)
    return True


def _unfit(tx: Tx, row: ReferenceRow, parsed: Programme) -> str:
    """Why a version that can be read is not for this till, "" where it is."""
    facts = tx.context.till
    if parsed.version != row.version or not is_chains(parsed):
        return "number"
    if parsed.currency != facts.currency:
        return "currency"
    if parsed.cut_off_minute != facts.cut_off_minute:
        return "cut_off"
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
