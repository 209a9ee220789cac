"""At start a database that is behind gets back what the journal file has; what neither has stops the start."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from app import recovery
from app.build import JOURNAL, NewStaff, NewStore, create_store, open_till
from app.domain.errors import Outage, Unavailable
from app.journal import JournalFile, Record, Sealer
from app.usecases.enrol import ProfileInput
from app.usecases.keep_cart import CartLine, OpenCart, keep_cart, kept_cart
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.sell import sell
from app.usecases.sign_in import SignIn, sign_in
from db import people, rows, states, till
from tests.app.kiosk import (
    PASSPHRASE,
    PIN,
    Kiosk,
    Template,
    events_of,
    sale_command,
)
from tests.app.mending import assert_sound, codes, flip, lose_log, record_starts, sell_for_days
from tests.fakes import demo_programme

# The database is behind ---------------------------------------------------------------------------


def test_what_the_lost_log_held_is_posted_again_with_its_rows_and_caches(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    events = kiosk.events()
    with kiosk.ctx.read() as conn:
        ledger, documents = list(rows.all_ledger(conn)), list(rows.all_documents(conn))
        state = states.state(conn, kiosk.member_id)
        lots = states.lots(conn, kiosk.member_id)
        member = people.member(conn, kiosk.member_id)
    first = recovery_point(kiosk)
    lose_log(kiosk)
    kiosk.open()
    assert kiosk.till.findings.found == [
        ("events_replayed", {"count": len(events) - first, "first": first + 1})
    ]
    assert kiosk.events() == events
    with kiosk.ctx.read() as conn:
        assert list(rows.all_ledger(conn)) == ledger
        assert list(rows.all_documents(conn)) == documents
        assert states.state(conn, kiosk.member_id) == state
        assert states.lots(conn, kiosk.member_id) == lots
        assert people.member(conn, kiosk.member_id) == member
    assert_sound(kiosk)


def recovery_point(kiosk: Kiosk) -> int:
    """The last event of the store as the template has it: all that the database file holds."""
    scan = JournalFile(
        kiosk.template.folder / JOURNAL, data_key=kiosk.ctx.data_key,
        owner=kiosk.ctx.till.device + bytes(8),
    ).scan()  # fmt: skip
    return scan.records[-1].seq


def test_replayed_members_have_their_personal_values_from_the_profile_file(kiosk: Kiosk) -> None:
    typed = ProfileInput("解晓东", "13900007777", email="xie@example.cn", alert="VIP")
    enrolled = kiosk.enrol(typed).result
    with kiosk.ctx.read() as conn:
        profile = people.profile(conn, enrolled.member_id)
        consents = people.consents_of(conn, enrolled.member_id)
        card_block = people.card_block(conn)
    lose_log(kiosk)
    kiosk.open()
    with kiosk.ctx.read() as conn:
        assert people.profile(conn, enrolled.member_id) == profile
        assert people.consents_of(conn, enrolled.member_id) == consents
        assert people.card_block(conn) == card_block
        found = people.credential(conn, "card", enrolled.card_no)
        assert found is not None
        assert found.member_id == enrolled.member_id


def test_a_replayed_sale_has_its_slip_marked_as_a_copy(kiosk: Kiosk) -> None:
    sold = kiosk.quote_and_sell().result
    lose_log(kiosk)
    kiosk.open()
    with kiosk.ctx.read() as conn:
        (job,) = till.jobs_of_event(conn, sold.seq)
    assert (job.state, job.copy_no) == ("queued", 1)
    assert sold.receipt_no in job.document
    assert "COPY 1" in job.document


def test_the_command_of_a_replayed_sale_gives_its_first_outcome_again(kiosk: Kiosk) -> None:
    command = sale_command(kiosk.ctx, kiosk.session, kiosk.member_id, 36800)
    first = sell(kiosk.ctx, command)
    events = kiosk.events()
    lose_log(kiosk)
    kiosk.open()
    second = sell(kiosk.ctx, command)
    assert second.again
    assert second.result == first.result
    assert kiosk.events() == events


def test_a_replayed_sale_takes_the_cart_away_that_it_was_made_of(kiosk: Kiosk) -> None:
    """The database still has the cart from before; offered again, it would be charged twice."""
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(36800),)))
    kiosk.ctx.store.checkpoint_truncate()
    kiosk.quote_and_sell()
    lose_log(kiosk)
    kiosk.open()
    assert codes(kiosk) == ["events_replayed"]
    assert kept_cart(kiosk.ctx) is None


def test_a_cart_saved_after_the_last_sale_stays_when_nothing_was_lost(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    cart = OpenCart(kiosk.member_id.hex(), (CartLine(1200),), 200, "12.")
    keep_cart(kiosk.ctx, cart)
    kiosk.crash()
    kiosk.open()
    assert kept_cart(kiosk.ctx) == cart


def test_an_old_database_gets_back_what_lies_in_files_of_many_days_ago(kiosk: Kiosk) -> None:
    kiosk.close()
    old = kiosk.database.read_bytes()
    kiosk.open()
    sell_for_days(kiosk, 5)
    events = kiosk.events()
    kiosk.close()
    kiosk.database.write_bytes(old)
    kiosk.open()
    assert codes(kiosk) == ["events_replayed"]
    assert kiosk.events() == events
    assert_sound(kiosk)


def test_an_older_log_put_back_is_set_aside_before_it_undoes_anything(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    older = kiosk.log.read_bytes()
    kiosk.ctx.store.checkpoint_truncate()
    kiosk.busy_morning()
    events = kiosk.events()
    kiosk.close()
    kiosk.log.write_bytes(older)
    kiosk.open()
    assert codes(kiosk) == ["log_set_aside"]
    assert kiosk.events() == events
    assert_sound(kiosk)


def test_without_the_look_the_older_log_takes_sales_back(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The red twin: SQLite believes the log, whose checksums hold."""
    kiosk.quote_and_sell()
    older = kiosk.log.read_bytes()
    kiosk.ctx.store.checkpoint_truncate()
    kiosk.busy_morning()
    kiosk.close()
    kiosk.log.write_bytes(older)
    monkeypatch.setattr(recovery, "_log_takes_back", lambda path, key: False)
    refused = replayed = False
    try:
        kiosk.open()
        replayed = "events_replayed" in codes(kiosk)
    except Unavailable:
        refused = True
    assert refused or replayed


