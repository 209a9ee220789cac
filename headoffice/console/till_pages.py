"""The tills of a chain: where each stands, what it last said of itself, and what it may still do offline."""

from __future__ import annotations

from typing import Final, NamedTuple

from app.formats import number, signed_number
from app.i18n import Words
from headoffice.addressing import host_in
from headoffice.alarms import silence_ms
from headoffice.console import lists, wording
from headoffice.console.desk import Asked, Desk
from headoffice.console.listing import Listing, Shown
from headoffice.console.lists import Field, Filters, Rows
from headoffice.console.snapshot import ChainRow, Snapshot, TillRow
from headoffice.hearing import Told, said
from headoffice.office import Office

FOUND_MOST: Final = 100
SKEW_SHOWN_S: Final = 60
"""A clock that is further off is marked."""


class Till(NamedTuple):
    """A till with what is known of it in memory. told: None: it said nothing since head office started.

    came_by  the address by which it came last      elsewhere  not the one that tills are told to come by
    """

    row: TillRow
    heard_ms: int
    silent: bool
    told: Told | None
    came_by: str
    elsewhere: bool


def fields(desk: Desk, asked: Asked) -> tuple[Field, ...]:
    """What tills are narrowed by."""
    words, say = asked.words, asked.words.say
    standing = lists.choice(words, "standing", say("Standing"), wording.STANDINGS)
    heard = Field(
        "heard", say("Last heard"), [("silent", say("Silent tills")), ("heard", say("Others"))]
    )
    return lists.store_choice(desk, asked), standing, heard


def rows(desk: Desk, asked: Asked, filters: Filters) -> Rows:
    """Tills by store."""
    with desk.reading(asked) as snapshot:
        chain = snapshot.chain()
        found = tills_of(desk, asked, snapshot, chain)
    shop = desk.office.shops.get(bytes.fromhex(filters["store"]))
    for till in found:
        if shop is not None and till.row.shop != shop.name:
            continue
        if filters["standing"] not in ("", till.row.standing):
            continue
        if filters["heard"] and till.silent != (filters["heard"] == "silent"):
            continue
        yield _row(asked, chain, till, desk.office.now_ms())


def tills_named(desk: Desk, asked: Asked, snapshot: Snapshot, typed: str) -> Listing:
    """The tills whose name or device begins so, or contains it."""
    chain, wanted = snapshot.chain(), typed.casefold()
    found = [
        till
        for till in tills_of(desk, asked, snapshot, chain)
        if wanted in till.row.name.casefold() or till.row.device.hex().startswith(wanted)
    ]
    return listed(asked, chain, found[:FOUND_MOST], desk.office.now_ms())


def tills_of(desk: Desk, asked: Asked, snapshot: Snapshot, chain: ChainRow) -> list[Till]:
    """The tills that who asks may see."""
    now_ms, office, found = desk.office.now_ms(), desk.office, list[Till]()
    shops = {shop.name for shop in asked.own(snapshot.shops())}
    wanted, kept = host_in(snapshot.told_address()), said(snapshot.plain, asked.tenant)
    for row in snapshot.tills():
        if row.shop not in shops:
            continue
        heard_ms = max(row.heard_ms, office.heard.get(row.device, 0))
        silent = row.standing == "live" and now_ms - heard_ms > silence_ms(chain.lease_ms)
        came_by = _came_by(office, row)
        elsewhere = bool(wanted) and row.standing == "live" and came_by != wanted
        told = _newer(office.hearing.told.get(row.device), kept.get(row.device))
        found.append(Till(row, heard_ms, silent, told, came_by, elsewhere))
    return found


def _newer(heard: Told | None, kept: Told | None) -> Told | None:
    """What this process heard or another one wrote down, whichever is newer."""
    both = [each for each in (heard, kept) if each is not None]
    return max(both, key=lambda each: each.at_ms, default=None)


def _came_by(office: Office, row: TillRow) -> str:
    """What was written down, or what this process heard since."""
    came = office.hearing.came.get(row.device)
    return row.came_by if came is None or came.at_ms < row.heard_ms else came.host


def listed(asked: Asked, chain: ChainRow, found: list[Till], now_ms: int) -> Listing:
    """Tills as a list."""
    rows = tuple(_row(asked, chain, till, now_ms) for till in found)
    return Listing("tills", heads(asked.words), rows)


def heads(words: Words) -> tuple[str, ...]:
    """Of a list of tills."""
    say = words.say
    return (
        say("Store name"), say("Till"), say("Standing"), say("Last heard"), say("Came by"),
        say("Still with the till"), say("Clock off by (s)"), say("Protocol"), say("Program"), say("Epoch"),
        say("Events acknowledged"), say("Offline grant left"), say("Grant good until"),
        say("Key changed"), say("Device"),
    )  # fmt: skip


def _row(asked: Asked, chain: ChainRow, till: Till, now_ms: int) -> tuple[Shown, ...]:
    row, words = till.row, asked.words
    heard = wording.instant(till.heard_ms, chain.offset_minutes)
    if till.silent:
        heard = words.say("{time} – silent for two leases", time=heard)
    until = row.lease_until_ms
    over = until is not None and until < now_ms
    return (
        Shown(row.shop),
        Shown(row.name),
        Shown(
            wording.named(words, wording.STANDINGS, row.standing),
            tone="good" if row.standing == "live" else "bad",
        ),
        Shown(heard, tone="warn" if till.silent else ""),
        Shown(till.came_by or "–", tone="warn" if till.elsewhere else ""),
        *_said(till.told),
        Shown(number(row.epoch), number=row.epoch),
        Shown(number(row.seq), number=row.seq),
        Shown("–") if row.grant is None else Shown(number(row.grant), number=row.grant),
        Shown(
            "–" if until is None else wording.instant(until, chain.offset_minutes),
            tone="warn" if over else "",
        ),
        Shown(wording.instant(row.key_ms, chain.offset_minutes) if row.key_ms else "–"),
        Shown(row.device.hex()[:8]),
    )


def _said(told: Told | None) -> tuple[Shown, ...]:
    if told is None:
        return (Shown("–"),) * 4
    off = abs(told.apart_s) > SKEW_SHOWN_S
    return (
        Shown(number(told.waiting), number=told.waiting),
        Shown(signed_number(told.apart_s), number=told.apart_s, tone="warn" if off else ""),
        Shown("–".join(map(str, sorted(set(told.protos))))),
        Shown(f"{told.app} ({told.schema})" if told.app else "–"),
    )
