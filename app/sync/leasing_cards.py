"""Card numbers that this till may give out come from head office, in blocks, before those that it has run out.

What is answered goes into the journal before a number of it is given out, so `verify` and a restore know by
which blocks. Until the first answer a till that has joined gives out its own.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import Final

from app import posting
from app.dealings import reading
from app.protocol import endpoints
from app.protocol.card_leases import LOW, Block, CardsReply, is_block, leasable, left_of
from app.protocol.till import Till
from app.protocol.wire import Reply
from app.sync.asking import Asking
from db import head_office, people, rows

_TOLD: Final = "cards_leased"
WITHIN_S: Final = 5.0
AGAIN_S: Final = 300
"""So long after a try that failed, or brought nothing more."""


class LeasingCards(Asking):
    """What a till asks for its cards. One thread at a time."""

    _failed_s = float("-inf")

    def once(self) -> bool:
        """Ask, where it is due: in each epoch and timeline once, and where few are left. True: the blocks are
        others now."""
        now_s = self._ctx.clock().timestamp()
        if 0 <= now_s - self._failed_s < AGAIN_S:
            return False
        with self._ctx.read() as conn:
            row = head_office.head_office(conn)
            if row is None:
                return False
            had = [leasable(*astuple(block)) for block in people.card_blocks(conn)]
            named = tuple(block for block in had if is_block(block))
            left = left_of(named)
            request = Till(reading(conn)).ask_cards(named, left, self._rng)
            if request is None:
                return False
            mark = f"{request.timeline}:{request.epoch}"
            if rows.meta(conn, _TOLD) == mark and left >= LOW:
                return False
        reply = self.ask(row, endpoints.CARDS, request, WITHIN_S)
        blocks = _usable(reply)
        if blocks is None or {block.name for block in blocks} == {block.name for block in had}:
            self._failed_s = now_s
        if blocks is None:
            return False
        return self._take(blocks, mark)

    def _take(self, blocks: list[Block], mark: str) -> bool:
        with self._ctx.write(self._ctx.ids()) as tx:
            rows.set_meta(tx.conn, _TOLD, mark)
            had = {(block.prefix, block.last) for block in people.card_blocks(tx.conn)}
            if had == {block.name for block in blocks}:
                return False
            tx.record(
                posting.CARDS,
                event_id=self._ctx.ids(),
                session=None,
                business_date=self._ctx.business_date(),
                doc={"blocks": [list(block) for block in blocks]},
            )
        return True


def _usable(reply: Reply | None) -> list[Block] | None:
    """The blocks of an answer; None where it has none, or some that no till can use."""
    if not isinstance(reply, CardsReply) or reply.blocks is None:
        return None
    return list(reply.blocks) if all(map(is_block, reply.blocks)) else None
