"""What people do at a simulated till: sales, spends by every authority, edits, odd things. The documents are
small, but their entries are the domain's: the same fold reads them on both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, SALES, SPEND, Entry, EntryId
from app.protocol import overlay, own_chain
from app.protocol.facts import OVERRIDE, Authority, Facts, Posting
from tests.sim.committing import own_right, put
from tests.sim.going_back import return_foreign, return_own, void, void_return
from tests.sim.machine import Machine, Pending, facts_of
from tests.sim.settings import HOLD_WAIT, MINUTE, UNITS

if TYPE_CHECKING:
    from tests.sim.world import World

VALUE: Final = "value_principal"


def act(world: World, at: Machine, what: str) -> None:
    """One act; what is not possible at the moment does not happen."""
    _ACTS[what](world, at)


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
    if earned % 3 == 0:
        n = len(entries)
        entries += [
            Posting(Entry(EntryId(event, n), SPEND, "measure", earned * 100, on, start)),
            Posting(Entry(EntryId(event, n + 1), SALES, "measure", 1, on, start)),
        ]
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
    put(
        world,
        at,
        Facts(event, "top_up", world.any_member(at), on, (Posting(entry, own_right(at)),)),
    )


def adjust(world: World, at: Machine) -> None:
    """Up or down; down may take more than there is."""
    rng, on, event = world.rng, at.today(world.now_ms), world.rng.randbytes(16)
    amount = rng.choice([-1, 1]) * rng.randint(1, 25)
    until = on.plus(rng.randint(1, 5)) if amount > 0 else None
    entry = Entry(EntryId(event, 0), POINTS, "adjust", amount, on, on, until)
    put(world, at, Facts(event, "adjust", world.any_member(at), on, (Posting(entry),)))


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
    "void_return": void_return,
    "return_own": return_own, "return_foreign": return_foreign, "adjust": adjust, "edit": edit,
    "consent": consent, "enrol": enrol, "close_grant": close_grant, "odd_event": odd_event,
    "late_event": late_event,
}  # fmt: skip
