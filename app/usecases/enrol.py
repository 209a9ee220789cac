"""Enrol a member (counter-flows.md flow 4), and edit a profile.

Personal values go to erasable rows and to the profile file; the event names the row and holds a digest under
the member's own key, which is destroyed with the profile (domain.md section 2).
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal

from sqlcipher3.dbapi2 import Connection

from app import cached_fold, posting
from app.account import born_on
from app.code_ranges import card_fault, kinds_of, plain_card
from app.context import Changes, Context, Session, Tx
from app.documents import notice
from app.domain.birthday import Birthday, check_birthday_change, parse_birthday, require_born
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.member import MARKETING, SERVICE
from app.domain.programme import Programme
from app.domain.rights import Right
from app.domain.state import MemberState
from app.intake import Phone, Reading, parse_phone, plain_text, readings
from app.numbers import card_number
from app.protocol.card_leases import HEAD
from app.queries.readers import shift_day
from app.shut import require_members
from app.usecases.done import Done
from app.usecases.rights import require
from db import people, staff_rows


@dataclass(frozen=True, slots=True)
class BirthdayInput:
    """A birthday as typed; the year is optional."""

    calendar: Literal["solar", "lunar"]
    month: int
    day: int
    year: int | None = None


@dataclass(frozen=True, slots=True)
class ProfileInput:
    """A profile as typed. `reading` is the chosen reading of the name, None for the likeliest."""

    name: str
    phone: str = ""
    email: str = ""
    birthday: BirthdayInput | None = None
    note: str = ""
    alert: str = ""
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Enrol:
    """A new member. `card_no` "" takes the next number of the till's block."""

    command_id: bytes
    session: Session
    profile: ProfileInput
    service_consent: bool
    marketing_consent: bool = False
    card_no: str = ""


Masked = Literal["phone", "email", "birthday"]
_COLUMNS: Final[Mapping[Masked, tuple[str, ...]]] = {
    "phone": ("phone",),
    "email": ("email",),
    "birthday": ("birth_calendar", "birth_year", "birth_month", "birth_day"),
}


EDITED: Final = (
    "name", "name_py", "phone", "email", "birth_calendar", "birth_year", "birth_month", "birth_day",
    "note", "alert",
)  # fmt: skip
"""What an edit can change, as its event names it."""


@dataclass(frozen=True, slots=True)
class EditProfile:
    """Change a profile. `version` is the one that was shown; a consent that is other than before was
    given, or taken back, just now. Of `kept` the stored values stay, whatever `profile` says: who edits
    was shown them masked."""

    command_id: bytes
    session: Session
    member_id: bytes
    version: int
    profile: ProfileInput
    service_consent: bool
    marketing_consent: bool
    kept: frozenset[Masked] = frozenset()


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The member as enrolled or edited."""

    member_id: bytes
    card_no: str


def enrol(ctx: Context, command: Enrol) -> Done[Enrolled]:
    """Raises Refused: NAME_NEEDED, PHONE_INVALID, EMAIL_INVALID, BIRTHDAY_INVALID, BIRTHDAY_AHEAD,
    CONSENT_NEEDED (personal values without consent to the service notice), CARD_TAKEN, CARD_NOT_OURS,
    CARDS_USED_UP, SHIFT_NEEDED, NOT_ALLOWED."""
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_enrolled(tx.conn, tx.known.member_id), again=True)
        shift = tx.shift()
        require_members(tx.conn, tx.now())
        require(ctx, tx.conn, command.session, Right.ENROL, command_id=command.command_id)
        member_id = ctx.ids()
        key = os.urandom(32)
        if not command.service_consent:
            raise Refused(Refusal.CONSENT_NEEDED)
        profile = _profile_cell(ctx, member_id, command.profile, version=1)
        card = _card(tx, command.card_no)
        card_cell = {
            "t": "credential", "kind": "card", "value": card, "member_id": member_id.hex(),
            "state": "active",
        }  # fmt: skip
        on = BusinessDate(shift.business_date)
        programme = ctx.programme_on(tx.conn, on)
        tx.record(
            posting.ENROL,
            event_id=ctx.ids(),
            session=Session(command.session.staff_id, shift.id),
            business_date=on,
            member_id=member_id,
            programme=programme.version,
            doc=enrol_facts(
                key,
                programme,
                profile=profile,
                card=card_cell,
                consents=consents_given(command.service_consent, command.marketing_consent),
            ),
            cells=(
                {"t": "key", "member_id": member_id.hex(), "key": key.hex()},
                profile,
                card_cell,
            ),
        )
    changes = Changes(frozenset({member_id}), frozenset({"member"}))
    return Done(Enrolled(member_id, card), changes, warning=ctx.warning())


def enrol_facts(
    key: bytes,
    programme: Programme,
    *,
    profile: dict[str, Any],
    card: dict[str, Any],
    consents: list[list[Any]],
) -> dict[str, Any]:
    """What an enrolment event holds; `profile` and `card` are cells, digested under the member's key."""
    return {
        "tier": programme.tiers.levels[0].code,
        "consents": consents,
        "profile": {"version": profile["version"], "digest": cell_digest(key, profile)},
        "card": {"digest": cell_digest(key, card)},
    }


