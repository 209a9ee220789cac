"""Close a business date (Z): what is open, expiries and tiers, the proof, a backup, and the signed statement.

The steps are functions of their own, so that the counter sells in between (on the next date): `begin` looks at
what is open and who signs for it; the owner's postings, `prove` and a backup follow on other lanes; `close_day`
is the one short transaction that counts, numbers and signs. Dates are closed in order, numbers have no gap.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from app import posting, statement
from app.backup import Backup
from app.context import Changes, Context, Session, Tx
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.protocol.events import Event, chain, instant_of, micros
from app.slips import slip_of
from app.usecases.close_shift import close_facts
from app.usecases.count import count_of, shift_sums
from app.usecases.done import Done
from app.usecases.keep_cart import is_sale_open
from app.usecases.owner_postings import Progress, posted_on
from app.usecases.rights import require
from app.usecases.verify_day import verify_since
from app.usecases.verify_report import Report
from app.usecases.z_files import complete_backup, save_statement, statement_of
from db import day, people, rows, till
from db.connection import Connection

REASONS: Final = ("printer_broken", "left_for_tomorrow", "disk_away", "looked_into", "other")
CART, WAITING, DOUBTFUL = "cart", "slips_waiting", "slips_doubtful"
FAULTS, NO_BACKUP = "faults", "no_backup"
NEVER_CLOSED: Final = -(1 << 31)
_SEEN: Final = "unattended_close_seen"
Check = Callable[[Context, int, int], Report]
TAIL_MOST: Final = 5000
"""Events that may come between the proof and the close; their links are walked within the close."""


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something that is not settled: `code` of the constants above, and how many."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class LastClose:
    """The newest close: its number, date and event, and the sums that the next proof builds on.

    `entries` are all up to the close, `points` those at the end of its date: a shift of a later date
    may be open, and what its members were given tells what it took.
    """

    number: int
    on: int
    seq: int
    entries: int
    points: int


@dataclass(frozen=True, slots=True)
class BeginClose:
    """Close a date. `found` is what later steps brought to light; `reason` signs for what is open.

    `session` is None for the close that a till makes by itself.
    """

    command_id: bytes
    session: Session | None
    on: BusinessDate
    reason: str = ""
    found: tuple[OpenItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Closing:
    """A close that may go on: `signed` is what somebody signed for. Who did is asked again at the end."""

    command: BeginClose
    since: BusinessDate | None
    signed: tuple[OpenItem, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What `prove` found up to event `seq` with chain head `head`; `faults` 0 is all equal."""

    seq: int
    head: bytes
    members: int
    faults: int


