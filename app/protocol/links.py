"""Where an event stands: link rows beside the bytes, so that an epoch changes no event (sync.md sections 2, 4).

A till numbers its own events from 1 for ever; an epoch counts those after its `base` from 1 again. Links are
insert-only: an event that was chained anew in a later epoch has one link in each.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypeAlias

import msgspec

from app.protocol.events import chain, chain_start

Int64: TypeAlias = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""A number from the network: no store holds a larger one."""


class Link(NamedTuple):
    """The place of one event: chain = SHA-256(chain before ‖ length ‖ bytes)."""

    epoch: int
    seq: int
    event: bytes
    chain: bytes


class Place(NamedTuple):
    """How far a chain goes: `chain` is the hash after event `seq` of `epoch`; seq 0 is the genesis."""

    epoch: Int64
    seq: Int64
    chain: bytes


def genesis(tenant: bytes, device: bytes, epoch: int) -> Place:
    """The place before the first event of a till's epoch."""
    return Place(epoch, 0, chain_start(tenant, device, epoch))


def link(before: Place, event: bytes, body: bytes) -> Link:
    """The link of the next event."""
    return Link(before.epoch, before.seq + 1, event, chain(before.chain, body))


def place(row: Link) -> Place:
    """The place after a link."""
    return Place(row.epoch, row.seq, row.chain)


class Side(NamedTuple):
    """The side file: the highest that a till ever reached, outside its database (sync.md section 3)."""

    epoch: int
    number: int
    receipt: int


def raised(side: Side, to: Side) -> Side:
    """The side file after an append. Each figure only ever rises: a restored database that lowered it would
    hide at the next start that it is behind."""
    return Side(
        max(side.epoch, to.epoch), max(side.number, to.number), max(side.receipt, to.receipt)
    )


def behind(side: Side, epoch: int, number: int) -> bool:
    """Whether a database at this epoch and journal number is older than its side file."""
    return epoch < side.epoch or number < side.number
