"""What people do at a simulated till: sales, spends by every authority, voids, returns, edits. The documents
are small, but their entries are the domain's: the same fold reads them on both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.protocol import overlay, own_chain
from app.protocol.facts import LOCAL, OVERRIDE, Authority, Facts, Posting, Returned, write
from app.protocol.wire import HoldReply
from tests.sim.machine import Machine, Pending, facts_of
from tests.sim.settings import MINUTE

if TYPE_CHECKING:
    from tests.sim.world import World

VALUE: Final = "value_principal"
HOLD_WAIT: Final = 3 * MINUTE
UNITS: Final = 3
"""Every line of a sale has so many units."""


def act(world: World, at: Machine, what: str) -> None:
    """One act; what is not possible at the moment does not happen."""
    _ACTS[what](world, at)


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


# Earning and spending ---------------------------------------------------------------------------


def sale(world: World, at: Machine) -> None:
    """A sale that earns, sometimes pending, sometimes with points spent by an own right."""
    rng, on = world.rng, at.today(world.now_ms)
    member = world.any_member(at)
    event = rng.randbytes(16)
    lines = rng.randint(1, 3)
    earned = rng.randint(1, 12) * lines
    start = on.plus(rng.choice([0, 0, 1, 2]))
    entries = [
        Posting(
            Entry(
                EntryId(event, 0), POINTS, "earn", earned, on, start, start.plus(rng.randint(1, 5))
            )
        )
    ]
    if rng.random() < 0.3:
        amount = rng.randint(1, 8)
        right = overlay.right_to_spend(at.store, member, POINTS, amount, on, at.clock(world.now_ms))
        if right is not None:
            entries.insert(0, _redeem(event, 0, POINTS, amount, on, right))
            entries[1] = Posting(entries[1].entry._replace(id=EntryId(event, 1)))
    sold = tuple((line, UNITS) for line in range(lines))
    put(world, at, Facts(event, "sale", member, on, tuple(entries), sold=sold))


def _redeem(
    event: bytes, n: int, asset: str, amount: int, on: BusinessDate, right: Authority
) -> Posting:
    return Posting(Entry(EntryId(event, n), asset, "redeem", -amount, on), right)


def spend(world: World, at: Machine) -> None:
    """Points for a reward: a hold where head office can be reached, else the offline rule."""
    _spend(world, at, POINTS)


def value_spend(world: World, at: Machine) -> None:
    _spend(world, at, VALUE)


def _spend(world: World, at: Machine, asset: str) -> None:
    rng, on = world.rng, at.today(world.now_ms)
    member = overlay.survivor(at.store, world.any_member(at))
    free = overlay.free_to_spend(at.store, member, asset, on)
    amount = rng.randint(1, max(1, min(free + 2, 40)))
    if rng.random() < 0.6 and world.now_ms >= at.cut_until_ms:
        request = at.till.ask_hold(member, asset, amount, on, rng)
        if request is not None:
            until = world.now_ms + HOLD_WAIT
            at.pending[request.hold] = Pending(member, asset, amount, until)
            world.counts["hold asked"] += 1
            world.send(at, request)
            world.at(until, lambda: _hold_late(world, at, request.hold))
            return
    spend_offline(world, at, member, asset, amount)


def spend_offline(world: World, at: Machine, member: bytes, asset: str, amount: int) -> None:
    """LOCAL, then RISK, then no; a manager sometimes lets it pass."""
    on = at.today(world.now_ms)
    event = world.rng.randbytes(16)
    right = overlay.right_to_spend(at.store, member, asset, amount, on, at.clock(world.now_ms))
    if right is None:
        world.counts["spend refused"] += 1
        if asset == VALUE or world.rng.random() > 0.03:
            return
        right = OVERRIDE
    posting = _redeem(event, 0, asset, amount, on, right)
    put(world, at, Facts(event, "spend", member, on, (posting,)))


def held(world: World, at: Machine, hold: bytes, granted: bool) -> None:
    """The answer to a hold: capture all or a part of it, or let it go."""
    pending = at.pending.pop(hold, None)
    if pending is None:
        return
    rng, on = world.rng, at.today(world.now_ms)
    if not granted:
        world.counts["hold refused"] += 1
        spend_offline(world, at, pending.member, pending.asset, pending.amount)
        return
    world.counts["hold granted"] += 1
    if rng.random() < 0.15:
        world.counts["event hold voided"] += 1
        at.till.void_hold(hold, on, rng)
        at.write_file()
        return
    if rng.random() < 0.3:
        at.pending[hold] = pending
        late = world.now_ms + rng.randint(1, rng.choice([20, 900])) * MINUTE
        world.at(late, lambda: _capture(world, at, hold))
        return
    _capture_now(world, at, hold, pending)


def _capture(world: World, at: Machine, hold: bytes) -> None:
    pending = at.pending.pop(hold, None)
    known = [each for each in at.store.control().holds if each.id == hold]
    if not at.up or at.lost or pending is None or not known or known[0].standing != "open":
        return
    _capture_now(world, at, hold, pending)


def _capture_now(world: World, at: Machine, hold: bytes, pending: Pending) -> None:
    rng, on = world.rng, at.today(world.now_ms)
    event = rng.randbytes(16)
    used = rng.randint(1, pending.amount)
    posting = _redeem(event, 0, pending.asset, used, on, Authority("hold", hold))
    put(world, at, Facts(event, "spend", pending.member, on, (posting,)))


def _hold_late(world: World, at: Machine, hold: bytes) -> None:
    """No answer in time: the hold is voided for good, and the offline rule decides."""
    asked = [each for each in at.store.control().holds if each.id == hold]
    if not at.up or at.lost or hold not in at.pending or not asked:
        return
    if asked[0].standing != "asked":
        return
    pending = at.pending.pop(hold)
    world.counts["hold late"] += 1
    at.till.void_hold(hold, at.today(world.now_ms), world.rng)
    at.write_file()
    spend_offline(world, at, pending.member, pending.asset, pending.amount)


def top_up(world: World, at: Machine) -> None:
    """Stored value: the till may spend it again by itself until it gives the right up."""
    on, event = at.today(world.now_ms), world.rng.randbytes(16)
    entry = Entry(EntryId(event, 0), VALUE, "earn", world.rng.randint(5, 40), on)
    put(world, at, Facts(event, "top_up", world.any_member(at), on, (Posting(entry, _own(at)),)))


def _own(at: Machine) -> Authority | None:
    """Credits are marked as own rights while the till's epoch is whole."""
    return None if at.store.control().nonce else LOCAL


