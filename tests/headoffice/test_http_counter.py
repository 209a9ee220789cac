"""The counter's own till and a serving head office over real HTTP: let in by a code, asked for holds."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from app.domain.entries import POINTS
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.queries.exchange import standing
from app.queries.members import member_panel
from app.sync.exchange import Exchange
from app.sync.join import join
from app.usecases.sell import sell
from app.usecases.verify import verify
from db import head_office
from db.migrate import shipped
from tests.app.chain import settle
from tests.app.joined import kept_database, put_back
from tests.app.kiosk import Kiosk, kiosk, made_template, sale_command, template
from tests.headoffice.counters import let_in, lines, office, second, till
from tests.headoffice.http_office import Served, begin_chain, opened, served

__all__ = ["kiosk", "lines", "made_template", "office", "second", "template", "till"]


def test_a_till_joins_by_a_code_and_another_sees_its_members(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    till.busy_morning()
    one, two = let_in(till, office, lines), let_in(second, office, lines, "till 2")
    settle(one, two)
    shown = member_panel(second.ctx, till.member_id)
    assert shown.points_balance == member_panel(till.ctx, till.member_id).points_balance > 0
    stands = standing(till.ctx)
    assert stands is not None
    assert (stands.waiting, stands.fields, stands.anew) == (0, 0, False)
    with opened(office.folder) as (store, _), store.reading():
        known = store.member(till.member_id)
        assert known is not None
        assert known.state.balance(POINTS) == shown.points_balance
    assert verify(till.ctx).findings == verify(second.ctx).findings == []
    said = office.office.hearing.told[till.ctx.till.device]
    assert (said.app, said.schema) == (metadata.version("regulars"), shipped()[-1].number)


def test_points_go_out_by_a_hold_that_head_office_grants(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    till.quote_and_sell()
    exchange = let_in(till, office, lines)
    settle(exchange)
    hold = exchange.hold(till.member_id, 200, till.ctx.business_date())
    assert hold is not None
    command = sale_command(till.ctx, till.session, till.member_id, 36800, redeem=200)
    sell(till.ctx, replace(command, hold=hold))
    settle(exchange)
    with opened(office.folder) as (store, _), store.reading():
        tenant = store.tenant()
        assert (tenant.overdrawn, tenant.lost) == (0, 0)


def test_a_wrong_code_and_a_head_office_that_is_not_there_are_told_apart(
    till: Kiosk, office: Served
) -> None:
    with pytest.raises(Refused) as wrong:
        join(till.ctx, office.url, "AAAA-AAAA")
    assert wrong.value.code is Refusal.JOIN_CODE_WRONG
    with pytest.raises(Refused) as not_one:
        join(till.ctx, office.url, "hello")
    assert not_one.value.code is Refusal.JOIN_CODE_WRONG
    for address in ("http://127.0.0.1:9", "nonsense", "https://"):
        with pytest.raises(Unavailable) as gone:
            join(till.ctx, address, "AAAA-AAAA")
        assert gone.value.code is Outage.HEAD_OFFICE_GONE, address
    assert standing(till.ctx) is None


def test_a_clock_that_is_wrong_is_said_and_nothing_is_lost(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    exchange = let_in(till, office, lines)
    settle(exchange)
    office.clock.moved_ms = 10 * 60_000
    till.quote_and_sell()
    heard = exchange.once()
    assert heard is not None
    assert heard.why == "clock"
    office.clock.moved_ms = 0
    settle(exchange)


def test_an_answer_of_a_stranger_changes_nothing(
    till: Kiosk, office: Served, lines: list[Exchange], tmp_path: Path
) -> None:
    exchange = let_in(till, office, lines)
    settle(exchange)
    till.quote_and_sell()
    elsewhere = tmp_path / "stranger"
    elsewhere.mkdir()
    begin_chain(elsewhere)
    with served(elsewhere) as stranger:
        with till.ctx.write_rows() as conn:
            row = head_office.head_office(conn)
            assert row is not None
            head_office.put_head_office(conn, row._replace(address=stranger.url))
        other = Exchange(till.ctx)
        lines.append(other)
        heard = other.once()
        assert heard is not None
        assert heard.why == "gone"
    stands = standing(till.ctx)
    assert stands is not None
    assert stands.waiting == 1


def test_a_till_whose_old_database_is_back_is_let_in_anew_and_goes_on(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    kept = kept_database(till)
    till.quote_and_sell()
    settle(let_in(till, office, lines))
    put_back(till, kept)  # of before the joining
    till.quote_and_sell()
    stands = standing(till.ctx)
    assert stands is not None
    assert stands.severed
    exchange = let_in(till, office, lines)
    settle(exchange)
    with opened(office.folder) as (store, _), store.reading():
        known = store.member(till.member_id)
        assert known is not None
        shown = member_panel(till.ctx, till.member_id).points_balance
        assert known.state.balance(POINTS) == shown > 0
    assert verify(till.ctx).findings == []
