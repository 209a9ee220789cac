"""A till's own events: recorded with their link and with what they do to its rights, and chained anew.

The shell calls `record` in the transaction that commits the event. What an event does to rights follows from
the event alone, so no right can change without it.
"""

from __future__ import annotations

from app.domain.business_day import BusinessDate
from app.protocol.facts import (
    FENCE,
    GRANT_CLOSE,
    HOLD_VOID,
    LOCAL,
    RELEASE,
    Authority,
    Facts,
)
from app.protocol.links import Place, genesis, link, place
from app.protocol.till_store import Control, OwnHold, Right, Segment, TillStore


class RightMissing(AssertionError):
    """An event spends by a right that this till doesn't have: our mistake, nothing is committed."""


def chain_at(store: TillStore, seq: int) -> Place:
    """The place after an event of the current epoch."""
    control = store.control()
    if not seq:
        return genesis(control.tenant, control.device, control.epoch)
    row = store.link(control.epoch, seq)
    assert row is not None, "the chain has no gap"
    return place(row)


def record(store: TillStore, facts: Facts, body: bytes) -> int:
    """Keep an own event and change the till's rights as it says; returns its number. Raises RightMissing."""
    number = append(store, facts, body)
    control = store.control()
    for entry, authority in facts.postings:
        if entry.amount > 0 and authority == LOCAL and facts.member is not None:
            right = Right(facts.member, entry.asset, number, entry.amount)
            control = control._replace(rights=(*control.rights, right))
        elif entry.amount < 0 and authority is not None:
            control = _used(control, facts, authority, entry.asset, -entry.amount, number)
    if facts.hold is not None:
        control = _hold_ended(control, facts.hold, number)
    if facts.kind == GRANT_CLOSE and facts.grant is not None:
        control = control._replace(
            grant=None, closed_grants=(*control.closed_grants, (facts.grant, number))
        )
    if facts.kind == RELEASE and facts.release is not None:
        control = _rights_used(control, facts, *facts.release)
    store.put_control(control)
    return number


def append(store: TillStore, facts: Facts, body: bytes) -> int:
    """Keep an own event and its link, rights untouched: one that is read back from the journal file."""
    number = store.append(facts, body)
    control = store.control()
    if control.placing:
        return number  # It waits for its link behind those of before the joining.
    seq = number - control.base
    store.put_link(link(chain_at(store, seq - 1), facts.id, body))
    return number


def _used(
    control: Control, facts: Facts, authority: Authority, asset: str, amount: int, number: int
) -> Control:
    if authority.kind == "local":
        return _rights_used(control, facts, asset, amount)
    if authority.kind == "hold":
        return _hold_ended(control, authority.id, number)
    if authority.kind == "risk":
        grant = control.grant
        if grant is None or grant.id != authority.id or grant.left < amount:
            raise RightMissing("risk")
        assert facts.member is not None
        used = dict(grant.used)
        used[facts.member] = used.get(facts.member, 0) + amount
        return control._replace(
            grant=grant._replace(left=grant.left - amount, used=tuple(used.items()))
        )
    return control


def _rights_used(control: Control, facts: Facts, asset: str, amount: int) -> Control:
    """Rights go oldest credit first."""
    rights = list[Right]()
    for right in control.rights:
        if (right.member, right.asset) == (facts.member, asset):
            used = min(amount, right.left)
            amount -= used
            right = right._replace(left=right.left - used)
        if right.left:
            rights.append(right)
    if amount:
        raise RightMissing("local")
    return control._replace(rights=tuple(rights))


def _hold_ended(control: Control, hold_id: bytes, number: int) -> Control:
    """The hold is over. One that the till never heard of is kept as ended too, until head office knows."""
    ended = OwnHold(hold_id, "ended", None, "", 0, number)
    others = tuple(hold for hold in control.holds if hold.id != hold_id)
    return control._replace(holds=(*others, ended))


# What the protocol itself records --------------------------------------------------------------


def void_hold(store: TillStore, hold_id: bytes, event: bytes, on: BusinessDate) -> None:
    """End a hold unused, or one that may still arrive."""
    _record_own(store, Facts(event, HOLD_VOID, None, on, hold=hold_id))


def close_grant(store: TillStore, event: bytes, on: BusinessDate) -> None:
    """Give the grant in hand back."""
    grant = store.control().grant
    assert grant is not None
    _record_own(store, Facts(event, GRANT_CLOSE, None, on, grant=grant.id))


def release(store: TillStore, right: Right, event: bytes, on: BusinessDate) -> None:
    """Give a till-local right up, so that it can be spent elsewhere."""
    facts = Facts(event, RELEASE, right.member, on, release=(right.asset, right.left))
    _record_own(store, facts)


def _record_own(store: TillStore, facts: Facts) -> int:
    return record(store, facts, store.compose(facts))


# Epochs ----------------------------------------------------------------------------------------


def give_up(store: TillStore, nonce: bytes) -> None:
    """Give up all rights and ask for a new epoch before anything else. Stays in force until `rechain`.

    The nonce is new even where one was asked with already: a restored database may hold the nonce of a rebase
    that was done long ago, whose fence would not count twice.
    """
    control = store.control()
    store.put_control(control._replace(nonce=nonce, grant=None, holds=(), rights=()))


def rechain(store: TillStore, epoch: int, common: int, event: bytes, on: BusinessDate) -> None:
    """Begin an epoch after the own event `common`: later ones get new links, with their ids and bytes, and a
    fence says that what was held before is over."""
    control = store.control()
    nonce = control.nonce
    store.put_control(
        control._replace(
            segments=(*control.segments, Segment(epoch, common)), acked=common, nonce=b""
        )
    )
    at = chain_at(store, 0)
    for number in range(common + 1, store.top() + 1):
        row = link(at, store.event(number), store.body(number))
        store.put_link(row)
        at = place(row)
    number = _record_own(store, Facts(event, FENCE, None, on, nonce=nonce))
    store.put_control(store.control()._replace(fence=number))
