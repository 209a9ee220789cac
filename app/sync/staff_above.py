"""Who works here, as head office says it, becomes this till's own rows: each change is a STAFF event.

A PIN stays its owner's: who is new has none until they type their first code (usecases/staff.py, choose_pin).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Final

from app import posting
from app.cells import staff_cell
from app.context import Tx
from app.domain.rights import ROLES
from app.protocol.shop_staff import ShopPerson, WorksHere, is_initials, staff_of
from app.protocol.wire import ReferenceRow
from app.sync.unfit import UNREADABLE, tell_unfit
from app.usecases.staff import Act, staff_facts
from db import staff_rows
from db.connection import Connection

UNFIT: Final = "staff_unfit"
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32


def take_staff(tx: Tx, row: ReferenceRow) -> bool:
    """Take the list. True: somebody is another one now. A list that can't be used is an incident, told once,
    and nothing of it is taken: the till goes on by what it has."""
    known = {each.id: each for each in staff_rows.all_staff(tx.conn)}
    try:
        people = [each for each in staff_of(row.body) if each.active or each.id in known]
    except ValueError as error:
        tell_unfit(tx, UNFIT, row.version, UNREADABLE, str(error))
        return False
    why = _unfit(people, known)
    if why:
        tell_unfit(tx, UNFIT, row.version, why, "")
        return False
    # Whoever comes or is let in first, so that there is a manager at every step.
    changes = [_take(tx, each, known.get(each.id)) for each in sorted(people, key=_leaving)]
    return any(changes)


def works_here(conn: Connection) -> tuple[WorksHere, ...]:
    """What head office is told of who works here."""
    return tuple(
        WorksHere(each.id, each.initials, each.name, each.role, bool(each.active))
        for each in staff_rows.all_staff(conn)
    )


def _leaving(person: ShopPerson) -> bool:
    return not person.active


def _unfit(people: list[ShopPerson], known: dict[bytes, staff_rows.StaffRow]) -> str:
    """Why a list that can be read is not for this till, "" where it is."""
    after = {row.id: (row.initials, row.role, bool(row.active)) for row in known.values()}
    after |= {each.id: (each.initials, each.role, each.active) for each in people}
    if not all(is_initials(each.initials) and each.role in ROLES for each in people):
        return "strange"
    theirs = {row.initials: row.id for row in known.values()}
    once = len({initials for initials, _, _ in after.values()}) == len(after)
    if not once or any(theirs.get(each.initials, each.id) != each.id for each in people):
        return "initials"
    had = any(row.active and row.role == "manager" for row in known.values())
    if had and not any(active and role == "manager" for _, role, active in after.values()):
        return "no_manager"
    return ""


def _take(tx: Tx, person: ShopPerson, known: staff_rows.StaffRow | None) -> bool:
    if known is None:
        salt, nobodys = os.urandom(_SALT_BYTES), os.urandom(_HASH_BYTES)
        new = staff_rows.StaffRow(
            person.id, person.initials, person.name, person.role, None, salt, nobodys, 1
        )
        _record(tx, new, "add")
        return True
    before = known
    if (known.initials, known.name) != (person.initials, person.name):
        known = replace(known, initials=person.initials, name=person.name)
        _record(tx, known, "name")
    if known.role != person.role:
        was, known = known.role, replace(known, role=person.role)
        _record(tx, known, "role", was=was)
    if known.active != person.active:
        known = replace(known, active=int(person.active))
        _record(tx, known, "enable" if person.active else "disable", was=known.role)
    return known != before


def _record(tx: Tx, person: staff_rows.StaffRow, act: Act, **more: Any) -> None:
    tx.record(
        posting.STAFF,
        event_id=tx.context.ids(),
        session=None,
        business_date=tx.context.business_date(),
        doc=staff_facts(person.id, person.role, act, proof="head_office", **more),
        cells=(staff_cell(person),),
        command_id=tx.context.ids(),
    )
