"""What head office's people and its surroundings do in the simulation: bookings, merges, backups, faults."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from app.protocol import pull
from app.protocol.open_members import survivor
from app.protocol.wire import ReferenceRow
from tests.sim import counter
from tests.sim.machine import Machine
from tests.sim.parting import memory_copy
from tests.sim.settings import HOUR, MINUTE, ROLLBACKS

if TYPE_CHECKING:
    from tests.sim.world import World


def act(world: World, what: str) -> None:
    """One act of the office."""
    _ACTS[what](world)


def expire(world: World) -> None:
    before = _visits(world)
    booked = world.server.book_expiries(world.now_ms)
    world.counts["expiry booked"] += booked
    world.counts["visited left"] += before - _visits(world)
    if world.server.book_expiries(world.now_ms):
        world.oracle.fail("an expiry is booked twice")


def _visits(world: World) -> int:
    store = world.server.store
    found = [store.member(each) for each in store.members()]
    return sum(len(each.visited) for each in found if each is not None)


def merge(world: World) -> None:
    known = list(world.server.store.members())
    if len(known) < 2:
        return
    loser, winner = world.rng.sample(known, 2)
    copy = memory_copy(world.server.store)
    if copy is not None and world.rng.random() < 0.3:
        parting = world.oracle.parting
        tried = parting.at_once(world.server, loser, winner, world.now_ms, copy)
        world.counts["merged and parted at once"] += tried
    world.counts["merged"] += world.server.merge(loser, winner, world.now_ms)


def unmerge(world: World) -> None:
    """Two people after all; what is reserved, or another merge on top, has to go first."""
    store = world.server.store
    gone = [known for each in store.members() if (known := store.member(each)) and known.alias]
    if not gone:
        return
    loser = world.rng.choice(gone)
    assert loser.alias is not None
    done = world.oracle.parting.part(
        loser.id, loser.alias, lambda: world.server.unmerge(loser.id, world.now_ms) is not None
    )
    world.counts["unmerged" if done else "unmerge refused"] += 1


def erase(world: World) -> None:
    """Somebody wants to be forgotten; the office keeps the list beside its store. What they have goes first,
    where nothing of it is reserved."""
    member = world.rng.choice(world.members[2:] or world.members)
    store = world.server.store
    known = store.member(survivor(store, member))
    if known is not None and not known.reserved and world.server.forfeit(member, world.now_ms):
        world.counts["forfeited"] += 1
    world.erased.add(member)
    world.server.erase(member, "north")
    world.counts["erased"] += 1


def snapshot(world: World) -> None:
    for bucket in ("north", "south"):
        pull.take_snapshot(world.server.store, bucket, world.now_ms, world.server.limits)
    world.oracle.snapshot_taken(world.now_ms)


def prune(world: World) -> None:
    """Tombstones of long ago go, and with them the cursors of tills that were away."""
    store = world.server.store
    visited = ["visited:north", "visited:south"] if world.settings.apart else []
    for bucket in ["north", "south", *visited]:
        store.prune(bucket, max(store.head(bucket) - world.rng.randint(0, 6), 0))


def publish(world: World) -> None:
    rng = world.rng
    key, bucket = rng.choice(["tiers", "rules", "prices"]), rng.choice(["north", "south"])
    body = None if rng.random() < 0.2 else rng.randbytes(4)
    row = ReferenceRow(f"{key}:{bucket}", bucket, 0, world.now_ms, body)
    world.published[row.key] = row
    world.server.publish(row)


def backup(world: World) -> None:
    store = world.server.store
    world.backups = [*world.backups, store.copy()][-4:]  # type: ignore[attr-defined]
    for at in world.live():
        if world.rng.random() < 0.5:
            at.save()
        if world.rng.random() < 0.3:
            at.take_image()


def forgive(world: World) -> None:
    for member in world.server.store.members():
        world.counts["forgiven"] += world.server.forgive(member) > 0


_ACTS: Final[dict[str, Callable[[World], None]]] = {
    "expire": expire, "merge": merge, "unmerge": unmerge, "erase": erase, "snapshot": snapshot, "prune": prune,
    "publish": publish, "backup": backup, "forgive": forgive,
}  # fmt: skip


# Faults -----------------------------------------------------------------------------------------


def break_something(world: World, what: str) -> None:
    """One fault, to a till that is there."""
    at = world.rng.choice(world.live())
    if what == "crash" and at.up:
        world.crash(at, "crash")
    elif what == "partition":
        world.counts["fault partition"] += 1
        at.cut_until_ms = world.now_ms + world.rng.randint(1, 60) * HOUR
    elif what == "till_lost" and len(world.live()) > 1:
        _lose(world, at)
    elif what == "office_restored":
        restore_office(world)
    elif what == "database_restored":
        _come_back(world, at, what, at.restore_database())
    elif what == "image_restored":
        _come_back(world, at, what, at.restore_image())


def _come_back(world: World, at: Machine, name: str, restored: bool) -> None:
    if not restored:
        return
    world.counts[f"fault {name}"] += 1
    if name in ROLLBACKS:
        world.oracle.rolled_back(at)
    back = world.now_ms + world.rng.randint(1, 60) * MINUTE
    world.at(back, lambda: world.start(at))
    for _ in range(3):  # people have been waiting
        soon = back + world.rng.randint(1, 60) * MINUTE
        world.at(soon, lambda: _spend_soon(world, at))


def _spend_soon(world: World, at: Machine) -> None:
    if at.up and not at.lost and not at.store.control().revoked:
        counter.spend(world, at)
        world.oracle.till_step(at)


def _lose(world: World, at: Machine) -> None:
    """A till is stolen; an operator writes off what it held, and another one takes its place."""
    world.counts["fault till_lost"] += 1
    at.lost, at.up = True, False
    device = world.server.store.device(at.device)
    if device is not None:
        world.counts["written off"] += world.server.write_off(at.device)
    world.oracle.server_step()
    world.new_till()
    # Chance of its own: what else happens in a seed does not hang on it.
    later = random.Random(world.settings.seed * 11 + len(world.machines))
    if later.random() < 0.7:
        when = world.now_ms + later.randint(1, 48) * HOUR
        world.at(when, lambda: bring_outbox(world, at))


def bring_outbox(world: World, at: Machine) -> None:
    """Its disk was found: what it had written is told after all, twice, as people do."""
    if world.server.store.device(at.device) is None:
        return
    if at not in world.brought:
        world.brought.append(at)
    world.oracle.parting.heard(at.file)
    found = world.server.take_late(at.device, tuple(at.file), world.now_ms)
    world.counts["fault outbox_late"] += 1
    world.counts["late events"] += found.new
    world.oracle.told_late(at)
    again = world.server.take_late(at.device, tuple(at.file), world.now_ms)
    world.oracle.require(again.new == 0, "a late outbox is taken twice")
    world.oracle.told_late(at)


def restore_office(world: World) -> None:
    """Head office goes on from an older backup; what people keep beside it is done again."""
    if not world.backups:
        return
    world.counts["fault office_restored"] += 1
    store = world.rng.choice(world.backups).copy()
    world.server = replace(world.server, store=store)
    world.server.restored(world.now_ms)
    world.oracle.office_restored()
    for at in world.machines:
        device = store.device(at.device)
        if at.lost and device is not None and device.standing == "live":
            world.server.write_off(at.device)
    for at in world.brought:
        bring_outbox(world, at)
    for member in sorted(world.erased):
        world.server.erase(member, "north")
    for key in sorted(world.published):
        world.server.publish(world.published[key])
    world.oracle.server_step()


def let_in_again(world: World, device: bytes) -> None:
    """A till that a restored head office has forgotten is known to the people there."""
    for at in world.live():
        if at.device == device:
            world.counts["let in again"] += 1
            world.server.enrol(device, at.home, *world.buckets_of(at.home), forgotten=True)
