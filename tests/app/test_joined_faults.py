"""What a till that has joined must not do after faults: spend without a right, take back what others wrote,
keep what is erased, or bring what its cache says out of step with its fold.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app import posting
from app.dealings import reading
from app.domain.errors import Refusal, Refused
from app.queries.members import profile
from app.usecases.enrol import ProfileInput
from app.usecases.rights import owns_account
from db import people, staff_rows, till
from db.engine import Reader
from tests.app.chain import BUCKET, Chain, settle
from tests.app.joined import GENEROUS, answer, edit, kept_database, put_back, second, sell_to, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "second", "template"]


def later(*tills: Kiosk, hours: int = 2) -> None:
    for each in tills:
        each.clock.now += timedelta(hours=hours)


def test_a_till_that_is_shut_out_holds_no_rights_and_sells_nothing_more(
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
    assert refused.value.code is Refusal.TILL_REVOKED
    with kiosk.ctx.read() as conn:
        control = reading(conn).control()
    assert (control.grant, control.holds, control.rights) == (None, (), ())
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
    for each in (kiosk, second):
        assert profile(each.ctx, kiosk.member_id).marketing_consent is False
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


def test_slips_of_an_erased_member_go_but_for_those_that_wait_for_paper(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    ada = kiosk.enrol(ProfileInput("Ada Byron", "13900001234")).result.member_id
    for _ in range(2):
        sell_to(kiosk, ada, 5000)
    sell_to(kiosk, kiosk.member_id)
    settle(exchange)
    with kiosk.ctx.write_rows() as conn:
        jobs = [job.id for job in till.waiting_jobs(conn)]
        for job in (jobs[0], jobs[-1]):
            till.set_job_state(conn, job, state="printed", problem=None, attempt=False)
    chain.server.erase(ada, BUCKET)
    settle(exchange)
    with kiosk.ctx.read() as conn:
        left = {row[0] for row in conn.execute("SELECT id FROM print_job")}
    assert left == set(jobs[1:])


def test_the_own_account_stays_own_when_it_is_merged(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    ada = kiosk.enrol(ProfileInput("Ada Byron", "13900001234")).result.member_id
    settle(exchange)
    with kiosk.ctx.read() as conn:
        cashier = staff_rows.staff_by_id(conn, kiosk.session.staff_id)
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


def test_a_till_that_dies_with_a_hold_lets_it_go_with_its_first_command(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    chain = Chain(budget=0)
    exchange = chain.let_in(kiosk)
    settle(exchange)
    assert exchange.hold(kiosk.member_id, 200, kiosk.ctx.business_date()) is not None
    kiosk.crash()
    kiosk.open()
    kiosk.quote_and_sell()
    settle(chain.exchange(kiosk))
    assert dict(chain.member(kiosk.member_id).reserved) == {}


def rights(at: Kiosk) -> tuple[bool, bool]:
    """Whether the till has a grant, and whether it asks for a new epoch, once it has recorded something."""
    at.quote_and_sell()
    with at.ctx.write(at.ctx.ids()) as tx:
        assert tx.dealings is not None
        control = tx.dealings.control()
    return control.grant is not None, bool(control.nonce)


def test_a_start_after_an_orderly_close_keeps_its_rights(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    chain = Chain(limits=GENEROUS)
    settle(chain.let_in(kiosk))
    kiosk.reopen()
    assert rights(kiosk) == (True, False)


def test_a_store_that_is_older_than_its_side_file_gives_its_rights_up(kiosk: Kiosk) -> None:
    """An image was put back: the journal file is as old as the database, so it has nothing to give."""
    kiosk.quote_and_sell()
    chain = Chain(limits=GENEROUS)
    settle(chain.let_in(kiosk))
    kiosk.close()
    image = {path: path.read_bytes() for path in files_of(kiosk)}
    kiosk.open()
    kiosk.quote_and_sell()
    kiosk.end_shift()  # which the side file notes
    kiosk.close()
    for path in files_of(kiosk):
        path.unlink()
    for path, content in image.items():
        path.write_bytes(content)
    kiosk.open()
    assert rights(kiosk) == (False, True)


def files_of(kiosk: Kiosk) -> list[Path]:
    """Database and journal, without the side file."""
    return [kiosk.database, *kiosk.journal_files()]


def test_a_till_that_was_brought_back_gives_its_rights_up(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    chain = Chain(limits=GENEROUS)
    settle(chain.let_in(kiosk))
    restored = {"backup": "", "head": "", "seq": 0}
    with kiosk.ctx.write(kiosk.ctx.ids()) as tx:
        tx.record(
            posting.RESTORED, event_id=kiosk.ctx.ids(), session=None,
            business_date=kiosk.ctx.business_date(), doc=restored,
        )  # fmt: skip
    kiosk.reopen()
    assert rights(kiosk) == (False, True)
