"""What must be equal once all is healed: tills and head office, chains, winners, reservations; and counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.entries import owner_event_id
from app.domain.fold import fold
from app.domain.state import EMPTY, MemberState
from app.protocol import overlay
from app.protocol.events import chain, chain_start
from app.protocol.facts import Facts
from app.protocol.ids import forward_id
from app.protocol.store import Member
from app.protocol.wire import Cell
from tests.sim.machine import Machine, facts_of

if TYPE_CHECKING:
    from tests.sim.oracle import Oracle


def final(oracle: Oracle) -> None:
    """I3, I5, I6, I7, I8, I9, I12 once all is healed."""
    oracle.server_step()
    lost = oracle.store.tenant().lost
    oracle.require(
        oracle.forgotten or lost <= oracle.may_lose, "F is more than the rights in the old images"
    )
    _no_reservation(oracle)
    _winners(oracle)
    _corrected(oracle)
    for member_id in oracle.store.members():
        member = oracle.store.member(member_id)
        assert member is not None
        whole = fold(EMPTY, oracle.store.ledger(member_id))
        oracle.require(whole == member.state, "I12: not the full fold")
    for at in oracle.world.brought:
        if (
            oracle.store.device(at.device) is not None
        ):  # A restored head office may never know it again.
            _chains(oracle, at)
    for at in oracle.world.live():
        _drained(oracle, at)
        _chains(oracle, at)
        _equal(oracle, at)
    _count(oracle)


def _corrected(oracle: Oracle) -> None:
    """What the owner posted for returns of each sale is what the standing ones have in excess by units."""
    store = oracle.store
    bodies = [at.store.body(n) for at in oracle.world.live() for n in range(1, at.store.top() + 1)]
    for sale in {facts_of(body).sale for body in bodies} - {None}:
        assert sale is not None
        came = store.event(sale)
        returns = store.returns(sale)
        read = [_facts(oracle, each.event) for each in returns]
        undone = {
            posting.entry.refers_to.event
            for each, facts in zip(returns, read, strict=True)
            if any(part.quantity < 0 for part in each.parts)
            for posting in facts.postings
            if posting.entry.refers_to is not None
        }
        undone |= {forward_id(event) for event in undone}
        left = {} if came is None else dict(facts_of(came.body).sold)
        wanted = posted = 0
        for each in returns:
            if each.member is not None:
                name = owner_event_id(each.member, f"correction:{each.event.hex()}")
                if store.event(name) is not None:
                    postings = _facts(oracle, name).postings
                    posted += sum(posting.entry.amount for posting in postings)
            for part in each.parts:
                if part.quantity > 0 and each.event not in undone:
                    over = min(max(part.quantity - left.get(part.line, 0), 0), part.quantity)
                    left[part.line] = left.get(part.line, 0) - part.quantity
                    for points, sign in ((part.taken, 1), (part.restored, -1)):
                        wanted += sign * -(-points * over // part.quantity)
        oracle.require(came is None or wanted == posted, "I12: not what is in excess of a sale")


def _facts(oracle: Oracle, event: bytes) -> Facts:
    known = oracle.store.event(event)
    assert known is not None
    return facts_of(known.body)


def _count(oracle: Oracle) -> None:
    """What head office has in the end, for the batch's counts."""
    counts = oracle.world.counts
    for at in oracle.world.live():
        own = set(at.store.control().buckets)
        counts["visited held"] += sum(base.row.bucket not in own for base in at.store.bases())
    for member_id in oracle.store.members():
        member = oracle.store.member(member_id)
        assert member is not None
        for entry in oracle.store.ledger(member_id):
            counts[f"entry {entry.kind}"] += 1
        for record in oracle.store.cells(member_id):
            counts["conflict kept"] += record.conflict is not None
        for account in member.accounts.values():
            counts["receivable"] += account.receivable > 0
        for event in {entry.id.event for entry in oracle.store.ledger(member_id)}:
            known = oracle.store.event(event)
            assert known is not None
            kind = facts_of(known.body).kind
            counts[f"owner {kind}"] += kind in (
                "unexpire",
                "correction",
                "merge",
                "unmerge",
                "expire",
            )
    for at in oracle.world.live():
        for number in range(1, at.store.top() + 1):
            known = oracle.store.event(facts_of(at.store.body(number)).id)
            assert known is not None
            counts[f"kept {known.standing}"] += 1


