"""Operations on the sales of the chain's tills: another system sees what is left of one and takes goods back.

A sale is found by its receipt as tills find each other's, and its lines are reserved like a till's do: no unit
comes back twice, whoever asks. The money is the system's own to give.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from headoffice.api import order_shapes as shapes
from headoffice.api import selling
from headoffice.api.desk import Again, Caller, Made, needs
from headoffice.api.orders import figures_of, refunded
from headoffice.api.own_till import OwnTill

router: Final = APIRouter(prefix="/v1", tags=["points"])
Receipt = Annotated[
    str,
    Path(
        pattern="^([0-9A-Za-z]{1,6}-[0-9]{1,9}-[0-9A-Za-z]{5}|[0-9a-f]{32})$",
        description="the number on a receipt, or the sale's id",
        examples=["T1-000042-7KQ2M"],
    ),
]


@router.get("/receipts/{receipt}", **needs("sales:refund"))
def get_sale(asked: Caller, receipt: Receipt) -> shapes.SaleBody:
    """A sale by its receipt, with what of it was not returned."""
    known = asked.write(lambda till: selling.sale_of(till, receipt))
    return shapes.SaleBody(
        id=known.id.hex(),
        receipt=known.receipt,
        member=known.member.hex() if known.member else None,
        **figures_of(known.document, known.returned),
    )


@router.post(
    "/receipts/{receipt}/refunds",
    status_code=201,
    response_model=shapes.SaleRefunded,
    **needs("sales:refund"),
)
def refund_sale(
    asked: Caller, receipt: Receipt, again: Again, sent: shapes.RefundRequest
) -> Response:
    """Take back some units of a till's sale, or all, by the shares that were stored with it. Units that a till
    has reserved are that till's: then it is a conflict."""

    def act(till: OwnTill) -> Made:
        known = selling.sale_of(till, receipt)
        told = refunded(till, known, sent)
        member = known.member.hex() if known.member else None
        return Made({**told, "sale": known.id.hex(), "member": member})

    return asked.once(again, sent, act)
