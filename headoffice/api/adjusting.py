"""Operations on points that are changed by hand. What they are bound by is headoffice/adjustments.py's."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from headoffice.adjustments import Adjustments, Day, Wish, plain_note
from headoffice.api import order_shapes as shapes
from headoffice.api import selling
from headoffice.api.desk import Again, Caller, Made, needs
from headoffice.api.orders import Known
from headoffice.api.own_till import OwnTill
from headoffice.api.problems import Problem
from headoffice.api.reads import MemberId

router: Final = APIRouter(prefix="/v1", tags=["points"])


@router.post(
    "/members/{member}/adjustments",
    status_code=201,
    response_model=shapes.AdjustmentBody,
    responses={202: {"model": shapes.AdjustmentBody, "description": "It waits for head office."}},
    **needs("points:adjust"),
)
def adjust_points(
    asked: Caller, member: MemberId, again: Again, sent: shapes.AdjustmentRequest
) -> Response:
    """Give or take points by hand. More than a manager's limit, or than one asker or one member may have in a
    day, waits for somebody of head office (202). Nothing is taken that is not free."""

    def act(till: OwnTill) -> Made:
        known, today = till.member(bytes.fromhex(member)), selling.day_of(till, None)
        wish = Wish(
            till.new_id(), known.id, sent.points, sent.reason, plain_note(sent.note),
            system=till.system,
        )  # fmt: skip
        standing = Adjustments(till.plain, asked.tenant).ask(
            till.chain.server, wish, Day(today.on, today.rules), till.now_ms
        )
        till.note("api_adjusted", known.id, f"{sent.points} {sent.reason} {standing}")
        told = {"id": wish.id.hex(), "member": known.id.hex(), "points": sent.points}
        return Made({**told, "standing": standing}, 202 if standing == "waiting" else 201)

    return asked.once(again, sent, act)


@router.get("/adjustments/{adjustment}", **needs("points:adjust"))
def get_adjustment(asked: Caller, adjustment: Known) -> shapes.AdjustmentBody:
    """An adjustment that this system asked for, and whether it was done."""
    with asked.desk.office.place.reading(asked.tenant) as plain:
        found = Adjustments(plain, asked.tenant).one(bytes.fromhex(adjustment))
    if found is None or found.system != asked.key.name:
        raise Problem("not_found", {"what": "adjustment"})
    return shapes.AdjustmentBody(
        id=adjustment, member=found.member.hex(), points=found.points, standing=found.standing
    )
