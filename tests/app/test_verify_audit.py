"""`regulars verify-audit`, its evidence, and what the till does for it day by day."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import posting
from app.build import NewStaff, add_staff
from app.context import Session
from app.domain.errors import Refused
from app.protocol.checkpoints import Anchor, Checkpoint, anchors, to_text
from app.protocol.evolving import BadStartKey, StartKey
from app.queries.attention import needs
from app.usecases.audit import (
    CHECKPOINT_EVENTS,
    KeepStartKey,
    checkpoint_when_due,
    checkpoints,
    evidence_at_hand,
    keep_start_key,
    look_for_alterations,
    show_start_key,
    start_key,
)
from app.usecases.verify_audit import Evidence, Finding, Verdict
from app.witness import WitnessFile
from db import macs
from tests.app.closing import closed, next_day
from tests.app.kiosk import PASSPHRASE, Kiosk
from tests.app.test_verify import raw


def program(kiosk: Kiosk, *more: str) -> subprocess.CompletedProcess[str]:
    """Run it on the closed store, on a machine without a key store."""
    kiosk.close()
    return subprocess.run(
        [sys.executable, "-m", "ui", "--language", "en", "verify-audit",
         "--store", str(kiosk.folder), *more],
        check=False, capture_output=True, text=True, timeout=60,
        env={**os.environ, "REGULARS_PASSPHRASE": PASSPHRASE, "DBUS_SESSION_BUS_ADDRESS": ""},
    )  # fmt: skip


def manager(kiosk: Kiosk) -> Session:
    person = NewStaff("wm", "王敏", "manager", "246813")
    return Session(add_staff(kiosk.ctx, person, today=kiosk.ctx.business_date()), None)


def found(kiosk: Kiosk, evidence: Evidence) -> list[Finding]:
    return look_for_alterations(kiosk.ctx, evidence).findings


def the_start_key(kiosk: Kiosk) -> StartKey:
    key = start_key(kiosk.ctx)
    assert key is not None
    return key


# As a program -----------------------------------------------------------------------------------------


def test_a_sound_store_has_exit_code_0_and_every_mac_was_recomputed(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    count = len(kiosk.events())
    done = program(kiosk)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"MACs recomputed: {count}" in done.stdout
    assert done.stdout.endswith("Nothing was altered.\n")


def test_an_altered_event_has_exit_code_1_and_is_named(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    with raw(kiosk) as conn:
        conn.execute("UPDATE event SET hash = zeroblob(32) WHERE seq = 5")
    done = program(kiosk)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.endswith("Altered: the first bad event is 5 (bytes).\n")


def test_a_store_that_lost_its_end_has_exit_code_2(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    last = len(kiosk.events())
    with raw(kiosk) as conn:
        conn.execute("DELETE FROM event WHERE seq = ?", (last,))
    done = program(kiosk)
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"The end is missing from event {last} on" in done.stdout


def test_checkpoints_are_written_and_a_signed_later_one_has_exit_code_3(kiosk: Kiosk) -> None:
    record_checkpoint(kiosk)
    path = kiosk.folder / "checkpoints"
    assert program(kiosk, "--save-checkpoints", str(path)).returncode == 0
    assert program(kiosk, "--checkpoints", str(path)).returncode == 0
    till = kiosk.ctx.till
    later = Checkpoint(till.tenant.hex(), till.device.hex(), till.epoch, 99, "00" * 32, "aa")
    path.write_text(path.read_text() + to_text([later]))
    done = program(kiosk, "--checkpoints", str(path))
    assert done.returncode == 3, done.stdout + done.stderr


@pytest.mark.parametrize(
    "more",
    [("--start-key", "AAAA BBBB"), ("--checkpoints", "nowhere"), ("--journal", "nowhere")],
)
def test_evidence_that_cannot_be_read_has_exit_code_4(kiosk: Kiosk, more: tuple[str, ...]) -> None:
    done = program(kiosk, *more)
    assert done.returncode == 4, done.stdout + done.stderr


def test_a_journal_kept_elsewhere_and_the_key_of_the_sheet_find_what_the_store_hides(
    kiosk: Kiosk,
) -> None:
    kiosk.quote_and_sell()
    key = the_start_key(kiosk).text()
    elsewhere = Path(shutil.copytree(kiosk.folder / "journal", kiosk.folder / "elsewhere"))
    with raw(kiosk) as conn:
        conn.execute("UPDATE event_mac SET mac = zeroblob(16) WHERE seq = 6")
        conn.execute("UPDATE mac_key SET start = NULL")
    assert program(kiosk).returncode == 0
    assert program(kiosk, "--journal", str(elsewhere)).returncode == 0
    done = program(kiosk, "--start-key", key)
    assert done.stdout.endswith("Altered: the first bad event is 6 (mac).\n"), (
        done.stdout + done.stderr
    )


# The key ------------------------------------------------------------------------------------------------


def test_a_start_key_reads_back_from_its_sheet_however_it_is_typed() -> None:
    key = StartKey(812, bytes(range(32)))
    assert StartKey.of_text(key.text()) == key
    assert StartKey.of_text(key.text().lower().replace(" ", "-")) == key


def test_a_wrong_sign_in_a_start_key_is_noticed() -> None:
    text = StartKey(1, bytes(range(32))).text()
    for at in range(0, len(text), 5):
        other = "A" if text[at] != "A" else "B"
        with pytest.raises(BadStartKey):
            StartKey.of_text(text[:at] + other + text[at + 1 :])


def test_the_key_of_an_event_is_gone_once_the_event_is_there(kiosk: Kiosk) -> None:
    with kiosk.ctx.read() as conn:
        before = macs.mac_key(conn)
    kiosk.quote_and_sell()
    with kiosk.ctx.read() as conn:
        after = macs.mac_key(conn)
    assert before is not None
    assert after is not None
    assert (after.next_seq, after.key != before.key) == (before.next_seq + 1, True)


def test_the_start_key_is_shown_to_a_manager_until_it_is_in_the_safe(kiosk: Kiosk) -> None:
    boss = manager(kiosk)
    key = show_start_key(kiosk.ctx, boss, kiosk.ctx.ids())
    assert key == the_start_key(kiosk)
    keep_start_key(kiosk.ctx, KeepStartKey(kiosk.ctx.ids(), boss))
    assert show_start_key(kiosk.ctx, boss, kiosk.ctx.ids()) is None
    kiosk.quote_and_sell()
    assert found(kiosk, Evidence(start_key=key)) == []


def test_the_log_is_empty_once_the_start_key_is_in_the_safe(kiosk: Kiosk) -> None:
    boss = manager(kiosk)
    assert kiosk.log.stat().st_size > 0
    keep_start_key(kiosk.ctx, KeepStartKey(kiosk.ctx.ids(), boss))
    assert kiosk.log.stat().st_size == 0


def test_a_cashier_is_not_shown_the_start_key_and_cannot_put_it_away(kiosk: Kiosk) -> None:
    with pytest.raises(Refused):
        show_start_key(kiosk.ctx, kiosk.session, kiosk.ctx.ids())
    with pytest.raises(Refused):
        keep_start_key(kiosk.ctx, KeepStartKey(kiosk.ctx.ids(), kiosk.session))
    assert start_key(kiosk.ctx) is not None


def test_a_wrong_start_key_fits_no_event(kiosk: Kiosk) -> None:
    first = found(kiosk, Evidence(start_key=StartKey(1, bytes(32))))[0]
    assert first == Finding(Verdict.ALTERED, 1, "mac")


def test_an_older_store_gets_macs_from_its_next_event_on(kiosk: Kiosk) -> None:
    with raw(kiosk) as conn:
        conn.execute("DELETE FROM event_mac")
        conn.execute("DELETE FROM mac_key")
        (last,) = conn.execute("SELECT max(seq) FROM event").fetchone()
    kiosk.open()
    assert found(kiosk, evidence_at_hand(kiosk.ctx)) == []
    kiosk.quote_and_sell()
    assert the_start_key(kiosk).first_seq == last + 1
    audit = look_for_alterations(kiosk.ctx, evidence_at_hand(kiosk.ctx))
    assert (audit.findings, audit.macs) == ([], 1)


def test_events_replayed_from_the_journal_file_get_the_same_macs(kiosk: Kiosk) -> None:
    kiosk.ctx.store.checkpoint_truncate()
    key = the_start_key(kiosk)
    kiosk.quote_and_sell()
    kiosk.crash()
    kiosk.log.unlink()
    kiosk.open()
    assert ("events_replayed", {"count": 1, "first": len(kiosk.events())}) in (
        kiosk.till.findings.found
    )
    assert found(kiosk, Evidence(start_key=key)) == []


# The side file and checkpoints ------------------------------------------------------------------------


def test_an_older_database_with_its_older_journal_is_found_by_the_side_file(kiosk: Kiosk) -> None:
    kiosk.close()
    older = shutil.copytree(kiosk.folder, kiosk.folder.with_name("older"))
    kiosk.open()
    shift = kiosk.session.shift_id
    assert shift is not None
    record(kiosk, posting.SHIFT_CLOSE, {"closes": shift.hex(), "count": None, "to": None})
    closed_at = len(kiosk.events())
    kiosk.close()
    for name in ("regulars.db", "journal"):
        target, source = kiosk.folder / name, older / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
    kiosk.open()
    assert kiosk.till.findings.found == [("witness_ahead", {"seq": closed_at})]
    assert [need.code for need in needs(kiosk.ctx)] == ["witness_ahead"], (
        "the list tells it at once"
    )
    last = len(kiosk.events())
    assert last < closed_at
    evidence = evidence_at_hand(kiosk.ctx)
    assert found(kiosk, evidence) == [Finding(Verdict.TRUNCATED, last + 1, "witness")]
    kiosk.close()
    kiosk.open()
    assert kiosk.till.findings.found == [], "it is noted once, whatever start finds it again"


def test_a_till_that_was_put_back_and_sells_on_past_its_side_file_still_shows(kiosk: Kiosk) -> None:
    kiosk.close()
    older = kiosk.folder.with_name("older")
    shutil.copytree(kiosk.folder, older)
    kiosk.open()
    closed(kiosk)
    kiosk.close()
    told = (kiosk.folder / "head.rwf").read_bytes()
    (older / "head.rwf").write_bytes(told)
    kiosk.folder = older
    kiosk.open()
    kiosk.busy_morning()
    closed(kiosk)
    next_day(kiosk)
    closed(kiosk)
    assert (older / "head.rwf").read_bytes() == told
    assert [f.kind for f in found(kiosk, evidence_at_hand(kiosk.ctx))] == ["witness"]


@pytest.mark.parametrize("standing", ["missing", "damaged"])
def test_a_side_file_that_was_taken_away_or_spoilt_is_told_at_start_and_by_the_audit(
    kiosk: Kiosk, standing: str
) -> None:
    closed(kiosk)
    kiosk.close()
    path = kiosk.folder / "head.rwf"
    if standing == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    kiosk.open()
    assert kiosk.till.findings.found == [(f"witness_{standing}", {})]
    last = len(kiosk.events())
    kind = f"witness_{standing}"
    evidence = evidence_at_hand(kiosk.ctx)
    assert found(kiosk, evidence) == [Finding(Verdict.TRUNCATED, last + 1, kind)]


def there(seq: int, head: bytes) -> bool:
    """The store has every event that the side file tells of."""
    return True


def test_the_side_file_keeps_what_it_tells_of_an_event_that_the_store_has_not(
    tmp_path: Path,
) -> None:
    file = WitnessFile(tmp_path / "head.rwf", data_key=bytes(32), owner=b"till")
    file.keep(7, b"h" * 32, 3, there)
    file.keep(9, b"i" * 32, 4, lambda seq, head: (seq, head) != (7, b"h" * 32))
    kept = file.read()
    assert kept is not None
    assert kept.seq == 7


def test_the_side_file_only_rises_and_keeps_the_number_of_the_last_close(tmp_path: Path) -> None:
    file = WitnessFile(tmp_path / "head.rwf", data_key=bytes(32), owner=b"till")
    file.keep(7, b"h" * 32, 3, there)
    file.keep(9, b"i" * 32, None, there)
    file.keep(8, b"j" * 32, 4, there)
    kept = file.read()
    assert kept is not None
    assert (kept.seq, kept.head, kept.close) == (9, b"i" * 32, 3)


def test_a_side_file_of_another_till_is_not_believed(tmp_path: Path) -> None:
    WitnessFile(tmp_path / "head.rwf", data_key=bytes(32), owner=b"till").keep(
        7, b"h" * 32, 3, there
    )
    with pytest.raises(ValueError, match="not this till's"):
        WitnessFile(tmp_path / "head.rwf", data_key=bytes(32), owner=b"other").read()


def test_a_side_file_that_cannot_be_read_is_left_for_the_auditor(tmp_path: Path) -> None:
    path = tmp_path / "head.rwf"
    WitnessFile(path, data_key=bytes(32), owner=b"till").keep(7, b"h" * 32, 3, there)
    before = path.read_bytes()
    WitnessFile(path, data_key=bytes(32), owner=b"other").keep(9, b"i" * 32, 4, there)
    assert path.read_bytes() == before


def record(kiosk: Kiosk, kind: str, doc: dict[str, Any]) -> None:
    ctx = kiosk.ctx
    with ctx.write(ctx.ids()) as tx:
        tx.record(
            kind, event_id=ctx.ids(), session=kiosk.session, business_date=ctx.business_date(),
            doc=doc,
        )  # fmt: skip


def record_checkpoint(kiosk: Kiosk) -> None:
    last = kiosk.events()[-1]
    doc = {"seq": last.seq, "head": last.hash.hex(), "by": None}
    record(kiosk, posting.CHECKPOINT, doc)


def test_a_checkpoint_is_recorded_when_enough_has_happened_and_not_before(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint_when_due(kiosk.ctx)
    assert checkpoints(kiosk.ctx) == ()
    assert CHECKPOINT_EVENTS == 1000
    monkeypatch.setattr("app.usecases.audit.CHECKPOINT_EVENTS", 3)
    last = kiosk.events()[-1]
    checkpoint_when_due(kiosk.ctx)
    checkpoint_when_due(kiosk.ctx)
    (kept,) = checkpoints(kiosk.ctx)
    assert (kept.seq, kept.head, kept.by) == (last.seq, last.hash.hex(), None)


def test_a_checkpoint_follows_each_day_close(kiosk: Kiosk) -> None:
    record(kiosk, posting.DAY_CLOSE, {"number": 1})
    closed = kiosk.events()[-1]
    checkpoint_when_due(kiosk.ctx)
    checkpoint_when_due(kiosk.ctx)
    assert [kept.seq for kept in checkpoints(kiosk.ctx)] == [closed.seq]


def test_a_checkpoint_that_differs_names_the_span_since_the_last_good_one(kiosk: Kiosk) -> None:
    events = kiosk.events()
    told = (Anchor(2, events[1].hash, True), Anchor(4, bytes(32), False))
    assert found(kiosk, Evidence(anchors=told)) == [
        Finding(Verdict.ALTERED, 4, "checkpoint", since=2)
    ]


def test_checkpoints_of_other_tills_are_passed_over() -> None:
    text = to_text([Checkpoint("aa", "bb", 0, 7, "cc"), Checkpoint("aa", "dd", 0, 9, "ee", "ff")])
    assert anchors(text, tenant=b"\xaa", device=b"\xdd", epoch=0) == (Anchor(9, b"\xee", True),)


# The journal file ---------------------------------------------------------------------------------------


def test_a_damaged_record_amid_the_journal_file_is_found(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    path = kiosk.journal_files()[0]
    sealer = kiosk.ctx.journal._sealer
    content = bytearray(path.read_bytes())
    at, _, seq, _ = list(sealer.records(bytes(content), 1))[4]
    content[at + 50] ^= 1
    path.write_bytes(content)
    assert Finding(Verdict.ALTERED, seq, "journal_file") in found(
        kiosk, evidence_at_hand(kiosk.ctx)
    )


def test_a_missing_file_of_the_journal_is_found_at_its_first_event(kiosk: Kiosk) -> None:
    for _ in range(3):
        kiosk.quote_and_sell()
        kiosk.clock.now += timedelta(days=1)
    second = kiosk.journal_files()[1]
    first = kiosk.ctx.journal.read(second)[0].seq
    second.unlink()
    audit = look_for_alterations(kiosk.ctx, evidence_at_hand(kiosk.ctx))
    assert audit.first == Finding(Verdict.ALTERED, first, "journal_file")
