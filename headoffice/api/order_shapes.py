"""What requests and answers about points look like: carts, orders, refunds, holds, spends. As in shapes.py."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from app.domain.sale import MOST_MINOR
from headoffice.adjustments import NOTE_MOST
from headoffice.api.shapes import POINTS_MOST, Code, Day, Id, Points, Sent, Told

Minor = Annotated[int, Field(ge=0, le=MOST_MINOR)]
Quantity = Annotated[int, Field(gt=0, le=10**9)]
LINES_MOST: Final = 200


class Line(Sent):
    """A line: quantity / per_quantity x unit_price_minor. Goods by weight have, say, per_quantity 1000 (g)."""

    unit_price_minor: Minor
    quantity: Quantity = 1
    per_quantity: Annotated[int, Field(gt=0, le=10**6)] = 1
    item: Code | None = None
    category: Code | None = None
    name: Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    tax_rate_bp: Annotated[int, Field(ge=0, le=10_000)] = 0
    tax_included: bool = True
    floor_price_minor: Minor = 0
    no_earn: bool = False
    no_redeem: bool = False


class Cart(Sent):
    """What a member buys at a store, and how many points pay. `business_date`: today, or up to 35 days ago."""

    store: Id
    member: Id
    lines: Annotated[list[Line], Field(min_length=1, max_length=LINES_MOST)]
    redeem_points: Annotated[int, Field(ge=0, le=POINTS_MOST)] = 0
    hold: Id | None = None
    business_date: Day | None = None


class Key(Sent):
    """What the customer was shown, as a quote gave it."""

    points_spent: int
    to_pay_minor: int
    points_earned: int
    programme_version: int


class Tender(Sent):
    """Money towards an order."""

    kind: Literal["cash", "qr", "card"]
    amount_minor: Annotated[int, Field(gt=0, le=MOST_MINOR)]


class OrderRequest(Cart):
    """An order that was paid. `quote`: refused where it is another by now. Without
    `tenders` it was paid by card."""

    quote: Key | None = None
    tenders: Annotated[list[Tender], Field(max_length=20, default_factory=list)]


class Quote(Told):
    """What an order would be. `most_points`: so many may pay for it."""

    points_spent: int
    to_pay_minor: int
    points_earned: int
    programme_version: int
    payable_minor: int
    discount_minor: int
    points_value_minor: int
    available: int
    most_points: int
    tier_after: str | None


class Ordered(Told):
    """An order as it was committed."""

    id: Id
    receipt: str
    member: Id
    business_date: Day
    payable_minor: int
    to_pay_minor: int
    points_spent: int
    points_earned: int
    balance: int


class KeptLine(Told):
    """A line of an order, and how much of it was not returned."""

    line: int
    quantity: int
    kept: int
    payable_minor: int
    points: int


class OrderBody(Told):
    """An order with what is left of it. `tier_code`: the level that it lifted the member to."""

    id: Id
    receipt: str
    member: Id | None
    business_date: Day
    payable_minor: int
    to_pay_minor: int
    points_spent: int
    points_earned: int
    tier_code: str | None
    lines: list[KeptLine]


class BackLine(Sent):
    """So much of a line comes back; lines count from 0."""

    line: Annotated[int, Field(ge=0, lt=LINES_MOST)]
    quantity: Quantity


class RefundRequest(Sent):
    """What comes back of an order."""

    lines: Annotated[list[BackLine], Field(min_length=1, max_length=LINES_MOST)]
    reason: Literal["changed_mind", "faulty", "wrong_item", "other"] = "other"


class Refunded(Told):
    """A refund as it was committed. `refund_minor`: money to give back, less what was kept for spent points."""

    id: Id
    receipt: str
    order: Id
    refund_minor: int
    charged_minor: int
    points_taken_back: int
    points_restored: int
    balance: int


class VoidRequest(Sent):
    """Why an order is undone whole."""

    reason: Literal["wrong_item", "wrong_member", "test", "other"] = "other"


class Voided(Told):
    """A void as it was committed. `refund_minor`: money to give back, less what was kept for spent points."""

    id: Id
    receipt: str
    order: Id
    refund_minor: int
    charged_minor: int
    points_taken_back: int
    points_restored: int
    balance: int


class SaleBody(Told):
    """A sale of a till, or an order, with what is left of it."""

    id: Id
    receipt: str
    member: Id | None
    business_date: Day
    payable_minor: int
    to_pay_minor: int
    points_spent: int
    points_earned: int
    lines: list[KeptLine]


class SaleRefunded(Told):
    """A refund of a sale as it was committed. `member` and `balance` are null where the sale had no member."""

    id: Id
    receipt: str
    sale: Id
    member: Id | None
    refund_minor: int
    charged_minor: int
    points_taken_back: int
    points_restored: int
    balance: int | None


class AdjustmentRequest(Sent):
    """Points by hand: above zero to give, below zero to take. `note`: what happened, in a sentence."""

    points: Annotated[int, Field(ge=-POINTS_MOST, le=POINTS_MOST)]
    reason: Literal["goodwill", "missed_sale", "correction", "other"]
    note: Annotated[str, Field(min_length=1, max_length=NOTE_MOST, pattern=r"^[^\x00-\x1f\x7f]*$")]


class AdjustmentBody(Told):
    """An adjustment. `waiting`: somebody of head office has to agree to it, within a week."""

    id: Id
    member: Id
    points: int
    standing: Literal["waiting", "done", "dropped"]


class HoldRequest(Sent):
    """Points to keep for a spend that is to come."""

    member: Id
    points: Points
    business_date: Day | None = None


class Hold(Told):
    """A hold. It ends by a spend or a void, never by time."""

    id: Id
    standing: Literal["open", "captured", "void", "written_off"]
    points: int
    business_date: Day


class HoldList(Told):
    """The open holds of this system."""

    holds: list[Hold]


class SpendRequest(Sent):
    """Points that a member gives for something without a price. `hold`: the one that this uses up."""

    member: Id
    points: Points
    hold: Id | None = None
    business_date: Day | None = None


class Spent(Told):
    """A spend as it was committed."""

    id: Id
    member: Id
    points: int
    balance: int


class ReversalRequest(Sent):
    """How many points of a spend come back."""

    points: Points


class Reversed(Told):
    """Points that came back. `left`: how many of the spend still stand."""

    id: Id
    spend: Id
    points: int
    left: int
    balance: int
