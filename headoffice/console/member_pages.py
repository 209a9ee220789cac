"""The search box and the page of a member. Personal values are masked; who sees them whole says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from operator import attrgetter
from typing import Final, get_args
from urllib.parse import urlencode

from starlette.responses import Response

from app.documents.event_codes import REASONS
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS
from app.formats import number, signed_number
from app.i18n import Words
from app.protocol.accounts import has_account
from app.protocol.store import Member
from headoffice.adjustments import Adjustments, Reason
from headoffice.console import finding, lists, till_pages, wording
from headoffice.console.desk import Asked, Desk, NotFound, go_to
from headoffice.console.listing import Listing, Row, Shown
from headoffice.console.lists import Field, Filters
from headoffice.console.snapshot import Numbered, Snapshot
from headoffice.console.staff import Role

PAGE: Final = 50
CONFLICTS_MOST: Final = 50
ALIASES_MOST: Final = 50
LOTS_MOST: Final = 100
ADJUSTED_MOST: Final = 50
WAITING_MOST: Final = 20
SEE_VALUES: Final[frozenset[Role]] = frozenset(("manager", "head_office"))
"""Who may see personal values whole, with a reason (security.md section 3, "Unmask phone or birthday")."""
Value = Callable[[str, str], str]


def show_find(desk: Desk, asked: Asked) -> Response:
    """The box alone: what was typed is never in an address."""
    return desk.page(asked, "find.html", typed="", found=None)


def find(desk: Desk, asked: Asked) -> Response:
    """Stores, tills and members that fit what was typed."""
    typed = asked.form.get("q", "").strip()[: finding.TEXT_MOST]
    if not typed:
        return show_find(desk, asked)
    say = asked.words.say
    with desk.reading(asked) as snapshot:
        members = _found_members(snapshot, asked, typed)
        tills = till_pages.tills_named(desk, asked, snapshot, typed)
        shops = [
            each for each in asked.own(snapshot.shops()) if typed.casefold() in each.name.casefold()
        ]
    desk.note(asked, "searched", detail=str(len(members.members)))
    rows = tuple((Shown(shop.name), Shown(shop.bucket)) for shop in shops[:PAGE])
    stores = Listing("stores", (say("Store name"), say("Bucket")), rows)
    return desk.page(
        asked, "find.html", typed=typed, found=(stores, tills, _listed(asked, members.members)),
        more=members.more, may_export=asked.person.role != "manager",
    )  # fmt: skip


def members_file(desk: Desk, asked: Asked) -> Response:
    """The members that a search shows, as it shows them."""
    with desk.reading(asked) as snapshot:
        found = _found_members(snapshot, asked, asked.form.get("q", ""))
    return desk.file(asked, _listed(asked, found.members))


def member(desk: Desk, asked: Asked) -> Response:
    """A member, personal values masked."""
    return _member_page(desk, asked, wording.masked, "")


def member_whole(desk: Desk, asked: Asked) -> Response:
    """A member with the personal values, for a reason."""
    reason = asked.form.get("reason", "")
    if reason not in wording.REASONS:
        return desk.told(asked, 422, asked.words.say("Say why you have to see this."))
    return _member_page(desk, asked, _whole, reason)


def ledger_file(desk: Desk, asked: Asked) -> Response:
    """All entries that are meant, however many pages show them."""
    words, filters = (
        asked.words,
        lists.chosen(asked.request.query_params, ledger_fields(asked.words)),
    )
    with desk.reading(asked) as snapshot:
        known = asked_member(snapshot, asked)
        entries = _entries(snapshot, known.id, filters, 1 << 62)
        rows = (ledger_row(words, *each, known.id.hex()) for each in entries)
        return desk.export(asked, "ledger", ledger_heads(words), rows)


def choose_ledger(_: Desk, asked: Asked) -> Response:
    """Something was chosen to narrow a member's ledger by."""
    filters = lists.chosen(asked.form, ledger_fields(asked.words))
    return go_to(lists.placed(f"/console/members/{asked.id('member').hex()}", filters.query))


# Inside ------------------------------------------------------------------------------------------


