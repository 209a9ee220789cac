"""What a till that has joined must not do after faults: spend without a right, take back what others wrote,
keep what is erased, or bring what its cache says out of step with its fold.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.errors import Refusal, Refused
from app.protocol.limits import Limits
from app.queries.members import profile
from app.usecases.enrol import ProfileInput
from app.usecases.rights import owns_account
from db import people
from db.engine import Reader
from tests.app.chain import BUCKET, Chain, settle
from tests.app.joined import answer, edit, kept_database, put_back, sell_to, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, make_template, template

__all__ = ["kiosk", "made_template", "template"]

GENEROUS = Limits(grant_most=1000, cap=500)


@pytest.fixture
def second(template: object, tmp_path: Path) -> Iterator[Kiosk]:
    """Another till of the shop."""
    made = make_template(tmp_path / "second", "02")
    found = Kiosk(made.folder, made)
    yield found
    found.close()


def later(*tills: Kiosk, hours: int = 2) -> None:
    for each in tills:
        each.clock.now += timedelta(hours=hours)


def test_a_till_that_is_shut_out_holds_no_rights_and_still_sells(
    kiosk: Kiosk, second: Kiosk
) -> None:
    for _ in range(4):
        kiosk.quote_and_sell(90000)
    chain = Chain(limits=GENEROUS)
    one, two = chain.let_in(kiosk), chain.let_in(second)
    settle(one, two)
    sell_to(second, kiosk.member_id)
    settle(two, one)
    chain.server.write_off(kiosk.ctx.till.device)
    heard = one.once()
    assert heard is not None
    assert heard.why == "revoked"
    with pytest.raises(Refused) as refused:
        sell_to(kiosk, kiosk.member_id, 90000, redeem=300)
    assert refused.value.code is not Refusal.QUOTE_CHANGED
    sell_to(kiosk, kiosk.member_id)
    sound(kiosk)


def test_a_later_edit_elsewhere_survives_what_comes_back_here(kiosk: Kiosk, second: Kiosk) -> None:
    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    settle(one, two)
    kept = kept_database(kiosk)
    one = chain.exchange(kiosk)
    edit(kiosk, kiosk.member_id, "Old Name")
    settle(one, two)
    later(kiosk, second)
    edit(second, kiosk.member_id, "New Name")
    settle(two, one)
    later(kiosk, second)
    put_back(kiosk, kept)
    settle(chain.exchange(kiosk), two)
    assert profile(second.ctx, kiosk.member_id).name == "New Name"
    assert profile(kiosk.ctx, kiosk.member_id).name == "New Name"
    sound(kiosk, second)


def test_a_withdrawal_that_comes_back_counts_everywhere(kiosk: Kiosk, second: Kiosk) -> None:
    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    settle(one, two)
    answer(kiosk, kiosk.member_id, True)
    settle(one, two)
    kept = kept_database(kiosk)
    later(kiosk)
    answer(kiosk, kiosk.member_id, False)
    put_back(kiosk, kept)
    settle(chain.exchange(kiosk), two)
    for till in (kiosk, second):
        assert profile(till.ctx, kiosk.member_id).marketing_consent is False
    sound(kiosk, second)


def test_notes_about_an_erased_member_go(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    ada = kiosk.enrol(ProfileInput("Ada Byron", "13900001234")).result.member_id
    sale = sell_to(kiosk, ada, 5000)
    settle(exchange)
    with kiosk.ctx.write_rows() as conn:
        people.put_note(conn, people.NoteRow(sale, ada, "Ada's mother called"))
    chain.server.erase(ada, BUCKET)
    settle(exchange)
    with kiosk.ctx.read() as conn:
        assert people.note_of(conn, sale) is None


def test_the_own_account_stays_own_when_it_is_merged(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    ada = kiosk.enrol(ProfileInput("Ada Byron", "13900001234")).result.member_id
    settle(exchange)
    with kiosk.ctx.read() as conn:
        cashier = people.staff_by_id(conn, kiosk.session.staff_id)
        assert cashier is not None
        staff = replace(cashier, member_id=ada, phone=None)
        assert not owns_account(conn, staff, kiosk.member_id)
    assert chain.server.merge(ada, kiosk.member_id, chain.now_ms)
    settle(exchange)
    with kiosk.ctx.read() as conn:
        assert owns_account(conn, staff, kiosk.member_id)


def test_a_reader_of_before_the_joining_leaves_nothing_remembered(kiosk: Kiosk) -> None:
    chain = Chain(budget=0)
    begun, joined = threading.Event(), threading.Event()

    def look() -> None:
        with kiosk.ctx.read(Reader.REPORT) as old:
            old.execute("SELECT count(*) FROM event").fetchone()  # its snapshot begins here
            begun.set()
            joined.wait(20)
            kiosk.ctx.owns_ledger(old)

    reader = threading.Thread(target=look)
    reader.start()
    begun.wait(20)
    chain.let_in(kiosk)
    joined.set()
    reader.join(20)
    with kiosk.ctx.read() as conn:
        assert not kiosk.ctx.owns_ledger(conn)
