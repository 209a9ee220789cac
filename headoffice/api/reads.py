"""Operations that only read: stores, tills, members with what they have, their ledger, their profile."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from app.domain.business_day import NEVER, BusinessDate
from app.domain.entries import POINTS
from app.domain.state import view
from app.domain.tiers import tier_outlook
from app.intake import Phone, parse_phone
from app.protocol.cells import CONSENT
from app.protocol.store import Member
from headoffice.api import shapes
from headoffice.api.desk import Asked, Caller, cursor_of, needs, number_of
from headoffice.api.etag import etag_of
from headoffice.api.own_till import OwnTill, is_known_by, living
from headoffice.api.problems import Problem
from headoffice.console.snapshot import Numbered, Snapshot
from headoffice.console.wording import masked

PAGE_MOST: Final = 200
FOUND_MOST: Final = 50
router: Final = APIRouter(prefix="/v1")
MemberId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="32 hex digits")]


@router.get("/stores", tags=["places"], **needs("stores:read"))
def list_stores(asked: Caller) -> shapes.StoreList:
    """All stores of the chain. Orders and enrolments name one."""
    shops = [each for each in asked.desk.office.shops.values() if each.tenant == asked.tenant]
    tills = [each for each in asked.desk.office.tills.values() if each.tenant == asked.tenant]
    count = {shop.id: sum(till.shop == shop.id for till in tills) for shop in shops}
    return shapes.StoreList(
        stores=[
            shapes.StoreBody(id=each.id.hex(), name=each.name, tills=count[each.id])
            for each in sorted(shops, key=lambda shop: shop.name)
        ]
    )


@router.get("/tills", tags=["places"], **needs("reports:read"))
def list_tills(asked: Caller) -> shapes.TillList:
    """All tills of the chain, and when head office last heard of each."""
    with asked.reading() as snapshot:
        tills = snapshot.tills()
    heard = asked.desk.office.heard
    return shapes.TillList(
        tills=[
            shapes.TillBody.model_validate(
                {
                    "id": each.device.hex(),
                    "name": each.name,
                    "store": each.shop,
                    "standing": each.standing,
                    "heard_ms": heard.get(each.device, each.heard_ms),
                }
            )
            for each in tills
        ]
    )


@router.post("/members/find", tags=["members"], **needs("members:read"))
def find_members(asked: Caller, sent: shapes.Find) -> shapes.MemberList:
    """Find members by a whole phone or card number, or by id. What is asked for travels in the body, so that no
    log of addresses has it."""
    given = [(name, value) for name, value in sent.model_dump().items() if value is not None]
    if len(given) != 1:
        raise Problem("invalid", {"errors": [{"in": "body", "pointer": "", "why": "exactly_one"}]})
    field, value = given[0]
    with asked.reading() as snapshot:
        if field == "id":
            found = snapshot.member(bytes.fromhex(value))
            members = [] if found is None or found.erased else [_survivor(snapshot, found)]
        else:
            members = by_value(snapshot, field, value)
    _audit(asked, members, "searched")
    return shapes.MemberList(members=[_told(asked, each) for each in members])


@router.get("/members/{member}", tags=["members"], **needs("members:read"))
def get_member(asked: Caller, member: MemberId) -> shapes.MemberBody:
    """A member: balance, what may be spent today, what expires, tier. One that was merged is shown as who they
    were merged into."""
    with asked.reading() as snapshot:
        known = survivor(snapshot, bytes.fromhex(member))
    _audit(asked, [known], "member_seen")
    return _told(asked, known, member)


@router.get("/members/{member}/ledger", tags=["members"], **needs("members:read"))
def get_ledger(
    asked: Caller,
    member: MemberId,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MOST)] = 50,
) -> shapes.LedgerPage:
    """A page of a member's ledger, the last entries first."""
    before = number_of(cursor, 1 << 62)
    with asked.reading() as snapshot:
        known = survivor(snapshot, bytes.fromhex(member))
        found = snapshot.ledger(known.id, before, limit + 1)
    page = found[:limit]
    return shapes.LedgerPage(
        entries=[_entry(each) for each in page],
        next=cursor_of(page[-1].number) if len(found) > limit else None,
    )


