"""Holds at head office: an amount of a member's asset, or lines of a sale, kept for one till (sync.md 3).

A hold ends by a capture or a void in the till's chain, by a fence or by a write-off; never by time.
"""

from __future__ import annotations

from typing import Literal

from app.domain.entries import owner_event_id
from app.domain.state import view
from app.protocol.open_members import OpenMember, open_member, survivor
from app.protocol.sales import returned_lines, sold_lines
from app.protocol.store import Device, Hold, Store
from app.protocol.wire import ID_BYTES, HoldRequest, is_name


def request_hold(store: Store, device: Device, request: HoldRequest) -> bool:
    """Reserve, or find what was decided about this hold before. A tombstone never reserves."""
    if len(request.hold) != ID_BYTES or not is_name(request.asset):
        return False
    known = store.hold(request.hold)
    if known is not None:
        return known.standing == "open" and known.device == device.id
    member = None
    if request.sale is not None:
        _end_before(store, device, request)
        granted = _lines_left(store, request)
    else:
        granted, member = _reserve(store, device, request)
    if granted:
        store.put_hold(
            Hold(
                request.hold, device.id, request.epoch, "open", member,
                request.asset, request.amount, request.on, request.sale, request.lines,
            )
        )  # fmt: skip
    return granted


def _reserve(store: Store, device: Device, request: HoldRequest) -> tuple[bool, bytes | None]:
    member = None if request.member is None else survivor(store, request.member)
    if member is None or store.member(member) is None:
        return False, member
    opened = open_member(store, member, device.home)
    if not may_reserve(opened, request):
        return False, member
    opened.reserve(request.asset, device.id, request.amount)
    opened.save()
    return True, member


def may_reserve(opened: OpenMember, request: HoldRequest) -> bool:
    """avail >= x, and what is good on the sale's date covers it and all that is reserved already."""
    account = opened.account(request.asset)
    good = view(opened.state, request.on, asset=request.asset).available
    return 0 < request.amount <= min(account.avail, good - account.reserved)


def _end_before(store: Store, device: Device, request: HoldRequest) -> None:
    """Other lines are chosen: what the till had reserved of the sale for the same return goes first. Its own
    void of it comes later, and finds it void."""
    before = store.hold(request.instead) if request.instead else None
    if before is None or (before.device, before.sale) != (device.id, request.sale):
        return
    if before.standing == "open":
        end_hold(store, before, "void")


def _lines_left(store: Store, request: HoldRequest) -> bool:
    """Whether all asked lines of a sale are neither returned nor reserved for another return."""
    assert request.sale is not None
    if not request.lines or any(quantity <= 0 for _, quantity in request.lines):
        return False
    left = dict(sold_lines(store, request.sale))
    for line, quantity in returned_lines(store, request.sale).items():
        left[line] = left.get(line, 0) - quantity
    for hold in store.open_line_holds(request.sale):
        for line, quantity in hold.lines:
            left[line] = left.get(line, 0) - quantity
    for line, quantity in request.lines:
        left[line] = left.get(line, 0) - quantity
    return all(left[line] >= 0 for line, _ in request.lines)


def use_hold(opened: OpenMember, asset: str, hold_id: bytes, device: bytes, amount: int) -> int:
    """Capture a hold: what it reserved is free, used or not. Returns how much of the spend it covers."""
    hold = opened.store.hold(hold_id)
    if hold is None or hold.member is None or (hold.device, hold.asset) != (device, asset):
        return 0
    if hold.standing not in ("open", "written_off"):
        return 0
    # One that was written off keeps nobody from being merged or parted, and W has it whoever the spend is of.
    if hold.standing == "open":
        if survivor(opened.store, hold.member) != opened.member.id:
            return 0
        opened.free(asset, device, hold.amount)
    opened.store.put_hold(hold._replace(standing="captured"))
    return min(amount, hold.amount)


def keep_written_off(store: Store, device: Device, asset: str, amount: int) -> None:
    """Remember how much a lost till might still spend by its own credits, which W has now: its outbox may come.
    Of all members together, for they may be merged or parted until then."""
    hold = _local_id(device.id, asset)
    kept = store.hold(hold)
    amount += 0 if kept is None else kept.amount
    epoch = device.place.epoch
    store.put_hold(Hold(hold, device.id, epoch, "written_off", None, asset, amount))


def use_written_off(store: Store, asset: str, device: bytes, amount: int) -> int:
    """How much of a lost till's spend its written-off own credits cover; each is used once."""
    hold = store.hold(_local_id(device, asset))
    if hold is None:
        return 0
    used = min(amount, hold.amount)
    store.put_hold(hold._replace(amount=hold.amount - used))
    return used


def _local_id(device: bytes, asset: str) -> bytes:
    return owner_event_id(device, f"local:{asset}")


def void_hold(store: Store, device: Device, hold_id: bytes) -> None:
    """End a hold. The tombstone stays: a request that comes late must find it."""
    hold = store.hold(hold_id)
    if hold is None:
        store.put_hold(Hold(hold_id, device.id, device.place.epoch, "void"))
    elif hold.standing == "open" and hold.device == device.id:
        end_hold(store, hold, "void")


def end_hold(store: Store, hold: Hold, standing: Literal["void", "written_off"]) -> None:
    """Free what an open hold reserves."""
    assert hold.standing == "open", "an end is final"
    if hold.member is not None:
        opened = open_member(store, hold.member, "")
        opened.free(hold.asset, hold.device, hold.amount)
        opened.save()
    store.put_hold(hold._replace(standing=standing))


def capture_lines(store: Store, device: Device, hold_id: bytes) -> None:
    """The return has come that lines were reserved for: what it returned counts from now on."""
    hold = store.hold(hold_id)
    if hold is None or hold.sale is None or hold.device != device.id:
        return
    if hold.standing == "open":
        store.put_hold(hold._replace(standing="captured"))
