"""Which till may give out which card numbers: blocks that head office leases, so that two tills that can't ask
each other never give one number to two members (sync.md section 2). Pure.

A card is prefix, running number and check digit. Head office's own blocks begin with HEAD; what a till brought
along from before it joined, printed cards perhaps, it keeps where that is nobody else's. No block is ever given
to a second till. One that was leased in an epoch that is over is given out no further: a till that was put back
doesn't know which of its numbers have been given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from app.protocol.links import Int64

HEAD: Final = "89"
_NUMBER_DIGITS: Final = 6
SIZE: Final = 1_000
"""Cards of a block of head office's."""
LOW: Final = 500
"""With fewer left a till asks for more: so many it has at least for a time without a line."""
BEGIN_MOST: Final = 500_000
"""Chains begin below it: each has as many blocks left at least, half a thousand million cards."""
SKIPPED: Final = 1_000
"""So many blocks are left out in a new timeline: a store brought back from a backup does not know which ones it
leased since."""
DAY_MOST: Final = 20
"""Blocks that one till gets in a day at most. Nobody enrols 20,000 members a day at one counter."""
BLOCKS_MOST: Final = 2_000
BROUGHT_MOST: Final = 4
"""Blocks that a till has from before it joined: one, by its set-up. Looking who gave numbers out takes time."""
GONE_MOST: Final = 200
TAKEN_OVER_MOST: Final = 200
"""Blocks of tills that stood at its place before it: its own ones have to find room beside them."""
NOBODY: Final = b""
DIGITS: Final = 11
"""Of every card number, less its check digit."""
_DAY_MS: Final = 86_400_000


class Block(NamedTuple):
    """Running numbers `first` to `last` behind a prefix of digits. A till names it with the number that comes
    next as its first one; prefix and last tell which block it is."""

    prefix: str
    first: Int64
    last: Int64

    @property
    def lowest(self) -> str:
        """The first number without its check digit."""
        return self._body(self.first)

    @property
    def highest(self) -> str:
        """The last number without its check digit."""
        return self._body(self.last)

    @property
    def name(self) -> tuple[str, int]:
        """What it is known by."""
        return self.prefix, self.last

    def ended(self) -> Block:
        """With no number left: it may be typed or scanned, but none is given out by itself."""
        return self._replace(first=self.last + 1)

    def _body(self, number: int) -> str:
        return self.prefix + str(number).zfill(DIGITS - len(self.prefix))


class Lease(NamedTuple):
    """A block is a till's. epoch: in which it may give numbers out; None: in every one, it brought the block
    along; GONE: in none. timeline: in which it was leased, 0: it was there already."""

    block: Block
    device: bytes
    epoch: int | None
    timeline: int
    at_ms: int


GONE: Final = 0


class Leases(Protocol):
    """A chain's leases, inside head office's transaction.

    Attributes:
        begin: the number of its first block, one of many: another chain's cards are then hardly ever of a block
            that a till has here, and are refused instead of being somebody's.
    """

    begin: int

    def of(self, device: bytes) -> Sequence[Lease]:
        """A till's, GONE ones too."""

    def before(self, device: bytes) -> Sequence[Lease]:
        """Those of the tills that were written off at the place where this one stands, brought ones first, then
        the last."""

    def overlaps(self, block: Block) -> bool:
        """Whether a number of it is of a lease."""

    def given_elsewhere(self, block: Block, device: bytes) -> bool:
        """Whether another till has given out a number of it."""

    def newest(self) -> str | None:
        """The highest prefix that head office has leased."""

    def leased_in(self, timeline: int) -> bool:
        """Whether head office has leased any in this timeline."""

    def put(self, lease: Lease) -> None:
        """One more."""


class CardsRequest(msgspec.Struct, frozen=True, tag="cards"):
    """A till asks which numbers it may give out. blocks: that it has now; left: numbers of head office's
    blocks that it has not given out."""

    rid: bytes
    device: bytes
    epoch: Int64
    timeline: Int64
    blocks: tuple[Block, ...]
    left: Int64


class CardsReply(msgspec.Struct, frozen=True, tag="cards_leased"):
    """All blocks that the till may give numbers out of from now on, no other ones. None: it goes on with those
    that it has, and asks again (its epoch or timeline is over, or head office is recovering)."""

    rid: bytes
    blocks: tuple[Block, ...] | None = None


def is_block(block: Block) -> bool:
    """Whether a till of ours could have it. One that is used up begins behind its last number."""
    digits = DIGITS - len(block.prefix)
    plain = block.prefix.isascii() and block.prefix.isdigit()
    if is_heads(block) and len(block.prefix) != len(HEAD) + _NUMBER_DIGITS:
        return False
    return plain and digits > 0 and 0 <= block.first <= block.last + 1 <= 10**digits


