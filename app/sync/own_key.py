"""The key by which a till signs, and how it is changed: yearly, and after each rebase, for whoever has an older
image of the till has its older key (sync.md section 7).

The new key is in the store before head office hears of it, and the one before stays until the next change. Head
office takes either until the new one has signed. So whatever is lost on the way, and whichever copy of head
office's store answers, one of the till's keys is known there: a till whose signature head office does not know,
which head office itself says and signs, goes on with another one and keeps to the one that was answered.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlcipher3.dbapi2 import Connection

from app import bases
from app.context import Context
from app.log import log
from app.protocol import endpoints
from app.protocol.endpoints import Rotate, Rotated
from app.protocol.hlc import ms_of
from app.protocol.ids import random_id
from app.protocol.till_store import Control
from app.protocol.wire import NotAMessage
from app.sync.asking import Line
from app.sync.client import NoAnswer, Refused, Stranger, public_key_of
from db import head_office
from db.head_office import HeadOfficeRow, OwnKeyRow

UNKNOWN_KEY: Final = "bad_signature"
"""The code of the problem that head office answers a key by that it does not know."""
STRANGE_FROM: Final = 3
SEED_BYTES: Final = 32
GOOD_MS: Final = 365 * 24 * 3_600_000
"""After so long a till changes its key, by the larger of its clock and its last stamp."""
AGAIN_S: Final = 300
"""After an offer that failed: the exchange goes on by the key that it has."""


class OwnKey:
    """Of one exchange."""

    def __init__(self, ctx: Context, rng: random.Random) -> None:
        self._ctx = ctx
        self._rng = rng
        self._refused = 0
        """How many keys in a row head office did not know."""
        self._strange = 0
        self._failed_s: float | None = None

    def signing(self, conn: Connection, row: HeadOfficeRow) -> HeadOfficeRow:
        """By which key to ask now: the one in use, the one that is being offered, the one before."""
        keys = _keys(row, head_office.own_key(conn))
        return row._replace(seed=keys[self._refused % len(keys)])

    def refused(self, row: HeadOfficeRow) -> bool:
        """Head office doesn't know this key. True: there is another one to ask by at once."""
        with self._ctx.read() as conn:
            keys = _keys(row, head_office.own_key(conn))
        self._refused = (self._refused + 1) % len(keys)
        return self._refused > 0

    def strange(self, error: NoAnswer) -> bool:
        """Whether somebody else signed each of the last answers: one may be damaged on its way, but who goes on
        with another key at head office's address is a head office that has lost its own."""
        self._strange = self._strange + 1 if isinstance(error, Stranger) else 0
        return self._strange >= STRANGE_FROM

    def answered(self, row: HeadOfficeRow, seed: bytes) -> None:
        """Head office knows this key: it is the one in use."""
        self._refused = self._strange = 0
        if row.seed == seed:
            return
        with self._ctx.write_rows() as conn:
            now, own = head_office.head_office(conn), head_office.own_key(conn)
            if now is None or now.seed != row.seed:
                return  # It was let in again meanwhile, by a key of its own.
            if own.next == seed:
                self._change(conn, row, own)
            else:
                # Head office is back at the key before: the newer one is offered again.
                kept = own._replace(next=row.seed, next_epoch=own.epoch, former=None, epoch=0)
                head_office.put_own_key(conn, seed, kept)
        log.info("head office knows another key of this till")

    def due(self, conn: Connection, row: HeadOfficeRow, control: Control) -> bytes | None:
        """The key to offer now, None: none. A new one is made here, to be offered after the commit."""
        if self._refused or not control.settled or control.revoked or control.begun is not None:
            return None
        if self._failed_s is not None and time.monotonic() - self._failed_s < AGAIN_S:
            return None
        own = head_office.own_key(conn)
        if own.next is None and own.epoch == control.epoch:
            age_ms = self._now_ms(control) - own.since_ms
            if age_ms < GOOD_MS:
                return None
        if own.next is None:
            own = own._replace(next=os.urandom(SEED_BYTES), next_epoch=control.epoch)
            head_office.put_own_key(conn, row.seed, own)
        return own.next

    def offer(
        self, line: Callable[[HeadOfficeRow], Line], row: HeadOfficeRow, seed: bytes, epoch: int
    ) -> bool:
        """Tell head office the new key on a line of the one in use, and sign by it once that is answered.
        False: nobody answered."""
        rid, device = random_id(self._rng), self._ctx.till.device
        public = public_key_of(seed)
        proof = Ed25519PrivateKey.from_private_bytes(seed).sign(endpoints.rotation(device, public))
        message = endpoints.to_bytes(Rotate(rid, device, public, proof))
        self._failed_s = time.monotonic()
        try:
            endpoints.message_of(line(row).ask(endpoints.ROTATE, rid, epoch, message), Rotated)
        except (NoAnswer, Refused, NotAMessage) as error:
            log.info("this till's new key: %s", error)
            if isinstance(error, Refused) and error.problem.code == UNKNOWN_KEY:
                self.refused(row)
            return not isinstance(error, NoAnswer)
        self._failed_s = None
        with self._ctx.write_rows() as conn:
            now, own = head_office.head_office(conn), head_office.own_key(conn)
            if now is not None and (now.seed, own.next) == (row.seed, seed):
                self._change(conn, now, own)
        log.info("this till signs by a new key")
        return True

    def _change(self, conn: Connection, row: HeadOfficeRow, own: OwnKeyRow) -> None:
        assert own.next is not None
        since_ms = self._now_ms(bases.CONTROL.unpack(row.control))
        after = OwnKeyRow(since_ms, own.next_epoch, former=row.seed)
        head_office.put_own_key(conn, own.next, after)

    def _now_ms(self, control: Control) -> int:
        """As leases run: turning the clock back makes no key younger."""
        return max(int(self._ctx.clock().timestamp() * 1000), ms_of(control.hlc))


def _keys(row: HeadOfficeRow, own: OwnKeyRow) -> list[bytes]:
    return [row.seed, *(key for key in (own.next, own.former) if key is not None)]
