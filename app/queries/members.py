"""Reads about members: the panel, the ledger, lots, profile. Masked here, never in a widget."""

from __future__ import annotations

from dataclasses import replace

from sqlcipher3.dbapi2 import Connection

from app import bases, cached_fold, posting
from app.account import birthdays_of
from app.code_ranges import CardFault, card_digits, card_fault, plain_card
from app.context import Context
from app.domain.birthday import days_until_birthday
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS
from app.domain.errors import Refusal, Refused
from app.domain.expiry import as_good
from app.domain.member import (
    MARKETING,
    MASKED_BIRTHDAY,
    SERVICE,
    is_doubtful,
    mask_email,
    mask_phone,
    proof_of,
)
from app.domain.programme import Programme
from app.domain.programme import Tier as ProgrammeTier
from app.domain.redemption import value_of
from app.domain.state import MemberState, view
from app.domain.tiers import tier_outlook
from app.numbers import is_card_number
from app.protocol.events import decode, instant_of
from app.protocol.references import LOST_CARDS, lost_cards_of
from app.queries.guard import read_ahead
from app.queries.records import (
    Expiring,
    LedgerLine,
    LotLine,
    MemberPanel,
    ProfileView,
    Tier,
    TierProgress,
)
from app.queries.selling_date import selling_date
from app.shut import require_members
from db import head_office, people, rows

RECENT = 6
LEDGER_SHOWN = 200
"""How much of a long ledger is read at a time."""
"""A phone number silent for so long may have a new owner (domain.md section 3, "Phone")."""


def tier_of(tier: ProgrammeTier) -> Tier:
    """A tier of the programme as screens get it."""
    return Tier(tier.code, tier.name_zh, tier.name_en, tier.rank, tier.discount_bp)


def tiers(ctx: Context) -> tuple[Tier, ...]:
    """The tiers of the programme that a sale goes by now, lowest first."""
    with ctx.read() as conn:
        programme = ctx.programme_on(conn, selling_date(ctx, conn))
    return tuple(tier_of(tier) for tier in programme.tiers.levels)


def member_panel(ctx: Context, member_id: bytes, *, found_by: str = "") -> MemberPanel:
    """Everything that the counter shows of a member. Raises Refused(MEMBER_UNKNOWN).

    `found_by` is the field that led here ("phone", "card" …): a number silent for a year wants
    another proof before points go out.
    """
    with ctx.read() as conn:
        require_members(conn, ctx.clock())
        account = people.member(conn, member_id)
        if account is None:
            raise Refused(Refusal.MEMBER_UNKNOWN)
        on = selling_date(ctx, conn)
        programme = ctx.programme_on(conn, on)
        profile = people.profile(conn, member_id)
        lost = _reported_lost(conn)
        cards = [
            replace(each, state="lost") if each.value in lost else each
            for each in people.credentials_of(conn, member_id, "card")
        ]
        state = as_good(cached_fold.load_state(conn, member_id, None), on)
        recent = _ledger(ctx, conn, member_id, limit=RECENT)
        points = view(state, on)
        birthday = days_until_birthday(birthdays_of(profile, programme, on), on)
        read_ahead(conn, programme.guard, member_id, on)
    card = next((c for c in cards if c.state == "active"), cards[0] if cards else None)
    doubtful = is_doubtful(profile.phone if profile else None, account.last_visit, on)
    return MemberPanel(
        member_id=member_id,
        name=profile.name if profile else "",
        given_name=_given_name(profile.name if profile else ""),
        phone_masked=mask_phone(profile.phone) if profile and profile.phone else "",
        email_masked=mask_email(profile.email) if profile and profile.email else "",
        card_no=card.value if card else None,
        card_state=card.state if card else None,
        tier=_progress(state, programme, on),
        points_balance=points.balance,
        points_available=points.available,
        points_pending=points.pending,
        worth_minor=_worth(programme, points.available),
        expiring=tuple(Expiring(each.on, each.amount) for each in points.expiring[:3]),
        birthday_in_days=birthday,
        birthday_text=_birthday_text(profile),
        note=profile.note if profile else "",
        alert=profile.alert if profile else "",
        verify_identity=doubtful and not proof_of(found_by),
        joined=BusinessDate(account.joined),
        last_visit=None if account.last_visit is None else BusinessDate(account.last_visit),
        recent=tuple(recent),
    )


def ledger(
    ctx: Context, member_id: bytes, *, after: LedgerLine | None = None
) -> tuple[LedgerLine, ...]:
    """A member's points entries, newest first, each with the balance after it: LEDGER_SHOWN of them at
    most, those that follow the line `after`."""
    with ctx.read() as conn:
        require_members(conn, ctx.clock())
        return tuple(_ledger(ctx, conn, member_id, limit=LEDGER_SHOWN, after=after))


def lots(ctx: Context, member_id: bytes) -> tuple[LotLine, ...]:
    """A member's open lots by expiry, each with where it came from."""
    with ctx.read() as conn:
        require_members(conn, ctx.clock())
        on = selling_date(ctx, conn)
        state = as_good(cached_fold.load_state(conn, member_id, None), on)
        lines = []
        for lot in sorted(state.lots, key=lambda each: (each.expires, each.order)):
            if lot.asset != POINTS:
                continue
            origin = rows.event_by_id(conn, lot.origin.event)
            document = rows.document_by_event(conn, lot.origin.event)
            earned_on = posting.event_of(origin).business_date if origin else 0
            lines.append(
                LotLine(
                    origin_event=lot.origin.event,
                    origin_n=lot.origin.n,
                    earned_on=BusinessDate(earned_on),
                    source=origin.kind if origin else "",
                    receipt_no=document.receipt_no if document else None,
                    available_from=lot.available_from,
                    expires=lot.expires,
                    remaining=lot.remaining,
                    state="pending"
                    if lot.available_from > on
                    else ("lapsed" if lot.expires < on else "available"),
                )
            )
    return tuple(lines)


