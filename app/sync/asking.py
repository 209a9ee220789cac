"""A question to head office that somebody at the counter waits for, on a line beside the exchange's."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from app.context import Context
from app.log import log
from app.protocol import wire
from app.protocol.card_leases import CardsRequest
from app.protocol.shop_staff import StaffRequest
from app.protocol.wire import HoldRequest, LookRequest, SaleRequest
from app.sync.client import ANSWER_S, HeadOffice, NoAnswer, Refused
from db import head_office


class Line(Protocol):
    """What is asked of a line to head office (app/sync/client.py)."""

    def ask(
        self, path: str, rid: bytes, epoch: int, message: bytes, *, within_s: float = ANSWER_S
    ) -> bytes: ...
    def close(self) -> None: ...


class Asking:
    """One thread at a time."""

    def __init__(
        self,
        ctx: Context,
        *,
        rng: random.Random | None = None,
        open_line: Callable[[Context, head_office.HeadOfficeRow], Line] | None = None,
    ) -> None:
        self._ctx = ctx
        self._rng = rng or random.SystemRandom()
        self._open_line = open_line or line_of
        self._line: Line | None = None
        self._line_by = ("", b"")
        """Address and key of the line."""

    def close(self) -> None:
        """Let the line go."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def ask(
        self,
        row: head_office.HeadOfficeRow,
        path: str,
        request: SaleRequest | HoldRequest | LookRequest | StaffRequest | CardsRequest,
        within_s: float,
    ) -> wire.Reply | None:
        """The answer; None where none came in time that can be believed and read."""
        try:
            if (row.address, row.seed) != self._line_by:
                self.close()  # head office moved, or knows the till by another key
            if self._line is None:
                self._line = self._open_line(self._ctx, row)
                self._line_by = (row.address, row.seed)
            message = wire.to_bytes(request)
            body = self._line.ask(path, request.rid, request.epoch, message, within_s=within_s)
            return wire.reply_of(body)
        except (NoAnswer, Refused, wire.NotAMessage) as error:
            self.close()
            log.info("a question of the counter: %s", error)
            return None


def line_of(ctx: Context, row: head_office.HeadOfficeRow) -> HeadOffice:
    """A line to the head office that the till belongs to."""
    return HeadOffice(
        row.address, ctx.till.device, row.seed, row.their_key, lambda: ctx.clock().timestamp()
    )
