"""`regulars verify` as a program: each change behind the store's back is named and has its own exit code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlcipher3 import dbapi2
from sqlcipher3.dbapi2 import Connection

from app.numbers import card_number
from app.usecases.enrol import Enrol, ProfileInput, enrol
from app.usecases.verify import verify
from app.usecases.verify_report import Fault, Report
from db import people, rows
from db.connection import StoreKey
from tests.app.kiosk import PASSPHRASE, Kiosk


@contextmanager
def raw(kiosk: Kiosk, without: Collection[str] = ()) -> Iterator[Connection]:
    """The closed store by a connection of one's own, its insert-only triggers dropped meanwhile;
    those in `without` stay away."""
    kiosk.close()
    salt = kiosk.database.read_bytes()[:16]
    conn = dbapi2.connect(str(kiosk.database), isolation_level=None)
    StoreKey(kiosk.ctx.data_key, salt).unlock(conn)
    conn.execute("PRAGMA ignore_check_constraints=ON")
    triggers = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        conn.execute(f"DROP TRIGGER {name}")
    yield conn
    for name, sql in triggers:
        if name not in without:
            conn.execute(sql)
    conn.close()


def program(kiosk: Kiosk, *more: str) -> subprocess.CompletedProcess[str]:
    """Run it on the closed store, on a machine without a key store."""
    kiosk.close()
    return subprocess.run(
        [sys.executable, "-m", "ui", "--language", "en", "verify",
         "--store", str(kiosk.folder), *more],
        check=False, capture_output=True, text=True, timeout=60,
        env={**os.environ, "REGULARS_PASSPHRASE": PASSPHRASE, "DBUS_SESSION_BUS_ADDRESS": ""},
    )  # fmt: skip


def seq_of_last_sale(kiosk: Kiosk) -> int:
    with kiosk.ctx.read() as conn:
        return max(row.seq for row in rows.all_documents(conn) if row.kind == "sale")


def changed(kiosk: Kiosk, sql: str, seq: int | None = None) -> None:
    with raw(kiosk) as conn:
        conn.execute(sql, () if seq is None else (seq,))
        assert conn.execute("SELECT changes()").fetchone() == (1,)


LEDGER_ROW = "UPDATE ledger SET amount = amount + 1 WHERE seq = ? AND n = 0"
CACHE_ROW = "UPDATE member_state SET points = points + 1"
DOCUMENT_ROW = "UPDATE document SET total_minor = total_minor + 1 WHERE seq = ?"
EVENT_BYTE = (
    "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), '36800', '36801') AS BLOB)"
    " WHERE seq = ?"
)
EVENT_GONE = "DELETE FROM event WHERE seq = ?"


# As a program -------------------------------------------------------------------------------------


def test_a_sound_store_with_all_kinds_of_documents_is_proven_equal(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    events = kiosk.events()
    done = program(kiosk)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(events)} events" in done.stdout
    assert f"Chain head {events[-1].hash.hex()}." in done.stdout
    assert done.stdout.endswith("Everything is equal.\n")


@pytest.mark.parametrize(
    ("sql", "code", "said"),
    [
        (EVENT_BYTE, 10, "its bytes or the chain were altered"),
        (EVENT_GONE, 11, "it is missing"),
        (LEDGER_ROW, 12, "a ledger row differs"),
        (DOCUMENT_ROW, 13, "a document row differs"),
    ],
)
def test_one_changed_row_is_named_with_its_number_and_has_its_exit_code(
    kiosk: Kiosk, sql: str, code: int, said: str
) -> None:
    kiosk.busy_morning()
    kiosk.quote_and_sell()
    seq = seq_of_last_sale(kiosk)
    kiosk.quote_and_sell(1500)
    changed(kiosk, sql, seq)
    done = program(kiosk)
    assert done.returncode == code, done.stdout + done.stderr
    assert f"{code} Event {seq}: {said} (" in done.stdout
    named = re.findall(r"^(\d+) Event (\d+): ", done.stdout, re.MULTILINE)
    assert {number for found, number in named if found != "14"} == {str(seq)}


def test_one_changed_cache_row_is_named_and_rebuild_mends_it(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    kiosk.quote_and_sell()
    seq = seq_of_last_sale(kiosk)
    changed(kiosk, CACHE_ROW)
    found = program(kiosk)
    assert found.returncode == 14, found.stdout + found.stderr
    said = "a cached balance, lot, tier or card block differs"
    assert f"14 Event {seq}: {said} (member {kiosk.member_id.hex()}: sums" in found.stdout
    mended = program(kiosk, "--rebuild")
    assert mended.returncode == 14
    assert "Caches written anew: 1 members." in mended.stdout
    assert program(kiosk).returncode == 0


def test_one_changed_record_of_the_journal_file_is_named(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    sealer = kiosk.ctx.journal._sealer
    path = kiosk.journal_files()[0]
    kiosk.close()
    content = bytearray(path.read_bytes())
    at, _, seq, _ = list(sealer.records(bytes(content), 1))[7]
    content[at + 50] ^= 1
    path.write_bytes(content)
    done = program(kiosk)
    assert done.returncode == 15, done.stdout + done.stderr
    assert f"15 Event {seq}: the journal file differs" in done.stdout
    assert f"({path.name}@{at}: unreadable record" in done.stdout
    assert path.read_bytes() == content, "verify looks and leaves things as they lie"


def test_a_store_that_cannot_be_opened_has_an_exit_code_of_its_own(kiosk: Kiosk) -> None:
    kiosk.close()
    kiosk.database.unlink()
    done = program(kiosk)
    assert done.returncode == 4
    assert "store_missing" in done.stderr


def test_the_exit_codes_are_those_that_the_help_tells() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ui", "verify", "--help"], check=True, capture_output=True, text=True
    )
    for fault in Fault:
        assert re.search(rf"\b{int(fault)}\s+\w", done.stdout), fault


# Every row and column -------------------------------------------------------------------------------


def reported(kiosk: Kiosk) -> Report:
    kiosk.open()
    return verify(kiosk.ctx)


COLUMNS = [
    *(("ledger", column, Fault.LEDGER) for column in rows.LedgerRow._fields),
    *(("document", column, Fault.PROJECTION) for column in rows.DocumentRow._fields),
]


@pytest.mark.parametrize(("table", "column", "fault"), COLUMNS)
def test_each_column_of_a_derived_row_is_compared(
    kiosk: Kiosk, table: str, column: str, fault: Fault
) -> None:
    back = kiosk.take_back(kiosk.quote_and_sell().result.event_id).result
    with kiosk.ctx.read() as conn:
        event = rows.event_by_id(conn, back.event_id)
    assert event is not None
    with raw(kiosk) as conn:
        kinds = {row[1]: row[2] for row in conn.execute(f"PRAGMA table_info({table})")}
        other = {
            "INTEGER": f"coalesce({column}, 0) + 1",
            "TEXT": f"coalesce({column}, '') || 'x'",
            "BLOB": "randomblob(16)",
        }[kinds[column]]
        last = f" AND n = (SELECT max(n) FROM ledger WHERE seq = {event.seq})"
        one = last if table == "ledger" else ""
        conn.execute(f"UPDATE {table} SET {column} = {other} WHERE seq = {event.seq}{one}")
    assert (fault, event.seq) in {(f.fault, f.seq) for f in reported(kiosk).findings}


@pytest.mark.parametrize("table", ["ledger", "document"])
def test_a_derived_row_that_is_missing_is_named(kiosk: Kiosk, table: str) -> None:
    kiosk.quote_and_sell()
    seq = seq_of_last_sale(kiosk)
    with raw(kiosk) as conn:
        conn.execute(f"DELETE FROM {table} WHERE seq = ?", (seq,))
    assert (12 if table == "ledger" else 13, seq) in {
        (int(f.fault), f.seq) for f in reported(kiosk).findings
    }


def test_an_entry_of_no_event_is_named(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    seq = seq_of_last_sale(kiosk)
    with raw(kiosk) as conn:
        conn.execute(
            "INSERT INTO ledger SELECT 9000, n, event_id, member_id, asset, kind, amount,"
            " business_date, available_from, expires, minimum_expiry, ref_event, ref_n"
            " FROM ledger WHERE seq = ? AND n = 0",
            (seq,),
        )
    assert (12, 9000) in {(int(f.fault), f.seq) for f in reported(kiosk).findings}


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("UPDATE lot SET remaining = remaining + 1", "lots"),
        ("UPDATE lot SET expires = expires + 1", "lots"),
        ("DELETE FROM split", "splits"),
        ("UPDATE member_day SET spend = spend + 1", "days"),
        ("UPDATE member_state SET sequence = sequence + 1", "sequence"),
        ("UPDATE member SET tier = 'gold'", "tier gold"),
    ],
)
def test_each_part_of_the_cache_is_refolded_and_rebuilt(kiosk: Kiosk, sql: str, part: str) -> None:
    kiosk.quote_and_sell()
    kiosk.quote_and_sell(redeem=200)
    with raw(kiosk) as conn:
        conn.execute(sql)
    report = reported(kiosk)
    assert {f.fault for f in report.findings} == {Fault.CACHE}
    assert part in report.findings[0].what
    assert verify(kiosk.ctx, rebuild=True).rebuilt == 1
    assert verify(kiosk.ctx).findings == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE card_block SET next = next - 1",
        "UPDATE card_block SET next = next + 1",
        "UPDATE card_block SET last = last - 1",
        "DELETE FROM card_block",
        "INSERT INTO card_block (prefix, next, last) VALUES ('8899', 1, 9)",
    ],
)
def test_a_changed_block_of_card_numbers_is_named_and_rebuilt(kiosk: Kiosk, sql: str) -> None:
    kiosk.enrol(ProfileInput("Ada Byron", "13900001234"))
    changed(kiosk, sql)
    (finding,) = reported(kiosk).findings
    assert (finding.fault, finding.what[:11]) == (Fault.CACHE, "card block ")
    verify(kiosk.ctx, rebuild=True)
    assert verify(kiosk.ctx).findings == []


def test_a_longer_card_that_begins_like_the_tills_own_is_not_of_its_block(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enrolments refuse such a card now; stores have some from before."""
    monkeypatch.setattr("app.usecases.enrol.card_fault", lambda conn, number: "")
    typed = card_number("8800", 99_999_999_999, digits=15)
    command = Enrol(kiosk.ctx.ids(), kiosk.session, ProfileInput("Ada Byron"), True, card_no=typed)
    assert enrol(kiosk.ctx, command).result.card_no == typed
    own = kiosk.enrol(ProfileInput("Bob Lee")).result.card_no
    assert own == card_number("8800", 2)
    assert verify(kiosk.ctx).findings == []


