"""A till joins a head office: let in by a one-time code, it places its whole journal in a chain of theirs.

What it booked itself stands: head office takes it from the journal like everything else. From then on head
office owns the members' ledgers (domain.md section 2).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import httpx

from app import bases, posting
from app.context import Context, Tx
from app.domain.errors import Outage, Refusal, Unavailable
from app.domain.errors import Refused as RuleRefused
from app.percent import quiet
from app.protocol import own_chain
from app.protocol.endpoints import ENROL, Enrol, Enrolled, code_of, message_of, to_bytes
from app.protocol.ids import random_id
from app.protocol.links import genesis, link, place
from app.protocol.till_store import Control, Segment
from app.sync.client import HeadOffice, NoAnswer, Refused, public_key_of
from app.sync.outcome import Joined
from app.told_fields import tell_fields
from db import head_office, people, rows

SEED_BYTES: Final = 32
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def join(
    ctx: Context,
    address: str,
    code: str,
    *,
    rng: random.Random | None = None,
    transport: httpx.BaseTransport | None = None,
    told: Callable[[int, int], None] = quiet,
) -> Joined:
    """Be let in by `code` at `address`. It takes its time: not for the counter's thread. `told` hears how much
    of the journal is placed.

    Raises Refused(JOIN_CODE_WRONG), Unavailable(HEAD_OFFICE_GONE | HEAD_OFFICE_REFUSED | ALREADY_JOINED).
    """
    plain = code_of(code)
    if plain is None:
        raise RuleRefused(Refusal.JOIN_CODE_WRONG)
    if not _is_secure(address):
        raise RuleRefused(Refusal.JOIN_NOT_SECURE)
    with ctx.read() as conn:
        if head_office.head_office(conn) is not None:
            raise RuleRefused(Refusal.ALREADY_JOINED)
    rng = rng or random.SystemRandom()
    seed, rid = os.urandom(SEED_BYTES), random_id(rng)
    asked = Enrol(rid, ctx.till.device, plain, public_key_of(seed))
    line = HeadOffice(
        address, ctx.till.device, seed, None,
        clock_s=lambda: ctx.clock().timestamp(), transport=transport,
    )  # fmt: skip
    try:
        body = line.ask(
            ENROL, rid, 0, to_bytes(asked),
            their_key=lambda body: message_of(body, Enrolled).server_key,
        )  # fmt: skip
    except NoAnswer as error:
        raise Unavailable(Outage.HEAD_OFFICE_GONE, {"why": error.why}) from error
    except Refused as error:
        if error.problem.code == "code":
            raise RuleRefused(Refusal.JOIN_CODE_WRONG) from error
        raise Unavailable(Outage.HEAD_OFFICE_REFUSED, {"why": error.problem.code}) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
        raise Unavailable(Outage.HEAD_OFFICE_GONE, {"why": type(error).__name__}) from error
    finally:
        line.close()
    answer = message_of(body, Enrolled)
    take_in(ctx, address, seed, answer, rng, told)
    return Joined(answer.chain, answer.store, answer.till)


def _is_secure(address: str) -> bool:
    """Names and phones travel there, and head office's key comes from there (security.md T7)."""
    parts = urlsplit(address)
    return parts.scheme != "http" or parts.hostname in LOOPBACK


def take_in(
    ctx: Context,
    address: str,
    seed: bytes,
    answer: Enrolled,
    rng: random.Random,
    told: Callable[[int, int], None] = quiet,
) -> None:
    """Belong to the head office that has answered.

    All in one transaction: a till that is killed meanwhile has not joined, and the same code lets it in again.
    """
    control = Control(
        answer.tenant, ctx.till.device, answer.buckets, answer.timeline,
        segments=(Segment(answer.epoch, 0),),
    )  # fmt: skip
    try:
        with ctx.write(ctx.ids()) as tx:
            row = head_office.HeadOfficeRow(
                address, seed, answer.server_key, bases.CONTROL.pack(control), None
            )
            head_office.put_head_office(tx.conn, row)
            ctx.look_whether_joined()
            _place_all(tx, control, told)
            dealings = tx.dealings
            assert dealings is not None
            now_ms = int(tx.now().timestamp() * 1000)
            tell_fields(tx.conn, dealings, people.all_members(tx.conn), now_ms)
            if answer.epoch > 1:
                own_chain.give_up(dealings, random_id(rng))
            tx.record(
                posting.JOINED,
                event_id=ctx.ids(),
                session=None,
                business_date=ctx.business_date(),
                doc={"chain": answer.chain, "store": answer.store, "till": answer.till},
            )
    finally:
        ctx.look_whether_joined()  # It has not, where this was undone.


def _place_all(tx: Tx, control: Control, told: Callable[[int, int], None]) -> None:
    at = genesis(control.tenant, control.device, control.epoch)
    top = (rows.head(tx.conn) or (0, b""))[0]
    for event in rows.events_after(tx.conn, 0):
        found = link(at, event.id, event.body)
        head_office.put_link(tx.conn, head_office.LinkRow(*found))
        at = place(found)
        if at.seq % 1000 == 0:
            told(at.seq, top)
