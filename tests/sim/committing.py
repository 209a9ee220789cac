"""How anything that happens at a simulated till is committed and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.protocol import overlay
from app.protocol.facts import Authority, Facts, write
from tests.sim.machine import Machine

if TYPE_CHECKING:
    from tests.sim.world import World


def put(world: World, at: Machine, facts: Facts) -> None:
    """Commit an event and count what it used."""
    torn, body = world.torn(at), write(facts)
    at.commit(facts, body, torn=torn)
    if any(
        entry.available_from is not None and entry.available_from > facts.on
        for entry, _ in facts.postings
    ):
        world.counts["pending points"] += 1
    if facts.sold:
        world.receipts.append(facts.id)
        world.paper[facts.id] = body
    for entry, authority in facts.postings:
        if authority is not None:
            world.counts[("credit " if entry.amount > 0 else "spend ") + authority.kind] += 1
    world.counts[f"event {facts.kind}"] += 1
    world.oracle.till_step(at)
    if torn:
        world.crash(at, "torn_commit")


def own_right(at: Machine) -> Authority | None:
    """Credits are marked as own rights by the rule of the counter's own till."""
    return overlay.own_right(at.store)