def _member_page(desk: Desk, asked: Asked, value: Value, reason: str) -> Response:
    member_id, fields = asked.id("member"), ledger_fields(asked.words)
    filters = lists.chosen(asked.request.query_params, fields)
    with desk.reading(asked) as snapshot:
        known = asked_member(snapshot, asked)
        found = list(islice(_entries(snapshot, member_id, filters, asked.before()), PAGE + 1))
        conflicts = _conflicts(asked, snapshot, known, value)
        merged = snapshot.merged_into(member_id, ALIASES_MOST)
        adjusted = _adjusted(asked, snapshot, member_id)
        reserved = _reserved(asked, snapshot, known)
    act = "member_shown" if reason else "member_seen"
    desk.note(asked, act, member=member_id, detail=reason)
    words, here = asked.words, f"/console/members/{member_id.hex()}"
    older = None
    if len(found) > PAGE:
        before = str(found[PAGE - 1][0].number)
        older = f"{here}?{urlencode({**filters.chosen, 'before': before})}"
    rows = tuple(ledger_row(words, *each, member_id.hex()) for each in found[:PAGE])
    return desk.page(
        asked, "member.html",
        member=known,
        id=member_id.hex(),
        name=personal_value(known, "name", value) or member_id.hex()[:8],
        fields=[
            (wording.named(words, wording.FIELDS, field), value(field, cell.value))
            for field, cell in sorted(known.cells.items())
            if cell.value
        ],
        whole=bool(reason),
        may_see=asked.person.role in SEE_VALUES and not known.erased and bool(known.cells),
        reasons=[(code, words.say(name)) for code, name in wording.REASONS.items()],
        accounts=accounts_of(words, known),
        reserved=reserved,
        lots=lots_of(words, known),
        lot_count=len(known.state.lots),
        tier=tier_of(words, known),
        ledger=Listing("ledger", ledger_heads(words), rows),
        forgetting=_forgetting(desk, asked, known) if known.erased else "",
        narrowed=fields,
        chosen=filters,
        may_change=asked.person.role == "head_office" and not known.erased,
        overspent=overspent(known),
        ledger_file=lists.placed(f"{here}/ledger.csv", filters.query),
        older=older,
        conflicts=conflicts,
        adjusted=adjusted,
        adjust_reasons=[
            (code, wording.named(words, REASONS, code)) for code in get_args(Reason)
        ],
        merged=[each.hex() for each in merged],
        alias=known.alias.hex() if known.alias else "",
    )  # fmt: skip


def _forgetting(desk: Desk, asked: Asked, known: Member) -> str:
    """Which tills have yet to hear that a person was erased: the exchange's own store knows. Those of
    stores that who asks may not see are counted."""
    tenant, words, office = asked.tenant, asked.words, desk.office
    waiting = desk.act(asked, lambda _: office.chains[tenant].server.erasure_waits(known.id))
    tills = [office.tills[device] for device in waiting if device in office.tills]
    if not tills:
        return words.say("Every till that is not revoked has forgotten this person.")
    named = sorted(
        f"{office.shops[till.shop].name} / {till.name}"
        for till in tills
        if not asked.stores or till.shop in asked.stores
    )
    parts, more, hidden = named[:WAITING_MOST], len(named) - WAITING_MOST, len(tills) - len(named)
    if more > 0:
        parts.append(words.count("{number} more", "{number} more", more, number=more))
    if hidden:
        parts.append(
            words.count(
                "{number} of another store", "{number} of other stores", hidden, number=hidden
            )
        )
    return words.say("Tills that have yet to forget this person: {tills}.", tills=", ".join(parts))


def _adjusted(asked: Asked, snapshot: Snapshot, member_id: bytes) -> Listing:
    """Points that head office and other systems changed by hand; the note is for head office."""
    say = asked.words.say
    rows = tuple(
        (
            Shown(wording.day(asked.words, BusinessDate(each.on))),
            Shown(signed_number(each.points), number=each.points),
            Shown(wording.named(asked.words, REASONS, each.reason)),
            Shown(each.note if asked.person.role == "head_office" else "–"),
            Shown(each.by),
        )
        for each in Adjustments(snapshot.plain, asked.tenant).of(member_id, ADJUSTED_MOST)
    )
    heads = (say("Date"), say("Points"), say("Reason"), say("Note"), say("Asked by"))
    return Listing("adjusted", heads, rows)


