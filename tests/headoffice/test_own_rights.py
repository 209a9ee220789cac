"""A till spends what it restored itself, against a real head office on either database; the console says for
whom points are reserved meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.domain.entries import POINTS
from app.protocol.store import Member
from app.sync.client import HeadOffice, NoAnswer
from app.sync.exchange import Exchange
from tests.app.chain import settle
from tests.app.joined import balance, sell_to, sound, today
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.console_browser import Person, signed_in
from tests.headoffice.counters import let_in, lines, office, second, till
from tests.headoffice.http_office import Served, opened

__all__ = ["kiosk", "lines", "made_template", "office", "second", "template", "till"]

pytestmark = pytest.mark.usefixtures("each_store")
SPENT = 400


@pytest.fixture
def anna(office: Served) -> Iterator[Person]:
    with signed_in(office) as person:
        yield person


def known(office: Served, at: Kiosk) -> Member:
    with opened(office.folder) as (store, _), store.reading():
        found = store.member(at.member_id)
    assert found is not None
    return found


def test_points_of_a_voided_sale_go_out_again_without_a_line_and_are_kept_for_the_till(
    till: Kiosk,
    office: Served,
    lines: list[Exchange],
    anna: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, ask = let_in(till, office, lines), HeadOffice.ask
    sell_to(till, till.member_id, 90000)
    settle(one)
    hold = one.hold(till.member_id, SPENT, today(till))
    sale = sell_to(till, till.member_id, redeem=SPENT, hold=hold)
    settle(one)
    till.undo(sale)

    def reply_lost(self: HeadOffice, path: str, *args: object, **named: object) -> bytes:
        ask(self, path, *args, **named)  # type: ignore[arg-type]  # as it was called
        raise NoAnswer("lost")

    with monkeypatch.context() as patch:
        patch.setattr(HeadOffice, "ask", reply_lost)
        one.once()
    key = (POINTS, till.ctx.till.device)
    assert (known(office, till).reserved, known(office, till).local) == ({key: SPENT}, {key: SPENT})
    page = anna.look(f"/console/members/{till.member_id.hex()}").text
    assert "North / till 1" in page
    assert "Of it what the till itself restored" in page
    sell_to(till, till.member_id, redeem=SPENT)
    settle(one)
    after = known(office, till)
    assert (after.reserved, after.local) == ({}, {})
    assert after.state.balance(POINTS) == balance(till, till.member_id)
    with opened(office.folder) as (store, _), store.reading():
        tenant = store.tenant()
    assert (tenant.overdrawn, tenant.lost) == (0, 0)
    page = anna.look(f"/console/members/{till.member_id.hex()}").text
    assert "North / till 1" not in page
    sound(till)