def adjust(world: World, at: Machine) -> None:
    """Up or down; down may take more than there is."""
    rng, on, event = world.rng, at.today(world.now_ms), world.rng.randbytes(16)
    amount = rng.choice([-1, 1]) * rng.randint(1, 25)
    until = on.plus(rng.randint(1, 5)) if amount > 0 else None
    entry = Entry(EntryId(event, 0), POINTS, "adjust", amount, on, on, until)
    put(world, at, Facts(event, "adjust", world.any_member(at), on, (Posting(entry),)))


# Going back -------------------------------------------------------------------------------------


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


def _mirror(at: Machine, facts: Facts, event: bytes) -> list[Posting]:
    mirrored = []
    ordered = sorted(facts.postings, key=lambda posting: posting.entry.amount)
    for n, (entry, _) in enumerate(ordered):
        back = Entry(
            EntryId(event, n), entry.asset, "reverse", -entry.amount, facts.on, refers_to=entry.id
        )
        mirrored.append(Posting(back, _own(at) if back.amount > 0 else None))
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
        postings.append(Posting(back, _own(at)))
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


# People and odd things --------------------------------------------------------------------------


def edit(world: World, at: Machine) -> None:
    """A profile field, sometimes of somebody who was erased elsewhere."""
    rng = world.rng
    name, value = rng.choice(["name", "phone", "note"]), f"{rng.randint(0, 9999)}"
    at.till.set_cell(world.any_member(at), name, value, at.clock(world.now_ms))
    world.counts["cell"] += 1


def consent(world: World, at: Machine) -> None:
    value = world.rng.choice(["given", "withdrawn"])
    at.till.set_cell(world.any_member(at), "consent:marketing:sms", value, at.clock(world.now_ms))
    world.counts[f"consent {value}"] += 1


def enrol(world: World, at: Machine) -> None:
    member = world.rng.randbytes(16)
    world.members.append(member)
    on, event = at.today(world.now_ms), world.rng.randbytes(16)
    put(world, at, Facts(event, "enrol", member, on))
    at.till.set_cell(member, "name", "new", at.clock(world.now_ms))


def close_grant(world: World, at: Machine) -> None:
    if at.store.control().grant is not None:
        own_chain.close_grant(at.store, world.rng.randbytes(16), at.today(world.now_ms))
        at.write_file()
        world.counts["event grant_close"] += 1


def odd_event(world: World, at: Machine) -> None:
    """Bytes of a future version, or of a till gone mad: they are kept, and dam nothing."""
    body = b'{"v":99,"id":"' + world.rng.randbytes(8).hex().encode() + b'"}'
    at.commit(facts_of(body), body)
    world.counts["event odd"] += 1


def late_event(world: World, at: Machine) -> None:
    """A spend dated some days ago, as from a shift that stayed open: what expired since was good then."""
    rng = world.rng
    on = at.today(world.now_ms).plus(-rng.randint(1, 4))
    member = overlay.survivor(at.store, world.any_member(at))
    amount = rng.randint(1, 6)
    right = overlay.right_to_spend(at.store, member, POINTS, amount, on, at.clock(world.now_ms))
    if right is not None:
        event = rng.randbytes(16)
        put(
            world,
            at,
            Facts(event, "spend", member, on, (_redeem(event, 0, POINTS, amount, on, right),)),
        )


_ACTS: Final[dict[str, Callable[[World, Machine], None]]] = {
    "sale": sale, "spend": spend, "top_up": top_up, "value_spend": value_spend, "void": void,
    "return_own": return_own, "return_foreign": return_foreign, "adjust": adjust, "edit": edit,
    "consent": consent, "enrol": enrol, "close_grant": close_grant, "odd_event": odd_event,
    "late_event": late_event,
}  # fmt: skip
