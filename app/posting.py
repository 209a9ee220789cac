"""Event → rows, the one way for a fresh command, a replayed event and `verify`.

`post` appends an event with its ledger rows and projections and rewrites the cached fold (app/cached_fold.py);
it is called inside the transaction of app.context. What rows an event stands for is decided by the event alone
(`ledger_rows`, `document_row`), so `verify` can derive them again from the stored bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, TypeAlias

import msgspec
from sqlcipher3.dbapi2 import Connection

from app import bases, cached_fold
from app.domain.entries import POINTS, TIER, Entry
from app.domain.figures import money_of_event, points_moved, tier_shares
from app.domain.fold import fold
from app.domain.state import (
    EMPTY,
    MemberState,
)
from app.domain.state_rows import needs
from app.evolving import stamp
from app.protocol.events import Event
from app.protocol.facts import Authority, plain_entry
from db import drawer, figures, people, rows, staff_rows, till

SALE: Final = "sale"
RETURN: Final = "return"
VOID: Final = "void"
ADJUST: Final = "adjust"
ENROL: Final = "enrol"
PROFILE: Final = "profile"
CONSENT: Final = "consent"
SHIFT_OPEN: Final = "shift_open"
SIGN_IN: Final = "sign_in"
SETUP: Final = "setup"
STAFF: Final = "staff"
PROGRAMME: Final = "programme"
REPRINT: Final = "reprint"
OPENING: Final = "opening"
# The shop's day (docs/decisions/the-shops-day.md gives the facts of each)
SIGN_OUT: Final = "sign_out"
PIN_LOCKED: Final = "pin_locked"
NOT_APPROVED: Final = "not_approved"
CASH: Final = "cash"
DRAWER: Final = "drawer"
COUNT: Final = "count"
SHIFT_CLOSE: Final = "shift_close"
EXPIRE: Final = "expire"
UNEXPIRE: Final = "unexpire"
TIER_REVIEW: Final = "tier_review"
DAY_CLOSE: Final = "day_close"
BACKUP: Final = "backup"
RESTORED: Final = "restored"
CATALOGUE: Final = "catalogue"
LOOK: Final = "look"
EXPORT: Final = "export"
CASE: Final = "case"
CHECKPOINT: Final = "checkpoint"
JOINED: Final = "joined"
"""The till belongs to a head office from now on, which owns its members' ledgers."""
CARDS: Final = "cards"
"""Head office has said which card numbers the till may give out from now on."""

DOCUMENTS: Final = frozenset({SALE, RETURN, VOID, ADJUST, OPENING})
"""Kinds of event that are counter documents; those with a slip have a receipt number."""

WITNESSED: Final = frozenset({SETUP, SHIFT_CLOSE, DAY_CLOSE, RESTORED})
"""Kinds of event that the side file notes (app/witness.py): from the first on, so that one that is missing was
taken away."""

FIGURED: Final = DOCUMENTS | {ENROL, EXPIRE, UNEXPIRE, TIER_REVIEW, COUNT}
"""Kinds of event that reports count."""

_CLOSE_FLOOR: Final = "close_floor"
_RECEIPT_FLOOR: Final = "receipt_floor"
_RESTORES: Final = "restores"
_JOINED: Final = "joined"

_json = msgspec.json.Encoder(order="deterministic")


StaffStanding: TypeAlias = tuple[str, int, bytes | None]


class LedgerMismatch(AssertionError):
    """The cached fold and the ledger disagree: our mistake, never the user's. Nothing is committed."""


# Event → rows -----------------------------------------------------------------------------------


def plain_entries(
    entries: Iterable[Entry],
    spent_by: Authority | None = None,
    restored_by: Authority | None = None,
) -> list[list[Any]]:
    """Entries as an event holds them (app.protocol.events, `entries`): what is redeemed names its authority,
    and what is restored of a redemption the right to spend it that this till keeps."""
    return [plain_entry(e, _authority(e, spent_by, restored_by)) for e in entries]


def _authority(
    entry: Entry, spent_by: Authority | None, restored_by: Authority | None
) -> Authority | None:
    if entry.kind == "redeem":
        return spent_by
    restores = entry.kind == "reverse" and entry.amount > 0 and entry.asset == POINTS
    return restored_by if restores else None


