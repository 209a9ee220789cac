"""What a group of requests will ask a store, so that it is read in a few statements before they are handled.

A guess that may be short or long: what is missing is asked for when it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.protocol.facts import Facts, NotReadable, read
from app.protocol.profiles import is_cell
from app.protocol.store import Device
from app.protocol.wire import HoldRequest, Request, SyncRequest
from headoffice.store.feeds import WINDOW_MOST, Feeds
from headoffice.store.unit import Unit


def fetch(unit: Unit, feeds: Feeds, requests: Sequence[Request]) -> None:
    """Read what these requests are about."""
    unit.devices.fetch(request.device for request in requests)
    pushes = [request for request in requests if isinstance(request, SyncRequest)]
    facts = [each for request in pushes for each in _facts(request)]
    holds = [request for request in requests if isinstance(request, HoldRequest)]
    about: list[Facts | HoldRequest] = [*facts, *holds]
    _fetch_events(unit, facts, holds)
    _fetch_members(unit, about, pushes)
    _fetch_rights(unit, facts, {each.hold for each in about if each.hold is not None})
    _fetch_tills(unit, feeds, pushes)


def _facts(request: SyncRequest) -> Iterable[Facts]:
    for body in request.events:
        try:
            yield read(body)
        except NotReadable:
            continue


def _fetch_events(unit: Unit, facts: Sequence[Facts], holds: Sequence[HoldRequest]) -> None:
    """The events themselves, if they came before, and the sales that they are about."""
    held = {each.sale for each in holds if each.sale is not None}
    wanted = held | {each.sale for each in facts if each.sale is not None}
    unit.returns.fetch([*wanted, *(each.id for each in facts if each.sold)])
    unit.events.fetch([*(each.id for each in facts), *wanted])
    unit.line_holds.fetch(held)


def _fetch_members(
    unit: Unit, about: Sequence[Facts | HoldRequest], pushes: Sequence[SyncRequest]
) -> None:
    """Members and, of merged ones, who goes on for them; then the cells that may have come before."""
    cells = [cell for request in pushes for cell in request.cells if is_cell(cell)]
    next_ids = {cell.member for cell in cells}
    next_ids |= {each.member for each in about if each.member is not None}
    seen = set[bytes]()
    while next_ids:
        unit.members.fetch(next_ids)
        seen |= next_ids
        found = (unit.members.get(key) for key in next_ids)
        next_ids = {each.alias for each in found if each is not None and each.alias} - seen
    unit.sent_cells.fetch(
        (_survivor(unit, cell.member), cell.field, cell.device, cell.hlc) for cell in cells
    )


def _survivor(unit: Unit, member: bytes) -> bytes:
    while (known := unit.members.get(member)) is not None and known.alias is not None:
        member = known.alias
    return member


def _fetch_rights(unit: Unit, facts: Sequence[Facts], named: set[bytes]) -> None:
    """The holds that are `named`, and the holds and grants that entries spend by."""
    grants = {each.grant for each in facts if each.grant is not None}
    for each in facts:
        for _, authority in each.postings:
            if authority is not None and authority.kind == "hold":
                named.add(authority.id)
            elif authority is not None and authority.kind == "risk":
                grants.add(authority.id)
    unit.holds.fetch(named)
    unit.grants.fetch(grants)


class _Push(NamedTuple):
    device: Device
    request: SyncRequest


def _fetch_tills(unit: Unit, feeds: Feeds, requests: Sequence[SyncRequest]) -> None:
    """What tills have open, the links that they begin behind, and the rows that several of them lack."""
    pushes = [
        _Push(device, request)
        for request in requests
        if (device := unit.devices.get(request.device)) is not None
    ]
    devices = {push.device.id for push in pushes}
    unit.device_holds.fetch(devices)
    unit.device_grants.fetch(devices)
    unit.links.fetch(link for push in pushes for link in _links(push))
    unit.feeds.fetch(name for device, _ in pushes for name in (device.home, *device.buckets))
    lacking: dict[str, list[int]] = {}
    for device, request in pushes:
        for bucket in device.buckets:
            if bucket in request.cursors:
                lacking.setdefault(bucket, []).append(request.cursors[bucket].feed)
    for bucket, cursors in lacking.items():
        head = feeds.feed(bucket).head
        near = [feed for feed in cursors if head - WINDOW_MOST < feed < head]
        if len(near) > 1:
            feeds.page(bucket, min(near), WINDOW_MOST)


def _links(push: _Push) -> Iterable[tuple[bytes, int, int]]:
    """Where the till was acknowledged, and what it sends again."""
    have, acked = push.device.place, push.request.acked
    if acked.epoch != have.epoch:
        return
    if acked.seq == have.seq:
        # Its place says the chain there, and it sends nothing again.
        return
    upto = min(have.seq, acked.seq + len(push.request.events))
    for seq in range(max(acked.seq, 1), upto + 1):
        yield push.device.id, have.epoch, seq