def edit_profile(ctx: Context, command: EditProfile) -> Done[Enrolled]:
    """Raises Refused as enrol, and PROFILE_CHANGED when another edit came first, BIRTHDAY_LOCKED
    (the birthday benefit was used this year: a manager only), MEMBER_UNKNOWN."""
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_enrolled(tx.conn, command.member_id), again=True)
        require_members(tx.conn, tx.now())
        require(ctx, tx.conn, command.session, Right.ENROL, command_id=command.command_id)
        row = people.profile(tx.conn, command.member_id)
        key = people.member_key(tx.conn, command.member_id)
        if row is None or key is None:
            raise Refused(Refusal.MEMBER_UNKNOWN)
        if row.version != command.version:
            raise Refused(Refusal.PROFILE_CHANGED)
        cell = _profile_cell(ctx, command.member_id, command.profile, version=row.version + 1)
        for name in command.kept:
            cell |= {column: getattr(row, column) for column in _COLUMNS[name]}
        _check_birthday(ctx, tx, row, cell, command.session)
        changed = [column for column in EDITED if cell[column] != getattr(row, column)]
        if "name" in changed and "name_py" in changed:
            changed.remove("name_py")  # another name has another reading
        given = consents_given(command.service_consent, command.marketing_consent)
        consents = _answered(tx.conn, command.member_id, given, restate="phone" in changed)
        if not changed and not consents:
            return Done(_enrolled(tx.conn, command.member_id))
        tx.record(
            posting.CONSENT if not changed else posting.PROFILE,
            event_id=ctx.ids(),
            session=command.session,
            business_date=shift_day(ctx, tx.conn),
            member_id=command.member_id,
            doc={
                "changed": changed,
                "consents": consents,
                "profile": {"version": row.version + 1, "digest": cell_digest(key, cell)},
            },
            cells=(cell,),
        )
    changes = Changes(frozenset({command.member_id}), frozenset({"member"}))
    with ctx.read() as conn:
        return Done(_enrolled(conn, command.member_id), changes, warning=ctx.warning())


def birthday_of(ctx: Context, given: BirthdayInput) -> Birthday:
    """What was typed as a birthday. Reads nothing but the clock. Raises Refused: BIRTHDAY_INVALID,
    BIRTHDAY_AHEAD."""
    birthday = parse_birthday(given.month, given.day, given.year, lunar=given.calendar == "lunar")
    require_born(birthday, born_on(birthday), ctx.business_date())
    return birthday


def _profile_cell(
    ctx: Context, member_id: bytes, profile: ProfileInput, *, version: int
) -> dict[str, Any]:
    name = " ".join(plain_text(profile.name).split())
    if not name:
        raise Refused(Refusal.NAME_NEEDED)
    phone = _phone(profile.phone)
    email = plain_text(profile.email).lower()
    if email and (email.count("@") != 1 or "." not in email.partition("@")[2] or " " in email):
        raise Refused(Refusal.EMAIL_INVALID)
    reading = profile.reading or readings(name)[0]
    birthday = None if profile.birthday is None else birthday_of(ctx, profile.birthday)
    return {
        "t": "profile",
        "member_id": member_id.hex(),
        "name": name,
        "phone": phone,
        "email": email or None,
        "name_py": reading.pinyin,
        "name_ini": reading.initials,
        "birth_calendar": "lunar" if birthday is not None and birthday.lunar else "solar",
        "birth_year": birthday.year if birthday else None,
        "birth_month": birthday.month if birthday else None,
        "birth_day": birthday.day if birthday else None,
        "note": profile.note.strip(),
        "alert": profile.alert.strip(),
        "version": version,
    }


