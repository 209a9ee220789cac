"""What the proof of a close and the check of its backup find, one alteration each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import posting
from app.backup import make
from app.domain.errors import Outage, Unavailable
from app.journal import Record
from app.usecases import close_day as closing_of_days
from app.usecases.verify_day import _records_after, verify_since
from app.usecases.verify_report import Fault
from db import rows
from db.backup import check_copy, copy_into
from db.errors import AlreadyExists, Damaged
from tests.app.closing import (
    closed,
    count_and_close,
)
from tests.app.kiosk import Kiosk
from tests.app.mending import without_triggers
from tests.app.test_close_day import opened_as_it_lies
from tests.app.test_verify import raw


def finds(kiosk: Kiosk, seq: int = 0, points: int = 0) -> set[Fault]:
    """What the proof finds since an event."""
    return {finding.fault for finding in verify_since(kiosk.ctx, seq, points=points).findings}


ALTERED = {
    "UPDATE ledger SET amount = amount + 1 WHERE asset = 'points'": Fault.LEDGER,
    "UPDATE document SET total_minor = total_minor + 1 WHERE kind = 'sale'": Fault.PROJECTION,
    "UPDATE event_figures SET paid_minor = paid_minor + 1": Fault.PROJECTION,
    "UPDATE event_share SET amount = amount + 1": Fault.PROJECTION,
    "UPDATE consent SET granted = 1 - granted": Fault.PROJECTION,
}


@pytest.mark.parametrize(("sql", "fault"), ALTERED.items())
def test_the_proof_names_what_differs(kiosk: Kiosk, sql: str, fault: Fault) -> None:
    kiosk.quote_and_sell()
    assert finds(kiosk) == set()
    with without_triggers(kiosk) as conn:
        conn.execute(sql)
    assert fault in finds(kiosk)


def test_a_document_of_an_event_that_is_none_is_found(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    with kiosk.ctx.read() as conn:
        seq = next(row.seq for row in rows.events_after(conn, 0) if row.kind == posting.SIGN_IN)
    with without_triggers(kiosk) as conn:
        conn.execute(
            "INSERT INTO document SELECT ?, zeroblob(16), kind, NULL, member_id, shift_id, staff_id,"
            " business_date, at_us, total_minor, 0, 0, NULL, NULL FROM document LIMIT 1",
            (seq,),
        )
    assert finds(kiosk) == {Fault.PROJECTION}


def test_an_event_taken_out_leaves_a_gap(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    kiosk.quote_and_sell()
    with raw(kiosk) as conn:
        conn.execute("DELETE FROM event WHERE seq = (SELECT max(seq) - 1 FROM event)")
    kiosk.till = opened_as_it_lies(kiosk)
    assert Fault.GAP in finds(kiosk)


def test_what_a_lost_event_stood_for_is_not_told_of_the_next_one(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    kiosk.quote_and_sell()
    with raw(kiosk) as conn:
        conn.execute("DELETE FROM event WHERE seq = (SELECT max(seq) - 1 FROM event)")
    kiosk.till = opened_as_it_lies(kiosk)
    assert not {Fault.LEDGER, Fault.PROJECTION} & finds(kiosk)


def test_a_proof_reads_the_records_after_any_event_and_no_other(kiosk: Kiosk) -> None:
    for _ in range(2):
        kiosk.quote_and_sell()
        kiosk.clock.now += timedelta(days=1)
    kiosk.quote_and_sell()
    assert len(kiosk.journal_files()) == 3
    last = len(kiosk.events())
    for since in range(last + 1):
        found = [record.seq for record in _records_after(kiosk.ctx, since)]
        assert found == list(range(since + 1, last + 1))


def test_a_newest_file_that_was_written_anew_empty_hides_none_before_it(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    kiosk.clock.now += timedelta(days=1)
    kiosk.quote_and_sell()
    before, newest = kiosk.journal_files()
    kept = [record.seq for record in kiosk.ctx.journal.read(before)]
    kiosk.ctx.journal.rewrite(newest, [], previous=before, head=bytes(32))
    assert [record.seq for record in _records_after(kiosk.ctx, 0)] == kept


def test_a_balance_that_grew_without_an_event_shows_in_the_sum_of_all(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    closed(kiosk)
    with kiosk.ctx.read() as conn:
        last = closing_of_days.last_close(conn)
    assert last is not None
    assert finds(kiosk, last.seq, last.points) == set()
    with kiosk.ctx.write_rows() as conn:
        conn.execute("UPDATE member_state SET points = points + 1")
    assert finds(kiosk, last.seq, last.points) == {Fault.CACHE}


def test_another_event_in_the_journal_file_is_a_fault(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    count_and_close(kiosk)
    path = kiosk.journal_files()[-1]
    *before, last = kiosk.ctx.journal.read(path)
    other = Record(last.seq, last.body, bytes(32))
    kiosk.ctx.journal.rewrite(path, [*before, other], previous=None, head=bytes(32))
    assert finds(kiosk) == {Fault.JOURNAL_FILE}


# The copy of a backup ---------------------------------------------------------------------------------


def test_a_copy_with_a_row_that_its_table_forbids_does_not_count(kiosk: Kiosk) -> None:
    with raw(kiosk) as conn:
        conn.execute("UPDATE shift SET float_minor = -1")
    kiosk.open()
    with pytest.raises(Unavailable) as caught:
        make(kiosk.ctx)
    assert caught.value.code is Outage.BACKUP_FAILED
    assert "not sound" in str(caught.value.facts["why"])


def test_a_copy_without_the_event_that_it_must_have_does_not_count(kiosk: Kiosk) -> None:
    made = make(kiosk.ctx)
    copy, key = made.path / "regulars.db", kiosk.ctx.store.key
    assert check_copy(copy, key, (made.seq, made.head)) == (made.seq, made.head)
    for had in ((made.seq, bytes(32)), (made.seq + 1, made.head)):
        with pytest.raises(Damaged):
            check_copy(copy, key, had)


def test_a_copy_is_never_written_over_what_is_there(kiosk: Kiosk) -> None:
    there = kiosk.folder / "there.db"
    there.write_bytes(b"somebody's")
    with pytest.raises(AlreadyExists):
        copy_into(kiosk.database, kiosk.ctx.store.key, there)
    assert there.read_bytes() == b"somebody's"