def ledger_rows(event: Event) -> list[rows.LedgerRow]:
    """The ledger rows that an event stands for."""
    if not event.entries:
        return []
    assert event.member_id is not None, "entries belong to a member"
    return [
        rows.LedgerRow(
            event.seq, n, event.id, event.member_id, asset, kind, amount, on, start, expires, least,
            None if ref is None else bytes.fromhex(ref), ref_n,
        )
        for n, asset, kind, amount, on, start, expires, least, ref, ref_n, *_ in event.entries
    ]  # fmt: skip


def event_of(row: rows.EventRow) -> Event:
    """The event in a journal row."""
    return Event.from_bytes(row.body, epoch=row.epoch, seq=row.seq)


def document_row(event: Event) -> rows.DocumentRow | None:
    """The document row that an event stands for, None when it is no counter document."""
    if event.kind not in DOCUMENTS:
        return None
    doc = event.doc
    refers_to = doc.get("refers_to")
    assert event.shift_id is not None, "a document belongs to a shift"
    assert event.staff_id is not None, "somebody made it"
    return rows.DocumentRow(
        event.seq,
        event.id,
        event.kind,
        doc.get("receipt_no"),
        event.member_id,
        event.shift_id,
        event.staff_id,
        event.business_date,
        event.at_us,
        doc.get("total", 0),
        doc.get("earned", 0),
        doc.get("spent", 0),
        None if refers_to is None else bytes.fromhex(refers_to),
        doc.get("reason"),
    )