@dataclass(frozen=True, slots=True)
class CloseDay:
    """The last step. `posted` is None where another owns the ledger, `backup` where none could be made (then it
    is signed for)."""

    closing: Closing
    proof: Proof
    posted: Progress | None
    backup: Backup | None


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed date; `uncounted` shifts were ended without a count."""

    event_id: bytes
    number: int
    on: BusinessDate
    unattended: bool
    uncounted: int


# What there is to close -----------------------------------------------------------------------------


def last_close(conn: Connection) -> LastClose | None:
    """The newest close, None before the first."""
    row = rows.last_day_close(conn)
    if row is None:
        return None
    doc = posting.event_of(row).doc
    proof = doc["proof"]
    points = proof.get("points_at_end")
    if points is None:  # a close of before told the points of all shifts up to it
        points = proof["points"] - day.points_ahead(conn, doc["date"], row.seq)
    return LastClose(doc["number"], doc["date"], row.seq, proof["entries"], points)


def is_closed(conn: Connection, on: int) -> bool:
    """Whether a business date is closed: nothing of it may be voided or sold any more."""
    closed = last_close(conn)
    return closed is not None and on <= closed.on


def date_to_close(ctx: Context) -> BusinessDate | None:
    """The earliest date with a shift that is not closed; None when there is none."""
    with ctx.read() as conn:
        return _date_to_close(conn)


def _date_to_close(conn: Connection) -> BusinessDate | None:
    closed = last_close(conn)
    found = day.first_date_after(conn, closed.on if closed else NEVER_CLOSED)
    return None if found is None else BusinessDate(found)


def open_items(ctx: Context) -> tuple[OpenItem, ...]:
    """What is not settled at this till now; an open shift is not among it, it must be closed first."""
    with ctx.read() as conn:
        return _open_items(ctx, conn)


def _open_items(ctx: Context, conn: Connection) -> tuple[OpenItem, ...]:
    jobs = till.waiting_counts(conn)
    doubtful = jobs.pop("uncertain", 0)
    # Without a printer nothing waits for one.
    waiting = sum(jobs.values()) if ctx.settings.receipt.printer else 0
    carts = int(is_sale_open(conn))
    found = (OpenItem(CART, carts), OpenItem(WAITING, waiting), OpenItem(DOUBTFUL, doubtful))
    return tuple(item for item in found if item.count)


def closed_unseen(ctx: Context) -> tuple[Closed, ...]:
    """The closes that the till made by itself and that nobody has been told of, oldest first; from then on
    they have been."""
    with ctx.read() as conn:
        found = rows.day_closes_after(conn, int(rows.meta(conn, _SEEN) or 0))
    if not found:
        return ()
    with ctx.write_rows() as conn:
        rows.set_meta(conn, _SEEN, str(found[-1].seq))
    closes = (_closed(posting.event_of(row)) for row in found)
    return tuple(closed for closed in closes if closed.unattended)


# Step by step ---------------------------------------------------------------------------------------


def begin(ctx: Context, command: BeginClose) -> Closing:
    """Let a close go on: over nothing open, or over what the matrix lets this person sign for.

    Raises Refused: DAY_NOTHING_TO_CLOSE, DAY_OPEN_ITEMS (another date is to be closed first), DAY_NOT_BEGUN
    (the till works ahead of the clock), SHIFT_OPEN (count and close it first), and what `require` refuses:
    NOT_ALLOWED, REASON_NEEDED, APPROVAL_NEEDED.
    """
    with ctx.read() as conn:
        due = _date_to_close(conn)
        if due is None:
            raise Refused(Refusal.DAY_NOTHING_TO_CLOSE)
        if due != command.on:
            raise Refused(Refusal.DAY_OPEN_ITEMS)
        _check_begun(ctx, conn, command.on)
        shift = till.open_shift(conn)
        if shift is not None and shift.business_date <= command.on:
            raise Refused(Refusal.SHIFT_OPEN)
        items = (*_open_items(ctx, conn), *command.found)
        _signature(ctx, conn, command, items)
        closed = last_close(conn)
    since = BusinessDate(closed.on) if closed else None
    return Closing(command, since, items)


def _check_begun(ctx: Context, conn: Connection, on: BusinessDate) -> None:
    """A second close within one date would push every later date on, for good: the till works for a date
    that has not begun yet, and closes it once it has. A date that had begun when its shift opened has,
    whatever the clock says since."""
    if on <= ctx.business_date():
        return
    shift = till.last_shift(conn)
    if shift is None or on > ctx.business_date(instant_of(shift.opened_us)):
        raise Refused(Refusal.DAY_NOT_BEGUN, {"date": on.iso()})


def _signature(
    ctx: Context,
    conn: Connection,
    command: BeginClose,
    items: tuple[OpenItem, ...],
    *,
    goes_on: bool = False,
) -> dict[str, Any] | None:
    """Who signs for exactly these items, as the event keeps it; None where nobody else need."""
    session = command.session
    if session is None:
        return None  # the till by itself: the Z says what was open, and who comes next is told
    require(ctx, conn, session, Right.CLOSE_DAY, command_id=command.command_id)
    if not items:
        return None
    if command.reason and command.reason not in REASONS:
        raise Refused(Refusal.REASON_NEEDED)
    return require(
        ctx, conn, session, Right.CLOSE_OVER_OPEN,
        command_id=command.command_id,
        amount=sum(item.count for item in items),
        reason=command.reason,
        # To each thing, not only to how many: another item is another request.
        facts=(
            ("act", "day"),
            ("date", int(command.on)),
            *((item.code, item.count) for item in items),
        ),
        goes_on=goes_on,
    )  # fmt: skip


def end_shift_unattended(ctx: Context, on: BusinessDate) -> bool:
    """End the open shift of a date that is over, for the close that a till makes by itself. A count that
    was kept before a crash stays; without one the slip and the Z say "not counted". False when there
    is no such shift."""
    with ctx.write(ctx.ids()) as tx:
        shift = till.open_shift(tx.conn)
        if shift is None or shift.business_date > on:
            return False
        counted = count_of(tx.conn, shift)
        event = tx.record(
            posting.SHIFT_CLOSE,
            event_id=ctx.ids(),
            session=None,
            business_date=BusinessDate(shift.business_date),
            doc=close_facts(
                shift.id,
                counted.sums if counted else shift_sums(tx.conn, shift.id),
                count=(counted.event_id, counted.total_minor) if counted else None,
                reason="unattended",
            ),
        )
        slip = slip_of(ctx, tx.conn, event)
        assert slip is not None, "the end of a shift has a slip"
        tx.print(event, posting.SHIFT_CLOSE, slip)
    return True


def prove(ctx: Context, check: Check = verify_since) -> Proof:
    """Check everything since the last close; `check` does it elsewhere (app/apart.py) where somebody
    sells meanwhile."""
    with ctx.read() as conn:
        since = last_close(conn) or LastClose(0, NEVER_CLOSED, 0, 0, 0)
        points = since.points + day.points_ahead(conn, since.on, since.seq)
    report = check(ctx, since.seq, points)
    return Proof(report.last, report.head, report.members, report.total)


def close_day(ctx: Context, command: CloseDay) -> Done[Closed]:
    """Count, number and sign. Everything that was signed for is looked at again, and by whom.

    Raises Refused: DAY_OPEN_ITEMS (something was opened, found or not backed up that nobody signed for;
    begin again), DAY_PROOF_OLD (prove again), SHIFT_OPEN, DAY_NOTHING_TO_CLOSE, DAY_NOT_BEGUN, and what
    `begin` refuses: whoever closes or signed may have lost the right since.
    """
    closing = command.closing
    with ctx.write(closing.command.command_id) as tx:
        if tx.known is not None:
            return Done(_closed(tx.known), again=True)
        event = _commit(ctx, tx, command)
    save_statement(ctx, event)
    if command.backup is not None:
        complete_backup(ctx, command.backup)
    changes = Changes(kinds=frozenset({"day", "shift", "print"}))
    return Done(_closed(event), changes, warning=ctx.warning())


def _commit(ctx: Context, tx: Tx, command: CloseDay) -> Event:
    conn, closing = tx.conn, command.closing
    begun = closing.command
    if _date_to_close(conn) != begun.on:
        raise Refused(Refusal.DAY_NOTHING_TO_CLOSE)
    _check_begun(ctx, conn, begun.on)
    shift = till.open_shift(conn)
    if shift is not None and shift.business_date <= begun.on:
        raise Refused(Refusal.SHIFT_OPEN)
    items = _items_now(ctx, conn, command)
    if begun.session is not None:
        _check_signed(items, closing.signed)
    approval = _signature(ctx, conn, begun, closing.signed, goes_on=True)
    previous = last_close(conn) or LastClose(0, NEVER_CLOSED, 0, 0, 0)
    seq, head = _walk_tail(conn, command.proof)
    window = day.Window(int(begun.on), seq, previous.on, previous.seq)
    seed = _seed(conn)
    doc = {
        "number": max(previous.number, posting.close_floor(conn)) + 1,
        "date": int(begun.on),
        "at": micros(ctx.clock()),
        "sums": _sums(conn, window),
        "owner": None if command.posted is None else posted_on(conn, begun.on),
        "open": [[item.code, item.count] for item in items],
        "reason": begun.reason,
        "unattended": int(begun.session is None),
        "proof": _proof(conn, command, previous, window, head),
        "key": statement.public_of(seed).hex(),
        "approval": approval,
    }
    facts = statement_of(ctx, doc)
    event = tx.record(
        posting.DAY_CLOSE,
        event_id=ctx.ids(),
        session=begun.session,
        business_date=begun.on,
        doc={**doc, "signature": statement.sign(seed, facts).hex()},
    )
    slip = slip_of(ctx, conn, event)
    assert slip is not None, "a day close has a slip"
    tx.print(event, posting.DAY_CLOSE, slip)
    if begun.session is None and command.proof.faults:
        _tell_of_faults(conn, event)
    return event


def _tell_of_faults(conn: Connection, event: Event) -> None:
    """Nobody was there to sign for them: on the attention list until a person has read it."""
    doc = event.doc
    facts: dict[str, str | int] = {
        "number": f"{doc['number']:06d}",
        "date": BusinessDate(doc["date"]).iso(),
        "count": doc["proof"]["faults"],
    }
    rows.add_incident(conn, at_us=event.at_us, code="close_differs", facts=json.dumps(facts))


def _items_now(ctx: Context, conn: Connection, command: CloseDay) -> tuple[OpenItem, ...]:
    found = list(_open_items(ctx, conn))
    if command.proof.faults:
        found.append(OpenItem(FAULTS, command.proof.faults))
    if command.backup is None:
        found.append(OpenItem(NO_BACKUP, 1))
    return tuple(found)


def _check_signed(items: tuple[OpenItem, ...], signed: tuple[OpenItem, ...]) -> None:
    allowed = {item.code: item.count for item in signed}
    if any(item.count > allowed.get(item.code, 0) for item in items):
        raise Refused(Refusal.DAY_OPEN_ITEMS)


def _walk_tail(conn: Connection, proof: Proof) -> tuple[int, bytes]:
    """The chain from the proof to now. Raises Refused(DAY_PROOF_OLD) when it does not join
    or is too long to walk here: prove again."""
    seq, head = proof.seq, proof.head
    for row in rows.events_after(conn, proof.seq, TAIL_MOST + 1):
        if row.seq != seq + 1 or chain(head, row.body) != row.hash:
            raise Refused(Refusal.DAY_PROOF_OLD)
        seq, head = row.seq, row.hash
    if seq - proof.seq > TAIL_MOST:
        raise Refused(Refusal.DAY_PROOF_OLD)
    return seq, head


def _proof(
    conn: Connection,
    command: CloseDay,
    previous: LastClose,
    window: day.Window,
    head: bytes,
) -> dict[str, Any]:
    entries, _ = day.ledger_since(conn, previous.seq)
    backup = command.backup
    return {
        "head": head.hex(),
        "events": window.seq,
        "entries": previous.entries + entries,
        "points_at_end": previous.points + day.points_in(conn, window),
        "members": people.member_count(conn),
        "verified": command.proof.members,
        "faults": command.proof.faults,
        "backup": backup.name if backup else None,
    }


def _seed(conn: Connection) -> bytes:
    """The till's key; a store that was made before there was one gets it with its first close."""
    seed = day.till_seed(conn)
    if seed is None:
        seed = statement.new_seed()
        day.put_till_seed(conn, seed)
    return seed


