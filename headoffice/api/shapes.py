"""What requests and answers of the open API look like. Integers for points and money, ids as 32 hex digits.

What comes is taken strictly: no number in a text, no field that nobody knows. Deciding is the operations'.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.numbers import is_card_number
from app.protocol.card_leases import DIGITS, HEAD

Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="32 hex digits")]
Day = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="a business date")]
POINTS_MOST: Final = 10**12
Points = Annotated[int, Field(gt=0, le=POINTS_MOST)]
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
Text = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _whole(number: str) -> str:
    """Raises PydanticCustomError where a till would not take it for a card."""
    if not is_card_number(number):
        raise PydanticCustomError("check_digit", "the last digit is not the check digit")
    if number.startswith(HEAD):
        raise PydanticCustomError("given_out_by_tills", "only tills give such numbers out")
    return number


CardNumber = Annotated[
    str,
    Field(
        pattern=f"^[0-9]{{{DIGITS + 1}}}$",
        description=f"{DIGITS} digits that no till may give out, not {HEAD} at the front, and the Luhn digit",
    ),
    AfterValidator(_whole),
]


class Sent(BaseModel):
    """What comes."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Told(BaseModel):
    """What goes out."""

    model_config = ConfigDict(frozen=True)


class ProblemBody(Told):
    """RFC 9457. More fields follow with some codes."""

    type: str
    title: str
    status: int
    code: str


# Stores and tills ----------------------------------------------------------------------------------


class StoreBody(Told):
    """A store."""

    id: Id
    name: str
    tills: int


class StoreList(Told):
    """All stores, by name."""

    stores: list[StoreBody]


class TillBody(Told):
    """A till. `heard_ms`: when it last talked, milliseconds since 1970."""

    id: Id
    name: str
    store: str
    standing: Literal["live", "lost", "locked"]
    heard_ms: int


class TillList(Told):
    """All tills, by store and name."""

    tills: list[TillBody]


# Members -------------------------------------------------------------------------------------------


class Find(Sent):
    """One of them: what the member is known by."""

    phone: Annotated[str | None, Field(max_length=40, description="with +country, or of China")] = (
        None
    )
    card: Annotated[str | None, Field(max_length=40)] = None
    id: Id | None = None


class Expiring(Told):
    """Points that are good until a date and not after it."""

    on: Day
    points: int


class Tier(Told):
    """A member's level. `missing`: how much of the measure the next one still needs."""

    code: str
    name_zh: str
    name_en: str
    until: Day | None
    next_code: str | None
    missing: int | None


class MemberBody(Told):
    """A member. balance = available + reserved + pending + lapsed - debt.

    name, phone, card, email, birthday  masked, unless the key may see them whole
    merged_from  the member that was asked for, where it was merged into this one
    """

    id: Id
    merged_from: Id | None = None
    balance: int
    available: int
    reserved: int
    pending: int
    lapsed: int
    debt: int
    expiring: list[Expiring]
    tier: Tier | None
    name: str | None
    phone: str | None
    card: str | None


class MemberList(Told):
    """The members that were found; a phone may be a family's."""

    members: list[MemberBody]


class LedgerEntry(Told):
    """One movement of one asset. `event`: the document that made it, with `n` its place there."""

    number: int
    event: Id
    n: int
    asset: str
    kind: str
    amount: int
    business_date: Day
    available_from: Day | None
    expires: Day | None


class LedgerPage(Told):
    """Entries, the last first. `next`: the cursor of older ones, null at the end."""

    entries: list[LedgerEntry]
    next: str | None


class Consent(Told):
    """An answer to a notice."""

    purpose: str
    channel: str
    decision: str
    notice: str


class Profile(Told):
    """Personal fields; masked, unless the key may see them whole. Birthday: "solar:1990-5-31"."""

    name: str | None
    phone: str | None
    email: str | None
    birthday: str | None
    card: str | None
    consents: list[Consent]


class Birthday(Sent):
    """A birthday; the year is optional."""

    calendar: Literal["solar", "lunar"] = "solar"
    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=31)]
    year: Annotated[int | None, Field(ge=1900, le=2200)] = None


class ProfileChange(Sent):
    """The fields that change; null clears one, a field that is left out stays."""

    name: Text | None = None
    phone: Annotated[str | None, Field(max_length=40)] = None
    email: Annotated[str | None, Field(max_length=200)] = None
    birthday: Birthday | None = None


Notice = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$", description="which text was agreed to")
]


class ConsentChange(Sent):
    """An answer of the member. A withdrawal beats a yes of the next 24 hours."""

    channel: Code
    given: bool
    notice: Notice


class EnrolRequest(Sent):
    """A new member of a store. `service_notice`: the version of the service notice that was agreed to."""

    store: Id
    name: Text
    service_notice: Notice
    phone: Annotated[str | None, Field(max_length=40)] = None
    email: Annotated[str | None, Field(max_length=200)] = None
    birthday: Birthday | None = None
    card: CardNumber | None = None
    marketing_notice: Notice | None = None
    allow_same_phone: bool = False


class Enrolled(Told):
    """The new member."""

    id: Id