def profile(ctx: Context, member_id: bytes) -> ProfileView:
    """The profile for the edit sheet. Raises Refused(MEMBER_UNKNOWN)."""
    with ctx.read() as conn:
        require_members(conn, ctx.clock())
        row = people.profile(conn, member_id)
        answers = people.consents_of(conn, member_id)
    if row is None:
        raise Refused(Refusal.MEMBER_UNKNOWN)
    granted = {answer.purpose: bool(answer.granted) for answer in answers}
    return ProfileView(
        member_id=member_id,
        name=row.name,
        pinyin=row.name_py,
        phone_masked=mask_phone(row.phone) if row.phone else "",
        email_masked=mask_email(row.email) if row.email else "",
        birth_calendar="lunar" if row.birth_calendar == "lunar" else "solar",
        birthday_masked=MASKED_BIRTHDAY if row.birth_month else "",
        note=row.note,
        alert=row.alert,
        version=row.version,
        service_consent=granted.get(SERVICE, False),
        marketing_consent=granted.get(MARKETING, False),
    )


def members_of_phone(ctx: Context, e164: str) -> tuple[bytes, ...]:
    """Who has this number already (families share one): shown while a phone is typed."""
    with ctx.read() as conn:
        require_members(conn, ctx.clock())
        return tuple(people.members_of_phone(conn, e164))


def member_of_card(ctx: Context, number: str) -> bytes:
    """The member of a scanned card. Raises Refused(CARD_UNKNOWN | CARD_LOST | CARD_REPLACED)."""
    with ctx.read() as conn:
        row = people.credential(conn, "card", number)
        if row is not None:
            require_members(conn, ctx.clock())
        lost = number in _reported_lost(conn)
    if lost and row is not None:
        raise Refused(Refusal.CARD_LOST)
    if row is None or row.state in ("stock", "cancelled"):
        raise Refused(Refusal.CARD_UNKNOWN)
    if row.state == "lost":
        raise Refused(Refusal.CARD_LOST)
    if row.state == "replaced":
        raise Refused(Refusal.CARD_REPLACED)
    return row.member_id


def _reported_lost(conn: Connection) -> frozenset[str]:
    """The cards that head office knows to be lost; none at a till of its own."""
    body = head_office.reference_set(conn, LOST_CARDS)
    return frozenset() if body is None else lost_cards_of(bases.REFERENCE.unpack(body).body)


def is_card_to_give(ctx: Context, number: str) -> bool:
    """Whether an unknown number is a card of one of this till's blocks that nobody has yet."""
    with ctx.read() as conn:
        return not card_fault(conn, number)


def is_card_shaped(ctx: Context, number: str) -> bool:
    """Whether a number has the digits and the check of this till's cards: it may be another till's."""
    with ctx.read() as conn:
        return len(number) == card_digits(conn) and is_card_number(number)


def card_check(ctx: Context, typed: str) -> tuple[CardFault, int]:
    """What is wrong with a card number while it is typed, and how many digits this till's cards have."""
    with ctx.read() as conn:
        return card_fault(conn, plain_card(typed)), card_digits(conn)


def _ledger(
    ctx: Context, conn: Connection, member_id: bytes, *, limit: int, after: LedgerLine | None = None
) -> list[LedgerLine]:
    if after is None:
        below, balance = (rows.LAST, 0), rows.ledger_sum(conn, member_id, POINTS)
    else:
        below, balance = (after.seq, after.n), after.balance_after - after.amount
    entries = rows.points_of_member(conn, member_id, POINTS, limit, below=below)
    lines = []
    for line in entries:
        lines.append(
            LedgerLine(
                event_id=line.event_id,
                n=line.n,
                seq=line.seq,
                at=instant_of(decode(line.body)["at"]),
                business_date=BusinessDate(line.business_date),
                kind=line.kind,
                source=line.source,
                amount=line.amount,
                balance_after=balance,
                total_minor=line.total_minor,
                receipt_no=line.receipt_no,
                operator=ctx.initials(conn, line.staff_id),
            )
        )
        balance -= line.amount
    return lines


def _progress(state: MemberState, programme: Programme, on: BusinessDate) -> TierProgress:
    outlook = tier_outlook(state, programme.tiers, on)
    higher = outlook.next_level
    return TierProgress(
        current=tier_of(outlook.level),
        next=tier_of(higher) if higher else None,
        kind="spend" if programme.tiers.measure == "spend" else "visits",
        measure=outlook.qualifying,
        target=higher.threshold if higher else outlook.level.threshold,
        until=outlook.until,
    )


def _worth(programme: Programme, points: int) -> int:
    return value_of(programme.redemption, points) if programme.redemption else 0


def _given_name(name: str) -> str:
    """What a customer display may show: the given name of 陈思远 is 思远, of Sylvia Chen Sylvia."""
    if name.isascii() or " " in name:
        return name.split(",")[-1].split()[0] if name.strip(", ") else ""
    return name[-2:] if len(name) > 2 else name[-1:]


def _birthday_text(profile_row: people.ProfileRow | None) -> str | None:
    if profile_row is None or profile_row.birth_month is None:
        return None
    prefix = "农历 " if profile_row.birth_calendar == "lunar" else ""
    return f"{prefix}{profile_row.birth_month:02d}-{profile_row.birth_day:02d}"