# Sums -----------------------------------------------------------------------------------------------


def _sums(conn: Connection, window: day.Window) -> dict[str, Any]:
    """The window's figures, in minor units and points; amounts are signed."""
    kinds = day.sums_by_kind(conn, window)
    return {
        "kinds": [list(each) for each in kinds],
        "paid": sum(each.paid for each in kinds),
        "issued": sum(each.issued for each in kinds),
        "redeemed": sum(each.redeemed for each in kinds),
        "expired": sum(each.expired for each in kinds),
        "tenders": [list(row[:2]) for row in day.shares(conn, window, "tender")],
        "tax": [list(row) for row in day.shares(conn, window, "tax")],
        "shifts": [
            _shift(conn, row) for row in day.shifts_after(conn, window.closed_on, window.on)
        ],
    }


def _shift(conn: Connection, row: till.ShiftRow) -> dict[str, Any]:
    """A shift as its end left it; `total` and `difference` are null where nobody counted."""
    assert row.closed_seq is not None, "no shift of a date that closes is open"
    ended = rows.event_by_seq(conn, row.closed_seq)
    assert ended is not None, "a closed shift has its end"
    doc = posting.event_of(ended).doc
    known = {key: doc.get(key) for key in ("expected", "total", "difference")}
    return {"staff": row.staff_id.hex(), "float": row.float_minor, **known}


def _closed(event: Event) -> Closed:
    doc = event.doc
    uncounted = sum(1 for shift in doc["sums"]["shifts"] if shift["total"] is None)
    return Closed(
        event.id, doc["number"], BusinessDate(doc["date"]), bool(doc["unattended"]), uncounted
    )


def again(closing: Closing, *found: OpenItem) -> BeginClose:
    """The same close with what later steps found: to be begun, and signed for, once more."""
    return replace(closing.command, found=found)
