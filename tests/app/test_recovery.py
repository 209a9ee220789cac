"""At start the database and the journal file mend each other, and say what they found."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from app import recovery
from app.build import JOURNAL
from app.domain.errors import Outage, Unavailable
from app.journal import JournalFile, Record, Sealer
from app.protocol.events import Event
from app.usecases.enrol import ProfileInput
from app.usecases.keep_cart import CartLine, OpenCart, keep_cart, kept_cart
from app.usecases.sell import sell
from app.usecases.verify import verify
from db import people, rows, states, till
from tests.app.small_shop import Shop, Template, sale_command


def codes(shop: Shop) -> list[str]:
    return [code for code, _ in shop.till.findings.found]


def lose_log(shop: Shop) -> None:
    """The till stops, and the database's write-ahead log is gone."""
    shop.crash()
    shop.log.unlink()


def assert_sound(shop: Shop) -> None:
    assert [finding.what for finding in verify(shop.ctx).findings] == []


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def record_starts(shop: Shop, path: Path, number: int) -> list[int]:
    sealer = shop.ctx.journal._sealer
    return [found[0] for found in sealer.records(path.read_bytes(), number)]


# Nothing wrong ------------------------------------------------------------------------------------


def test_a_store_that_was_closed_in_order_needs_no_mending(shop: Shop) -> None:
    shop.busy_morning()
    shop.reopen()
    assert shop.till.findings.found == []
    assert_sound(shop)


def test_a_store_that_crashed_between_sales_needs_no_mending(shop: Shop) -> None:
    shop.busy_morning()
    events = shop.events()
    shop.crash()
    shop.open()
    assert shop.till.findings.found == []
    assert shop.events() == events


# The file is behind -------------------------------------------------------------------------------


