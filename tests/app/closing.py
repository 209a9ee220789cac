"""Closing the day at the kiosk, for the tests of the close and of what follows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app import posting
from app.approvals import Ask
from app.backup import make
from app.build import NewStaff, add_staff
from app.domain.errors import Refused
from app.protocol.events import Event
from app.usecases.back_up import NoteBackup, note_backup
from app.usecases.close_day import (
    BeginClose,
    Closed,
    CloseDay,
    Closing,
    begin,
    close_day,
    date_to_close,
    prove,
)
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.count import CountDrawer, count_drawer, shift_sums
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.owner_postings import post_all
from db import rows, till
from tests.app.kiosk import Kiosk


def count_and_close(kiosk: Kiosk, short: int = 0) -> None:
    """The cashier counts the drawer to the cent (or `short`) and ends the shift."""
    ctx = kiosk.ctx
    with ctx.read() as conn:
        shift = till.open_shift(conn)
    assert shift is not None
    with ctx.read() as conn:
        expected = shift_sums(conn, shift.id).expected_minor
    pieces = tuple(_pieces(expected - short))
    count_drawer(ctx, CountDrawer(ctx.ids(), kiosk.session, shift.id, pieces))
    close_shift(ctx, CloseShift(ctx.ids(), kiosk.session, shift.id, "unknown" if short else ""))


def _pieces(minor: int) -> list[tuple[int, int]]:
    found = []
    for value in (10000, 5000, 2000, 1000, 500, 100, 50, 10):
        found.append((value, minor // value))
        minor %= value
    assert minor == 0
    return [pair for pair in found if pair[1]]


def begun(kiosk: Kiosk, **changes: Any) -> Closing:
    on = date_to_close(kiosk.ctx)
    assert on is not None
    command = BeginClose(kiosk.ctx.ids(), kiosk.session, on)
    return begin(kiosk.ctx, replace(command, **changes))


def finished(kiosk: Kiosk, closing: Closing, *, backup: bool = True) -> Closed:
    ctx = kiosk.ctx
    posted = post_all(ctx, closing.command.on, closing.since)
    proof = prove(ctx)
    made = note_backup(ctx, NoteBackup(ctx.ids(), make(ctx))).result if backup else None
    return close_day(ctx, CloseDay(closing, proof, posted, made)).result


def closed(kiosk: Kiosk) -> Closed:
    """A whole close of the oldest open date."""
    count_and_close(kiosk)
    return finished(kiosk, begun(kiosk))


def next_day(kiosk: Kiosk) -> None:
    kiosk.clock.now += timedelta(days=1)
    open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 50000))


def event_of(kiosk: Kiosk, event_id: bytes) -> Event:
    with kiosk.ctx.read() as conn:
        row = rows.event_by_id(conn, event_id)
    assert row is not None
    return posting.event_of(row)


def manager_of(kiosk: Kiosk) -> bytes:
    """A manager who works here."""
    person = NewStaff("zg", "张国", "manager", "975310")
    return add_staff(kiosk.ctx, person, today=kiosk.ctx.business_date())


def agreed(kiosk: Kiosk, command: BeginClose) -> bytes:
    """A manager says yes to exactly what `begin` asks for."""
    manager = manager_of(kiosk)
    with pytest.raises(Refused) as caught:
        begin(kiosk.ctx, command)
    ask = caught.value.offer
    assert isinstance(ask, Ask)
    kiosk.ctx.approvals.give(ask, manager)
    return manager