def test_a_damaged_log_is_set_aside_and_its_sales_come_back(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    events = kiosk.events()
    kiosk.crash()
    flip(kiosk.log, kiosk.log.stat().st_size // 2)
    kiosk.open()
    assert "events_replayed" in codes(kiosk)
    assert kiosk.events() == events
    assert_sound(kiosk)


def test_the_log_of_the_first_day_lost_takes_nothing_with_it(
    template: Template, tmp_path: Path
) -> None:
    """The till was never closed since it was made: the file has what only set-up knows."""
    new = NewStore(
        store="S2", till="07", programme=demo_programme(),
        staff=[NewStaff("lx", "林晓", "cashier", PIN)], card_prefix="8800",
    )  # fmt: skip
    till = create_store(
        tmp_path / "store", new, passphrase=PASSPHRASE, find_keystore=template.keystore
    )
    ctx = till.context
    session = sign_in(ctx, SignIn(ctx.ids(), "lx", PIN)).result
    session = open_shift(ctx, OpenShift(ctx.ids(), session, 0)).result
    sell(ctx, sale_command(ctx, session, None, 1000))
    events = events_of(ctx)
    copy = Path(shutil.copytree(tmp_path / "store", tmp_path / "crashed"))
    till.close()
    (copy / "regulars.db-wal").unlink()
    opened = open_till(copy, find_keystore=template.keystore)
    assert [code for code, _ in opened.findings.found] == ["events_replayed"]
    assert events_of(opened.context) == events
    opened.close()


# What can't be mended -----------------------------------------------------------------------------


def refused(kiosk: Kiosk) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        kiosk.open()
    return caught.value


def test_two_different_events_under_one_number_stop_the_start(
    template: Template, tmp_path: Path
) -> None:
    """A store was copied, both went on, and the journal of one lies with the database of the other."""
    one = Kiosk(template.copy_to(tmp_path / "one"), template)
    other = Kiosk(template.copy_to(tmp_path / "other"), template)
    one.quote_and_sell(1000)
    other.quote_and_sell(2000)
    seq = one.events()[-1].seq
    for kiosk in (one, other):
        kiosk.close()
    shutil.copy(other.journal_files()[0], one.journal_files()[0])
    before = one.database.read_bytes()
    error = refused(one)
    assert (error.code, error.facts) == (Outage.JOURNAL_CONFLICT, {"seq": seq})
    assert one.database.read_bytes() == before


def test_a_replayed_event_that_does_not_chain_stops_the_start(kiosk: Kiosk) -> None:
    events = kiosk.events()
    head = kiosk.last_event()
    kiosk.ctx.journal.append(
        [Record(events[-1].seq + 1, head.to_bytes(), b"x" * 32)], day=kiosk.ctx.day_name()
    )
    kiosk.close()
    error = refused(kiosk)
    assert (error.code, error.facts) == (
        Outage.JOURNAL_CONFLICT, {"seq": events[-1].seq + 1},
    )  # fmt: skip


def test_an_event_that_neither_side_has_whole_stops_the_start(kiosk: Kiosk) -> None:
    sold = kiosk.quote_and_sell().result
    kiosk.quote_and_sell()
    path = kiosk.journal_files()[0]
    starts = record_starts(kiosk, path, 1)
    lose_log(kiosk)
    flip(path, starts[sold.seq] + 40)
    error = refused(kiosk)
    assert (error.code, error.facts) == (Outage.JOURNAL_GAP, {"seq": sold.seq})
    flip(path, starts[sold.seq] + 40)
    kiosk.open()
    assert codes(kiosk) == ["events_replayed"]


def test_a_chain_broken_in_the_database_stops_the_start_and_is_named(kiosk: Kiosk) -> None:
    sold = kiosk.quote_and_sell().result
    with kiosk.ctx.store.write() as conn:
        conn.execute("DROP TRIGGER event_no_update")
        conn.execute(
            "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), '36800', '36801') AS BLOB)"
            " WHERE seq = ?",
            (sold.seq,),
        )
        assert conn.execute("SELECT changes()").fetchone() == (1,)
    kiosk.close()
    error = refused(kiosk)
    assert (error.code, error.facts) == (Outage.STORE_DAMAGED, {"seq": sold.seq})


# What is kept about it ----------------------------------------------------------------------------


def test_what_was_mended_is_kept_as_an_incident(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    lose_log(kiosk)
    kiosk.open()
    (finding,) = kiosk.till.findings.found
    with kiosk.ctx.read() as conn:
        ((_, code, facts),) = rows.incidents(conn)
    assert (code, json.loads(facts)) == finding


def test_a_start_that_found_nothing_keeps_no_incident(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    kiosk.reopen()
    with kiosk.ctx.read() as conn:
        assert rows.incidents(conn) == []


def test_records_are_sealed_under_a_key_of_the_store(kiosk: Kiosk, template: Template) -> None:
    other = Sealer(bytes(32), kiosk.ctx.till.device + bytes(8))
    blob = kiosk.journal_files()[0].read_bytes()
    assert [plain for _, _, _, plain in other.records(blob, 1)] == [None]
