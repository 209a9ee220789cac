"""Operations that write members: enrolling, fields, consents. All of it as profile cells, so that the last
writer of a field wins and every till hears of it like of another till's edit.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Response

from app.domain.birthday import parse_birthday
from app.domain.errors import Refusal, Refused
from app.domain.member import MARKETING, SERVICE
from app.intake import Phone, parse_phone, plain_text, readings
from app.protocol.cells import CONSENT, GIVEN, NOT_GIVEN, WITHDRAWN
from app.protocol.facts import Facts
from app.protocol.store import Member
from headoffice.api import shapes
from headoffice.api.desk import Again, Caller, Made, needs
from headoffice.api.etag import etag_of
from headoffice.api.own_till import OwnTill
from headoffice.api.problems import Problem, wrong_value
from headoffice.api.reads import MemberId, profile_of

ENROL: Final = "enrol"
PROFILE: Final = "profile"
CONSENTED: Final = "consent"
router: Final = APIRouter(prefix="/v1", tags=["members"])


@router.post("/members", status_code=201, response_model=shapes.Enrolled, **needs("members:write"))
def enrol_member(asked: Caller, again: Again, sent: shapes.EnrolRequest) -> Response:
    """Enrol a member at a store. A phone that a member has already is a `conflict`, unless it is
    allowed: it may be a family's. A card is one that no till may give out."""
    shop = asked.shop(sent.store)
    fields = _fields(sent.model_dump(include={"name", "phone", "email", "birthday"}))
    fields["card"] = sent.card
    consents = {
        _consent(SERVICE, "counter"): f"{GIVEN}:{sent.service_notice}",
        _consent(MARKETING, "any"): f"{GIVEN if sent.marketing_notice else NOT_GIVEN}:"
        f"{sent.marketing_notice or sent.service_notice}",
    }
    taken = ("card",) if sent.allow_same_phone else ("card", "phone")

    def act(till: OwnTill) -> Made:
        if sent.card and till.leased(sent.card):
            raise wrong_value("card", "given_out_by_tills")
        for field in taken:
            if fields[field] and till.has(field, fields[field] or ""):
                raise Problem("conflict", {"field": field})
        on, member = till.today, till.new_id()
        told = {**fields, **consents, "joined": str(int(on))}
        written = {name: value for name, value in told.items() if value is not None}
        till.home(shop.bucket)
        till.record(
            Facts(till.new_id(), ENROL, member, on),
            {"store": shop.id.hex(), "changed": sorted(written)},
            cells=till.cells(member, dict(written)),
        )
        till.note("api_enrolled", member)
        return Made({"id": member.hex()})

    return asked.once(again, sent, act)


@router.patch("/members/{member}/profile", **needs("members:write"))
def change_profile(
    asked: Caller,
    member: MemberId,
    sent: shapes.ProfileChange,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> shapes.Profile:
    """Change fields of a profile that was read: If-Match names its ETag."""
    if if_match is None:
        raise Problem("if_match_missing")
    # Not exclude_unset: it would leave out of a birthday what it did not name.
    fields = _fields(sent.model_dump(include=sent.model_fields_set))

    def act(till: OwnTill) -> Member:
        known = till.member(bytes.fromhex(member))
        if etag_of(known) != if_match:
            raise Problem("changed")
        return _write(till, known, PROFILE, fields)

    known = asked.write(act)
    response.headers["etag"] = etag_of(known)
    return profile_of(asked, known)


@router.put("/members/{member}/consents/{purpose}", **needs("members:write"))
def change_consent(
    asked: Caller, member: MemberId, purpose: shapes.Code, sent: shapes.ConsentChange
) -> shapes.Profile:
    """Write down a member's answer to a notice. Doing it twice changes nothing more."""
    name = _consent(purpose, sent.channel)

    def act(till: OwnTill) -> Member:
        known = till.member(bytes.fromhex(member))
        stood = known.cells[name].value if name in known.cells else None
        before = (stood or "").startswith((GIVEN, WITHDRAWN))
        decided = GIVEN if sent.given else WITHDRAWN if before else NOT_GIVEN
        return _write(till, known, CONSENTED, {name: f"{decided}:{sent.notice}"})

    return profile_of(asked, asked.write(act))


# Inside -------------------------------------------------------------------------------------------


def _write(till: OwnTill, known: Member, kind: str, fields: dict[str, str | None]) -> Member:
    cells = till.cells(known.id, fields)
    if cells:
        changed = sorted(cell.field for cell in cells)
        till.record(
            Facts(till.new_id(), kind, known.id, till.today), {"changed": changed}, cells=cells
        )
        till.note("api_changed", known.id, str(len(cells)))
    return till.member(known.id)


def _consent(purpose: str, channel: str) -> str:
    return f"{CONSENT}{purpose}:{channel}"


def _fields(given: dict[str, Any]) -> dict[str, str | None]:
    """Values as they are kept. Raises Refused, Problem."""
    fields: dict[str, str | None] = {}
    for name, value in given.items():
        if name == "name":
            fields |= _name(value)
        elif name == "phone":
            fields["phone"] = _phone(value)
        elif name == "email":
            fields["email"] = _email(value)
        elif name == "birthday":
            fields["birthday"] = _birthday(value)
    return fields


def _name(value: str | None) -> dict[str, str | None]:
    name = " ".join(plain_text(value or "").split())
    if not name:
        raise Refused(Refusal.NAME_NEEDED)
    return {"name": name, "name_py": readings(name)[0].pinyin}


def _phone(value: str | None) -> str | None:
    if not value:
        return None
    phone = parse_phone(value)
    if not isinstance(phone, Phone):
        raise Refused(Refusal.PHONE_INVALID)
    return phone.e164


def _email(value: str | None) -> str | None:
    if not value:
        return None
    email = plain_text(value).lower()
    if email.count("@") != 1 or "." not in email.partition("@")[2] or " " in email:
        raise Refused(Refusal.EMAIL_INVALID)
    return email


def _birthday(value: dict[str, Any] | None) -> str | None:
    if value is None:
        return None
    lunar = value["calendar"] == "lunar"
    found = parse_birthday(value["month"], value["day"], value["year"], lunar=lunar)
    return f"{value['calendar']}:{found.year or ''}-{found.month}-{found.day}"