def test_events_that_the_file_lacks_are_appended_from_the_database(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crash came between commit and append."""
    with monkeypatch.context() as patch:
        patch.setattr(JournalFile, "append", lambda self, records, *, day: None)
        shop.quote_and_sell()
        shop.quote_and_sell()
    events = shop.events()
    shop.crash()
    shop.open()
    assert shop.till.findings.found == [("journal_backfilled", {"count": 2})]
    assert list(shop.ctx.journal.scan().records) == events
    assert_sound(shop)


def test_a_member_whose_enrolment_was_back_filled_keeps_the_name_when_the_log_goes_next(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first crash came before the personal values were in the profile file."""

    def die(seq: int, cell: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shop.ctx.profiles, "append", die)
    with pytest.raises(KeyboardInterrupt):
        shop.enrol(ProfileInput("单雅文", "13900004321", note="allergic to walnuts"))
    shop.crash()
    shop.open()
    lose_log(shop)
    shop.open()
    assert codes(shop) == ["events_replayed"]
    with shop.ctx.read() as conn:
        (member_id,) = people.members_of_phone(conn, "+8613900004321")
        profile = people.profile(conn, member_id)
        assert profile is not None
        assert (profile.name, profile.note) == ("单雅文", "allergic to walnuts")
        assert people.member_key(conn, member_id) is not None
        assert len(people.credentials_of(conn, member_id, "card")) == 1


def test_all_journal_files_gone_are_written_anew_and_reported(shop: Shop) -> None:
    shop.quote_and_sell()
    events = shop.events()
    shop.crash()
    shutil.rmtree(shop.folder / JOURNAL)
    shop.open()
    assert shop.till.findings.found == [("journal_missing", {"count": len(events)})]
    assert list(shop.ctx.journal.scan().records) == events
    shop.reopen()
    assert shop.till.findings.found == []


# The file is damaged ------------------------------------------------------------------------------


def test_a_torn_tail_is_cut_off_and_the_next_sale_follows_it(shop: Shop) -> None:
    shop.quote_and_sell()
    sound = shop.journal_files()[0].read_bytes()
    shop.crash()
    shop.journal_files()[0].write_bytes(sound + b"\x1eRJ1\x01half a record")
    shop.open()
    name = shop.journal_files()[0].name
    assert shop.till.findings.found == [("journal_tail_cut", {"file": name, "offset": len(sound)})]
    assert shop.journal_files()[0].read_bytes() == sound
    shop.quote_and_sell()
    assert_sound(shop)


def test_a_flipped_byte_in_the_middle_sets_the_file_aside_and_writes_it_equal_to_before(
    shop: Shop,
) -> None:
    shop.busy_morning()
    path = shop.journal_files()[0]
    before = shop.ctx.journal.read(path)
    starts = record_starts(shop, path, 1)
    shop.crash()
    flip(path, starts[4] + 40)
    damaged = path.read_bytes()
    shop.open()
    assert shop.till.findings.found == [("journal_damaged", {"file": path.name, "places": 1})]
    assert shop.ctx.journal.read(path) == before
    assert path.with_name(f"{path.name}.damaged-1").read_bytes() == damaged
    shop.quote_and_sell()
    shop.reopen()
    assert shop.till.findings.found == []
    assert_sound(shop)


def test_a_damaged_file_is_kept_beside_the_one_that_was_damaged_before(shop: Shop) -> None:
    path = shop.journal_files()[0]
    for _ in range(2):
        shop.close()
        flip(path, 30)
        shop.open()
        assert codes(shop) == ["journal_damaged"]
    assert sorted(p.name for p in path.parent.iterdir()) == [
        path.name, f"{path.name}.damaged-1", f"{path.name}.damaged-2",
    ]  # fmt: skip


def sell_for_days(shop: Shop, days: int) -> None:
    for _ in range(days):
        shop.quote_and_sell()
        shop.quote_and_sell()
        shop.clock.now += timedelta(days=1)


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_missing_file_is_found_and_written_anew_with_what_it_held(shop: Shop, gone: int) -> None:
    sell_for_days(shop, 4)
    files = shop.journal_files()
    before = {path: shop.ctx.journal.read(path) for path in files}
    shop.crash()
    files[gone - 1].unlink()
    shop.open()
    assert ("journal_file_missing", {"number": gone}) in shop.till.findings.found
    assert [shop.ctx.journal.read(path) for path in shop.journal_files()] == list(before.values())
    shop.reopen()
    assert shop.till.findings.found == []
    assert_sound(shop)


def test_two_missing_files_in_a_row_leave_no_gap(shop: Shop) -> None:
    sell_for_days(shop, 4)
    events = shop.events()
    shop.crash()
    for path in shop.journal_files()[:2]:
        path.unlink()
    shop.open()
    assert codes(shop) == ["journal_file_missing", "journal_file_missing"]
    assert list(shop.ctx.journal.scan().records) == events
    shop.reopen()
    assert shop.till.findings.found == []


def test_the_newest_file_missing_is_back_filled(shop: Shop) -> None:
    sell_for_days(shop, 2)
    events = shop.events()
    shop.crash()
    shop.journal_files()[-1].unlink()
    shop.open()
    assert shop.till.findings.found == [("journal_backfilled", {"count": 2})]
    assert list(shop.ctx.journal.scan().records) == events


def test_a_file_that_the_crash_met_at_its_header_is_begun_again(shop: Shop) -> None:
    sell_for_days(shop, 1)
    shop.crash()
    path = shop.folder / JOURNAL / "000002-2026-11-22.rjl"
    for content in (b"", b"\x1eRJ1\x02" + bytes(30)):
        path.write_bytes(content)
        shop.open()
        assert shop.till.findings.found == [("journal_tail_cut", {"file": path.name, "offset": 0})]
        shop.crash()
    shop.open()
    shop.quote_and_sell()
    shop.reopen()
    assert shop.till.findings.found == []
    assert_sound(shop)


# The database is behind ---------------------------------------------------------------------------


def test_what_the_lost_log_held_is_posted_again_with_its_rows_and_caches(shop: Shop) -> None:
    shop.busy_morning()
    events = shop.events()
    with shop.ctx.read() as conn:
        ledger, documents = list(rows.all_ledger(conn)), list(rows.all_documents(conn))
        state = states.state(conn, shop.member_id)
        lots = states.lots(conn, shop.member_id)
        member = people.member(conn, shop.member_id)
    first = recovery_point(shop)
    lose_log(shop)
    shop.open()
    assert shop.till.findings.found == [
        ("events_replayed", {"count": len(events) - first, "first": first + 1})
    ]
    assert shop.events() == events
    with shop.ctx.read() as conn:
        assert list(rows.all_ledger(conn)) == ledger
        assert list(rows.all_documents(conn)) == documents
        assert states.state(conn, shop.member_id) == state
        assert states.lots(conn, shop.member_id) == lots
        assert people.member(conn, shop.member_id) == member
    assert_sound(shop)


def recovery_point(shop: Shop) -> int:
    """The last event of the store as the template has it: all that the database file holds."""
    scan = JournalFile(
        shop.template.folder / JOURNAL, data_key=shop.ctx.data_key,
        owner=shop.ctx.till.device + bytes(8),
    ).scan()  # fmt: skip
    return scan.records[-1].seq


def test_replayed_members_have_their_personal_values_from_the_profile_file(shop: Shop) -> None:
    typed = ProfileInput("解晓东", "13900007777", email="xie@example.cn", alert="VIP")
    enrolled = shop.enrol(typed).result
    with shop.ctx.read() as conn:
        profile = people.profile(conn, enrolled.member_id)
        consents = people.consents_of(conn, enrolled.member_id)
        card_block = people.card_block(conn)
    lose_log(shop)
    shop.open()
    with shop.ctx.read() as conn:
        assert people.profile(conn, enrolled.member_id) == profile
        assert people.consents_of(conn, enrolled.member_id) == consents
        assert people.card_block(conn) == card_block
        found = people.credential(conn, "card", enrolled.card_no)
        assert found is not None
        assert found.member_id == enrolled.member_id


def test_a_replayed_sale_has_its_slip_marked_as_a_copy(shop: Shop) -> None:
    sold = shop.quote_and_sell().result
    lose_log(shop)
    shop.open()
    with shop.ctx.read() as conn:
        (job,) = till.jobs_of_event(conn, sold.seq)
    assert (job.state, job.copy_no) == ("queued", 1)
    assert sold.receipt_no in job.document
    assert "COPY 1" in job.document


def test_the_command_of_a_replayed_sale_gives_its_first_outcome_again(shop: Shop) -> None:
    command = sale_command(shop.ctx, shop.session, shop.member_id, 36800)
    first = sell(shop.ctx, command)
    events = shop.events()
    lose_log(shop)
    shop.open()
    second = sell(shop.ctx, command)
    assert second.again
    assert second.result == first.result
    assert shop.events() == events


def test_a_replayed_sale_takes_the_cart_away_that_it_was_made_of(shop: Shop) -> None:
    """The database still has the cart from before; offered again, it would be charged twice."""
    keep_cart(shop.ctx, OpenCart(lines=(CartLine(36800),)))
    shop.ctx.store.checkpoint_truncate()
    shop.quote_and_sell()
    lose_log(shop)
    shop.open()
    assert codes(shop) == ["events_replayed"]
    assert kept_cart(shop.ctx) is None


def test_a_cart_saved_after_the_last_sale_stays_when_nothing_was_lost(shop: Shop) -> None:
    shop.quote_and_sell()
    cart = OpenCart(shop.member_id.hex(), (CartLine(1200),), 200, "12.", "ab" * 16)
    keep_cart(shop.ctx, cart)
    shop.crash()
    shop.open()
    assert kept_cart(shop.ctx) == cart


def test_an_old_database_gets_back_what_lies_in_files_of_many_days_ago(shop: Shop) -> None:
    shop.close()
    old = shop.database.read_bytes()
    shop.open()
    sell_for_days(shop, 5)
    events = shop.events()
    shop.close()
    shop.database.write_bytes(old)
    shop.open()
    assert codes(shop) == ["events_replayed"]
    assert shop.events() == events
    assert_sound(shop)


def test_an_older_log_put_back_is_set_aside_before_it_undoes_anything(shop: Shop) -> None:
    shop.quote_and_sell()
    older = shop.log.read_bytes()
    shop.ctx.store.checkpoint_truncate()
    shop.busy_morning()
    events = shop.events()
    shop.close()
    shop.log.write_bytes(older)
    shop.open()
    assert codes(shop) == ["log_set_aside"]
    assert shop.events() == events
    assert_sound(shop)


def test_without_the_look_the_older_log_takes_sales_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The red twin: SQLite believes the log, whose checksums hold."""
    shop.quote_and_sell()
    older = shop.log.read_bytes()
    shop.ctx.store.checkpoint_truncate()
    shop.busy_morning()
    shop.close()
    shop.log.write_bytes(older)
    monkeypatch.setattr(recovery, "_log_takes_back", lambda path, key: False)
    refused = replayed = False
    try:
        shop.open()
        replayed = "events_replayed" in codes(shop)
    except Unavailable:
        refused = True
    assert refused or replayed


def test_a_damaged_log_is_set_aside_and_its_sales_come_back(shop: Shop) -> None:
    shop.busy_morning()
    events = shop.events()
    shop.crash()
    flip(shop.log, shop.log.stat().st_size // 2)
    shop.open()
    assert "events_replayed" in codes(shop)
    assert shop.events() == events
    assert_sound(shop)


# What can't be mended -----------------------------------------------------------------------------


def refused(shop: Shop) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        shop.open()
    return caught.value


def test_two_different_events_under_one_number_stop_the_start(
    template: Template, tmp_path: Path
) -> None:
    """A store was copied, both went on, and the journal of one lies with the database of the other."""
    one = Shop(template.copy_to(tmp_path / "one"), template)
    other = Shop(template.copy_to(tmp_path / "other"), template)
    one.quote_and_sell(1000)
    other.quote_and_sell(2000)
    seq = one.events()[-1].seq
    for shop in (one, other):
        shop.close()
    shutil.copy(other.journal_files()[0], one.journal_files()[0])
    before = one.database.read_bytes()
    error = refused(one)
    assert (error.code, error.facts) == (Outage.JOURNAL_CONFLICT, {"seq": seq})
    assert one.database.read_bytes() == before


def test_a_replayed_event_that_does_not_chain_stops_the_start(shop: Shop) -> None:
    events = shop.events()
    head = Event.from_bytes(events[-1].body)
    shop.ctx.journal.append(
        [Record(events[-1].seq + 1, head.to_bytes(), b"x" * 32)], day=shop.ctx.day_name()
    )
    shop.close()
    error = refused(shop)
    assert (error.code, error.facts) == (
        Outage.JOURNAL_CONFLICT, {"seq": events[-1].seq + 1},
    )  # fmt: skip


def test_an_event_that_neither_side_has_whole_stops_the_start(shop: Shop) -> None:
    sold = shop.quote_and_sell().result
    shop.quote_and_sell()
    path = shop.journal_files()[0]
    starts = record_starts(shop, path, 1)
    lose_log(shop)
    flip(path, starts[sold.seq] + 40)
    error = refused(shop)
    assert (error.code, error.facts) == (Outage.JOURNAL_GAP, {"seq": sold.seq})
    flip(path, starts[sold.seq] + 40)
    shop.open()
    assert codes(shop) == ["events_replayed"]


def test_a_chain_broken_in_the_database_stops_the_start_and_is_named(shop: Shop) -> None:
    sold = shop.quote_and_sell().result
    with shop.ctx.store.write() as conn:
        conn.execute("DROP TRIGGER event_no_update")
        conn.execute(
            "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), '36800', '36801') AS BLOB)"
            " WHERE seq = ?",
            (sold.seq,),
        )
        assert conn.execute("SELECT changes()").fetchone() == (1,)
    shop.close()
    error = refused(shop)
    assert (error.code, error.facts) == (Outage.STORE_DAMAGED, {"seq": sold.seq})


# What is kept about it ----------------------------------------------------------------------------


def test_what_was_mended_is_kept_as_an_incident(shop: Shop) -> None:
    shop.quote_and_sell()
    lose_log(shop)
    shop.open()
    (finding,) = shop.till.findings.found
    with shop.ctx.read() as conn:
        ((_, code, facts),) = rows.incidents(conn)
    assert (code, json.loads(facts)) == finding


def test_a_start_that_found_nothing_keeps_no_incident(shop: Shop) -> None:
    shop.quote_and_sell()
    shop.reopen()
    with shop.ctx.read() as conn:
        assert rows.incidents(conn) == []


def test_records_are_sealed_under_a_key_of_the_store(shop: Shop, template: Template) -> None:
    other = Sealer(bytes(32), shop.ctx.till.device + bytes(8))
    blob = shop.journal_files()[0].read_bytes()
    assert [plain for _, _, _, plain in other.records(blob, 1)] == [None]