def test_a_cached_state_of_nobody_is_found(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    with raw(kiosk) as conn:
        conn.execute(
            "INSERT INTO member_state SELECT zeroblob(16), seq, sequence, points, rest, tier_until"
            " FROM member_state"
        )
    (finding,) = reported(kiosk).findings
    assert finding.what == f"cached state of no member {bytes(16).hex()}"


def test_an_event_that_lost_its_place_in_the_file_is_named(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    kiosk.clock.now += timedelta(days=1)
    kiosk.quote_and_sell()
    kiosk.clock.now += timedelta(days=1)
    kiosk.quote_and_sell()
    second = kiosk.journal_files()[1]
    seqs = [record.seq for record in kiosk.ctx.journal.read(second)]
    second.unlink()
    found = {(int(f.fault), f.seq) for f in verify(kiosk.ctx).findings}
    assert {(15, 0), *((15, seq) for seq in seqs)} <= found


def test_a_void_of_the_sale_that_brought_a_tier_takes_the_tier_back(kiosk: Kiosk) -> None:
    for _ in range(4):
        kiosk.quote_and_sell(49000)
    last = kiosk.quote_and_sell(10000).result
    assert last.tier_code == "silver"
    kiosk.undo(last.event_id)
    with kiosk.ctx.read() as conn:
        account = people.member(conn, kiosk.member_id)
    assert account is not None
    assert account.tier == "regular"
    assert verify(kiosk.ctx).findings == []


def test_a_member_without_any_entry_is_sound(kiosk: Kiosk) -> None:
    kiosk.enrol(ProfileInput("Ada Byron", "13900001234"))
    report = verify(kiosk.ctx)
    assert report.findings == []
    assert report.members == 2


def test_more_findings_than_are_kept_are_counted(kiosk: Kiosk) -> None:
    report = Report()
    for seq in range(1200):
        report.add(Fault.LEDGER, seq, "differs")
    assert (len(report.findings), report.total, report.exit_code) == (1000, 1200, 12)


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE shift SET float_minor = float_minor + 1 WHERE closed_seq IS NULL", "shift"),
        ("UPDATE programme SET body = replace(body, '5000', '6000')", "programme"),
        ("UPDATE meta SET value = '09' WHERE key = 'till'", "till"),
    ],
)
def test_the_other_rows_of_an_event_are_compared(kiosk: Kiosk, sql: str, what: str) -> None:
    changed(kiosk, sql)
    report = verify(kiosk.reopen().context)
    assert [(f.fault, f.what) for f in report.findings] == [(Fault.PROJECTION, f"{what} differs")]


def test_a_changed_consent_is_named_with_its_event(kiosk: Kiosk) -> None:
    changed(
        kiosk,
        "UPDATE consent SET granted = 1 WHERE (member_id, seq, purpose) IN"
        " (SELECT member_id, seq, purpose FROM consent WHERE purpose = 'marketing' LIMIT 1)",
    )
    report = verify(kiosk.reopen().context)
    assert [f.what for f in report.findings] == ["consent differs"]
