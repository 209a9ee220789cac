"""Versions of the programme that head office publishes: a till sells by them from their first date on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.business_day import BusinessDate
from app.domain.programme_versions import CHAIN_FROM
from app.protocol.references import REFERENCE_BUCKET, programme_key
from app.protocol.wire import ReferenceRow
from db import rows, till
from tests.app.chain import Chain, settle
from tests.app.joined import kept_database, put_back, sound, today
from tests.app.kiosk import Kiosk, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "template"]


def version(kiosk: Kiosk, number: int, starts: BusinessDate, **changed: Any) -> ReferenceRow:
    """The till's own programme with ten times the points, as head office publishes it."""
    with kiosk.ctx.read() as conn:
        plain = json.loads(till.programmes(conn)[0][2])
    plain["earning"]["base"]["points"] *= 10
    plain |= {"version": number, "starts": starts.iso(), **changed}
    body = json.dumps(plain).encode()
    return ReferenceRow(programme_key(number), REFERENCE_BUCKET, 0, number, body)


def in_force(kiosk: Kiosk, on: BusinessDate) -> int:
    with kiosk.ctx.read() as conn:
        return kiosk.ctx.programme_on(conn, on).version


def test_a_version_is_in_force_from_its_first_date_on(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    on = today(kiosk)
    chain.server.publish(version(kiosk, CHAIN_FROM, on.plus(1)))
    before = kiosk.quote_and_sell().result.document.points_earned
    settle(exchange)
    assert in_force(kiosk, on) == 1
    assert in_force(kiosk, on.plus(1)) == CHAIN_FROM
    assert kiosk.quote_and_sell().result.document.points_earned == before
    chain.server.publish(version(kiosk, CHAIN_FROM + 1, on))
    settle(exchange)
    sold = kiosk.quote_and_sell().result.document
    assert sold.programme_version == CHAIN_FROM + 1
    assert sold.points_earned == 10 * before


def test_a_chains_version_stands_before_a_later_one_of_the_tills_own(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    on = today(kiosk)
    with kiosk.ctx.write_rows() as conn:
        own = json.loads(till.programmes(conn)[0][2]) | {"version": 2, "starts": on.plus(5).iso()}
        till.insert_programme(conn, version=2, starts=int(on.plus(5)), body=json.dumps(own))
    kiosk.ctx.forget_references()
    chain.server.publish(version(kiosk, CHAIN_FROM, on))
    settle(exchange)
    assert in_force(kiosk, on.plus(9)) == CHAIN_FROM


def test_a_version_comes_into_the_journal_once_and_proves(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    chain.server.publish(version(kiosk, CHAIN_FROM, today(kiosk)))
    settle(exchange)
    kiosk.quote_and_sell()
    chain.server.restored(2_000_000_000_000)  # all rows come anew
    settle(exchange)
    with kiosk.ctx.read() as conn:
        assert [row[0] for row in till.programmes(conn)] == [1, CHAIN_FROM]
        kinds = [row.kind for row in rows.events_after(conn, 0)]
    assert kinds.count("programme") == 2
    sound(kiosk)


def test_a_database_of_before_gets_the_version_back_from_the_journal_file(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    kept = kept_database(kiosk)
    exchange = chain.exchange(kiosk)
    chain.server.publish(version(kiosk, CHAIN_FROM, today(kiosk)))
    settle(exchange)
    put_back(kiosk, kept)
    assert in_force(kiosk, today(kiosk)) == CHAIN_FROM
    settle(chain.exchange(kiosk))
    assert kiosk.quote_and_sell().result.document.programme_version == CHAIN_FROM


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"currency": {"code": "JPY", "exponent": 0}}, "currency"),
        ({"cut_off_minute": 0}, "cut_off"),
        ({"version": CHAIN_FROM + 7}, "number"),
        ({"format": 99}, "unreadable"),
        ({"surprise": 1}, "unreadable"),
    ],
)
def test_a_version_that_does_not_fit_is_told_once_and_dams_nothing(
    kiosk: Kiosk, changed: dict[str, Any], why: str
) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    chain.server.publish(version(kiosk, CHAIN_FROM, today(kiosk), **changed))
    settle(exchange)
    chain.server.restored(2_000_000_000_000)
    settle(exchange)
    assert in_force(kiosk, today(kiosk)) == 1
    with kiosk.ctx.read() as conn:
        told = [facts for _, code, facts in rows.incidents(conn) if code == "programme_unfit"]
    assert len(told) == 1
    assert json.loads(told[0]) == {"version": CHAIN_FROM, "why": why}
    kiosk.quote_and_sell()
