"""A till joins a head office: let in by a one-time code, it places its whole journal in a chain of theirs.

What it booked itself stands: head office takes it from the journal like everything else. From then on head
office owns the members' ledgers (domain.md section 2).
"""

from __future__ import annotations

import os
import random
from typing import Final

import httpx

from app import bases, posting
from app.context import Context
from app.domain.errors import Outage, Refusal, Unavailable
from app.domain.errors import Refused as RuleRefused
from app.protocol import own_chain
from app.protocol.endpoints import (
    ENROL,
    OTHER_CHAIN,
    Enrol,
    Enrolled,
    code_of,
    message_of,
    to_bytes,
)
from app.protocol.hlc import ms_of
from app.protocol.ids import random_id
from app.protocol.till_store import Control, Segment, Settling
from app.shut import note_heard
from app.sync.client import HeadOffice, NoAnswer, Refused, is_secure, public_key_of
from app.sync.new_address import FORMER
from app.sync.outcome import Joined
from db import head_office, people, rows

SEED_BYTES: Final = 32


def join(
    ctx: Context,
    address: str,
    code: str,
    *,
    rng: random.Random | None = None,
) -> Joined:
    """Be let in by `code` at `address`. It takes its time: not for the counter's thread.

    A till that has joined comes back so to the same chain, by a new key: head office knows none of its keys
    any more, or the till no more head office's.

    Raises Refused(JOIN_CODE_WRONG | JOIN_NOT_SECURE | ALREADY_JOINED | TILL_REVOKED),
    Unavailable(HEAD_OFFICE_GONE | HEAD_OFFICE_REFUSED).
    """
    plain = code_of(code)
    if plain is None:
        raise RuleRefused(Refusal.JOIN_CODE_WRONG)
    if not is_secure(address):
        raise RuleRefused(Refusal.JOIN_NOT_SECURE)
    with ctx.read() as conn:
        before = _control(head_office.head_office(conn))
    if before is not None and before.revoked:
        raise RuleRefused(Refusal.TILL_REVOKED)
    rng = rng or random.SystemRandom()
    seed, rid = os.urandom(SEED_BYTES), random_id(rng)
    timeline, tenant = (0, b"") if before is None else (before.timeline, before.tenant)
    asked = Enrol(rid, ctx.till.device, plain, public_key_of(seed), timeline, tenant)
    line = None
    try:
        line = HeadOffice(address, ctx.till.device, seed, None, lambda: ctx.clock().timestamp())
        body = line.ask(
            ENROL, rid, 0, to_bytes(asked),
            their_key=lambda body: message_of(body, Enrolled).server_key,
        )  # fmt: skip
    except NoAnswer as error:
        raise Unavailable(Outage.HEAD_OFFICE_GONE, {"why": error.why}) from error
    except Refused as error:
        if error.problem.code == "code":
            raise RuleRefused(Refusal.JOIN_CODE_WRONG) from error
        if error.problem.code == OTHER_CHAIN:
            raise RuleRefused(Refusal.ALREADY_JOINED) from error
        raise Unavailable(Outage.HEAD_OFFICE_REFUSED, {"why": error.problem.code}) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
        raise Unavailable(Outage.HEAD_OFFICE_GONE, {"why": type(error).__name__}) from error
    finally:
        if line is not None:
            line.close()
    answer = message_of(body, Enrolled)
    if before is None:
        take_in(ctx, address, seed, answer, rng)
    else:
        _take_back(ctx, address, seed, answer)
    return Joined(answer.chain, answer.store, answer.till)


def _control(row: head_office.HeadOfficeRow | None) -> Control | None:
    return None if row is None else bases.CONTROL.unpack(row.control)


def _take_back(ctx: Context, address: str, seed: bytes, answer: Enrolled) -> None:
    """Go on with the head office that has let this till in again: what they know of each other stands, and the
    next question finds out where it differs."""
    with ctx.write_rows() as conn:
        row = head_office.head_office(conn)
        control = _control(row)
        if row is None or control is None or control.tenant != answer.tenant:
            raise RuleRefused(Refusal.ALREADY_JOINED)
        now_ms = int(ctx.clock().timestamp() * 1000)
        row = row._replace(address=address, their_key=answer.server_key)
        head_office.put_head_office(conn, row)
        own = head_office.OwnKeyRow(max(now_ms, ms_of(control.hlc)), control.epoch)
        head_office.put_own_key(conn, seed, own)
        rows.drop_meta(conn, FORMER)


def take_in(
    ctx: Context,
    address: str,
    seed: bytes,
    answer: Enrolled,
    rng: random.Random,
) -> None:
    """Belong to the head office that has answered.

    One transaction, which is small: a till that is killed meanwhile has not joined, and is let in by another
    code. What it had before is placed and told in portions (app/sync/settling.py), before it asks anything.
    """
    try:
        with ctx.write(ctx.ids()) as tx:
            now_ms = int(tx.now().timestamp() * 1000)
            control = Control(
                answer.tenant, ctx.till.device, answer.buckets, answer.timeline,
                segments=(Segment(answer.epoch, 0),),
                settling=Settling(True, people.member_count(tx.conn), now_ms),
            )  # fmt: skip
            row = head_office.HeadOfficeRow(
                address, seed, answer.server_key, bases.CONTROL.pack(control), None
            )
            head_office.put_head_office(tx.conn, row)
            head_office.put_own_key(tx.conn, seed, head_office.OwnKeyRow(now_ms, answer.epoch))
            rows.drop_meta(tx.conn, FORMER)
            ctx.look_whether_joined()
            dealings = tx.dealings
            assert dealings is not None
            if answer.epoch > 1:
                own_chain.give_up(dealings, random_id(rng))
            tx.record(
                posting.JOINED,
                event_id=ctx.ids(),
                session=None,
                business_date=ctx.business_date(),
                doc={"chain": answer.chain, "store": answer.store, "till": answer.till},
            )
            note_heard(tx.conn, tx.now())
    finally:
        ctx.look_whether_joined()  # It has not, where this was undone.
