"""The pages of a chain: overview with its risk budget, stores and tills, quarantine, audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from starlette.responses import Response

from app.formats import number
from app.protocol.store import Tenant
from headoffice.console import address_pages, till_pages, wording
from headoffice.console.desk import Asked, Desk
from headoffice.console.listing import Listing, Shown
from headoffice.console.snapshot import ChainRow, Snapshot
from headoffice.waiting import Waiting, waiting

SILENT_SHOWN: Final = 20


class Figure(NamedTuple):
    """A figure of the risk budget with its letter and its name."""

    letter: str
    name: str
    value: int


def overview(desk: Desk, asked: Asked) -> Response:
    """How the chain stands."""
    with desk.reading(asked) as snapshot:
        chain, tenant, shops = snapshot.chain(), snapshot.tenant(), asked.own(snapshot.shops())
        tills = till_pages.tills_of(desk, asked, snapshot, chain)
        quarantined = snapshot.unseen()
        waits = _waiting(desk, asked, snapshot, chain)
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
        silent=till_pages.listed(asked, chain, silent[:SILENT_SHOWN], desk.office.now_ms()),
        silent_tills=len(silent),
        quarantined=quarantined,
        figures=figures(asked, tenant),
        used=tenant.overdrawn + tenant.left,
        budget=tenant.budget,
        sentence=_sentence(asked, tenant),
        waits=waits,
        whole=not asked.stores,
        broken=tenant.overdrawn + tenant.left > tenant.budget + tenant.lost + tenant.written_off,
        at=wording.instant(desk.office.now_ms(), chain.offset_minutes),
    )  # fmt: skip


def _waiting(desk: Desk, asked: Asked, snapshot: Snapshot, chain: ChainRow) -> Listing | None:
    """What somebody of head office asked for, for those who may agree."""
    if asked.person.role != "head_office":
        return None
    say = asked.words.say
    rows = tuple(
        (
            _waits(asked, each),
            Shown(each.by),
            Shown(wording.instant(each.at_ms, chain.offset_minutes)),
        )
        for each in waiting(snapshot.plain, asked.tenant, desk.office.now_ms())
    )
    return Listing("waits", (say("What"), say("Asked by"), say("When")), rows) if rows else None


def _waits(asked: Asked, each: Waiting) -> Shown:
    """What it is, and where to agree to it."""
    say = asked.words.say
    if each.what == "erase":
        return Shown(say("Erase a person"), f"{_member_page(bytes.fromhex(each.subject))}/erase")
    if each.what == "adjust":
        return Shown(say("Change points by hand"), f"/console/adjustments/{each.subject}")
    if each.what == "address":
        return Shown(say("Tell tills another address of head office"), address_pages.PLACE)
    return Shown(say("Publishing takes one person"), "/console/programme")


def figures(asked: Asked, tenant: Tenant) -> tuple[Figure, ...]:
    """R, D, left, F and W (sync.md section 3)."""
    say = asked.words.say
    return (
        Figure("R", say("Budget"), tenant.budget),
        Figure("D", say("Overspent"), tenant.overdrawn),
        Figure("Σleft", say("Handed out to tills"), tenant.left),
        Figure("F", say("Lost with restored stores"), tenant.lost),
        Figure("W", say("Written off"), tenant.written_off),
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


def list_file(rows: Callable[[Desk, Asked], Listing]) -> Callable[[Desk, Asked], Response]:
    """The file of a list."""
    return lambda desk, asked: desk.file(asked, rows(desk, asked))


# Inside ------------------------------------------------------------------------------------------


def _member_page(member: bytes | None) -> str:
    return "" if member is None else f"/console/members/{member.hex()}"