def asked_member(snapshot: Snapshot, asked: Asked) -> Member:
    known = snapshot.member(asked.id("member"))
    if known is None or not may_see(snapshot, asked, known):
        raise NotFound
    return known


def _found_members(snapshot: Snapshot, asked: Asked, typed: str) -> finding.Found:
    return finding.members_of(snapshot, typed, seen_by(snapshot, asked))


def may_see(snapshot: Snapshot, asked: Asked, known: Member) -> bool:
    """Whether who asks sees a member."""
    return seen_by(snapshot, asked)(known)


def seen_by(snapshot: Snapshot, asked: Asked) -> Callable[[Member], bool]:
    """Whom who asks sees: a manager of some stores the members that their tills hold."""
    if not asked.stores:
        return lambda _: True
    buckets = {shop.bucket for shop in asked.own(snapshot.shops())}
    return lambda known: known.bucket in buckets


def _entries(
    snapshot: Snapshot, member_id: bytes, filters: Filters, before: int
) -> Iterator[tuple[Numbered, int]]:
    """A member's entries that are meant before a number, the last first, each with the balance after it."""
    first, last = filters.days()
    sums, more = snapshot.sums_before(member_id, before), True
    while more:
        page = snapshot.ledger(member_id, before, lists.READ)
        for each in page:
            entry, after = each.entry, sums.get(each.entry.asset, 0)
            sums[entry.asset] = after - entry.amount
            if (
                first <= entry.business_date <= last
                and filters["asset"] in ("", entry.asset)
                and filters["kind"] in ("", entry.kind)
            ):
                yield each, after
        before, more = page[-1].number if page else before, len(page) == lists.READ


def overspent(known: Member) -> int:
    """The member's spend debt in points."""
    account = known.accounts.get(POINTS)
    return 0 if account is None else account.overdrawn


def _whole(_: str, value: str) -> str:
    return value


def personal_value(known: Member, field: str, value: Value) -> str:
    cell = known.cells.get(field)
    return value(field, cell.value) if cell is not None and cell.value else ""


def _listed(asked: Asked, members: tuple[Member, ...]) -> Listing:
    """Members as a search shows them: masked for everybody."""
    say = asked.words.say
    heads = (say("Member"), say("Name"), say("Phone"), say("Card"), say("Points"))
    return Listing("members", heads, tuple(_found(each) for each in members))


def _found(known: Member) -> tuple[Shown, ...]:
    points = known.state.balance()
    return (
        Shown(known.id.hex()[:8], f"/console/members/{known.id.hex()}"),
        *(
            Shown(personal_value(known, field, wording.masked))
            for field in ("name", "phone", "card")
        ),
        Shown(number(points), number=points),
    )


def accounts_of(words: Words, known: Member) -> Listing:
    say = words.say
    heads = (
        say("What"),
        say("Balance"),
        say("Reserved"),
        say("Owed by the member"),
        say("Available"),
    )
    rows = tuple(
        (
            Shown(wording.named(words, wording.ASSETS, asset)),
            *(
                Shown(number(value), number=value)
                for value in (each.owned, each.reserved, each.receivable, each.avail)
            ),
        )
        for asset, each in sorted(
            known.accounts.items(), key=lambda item: (item[0] != POINTS, item[0])
        )
    )
    return Listing("accounts", heads, rows)