def leasable(prefix: str, first: int, last: int) -> Block:
    """A block as far as its numbers have all their digits: a set-up may say more."""
    return Block(prefix, first, min(last, 10 ** max(DIGITS - len(prefix), 0) - 1))


def of_one(number: str) -> Block:
    """A card number of all digits as a block of its own."""
    at = int(number[-2])
    return Block(number[:-2], at, at)


def is_heads(block: Block) -> bool:
    """Whether it is of head office's own numbers."""
    return block.prefix.startswith(HEAD)


def left_of(blocks: Sequence[Block]) -> int:
    """Numbers of head office's blocks that are left, where `first` is the next one."""
    return sum(block.last - block.first + 1 for block in blocks if is_heads(block))


def answer(
    leases: Leases, request: CardsRequest, timeline: int | None, now_ms: int
) -> tuple[Block, ...] | None:
    """What head office does. timeline None: it recovers, notes what tills have and leases nothing."""
    if timeline is None:
        take_down(leases, request, now_ms)
        return None
    return lease(leases, request, timeline, now_ms)


def lease(leases: Leases, request: CardsRequest, timeline: int, now_ms: int) -> tuple[Block, ...]:
    """What a till may give out from now on. Asked again, the same is answered: a block more is leased only to
    who names all that it has. Blocks of a till that it replaces come as used up: a customer may hold a card of
    an enrolment that was lost with that till, or the shop printed ones, and such a card is typed or scanned."""
    take_down(leases, request, now_ms)
    held = leases.of(request.device)
    good = [each for each in held if each.epoch in (None, request.epoch)]
    named = {block.name for block in request.blocks}
    told = all(each.block.name in named for each in good)
    heads = [each for each in good if each.epoch is not None]
    today = sum(each.timeline > 0 and each.at_ms > now_ms - _DAY_MS for each in held)
    if told and (request.left < LOW or not heads) and today < DAY_MOST:
        block = _free(leases, timeline)
        if block is not None:
            new = Lease(block, request.device, request.epoch, timeline, now_ms)
            leases.put(new)
            good.append(new)
    return tuple(
        sorted([*(each.block for each in good), *_taken_over(leases, request.device, good)])
    )


def _taken_over(leases: Leases, device: bytes, good: Sequence[Lease]) -> Iterable[Block]:
    """Blocks of those that stood there before, one a prefix: a till has no two of one."""
    former = leases.before(device)[:TAKEN_OVER_MOST]
    found = {each.block.prefix: each.block.ended() for each in reversed(former)}
    for each in good:
        found.pop(each.block.prefix, None)
    return found.values()


def take_down(leases: Leases, request: CardsRequest, now_ms: int) -> None:
    """Note the blocks that a till has and head office does not know of, which is all that it does while it
    recovers. One of its own was leased after the backup that was brought back: nobody gets that again."""
    held = leases.of(request.device)
    known = {each.block.name for each in held}
    room = BROUGHT_MOST - sum(each.timeline == 0 and each.epoch is None for each in held)
    gone = GONE_MOST - sum(each.epoch == GONE for each in held)
    for block in request.blocks:
        if block.name in known or block.first > block.last:
            continue
        if is_heads(block):
            ahead = _number(block.prefix) > _newest(leases) + SKIPPED
            if gone > 0 and not ahead and not leases.overlaps(block):
                leases.put(Lease(block._replace(first=0), request.device, GONE, 0, now_ms))
                gone -= 1
        elif room > 0:
            room -= 1
            if _may_keep(leases, block, request.device):
                leases.put(Lease(block, request.device, None, 0, now_ms))


def _may_keep(leases: Leases, block: Block, device: bytes) -> bool:
    if HEAD.startswith(block.prefix) or leases.overlaps(block):
        return False
    return not leases.given_elsewhere(block, device)


def _free(leases: Leases, timeline: int) -> Block | None:
    """The next block; None: all were leased."""
    number = _newest(leases) + 1
    if not leases.leased_in(timeline):
        number += SKIPPED
    while number < 10**_NUMBER_DIGITS:
        block = Block(f"{HEAD}{number:0{_NUMBER_DIGITS}d}", 0, SIZE - 1)
        if not leases.overlaps(block) and not leases.given_elsewhere(block, NOBODY):
            return block
        number += 1
    return None


def _newest(leases: Leases) -> int:
    prefix = leases.newest()
    return leases.begin - 1 if prefix is None else _number(prefix)


def _number(prefix: str) -> int:
    return int(prefix[len(HEAD) :])