def _phone(text: str) -> str | None:
    if not text.strip():
        return None
    phone = parse_phone(text)
    if isinstance(phone, Phone):
        return phone.e164
    raise Refused(
        Refusal.PHONE_INVALID,
        {"why": phone.code, "digits": phone.digits, "expected": phone.expected},
    )


def _card(tx: Tx, typed: str) -> str:
    conn = tx.conn
    if typed:
        number = plain_card(typed)
        fault = card_fault(conn, number)
        if fault:
            raise Refused(Refusal.CARD_TAKEN if fault == "taken" else Refusal.CARD_NOT_OURS)
        return number
    if tx.dealings is not None and tx.dealings.control().nonce:
        # It was put back and doesn't know which numbers it gave out since: the next ones are of a new block.
        raise Refused(Refusal.CARDS_USED_UP)
    while (block := people.card_block(conn, HEAD)) is not None:
        number = card_number(*block)
        people.advance_card_block(conn, *block)
        if people.credential(conn, "card", number) is None and kinds_of(conn, number) == {"card"}:
            return number
    raise Refused(Refusal.CARDS_USED_UP)


def consents_given(service: bool, marketing: bool) -> list[list[Any]]:
    """(purpose, channel, notice version, granted): service is not marketing, and that is off by itself."""
    return [
        [SERVICE, "counter", notice.VERSION, int(service)],
        [MARKETING, "any", notice.VERSION, int(marketing)],
    ]


def _answered(
    conn: Connection, member_id: bytes, given: list[list[Any]], *, restate: bool
) -> list[list[Any]]:
    """Of the answers on the sheet those that are other than before: they were given anew, under today's notice.
    An untouched one keeps the notice that it was given under. `restate` says those again, as they stand: the
    rows of a member's answers are what leads the guard to a change of the phone (app/queries/guard.py)."""
    stands = {(c.purpose, c.channel): c for c in people.consents_of(conn, member_id)}
    answered = []
    for answer in given:
        purpose, channel, _, granted = answer
        known = stands.get((purpose, channel))
        if granted != (known.granted if known is not None else 0):
            answered.append(answer)
        elif restate and known is not None:
            answered.append([purpose, channel, known.notice_version, granted])
    return answered


def _check_birthday(
    ctx: Context, tx: Tx, row: people.ProfileRow, cell: dict[str, Any], session: Session
) -> None:
    before = (row.birth_calendar, row.birth_month, row.birth_day)
    if row.birth_month is None or before == (
        cell["birth_calendar"],
        cell["birth_month"],
        cell["birth_day"],
    ):
        return
    staff = staff_rows.staff_by_id(tx.conn, session.staff_id)
    state = cached_fold.load_state(tx.conn, row.member_id, None)
    check_birthday_change(
        benefit_used_this_year=_used_birthday(ctx, tx, state),
        manager=staff is not None and staff.role in ("manager", "head_office"),
    )


def _used_birthday(ctx: Context, tx: Tx, state: MemberState) -> bool:
    on = shift_day(ctx, tx.conn)
    programme = ctx.programme_on(tx.conn, on)
    return any(
        state.times_used(multiplier.code, on.year)
        for multiplier in programme.earning.multipliers
        if multiplier.birthday is not None
    )


def cell_digest(key: bytes, cell: Mapping[str, Any]) -> str:
    """What an event says of a personal value that it doesn't hold: nothing without the member's key."""
    plain = json.dumps(cell, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hmac.digest(key, plain.encode(), sha256).hex()


def _enrolled(conn: Connection, member_id: bytes | None) -> Enrolled:
    assert member_id is not None, "an enrolment has a member"
    cards = people.credentials_of(conn, member_id, "card")
    return Enrolled(member_id, cards[0].value if cards else "")