def _reserved(asked: Asked, snapshot: Snapshot, known: Member) -> Listing:
    """For whom something is reserved: sales under way, and credits that a till may spend by itself until it has
    given them up."""
    say, own = asked.words.say, {shop.name for shop in asked.own(snapshot.shops())}
    heads = (say("Till"), say("What"), say("Reserved"), say("Of it what the till itself restored"))
    tills = {till.device: till for till in snapshot.tills()} if known.reserved else {}

    def name(device: bytes) -> str:
        till = tills.get(device)
        if till is None:
            return say("Another system")
        return f"{till.shop} / {till.name}" if till.shop in own else say("Another store")

    rows = tuple(
        (
            Shown(name(device)),
            Shown(wording.named(asked.words, wording.ASSETS, asset)),
            Shown(number(amount), number=amount),
            Shown(number(local := known.local.get((asset, device), 0)), number=local),
        )
        for (asset, device), amount in sorted(known.reserved.items())
    )
    return Listing("reserved", heads, rows)


def lots_of(words: Words, known: Member) -> Listing:
    say = words.say
    heads = (
        say("What"),
        say("Left of it"),
        say("Available from"),
        say("Expires"),
        say("Earned by event"),
    )
    rows = tuple(
        (
            Shown(wording.named(words, wording.ASSETS, lot.asset)),
            Shown(number(lot.remaining), number=lot.remaining),
            Shown(wording.day(words, lot.available_from)),
            Shown(wording.day(words, lot.expires)),
            Shown(lot.origin.event.hex()[:8]),
        )
        for lot in sorted(known.state.lots, key=attrgetter("expires", "order"))[:LOTS_MOST]
    )
    return Listing("lots", heads, rows)


def tier_of(words: Words, known: Member) -> str:
    standing = known.state.standing
    if standing is None or standing.rank == 0:
        return words.say("The lowest one")
    return words.say(
        "Rank {rank} since {since}, until {until}",
        rank=standing.rank,
        since=wording.day(words, standing.since),
        until=wording.day(words, standing.until),
    )


def ledger_heads(words: Words) -> tuple[str, ...]:
    """Of a list of entries."""
    say = words.say
    return (
        say("Number"), say("Business date"), say("What"), say("Kind"), say("Movement"), say("Balance"),
        say("Expires"), say("Event"),
    )  # fmt: skip


def ledger_fields(words: Words) -> tuple[Field, ...]:
    """What a member's entries are narrowed by."""
    what = lists.choice(words, "asset", words.say("What"), wording.ASSETS)
    return *lists.dates(words), what, lists.choice(words, "kind", words.say("Kind"), wording.KINDS)


def ledger_row(
    words: Words, numbered: Numbered, balance: int | None = None, member: str = ""
) -> Row:
    """An entry with the balance after it. member: whose page its event leads to."""
    at, entry = numbered
    after = balance if has_account(entry.asset) else None
    return (
        Shown(number(at), number=at),
        Shown(wording.day(words, entry.business_date)),
        Shown(wording.named(words, wording.ASSETS, entry.asset)),
        Shown(wording.named(words, wording.KINDS, entry.kind)),
        Shown(
            signed_number(entry.amount),
            number=entry.amount,
            tone="good" if entry.amount > 0 else "bad",
        ),
        Shown("") if after is None else Shown(signed_balance(after), number=after),
        Shown(wording.day(words, entry.expires)),
        Shown(
            f"{entry.id.event.hex()[:8]}/{entry.id.n}",
            f"/console/members/{member}/events/{entry.id.event.hex()}" if member else "",
        ),
    )


def signed_balance(points: int) -> str:
    """A balance, which may be below zero."""
    return number(points) if points >= 0 else signed_number(points)


def _conflicts(asked: Asked, snapshot: Snapshot, known: Member, value: Value) -> Listing:
    """What was written over unseen: the value that came, and the one that its writer did not know."""
    say = asked.words.say
    heads = (say("Field"), say("Came"), say("Stood, unknown to its writer"), say("By device"))
    rows = tuple(
        (
            Shown(wording.named(asked.words, wording.FIELDS, each.sent.field)),
            Shown(value(each.sent.field, each.sent.value) if each.sent.value else "–"),
            Shown(
                value(each.sent.field, each.conflict.value)
                if each.conflict and each.conflict.value
                else "–"
            ),
            Shown(each.sent.device.hex()[:8]),
        )
        for each in snapshot.conflicts(known.id, CONFLICTS_MOST)
    )
    return Listing("conflicts", heads, rows)