def _no_reservation(oracle: Oracle) -> None:
    for member_id in oracle.store.members():
        member = oracle.store.member(member_id)
        assert member is not None
        oracle.require(not member.reserved, "I6: a reservation was never released")
        oracle.require(not member.local, "I6: a local right was never released")


def _drained(oracle: Oracle, at: Machine) -> None:
    control = at.store.control()
    oracle.require(control.acked == at.store.top(), "I9: the outbox is not drained")
    oracle.require(not at.store.dirty(), "I9: a cell is still dirty")
    for number in range(1, at.store.top() + 1):
        body = at.store.body(number)
        known = oracle.store.event(facts_of(body).id)
        oracle.require(known is not None and known.body == body, "I3: a durable event is missing")


def _chains(oracle: Oracle, at: Machine) -> None:
    """I7: every epoch of the device is one chain without a gap."""
    tenant = oracle.store.tenant().id
    device = oracle.store.device(at.device)
    assert device is not None
    for epoch in range(1, device.place.epoch + 1):
        head, seq = chain_start(tenant, at.device, epoch), 1
        while (row := oracle.store.link(at.device, epoch, seq)) is not None:
            event = oracle.store.event(row.event)
            assert event is not None
            head = chain(head, event.body)
            oracle.require(row.chain == head, "I7: a chain is broken")
            seq += 1
        oracle.require(
            oracle.store.link(at.device, epoch, seq + 1) is None, "I7: a chain has a gap"
        )


def _winners(oracle: Oracle) -> None:
    """I8: the standing cell is the highest of all that arrived, by the oracle's own order, and has one name:
    that of whom it was written for."""
    named: dict[tuple[str, bytes, int], set[bytes]] = {}
    arrived: dict[tuple[bytes, str], list[Cell]] = {}
    for (member_id, name), cells in oracle.arrived.items():
        arrived.setdefault((_survivor(oracle, member_id), name), []).extend(cells)
        for cell in cells:
            named.setdefault((name, cell.device, cell.hlc), set()).add(member_id)
    for (member_id, name), cells in arrived.items():
        member = oracle.store.member(member_id)
        if member is None or member.erased:
            continue
        last, stands = max(cells, key=_rank), member.cells.get(name)
        oracle.require(
            stands is not None and stands[:4] == last[:4], f"I8: {name} is not the last one written"
        )
    oracle.require(all(len(names) == 1 for names in named.values()), "I8: a cell has two names")


def _rank(cell: Cell) -> tuple[int, bytes]:
    day = 86_400_000 << 16 if cell.value == "withdrawn" else 0
    return cell.hlc + day, cell.device


def _survivor(oracle: Oracle, member: bytes) -> bytes:
    while (known := oracle.store.member(member)) is not None and known.alias is not None:
        member = known.alias
    return member


def _equal(oracle: Oracle, at: Machine) -> None:
    """I5: what the till shows is what head office has."""
    for member_id in oracle.store.members():
        member = oracle.store.member(member_id)
        base = at.store.base(member_id)
        assert member is not None
        if not _is_held(at, member):
            oracle.require(base is None, "I5: a member whom nobody there has seen for long")
            continue
        if base is None:
            oracle.fail("I5: a member is missing at a till")
            continue
        oracle.require(
            _bare(overlay.shown(at.store, member_id)) == _bare(_end(oracle, member)), "I5: state"
        )
        oracle.require(base.row.alias == member.alias, "I5: alias")
        oracle.require(base.row.erased == member.erased, "I5: erasure")
        cells = {cell.field: cell for cell in base.row.cells}
        oracle.require(cells == dict(member.cells), "I5: profile")
    known = set(oracle.store.members())
    oracle.require(all(b.row.member in known for b in at.store.bases()), "I5: a row too many")
    for key in oracle.world.published:
        mine, theirs = at.store.reference(key), oracle.store.reference(key)
        assert theirs is not None
        if theirs.bucket not in at.store.control().buckets:
            continue
        oracle.require((None if mine is None else mine.body) == theirs.body, "I5: reference data")


def _is_held(at: Machine, member: Member) -> bool:
    """Whether a till of this home is to have the member's row."""
    seen = at.home in dict(member.visited)
    return seen or member.bucket in at.store.control().buckets


def _end(oracle: Oracle, member: Member) -> MemberState:
    while member.alias is not None:
        survivor = oracle.store.member(member.alias)
        assert survivor is not None
        member = survivor
    return member.state


def _bare(state: MemberState) -> MemberState:
    return replace(state, splits=(), arrived=())