def figures_rows(event: Event) -> tuple[figures.FiguresRow | None, list[figures.ShareRow]]:
    """What an event adds to the shop's figures; (None, []) where reports don't count it."""
    if event.kind not in FIGURED:
        return None, []
    doc = event.doc
    money = money_of_event(event.kind, doc)
    moved = points_moved(event.entries)
    refers_to = doc.get("refers_to")
    of_sale = refers_to is not None and refers_to == doc.get("sale_event")
    row = figures.FiguresRow(
        event.seq,
        event.id,
        event.kind,
        (SALE if of_sale else RETURN) if event.kind == VOID else None,
        event.business_date,
        (event.at_us // 60_000_000 + event.offset_min) % (24 * 60),
        event.staff_id,
        event.shift_id,
        event.member_id,
        money.tier_rank,
        doc.get("reason"),
        money.gross,
        money.discount,
        money.points_value,
        money.paid,
        *moved,
    )
    shares = (*money.shares, *tier_shares(event.entries))
    return row, [figures.ShareRow(event.seq, n, *share) for n, share in enumerate(shares)]


# Event → store ----------------------------------------------------------------------------------


def post(
    conn: Connection,
    event: Event,
    *,
    body: bytes,
    hash_: bytes,
    posted: cached_fold.Posted | None = None,
    based: bool = True,
) -> cached_fold.Posted:
    """Append an event with every row that it stands for; inside a write transaction.

    `posted` is given when the caller has loaded and folded already; `based` is False where no member can
    have a base of head office's. Raises LedgerMismatch when the
    new cache doesn't equal the ledger's sums.
    """
    rows.insert_event(
        conn,
        rows.EventRow(event.seq, event.epoch, event.id, event.command_id, event.kind, body, hash_),
    )
    stamp(conn, [(event.seq, hash_)])
    ledger = ledger_rows(event)
    if posted is None:
        entries = [cached_fold.entry_of(row) for row in ledger]
        before = cached_fold.load_state(conn, event.member_id, needs(entries)) if entries else EMPTY
        posted = cached_fold.Posted(before, fold(before, entries) if entries else EMPTY)
    if ledger:
        rows.insert_ledger(conn, ledger)
    document = document_row(event)
    if document is not None:
        rows.insert_document(conn, document)
    row, shares = figures_rows(event)
    if row is not None:
        figures.insert(conn, row, shares)
    _project(conn, event)
    if event.member_id is not None and ledger:
        cached_fold.save_state(conn, event.member_id, seq=event.seq, posted=posted)
        _assert_sums(conn, event.member_id, posted.after, {row.asset for row in ledger}, based)
        _refresh_member(conn, event)
    return posted


def shift_row(event: Event) -> till.ShiftRow:
    """The shift that a SHIFT_OPEN stands for, open."""
    assert event.staff_id is not None
    assert event.shift_id is not None
    return till.ShiftRow(
        event.shift_id, event.seq, event.staff_id, event.business_date, event.at_us,
        event.doc["float"], None,
    )  # fmt: skip


def drawer_use_row(event: Event) -> drawer.DrawerUseRow | None:
    """The use of the drawer beside sales that an event stands for, None when it is none."""
    if event.kind not in (CASH, DRAWER):
        return None
    assert event.staff_id is not None
    assert event.shift_id is not None
    doc, approval = event.doc, event.doc.get("approval")
    kind = doc["direction"] if event.kind == CASH else "open"
    amount = {"in": 1, "out": -1, "open": 0}[kind] * doc.get("amount", 0)
    return drawer.DrawerUseRow(
        event.seq, event.shift_id, event.staff_id, event.at_us, kind, amount, doc["reason"],
        None if approval is None else bytes.fromhex(approval["by"]),
    )  # fmt: skip


def programme_row(event: Event) -> tuple[int, int, str]:
    """(version, first business date, JSON) that a PROGRAMME stands for."""
    doc = event.doc
    return doc["version"], doc["starts"], _json.encode(doc["programme"]).decode()


def consent_rows(event: Event) -> list[people.ConsentRow]:
    """The answers that an event holds."""
    if event.kind not in (ENROL, CONSENT, PROFILE):
        return []
    assert event.member_id is not None
    return [
        people.ConsentRow(event.member_id, event.seq, purpose, channel, notice, granted)
        for purpose, channel, notice, granted in event.doc["consents"]
    ]


def setup_facts(event: Event) -> dict[str, str]:
    """The facts about the till that a SETUP stands for."""
    keys = ("tenant", "device", "store", "till", "currency", "exponent", "cut_off_minute")
    return {key: str(event.doc[key]) for key in keys}


def setup_cards(event: Event) -> people.CardBlock | None:
    """The block of card numbers that a SETUP gives the till, unused; None before events held it."""
    return people.CardBlock(*event.doc["cards"]) if "cards" in event.doc else None


def leased_cards(event: Event) -> list[people.CardBlock]:
    """The blocks that a CARDS leaves the till: all that it has from then on."""
    return [people.CardBlock(*block) for block in event.doc["blocks"]]


def less_cards(conn: Connection, block: people.CardBlock) -> people.CardBlock:
    """What is left of a block behind the highest number that a card has."""
    numbers = (
        value[len(block.prefix) : -1] for value in people.cards_beginning(conn, block.prefix)
    )
    taken = (int(number) for number in numbers if number.isdigit())
    last = max((number for number in taken if number <= block.last), default=block.next - 1)
    return replace(block, next=max(block.next, last + 1))


def staff_sign(event: Event) -> tuple[bytes, int] | None:
    """(person, signed in) that a SIGN_IN or SIGN_OUT stands for."""
    if event.kind not in (SIGN_IN, SIGN_OUT) or event.staff_id is None:
        return None
    return event.staff_id, int(event.kind == SIGN_IN)


def staff_standing(event: Event, before: StaffStanding | None) -> StaffStanding:
    """(role, active, own account) of a person after a STAFF event, `before` it None for a new one."""
    doc = event.doc
    active, member_id = (1, None) if before is None else before[1:]
    act = doc.get("act", "add")
    if act in ("disable", "enable"):
        active = int(act == "enable")
    if act == "link":
        member_id = None if doc["member"] is None else bytes.fromhex(doc["member"])
    return doc["role"], active, member_id


def _project(conn: Connection, event: Event) -> None:
    sign = staff_sign(event)
    if sign is not None:
        staff_rows.put_staff_sign(conn, sign[0], seq=event.seq, signed_in=sign[1])
    if event.kind == SHIFT_OPEN:
        previous = event.doc.get("closes")
        if previous is not None:
            till.close_shift(conn, bytes.fromhex(previous), event.seq)
        till.insert_shift(conn, shift_row(event))
    elif event.kind == COUNT:
        assert event.shift_id is not None
        drawer.set_counted(conn, event.shift_id, event.seq)
    elif event.kind == SHIFT_CLOSE:
        till.close_shift(conn, bytes.fromhex(event.doc["closes"]), event.seq)
    elif event.kind == ENROL:
        assert event.member_id is not None
        on = event.business_date
        people.insert_member(conn, people.MemberRow(event.member_id, on, event.doc["tier"], on))
    elif event.kind == PROGRAMME:
        version, starts, body = programme_row(event)
        till.insert_programme(conn, version=version, starts=starts, body=body)
    elif event.kind == SETUP:
        for key, value in setup_facts(event).items():
            rows.set_meta(conn, key, value)
        cards = setup_cards(event)
        if cards is not None:
            people.put_card_block(conn, cards)
    elif event.kind == REPRINT:
        original = rows.event_by_id(conn, bytes.fromhex(event.doc["of"]))
        assert original is not None, "a copy is of an event of this journal"
        till.note_copy(conn, original.seq, event.doc["copy_no"])
    elif event.kind == JOINED:
        rows.set_meta(conn, _JOINED, "1")
    elif event.kind == CARDS:
        _take_blocks(conn, leased_cards(event))
    elif event.kind == RESTORED:
        rows.set_meta(conn, _CLOSE_FLOOR, str(event.doc.get("close", 0)))
        rows.set_meta(conn, _RECEIPT_FLOOR, str(event.doc.get("receipt", 0)))
        rows.set_meta(conn, _RESTORES, str(max(restores(conn) + 1, event.doc.get("restores", 0))))
    use = drawer_use_row(event)
    if use is not None:
        drawer.insert_use(conn, use)
    for consent in consent_rows(event):
        people.put_consent(conn, consent)


def _take_blocks(conn: Connection, blocks: list[people.CardBlock]) -> None:
    had = {block.prefix: block for block in people.card_blocks(conn)}
    for prefix in had.keys() - {block.prefix for block in blocks}:
        people.drop_card_block(conn, prefix)
    for block in blocks:
        known = had.get(block.prefix)
        if known is None:
            left = less_cards(conn, block)
        else:
            left = replace(known, next=max(known.next, block.next), last=block.last)
        people.put_card_block(conn, left)


def has_joined(conn: Connection) -> bool:
    """Whether the journal says that the till belongs to a head office."""
    return rows.meta(conn, _JOINED) is not None


def close_floor(conn: Connection) -> int:
    """The highest number of a Z that was known when the till was brought back, 0 if it never was: the next one
    is above it."""
    return int(rows.meta(conn, _CLOSE_FLOOR) or 0)


def restores(conn: Connection) -> int:
    """How often the till was brought back, as far as anything told: each time gets a number above those of all
    that lay beside it, also of what another time back had made of the same backup. What was before the last
    time and didn't come back has higher numbers of events than what came after it, perhaps: this tells which
    is later."""
    return int(rows.meta(conn, _RESTORES) or 0)


def receipt_floor(conn: Connection) -> int:
    """The highest running number of a receipt that may have been given out then; 0 if it never was."""
    return int(rows.meta(conn, _RECEIPT_FLOOR) or 0)


def _refresh_member(conn: Connection, event: Event) -> None:
    assert event.member_id is not None
    tier = event.doc.get("tier_code")
    if tier is not None and any(entry[1] == TIER for entry in event.entries):
        people.set_tier(conn, event.member_id, tier)
    if event.kind == SALE:
        people.visited(conn, event.member_id, event.business_date)


def _assert_sums(
    conn: Connection, member_id: bytes, after: MemberState, assets: set[str], based: bool
) -> None:
    start, included = bases.started(conn, member_id) if based else (EMPTY, 0)
    totals = rows.ledger_sums(conn, member_id, included)
    for asset in assets - {TIER}:
        total = start.balance(asset) + totals[asset]
        if total != after.balance(asset):
            raise LedgerMismatch(f"{asset}: ledger {total}, fold {after.balance(asset)}")


def _int(value: int | None) -> int | None:
    return None if value is None else int(value)
