"""Cards that were reported lost to head office: every till refuses them, offline too."""

from __future__ import annotations

import pytest

from app.domain.errors import Refusal, Refused
from app.queries.members import member_of_card, member_panel
from headoffice import lost_cards
from tests.app.chain import Chain, settle
from tests.app.kiosk import Kiosk, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "template"]


def refused(kiosk: Kiosk, number: str) -> Refusal | None:
    try:
        assert member_of_card(kiosk.ctx, number) == kiosk.member_id
    except Refused as error:
        return error.code
    return None


def test_a_lost_card_is_refused_offline_until_it_is_found(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    number = member_panel(kiosk.ctx, kiosk.member_id).card_no
    assert number is not None
    store = chain.server.store
    assert lost_cards.report(store, f"{number[:4]} {number[4:]}")
    assert not lost_cards.report(store, number)
    lost_cards.report(store, "8800999999")
    settle(exchange)
    chain.cut = True
    assert refused(kiosk, number) is Refusal.CARD_LOST
    assert refused(kiosk, "8800999999") is Refusal.CARD_UNKNOWN, "nobody has it here"
    assert member_panel(kiosk.ctx, kiosk.member_id).card_state == "lost"
    chain.cut = False
    assert lost_cards.take_off(store, number)
    assert not lost_cards.take_off(store, number)
    settle(exchange)
    assert refused(kiosk, number) is None


@pytest.mark.parametrize("number", ["", "88 00;", "八八", "9" * 41])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(lost_cards.NoNumber):
        lost_cards.report(Chain().server.store, number)


def test_the_list_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_cards, "CARDS_MOST", 2)
    store = Chain().server.store
    lost_cards.report(store, "1")
    lost_cards.report(store, "2")
    with pytest.raises(lost_cards.TooMany):
        lost_cards.report(store, "3")
    assert lost_cards.lost(store) == {"1", "2"}
