"""Points of a member whose phone was silent for a year go out only after somebody made sure of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app import posting
from app.domain.errors import Refusal, Refused
from app.domain.member import Doubtful
from app.usecases.sell import Sell, sell
from db import people, rows
from tests.app.kiosk import Kiosk, sale_command


@pytest.fixture
def silent(kiosk: Kiosk) -> Kiosk:
    """The member has points, and was here last four hundred days ago."""
    kiosk.quote_and_sell()
    with kiosk.ctx.write_rows() as conn:
        people.visited(conn, kiosk.member_id, int(kiosk.ctx.business_date()) - 400)
    return kiosk


def spend(kiosk: Kiosk, verified: str, redeem: int = 200) -> Sell:
    command = sale_command(kiosk.ctx, kiosk.session, kiosk.member_id, 36800, redeem=redeem)
    return replace(command, verified=verified)


@pytest.mark.parametrize("verified", ["", "phone"])
def test_without_proof_points_are_refused_with_whom_to_ask_for(
    silent: Kiosk, verified: str
) -> None:
    events = silent.events()
    with pytest.raises(Refused) as refused:
        sell(silent.ctx, spend(silent, verified))
    assert refused.value.code is Refusal.IDENTITY_UNPROVEN
    assert refused.value.offer == Doubtful(silent.member_id, "陈思远", "138 **** 6621")
    assert silent.events() == events


@pytest.mark.parametrize("verified", ["name", "card"])
def test_with_proof_they_go_out_and_the_sale_says_how(silent: Kiosk, verified: str) -> None:
    sold = sell(silent.ctx, spend(silent, verified)).result
    with silent.ctx.read() as conn:
        row = rows.event_by_id(conn, sold.event_id)
    assert row is not None
    assert posting.event_of(row).doc["verified"] == verified


def test_a_sale_without_points_needs_no_proof(silent: Kiosk) -> None:
    assert sell(silent.ctx, spend(silent, "", redeem=0)).result.document.points_earned > 0


def test_a_member_who_was_here_lately_needs_none(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    assert sell(kiosk.ctx, spend(kiosk, "")).result.document.points_spent == 200