@router.get("/members/{member}/profile", tags=["members"], **needs("members:read"))
def get_profile(asked: Caller, member: MemberId, response: Response) -> shapes.Profile:
    """A member's personal fields and consents, with the ETag that a change has to name."""
    with asked.reading() as snapshot:
        known = survivor(snapshot, bytes.fromhex(member))
    _audit(asked, [known], "member_seen")
    response.headers["etag"] = etag_of(known)
    return profile_of(asked, known)


# Inside -------------------------------------------------------------------------------------------


def profile_of(asked: Asked, known: Member) -> shapes.Profile:
    """Personal fields as this key sees them."""
    consents = []
    for name, cell in sorted(known.cells.items()):
        if name.startswith(CONSENT) and cell.value:
            purpose, _, channel = name.removeprefix(CONSENT).partition(":")
            decision, _, notice = cell.value.partition(":")
            consents.append(
                shapes.Consent(purpose=purpose, channel=channel, decision=decision, notice=notice)
            )
    fields = {
        name: _value(asked, known, name) for name in ("name", "phone", "email", "birthday", "card")
    }
    return shapes.Profile(**fields, consents=consents)


def survivor(snapshot: Snapshot, member: bytes) -> Member:
    """The member, or who they were merged into. Raises Problem: not_found, erased."""
    return _survivor(snapshot, living(snapshot.member(member)))


def _survivor(snapshot: Snapshot, known: Member) -> Member:
    while known.alias is not None:
        known = living(snapshot.member(known.alias))
    return living(known)


def by_value(snapshot: Snapshot, field: str, value: str) -> list[Member]:
    """Members whose standing phone or card is this."""
    if field == "phone":
        phone = parse_phone(value)
        value = phone.e164 if isinstance(phone, Phone) else ""
    if not value:
        return []
    ids = snapshot.having(field, value)
    found = [each for each in map(snapshot.member, ids) if each and is_known_by(each, field, value)]
    return found[:FOUND_MOST]


def _audit(asked: Asked, members: list[Member], act: str) -> None:
    """Personal values that are shown whole are written down first."""
    if not asked.personal:
        return

    def act_all(till: OwnTill) -> None:
        if act == "searched":
            till.note(act, detail=str(len(members)))
        for each in members:
            till.note("member_shown", each.id)

    asked.write(act_all)


def _value(asked: Asked, known: Member, field: str) -> str | None:
    cell = known.cells.get(field)
    if cell is None or not cell.value:
        return None
    return cell.value if asked.personal else masked(field, cell.value)


def _told(asked: Asked, known: Member, named: str = "") -> shapes.MemberBody:
    chain = asked.desk.office.chains[asked.tenant]
    on = chain.server.today(asked.desk.office.now_ms())
    account = known.accounts.get(POINTS)
    reserved = account.reserved if account else 0
    points = view(known.state, on, reserved=reserved)
    valid = points.balance - points.pending - points.lapsed + points.debt
    return shapes.MemberBody(
        id=known.id.hex(),
        merged_from=named if named not in ("", known.id.hex()) else None,
        balance=points.balance,
        available=points.available,
        reserved=valid - points.available,
        pending=points.pending,
        lapsed=points.lapsed,
        debt=points.debt,
        expiring=[
            shapes.Expiring(on=each.on.iso(), points=each.amount)
            for each in points.expiring
            if each.on < NEVER
        ],
        tier=_tier(asked, known, on),
        name=_value(asked, known, "name"),
        phone=_value(asked, known, "phone"),
        card=_value(asked, known, "card"),
    )


def _tier(asked: Asked, known: Member, on: BusinessDate) -> shapes.Tier | None:
    """The level by the programme in force; None without one."""
    programme = asked.programme_on(on)
    if programme is None:
        return None
    outlook = tier_outlook(known.state, programme.tiers, on)
    return shapes.Tier(
        code=outlook.level.code,
        name_zh=outlook.level.name_zh,
        name_en=outlook.level.name_en,
        until=outlook.until.iso() if outlook.until else None,
        next_code=outlook.next_level.code if outlook.next_level else None,
        missing=outlook.missing,
    )


def _entry(each: Numbered) -> shapes.LedgerEntry:
    entry = each.entry
    return shapes.LedgerEntry(
        number=each.number,
        event=entry.id.event.hex(),
        n=entry.id.n,
        asset=entry.asset,
        kind=entry.kind,
        amount=entry.amount,
        business_date=entry.business_date.iso(),
        available_from=entry.available_from.iso() if entry.available_from else None,
        expires=entry.expires.iso() if entry.expires else None,
    )
