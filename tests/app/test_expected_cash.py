"""Random days at the drawer: what is expected is what another reading of the journal's JSON comes to."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from app.context import Session
from app.domain.errors import Refusal, Refused
from app.usecases.count import count_drawer
from app.usecases.verify import verify
from db import rows
from tests.app.drawer_acts import counting, give_back, move, sale, undo
from tests.fakes import Shop

STEPS = 30
SAID_NO = (
    Refusal.RETURN_TOO_MANY,
    Refusal.RETURN_NOTHING_LEFT,
    Refusal.VOID_ALREADY,
    Refusal.VOID_LATER_RETURN,
)


def second_reading(bodies: list[dict[str, Any]]) -> int:
    """The cash of the only shift: what stands of sales and returns, so voided ones never were."""
    voided = {body["doc"]["refers_to"] for body in bodies if body["kind"] == "void"}
    cash = 0
    for body in bodies:
        doc = body["doc"]
        if body["id"] in voided:
            continue
        if body["kind"] == "shift_open":
            cash += doc["float"]
        elif body["kind"] == "sale":
            for kind, _, given in doc["sale"]["tenders"]:
                change = given - doc["total"]
                cash += given - change if kind == "cash" else 0
        elif body["kind"] == "return":
            cash -= sum(amount for kind, amount in doc["return"]["refunds"] if kind == "cash")
        elif body["kind"] == "cash":
            cash += {"in": 1, "out": -1}[doc["direction"]] * doc["amount"]
    return cash


def live(shop: Shop, session: Session, chance: random.Random) -> int:
    """One random act; 0 when the rules said no."""
    documents = shop_documents(shop)
    act = chance.choices(("sale", "return", "void", "in", "out"), (5, 2, 2, 1, 1))[0]
    if act in ("in", "out"):
        move(shop, session, act, chance.randint(1, 50_000 // STEPS))
    elif act == "sale" or not documents:
        tender = chance.choice(("cash", "cash", "qr", "card"))
        minor = chance.randint(1, 40_000)
        more = chance.randint(0, 5_000) if tender == "cash" else 0
        sale(shop, session, minor, tender, given=minor + more)
    else:
        kind, event_id = chance.choice(documents)
        if act == "return" and kind == "sale":
            give_back(shop, session, event_id)
        elif act == "void":
            undo(shop, session, event_id)
    return 1


def shop_documents(shop: Shop) -> list[tuple[str, bytes]]:
    with shop.till.context.read() as conn:
        found = [(row.kind, row.event_id) for row in rows.all_documents(conn)]
    return [each for each in found if each[0] in ("sale", "return")]


@pytest.mark.parametrize("seed", range(8))
def test_expected_cash_equals_another_reading_of_the_journal(shop: Shop, seed: int) -> None:
    chance = random.Random(seed)
    session = shop.start(float_minor=chance.randint(0, 100_000))
    done = 0
    for _ in range(STEPS):
        try:
            done += live(shop, session, chance)
        except Refused as refused:
            if refused.code not in SAID_NO:
                raise
    ctx = shop.till.context
    with ctx.read() as conn:
        bodies = [json.loads(row.body) for row in rows.events_after(conn, 0)]
    counted = count_drawer(ctx, counting(shop, session, 10_000)).result
    assert counted.sums.expected_minor == second_reading(bodies)
    assert done > STEPS // 2
    assert verify(ctx).findings == []
