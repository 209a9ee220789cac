"""Voids and returns at a simulated till: of own documents, and of other tills' sales, reserved or on trust."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.entries import POINTS, Entry, EntryId
from app.protocol.facts import Facts, Posting, Returned
from app.protocol.wire import HoldReply
from tests.sim.committing import own_right, put
from tests.sim.machine import Machine, facts_of
from tests.sim.settings import HOLD_WAIT, UNITS

if TYPE_CHECKING:
    from tests.sim.world import World


def own_documents(at: Machine, kind: str) -> list[Facts]:
    """The latest own documents of a kind, newest first."""
    found = []
    for number in range(at.store.top(), max(at.store.top() - 40, 0), -1):
        facts = facts_of(at.store.body(number))
        if facts.kind == kind:
            found.append(facts)
    return found


def _returned_here(at: Machine, sale: bytes) -> dict[int, int]:
    sums: dict[int, int] = {}
    for kind in ("return", "void"):
        for facts in own_documents(at, kind):
            if facts.sale == sale:
                for part in facts.returned:
                    sums[part.line] = sums.get(part.line, 0) + part.quantity
    return sums


def void(world: World, at: Machine) -> None:
    """The newest own document of the day that nothing was returned of, mirrored."""
    on, event = at.today(world.now_ms), world.rng.randbytes(16)
    kind = world.rng.choice(["sale", "spend", "spend", "top_up"])
    voided = {facts.sale for facts in own_documents(at, "void")}
    for facts in own_documents(at, kind)[:3]:
        if facts.on == on and facts.id not in voided and not _returned_here(at, facts.id):
            postings = tuple(_mirror(at, facts, event))
            parts = tuple(_parts(facts, {}, dict(facts.sold)))
            put(
                world,
                at,
                Facts(event, "void", facts.member, on, postings, sale=facts.id, returned=parts),
            )
            return


def void_return(world: World, at: Machine) -> None:
    """The newest own return of the day, mirrored; last in, first out."""
    on, event = at.today(world.now_ms), world.rng.randbytes(16)
    undone = {
        posting.entry.refers_to.event
        for facts in own_documents(at, "void")
        for posting in facts.postings
        if posting.entry.refers_to is not None
    }
    seen = set[bytes | None]()
    for facts in own_documents(at, "return"):
        if facts.on == on and facts.id not in undone and facts.sale not in seen and facts.postings:
            postings = tuple(_mirror(at, facts, event))
            parts = tuple(Returned(part.line, -part.quantity, 0, 0) for part in facts.returned)
            world.counts["void of a return"] += 1
            put(
                world,
                at,
                Facts(event, "void", facts.member, on, postings, sale=facts.sale, returned=parts),
            )
            return
        seen.add(facts.sale)


def _mirror(at: Machine, facts: Facts, event: bytes) -> list[Posting]:
    mirrored = []
    ordered = sorted(facts.postings, key=lambda posting: posting.entry.amount)
    for n, (entry, _) in enumerate(ordered):
        back = Entry(
            EntryId(event, n), entry.asset, "reverse", -entry.amount, facts.on, refers_to=entry.id
        )
        mirrored.append(Posting(back, own_right(at) if back.amount > 0 else None))
    return mirrored


def return_own(world: World, at: Machine) -> None:
    """Some lines of an own sale, by what this till knows of it."""
    for facts in own_documents(at, "sale")[:4]:
        if world.rng.random() < 0.5:
            _return(world, at, facts, _returned_here(at, facts.id), None)
            return


def return_foreign(world: World, at: Machine) -> None:
    """A sale of another till: its lines are reserved online; offline somebody lets it pass on trust."""
    rng = world.rng
    if not world.receipts:
        return
    sale = rng.choice(world.receipts[-12:])
    if rng.random() < 0.6 and world.now_ms >= at.cut_until_ms:
        lines = ((0, rng.randint(1, UNITS)),)
        request = at.till.ask_return(sale, lines, at.today(world.now_ms), rng)
        if request is None:
            return
        at.returning[request.hold] = sale
        world.send(at, request)
        until = world.now_ms + HOLD_WAIT
        world.at(until, lambda: _return_late(world, at, request.hold))
        return
    body = world.paper.get(sale)
    if body is not None:
        world.counts["return on trust"] += 1
        _return(world, at, facts_of(body), {}, None)


def _return_late(world: World, at: Machine, hold: bytes) -> None:
    if at.up and not at.lost and at.returning.pop(hold, None) is not None:
        known = {each.id: each for each in at.store.control().holds}
        if hold in known and known[hold].standing == "asked":
            at.till.void_hold(hold, at.today(world.now_ms), world.rng)
            at.write_file()


def served(world: World, at: Machine, reply: HoldReply) -> None:
    """The sale has come, with its lines reserved or not."""
    hold = reply.hold
    if at.returning.pop(hold, None) is None or not reply.granted:
        world.counts["return not reserved"] += 1
        return
    world.counts["return reserved"] += 1
    assert reply.sale is not None, "lines of an unknown sale can't be reserved"
    _return(world, at, facts_of(reply.sale), dict(reply.returned), hold)
    if any(each.id == hold and each.standing == "open" for each in at.store.control().holds):
        at.till.void_hold(hold, at.today(world.now_ms), world.rng)
        at.write_file()


def _return(
    world: World, at: Machine, facts: Facts, before: dict[int, int], hold: bytes | None
) -> None:
    rng, on, event = world.rng, at.today(world.now_ms), world.rng.randbytes(16)
    left = {line: quantity - before.get(line, 0) for line, quantity in facts.sold}
    wanted = {line: rng.randint(1, n) for line, n in left.items() if n > 0 and rng.random() < 0.8}
    parts = tuple(_parts(facts, before, wanted))
    if not parts:
        return
    postings = list[Posting]()
    earned, spent = _points(facts)
    restored, taken = sum(part.restored for part in parts), sum(part.taken for part in parts)
    if restored and spent is not None:
        back = Entry(
            EntryId(event, 0), POINTS, "reverse", restored, on,
            minimum_expiry=on.plus(2), refers_to=spent.id,
        )  # fmt: skip
        postings.append(Posting(back, own_right(at)))
    if taken and earned is not None:
        name = EntryId(event, len(postings))
        postings.append(Posting(Entry(name, POINTS, "reverse", -taken, on, refers_to=earned.id)))
    put(
        world,
        at,
        Facts(
            event, "return", facts.member, on, tuple(postings), hold=hold, sale=facts.id,
            returned=parts,
        ),
    )  # fmt: skip


def _points(facts: Facts) -> tuple[Entry | None, Entry | None]:
    earned = spent = None
    for entry, _ in facts.postings:
        if entry.asset == POINTS and entry.amount > 0:
            earned = entry
        elif entry.asset == POINTS:
            spent = entry
    return earned, spent


def _parts(facts: Facts, before: dict[int, int], wanted: dict[int, int]) -> list[Returned]:
    """Shares of each line telescope, so that parts add up to the whole."""
    earned, spent = _points(facts)
    lines = len(facts.sold)
    found = []
    for line, quantity in facts.sold:
        back = wanted.get(line, 0)
        if back:
            kept = quantity - before.get(line, 0)
            shares = []
            for entry in (earned, spent):
                whole = 0 if entry is None else abs(entry.amount) * (line + 1) // lines
                whole -= 0 if entry is None else abs(entry.amount) * line // lines
                shares.append(whole * kept // quantity - whole * (kept - back) // quantity)
            found.append(Returned(line, back, *shares))
    return found
