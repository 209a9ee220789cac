"""The pages of a chain: overview with its risk budget, stores and tills, quarantine, audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from starlette.responses import Response

from app.formats import number
from app.protocol.store import Tenant
from headoffice.console import wording
from headoffice.console.desk import Asked, Desk
from headoffice.console.listing import Listing, Shown
from headoffice.console.snapshot import ChainRow, Snapshot, TillRow

PAGE: Final = 100
SILENT_SHOWN: Final = 20
FILE_MOST: Final = 20_000
"""So many events of the quarantine are listed; the overview counts all."""
SILENT_LEASES: Final = 2
"""A till that was not heard for so many leases is marked."""


class Figure(NamedTuple):
    """A figure of the risk budget with its letter and its name."""

    letter: str
    name: str
    value: int


class _Till(NamedTuple):
    row: TillRow
    heard_ms: int
    silent: bool


def overview(desk: Desk, asked: Asked) -> Response:
    """How the chain stands."""
    with desk.reading(asked) as snapshot:
        chain, tenant, shops = snapshot.chain(), snapshot.tenant(), asked.own(snapshot.shops())
        tills = _tills(desk, asked, snapshot, chain)
        quarantined = snapshot.quarantined()
    silent = [till for till in tills if till.silent]
    say = asked.words.say
    listed = Listing(
        "stores",
        (say("Store name"), say("Bucket"), say("Tills")),
        tuple(
            (Shown(shop.name), Shown(shop.bucket), Shown(number(shop.tills), number=shop.tills))
            for shop in shops
        ),
    )
    return desk.page(
        asked, "overview.html",
        chain=chain.name,
        shops=listed,
        live=sum(till.row.standing == "live" for till in tills),
        silent=_listed_tills(asked, chain, silent[:SILENT_SHOWN], desk.office.now_ms()),
        silent_tills=len(silent),
        quarantined=quarantined,
        figures=figures(asked, tenant),
        used=tenant.overdrawn + tenant.left,
        budget=tenant.budget,
        sentence=_sentence(asked, tenant),
        broken=tenant.overdrawn + tenant.left > tenant.budget + tenant.lost + tenant.written_off,
        at=wording.instant(desk.office.now_ms(), chain.offset_minutes),
    )  # fmt: skip


def figures(asked: Asked, tenant: Tenant) -> tuple[Figure, ...]:
    """R, D, left, F and W (sync.md section 3)."""
    say = asked.words.say
    return (
        Figure("R", say("Budget"), tenant.budget),
        Figure("D", say("Overspent"), tenant.overdrawn),
        Figure("Σleft", say("Handed out to tills"), tenant.left),
        Figure("F", say("Lost with restored stores"), tenant.lost),
        Figure("W", say("Written off with revoked tills"), tenant.written_off),
    )


def _sentence(asked: Asked, tenant: Tenant) -> str:
    return asked.words.say(
        "While they are offline, all tills together can overspend {budget} points at most. "
        "{overspent} are overspent now and {left} are handed out to tills; "
        "{room} can still be handed out.",
        budget=number(tenant.budget + tenant.lost + tenant.written_off),
        overspent=number(tenant.overdrawn),
        left=number(tenant.left),
        room=number(max(tenant.room, 0)),
    )


# Lists that are also files -----------------------------------------------------------------------


def tills(desk: Desk, asked: Asked) -> Listing:
    """All tills by store."""
    with desk.reading(asked) as snapshot:
        chain = snapshot.chain()
        found = _tills(desk, asked, snapshot, chain)
    return _listed_tills(asked, chain, found, desk.office.now_ms())


def tills_named(desk: Desk, asked: Asked, snapshot: Snapshot, typed: str) -> Listing:
    """The tills whose name or device begins so, or contains it."""
    chain, wanted = snapshot.chain(), typed.casefold()
    found = [
        till
        for till in _tills(desk, asked, snapshot, chain)
        if wanted in till.row.name.casefold() or till.row.device.hex().startswith(wanted)
    ]
    return _listed_tills(asked, chain, found[:PAGE], desk.office.now_ms())


def quarantine(desk: Desk, asked: Asked) -> Listing:
    """Events that were acknowledged and kept, but not applied."""
    say = asked.words.say
    with desk.reading(asked) as snapshot:
        chain, rows = snapshot.chain(), snapshot.quarantine(FILE_MOST)
    heads = (say("Event"), say("Made at, as its id claims"), say("Bytes"))
    return Listing(
        "quarantine",
        heads,
        tuple(
            (
                Shown(event.hex()),
                Shown(_claimed(event, chain.offset_minutes)),
                Shown(number(size), number=size),
            )
            for event, size in rows
        ),
    )


def audit(desk: Desk, asked: Asked) -> tuple[Listing, int | None]:
    """What was done, the last first; and where the next page begins."""
    words, say = asked.words, asked.words.say
    with desk.reading(asked) as snapshot:
        chain, rows = snapshot.chain(), snapshot.audit(asked.before(), PAGE + 1)
    heads = (say("Number"), say("When"), say("Who"), say("What"), say("Member"), say("Detail"))
    listed = tuple(
        (
            Shown(number(row.number), number=row.number),
            Shown(wording.instant(row.at_ms, chain.offset_minutes)),
            Shown(row.initials or "–"),
            Shown(wording.named(words, wording.ACTS, row.act)),
            Shown("" if row.member is None else row.member.hex()[:8], _member_page(row.member)),
            Shown(wording.named(words, wording.DETAILS, row.detail)),
        )
        for row in rows[:PAGE]
    )
    return Listing("audit", heads, listed), rows[PAGE - 1].number if len(rows) > PAGE else None


def list_page(
    title: Callable[[Asked], str],
    rows: Callable[[Desk, Asked], Listing],
    note: Callable[[Asked], str],
) -> Callable[[Desk, Asked], Response]:
    """The pages of a list whose file has all of it."""

    def show(desk: Desk, asked: Asked) -> Response:
        listing, begin, here = rows(desk, asked), asked.after(), asked.request.url.path
        end = begin + PAGE
        shown = replace(listing, rows=listing.rows[begin:end])
        more = f"{here}?after={end}" if len(listing.rows) > end else None
        return desk.page(
            asked, "list.html", title=title(asked), listing=shown, note=note(asked),
            file=f"{here}.csv", older=more, older_name=asked.words.say("More of them"),
        )  # fmt: skip

    return show


def audit_page(desk: Desk, asked: Asked) -> Response:
    """The audit, page by page."""
    listing, older = audit(desk, asked)
    say = asked.words.say
    note = say("Every sign-in and every look at a member is written down here and stays.")
    query = asked.request.url.query
    return desk.page(
        asked, "list.html", title=say("Audit"), listing=listing, note=note,
        file="/console/audit.csv" + (f"?before={asked.before()}" if query else ""),
        older=None if older is None else f"/console/audit?before={older}", older_name=say("Older ones"),
    )  # fmt: skip


def list_file(rows: Callable[[Desk, Asked], Listing]) -> Callable[[Desk, Asked], Response]:
    """The file of a list."""
    return lambda desk, asked: desk.file(asked, rows(desk, asked))


# Inside ------------------------------------------------------------------------------------------


def _tills(desk: Desk, asked: Asked, snapshot: Snapshot, chain: ChainRow) -> list[_Till]:
    now_ms, heard = desk.office.now_ms(), desk.office.heard
    found = list[_Till]()
    shops = {shop.name for shop in asked.own(snapshot.shops())}
    for row in snapshot.tills():
        if row.shop not in shops:
            continue
        heard_ms = max(row.heard_ms, heard.get(row.device, 0))
        silent = row.standing == "live" and now_ms - heard_ms > SILENT_LEASES * chain.lease_ms
        found.append(_Till(row, heard_ms, silent))
    return found


def _listed_tills(asked: Asked, chain: ChainRow, found: list[_Till], now_ms: int) -> Listing:
    say = asked.words.say
    heads = (
        say("Store name"), say("Till"), say("Standing"), say("Last heard"), say("Epoch"),
        say("Events acknowledged"), say("Offline grant left"), say("Grant good until"), say("Device"),
    )  # fmt: skip
    return Listing("tills", heads, tuple(_row(asked, chain, till, now_ms) for till in found))


def _row(asked: Asked, chain: ChainRow, till: _Till, now_ms: int) -> tuple[Shown, ...]:
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
        Shown(number(row.epoch), number=row.epoch),
        Shown(number(row.seq), number=row.seq),
        Shown("–") if row.grant is None else Shown(number(row.grant), number=row.grant),
        Shown(
            "–" if until is None else wording.instant(until, chain.offset_minutes),
            tone="warn" if over else "",
        ),
        Shown(row.device.hex()[:8]),
    )


def _claimed(event: bytes, offset_minutes: int) -> str:
    """When a UUIDv7 says that it was made; nothing for another id."""
    ms = int.from_bytes(event[:6])
    return wording.instant(ms, offset_minutes) if event[6] >> 4 == 7 and ms < 1 << 43 else "–"


def _member_page(member: bytes | None) -> str:
    return "" if member is None else f"/console/members/{member.hex()}"
