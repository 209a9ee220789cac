"""Where the guard stops an act at the counter (security.md section 4): a second person, or no."""

from __future__ import annotations

from typing import Any

from app.context import Context, Session, Tx
from app.domain.business_day import BusinessDate
from app.domain.programme import Programme
from app.domain.rights import Right
from app.domain.sale import SaleQuote
from app.protocol.events import micros
from app.queries.guard import sale_stops
from app.queries.guard_facts import SECOND_US
from app.usecases.rights import require


def require_for_sale(
    ctx: Context,
    tx: Tx,
    session: Session,
    member_id: bytes | None,
    quote: SaleQuote,
    programme: Programme,
    on: BusinessDate,
) -> dict[str, Any] | None:
    """Let a member's sale pass where nothing speaks against it or a second person agrees (F2, F7).

    Returns what the event keeps (`doc["guard"]`): {"rules": [rule.what…], "by": staff}, None where
    nothing spoke against it. The request that the second person sees has the points earned and
    spent together as its amount and the rules as its reason, "F2.minutes" or "F2.per_day+F7.after_change".
    Raises Refused(APPROVAL_NEEDED with the Ask as `offer` | APPROVAL_EXPIRED | NOT_ALLOWED).
    """
    if member_id is None:
        return None
    earned, spent = quote.draft.points_earned, quote.draft.points_spent
    stops = sale_stops(
        tx.conn,
        programme.guard,
        member_id,
        on=on,
        now_s=micros(tx.now()) // SECOND_US,
        earned=earned,
        spent=spent,
    )
    if not stops:
        return None
    rules = [f"{stop.rule}.{stop.what}" for stop in stops]
    approval = require(
        ctx,
        tx.conn,
        session,
        Right.GUARD,
        command_id=tx.command_id,
        member_id=member_id,
        amount=earned + spent,
        reason="+".join(rules),
        facts=(("points_earned", earned), ("points_spent", spent)),
    )
    return {"rules": rules, "by": approval["by"] if approval else None}
