"""Day closes on a real till: in order, numbered without gaps, over what was signed for, and signed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import posting, statement
from app.approvals import Ask
from app.backup import make
from app.build import NewStaff, add_staff
from app.commands import run
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.protocol.events import Event
from app.statement import BadStatement
from app.usecases.back_up import NoteBackup, note_backup
from app.usecases.close_day import (
    BeginClose,
    Closed,
    CloseDay,
    Closing,
    OpenItem,
    again,
    begin,
    close_day,
    date_to_close,
    open_items,
    prove,
)
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.close_unattended import close_all, due_unattended
from app.usecases.count import CountDrawer, count_drawer, shift_sums
from app.usecases.keep_cart import CartLine, OpenCart, keep_cart
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.owner_postings import post_all
from app.usecases.reprint import Reprint, reprint
from app.usecases.verify import verify
from app.usecases.verify_day import next_share, note_share, oldest_share, verify_share
from app.usecases.void import preview_void
from db import rows, till
from db.day import till_seed
from tests.app.kiosk import Kiosk
from tests.app.test_verify import raw


def count_and_close(kiosk: Kiosk, short: int = 0) -> None:
    """The cashier counts the drawer to the cent (or `short`) and ends the shift."""
    ctx = kiosk.ctx
    with ctx.read() as conn:
        shift = till.open_shift(conn)
    assert shift is not None
    with ctx.read() as conn:
        expected = shift_sums(conn, shift.id).expected_minor
    pieces = tuple(_pieces(expected - short))
    count_drawer(ctx, CountDrawer(ctx.ids(), kiosk.session, shift.id, pieces))
    close_shift(ctx, CloseShift(ctx.ids(), kiosk.session, shift.id, "unknown" if short else ""))


def _pieces(minor: int) -> list[tuple[int, int]]:
    found = []
    for value in (10000, 5000, 2000, 1000, 500, 100, 50, 10):
        found.append((value, minor // value))
        minor %= value
    assert minor == 0
    return [pair for pair in found if pair[1]]


def begun(kiosk: Kiosk, **changes: Any) -> Closing:
    on = date_to_close(kiosk.ctx)
    assert on is not None
    command = BeginClose(kiosk.ctx.ids(), kiosk.session, on)
    return begin(kiosk.ctx, replace(command, **changes))


def finished(kiosk: Kiosk, closing: Closing, *, backup: bool = True) -> Closed:
    ctx = kiosk.ctx
    posted = post_all(ctx, closing.command.on, closing.since)
    proof = prove(ctx)
    made = note_backup(ctx, NoteBackup(ctx.ids(), make(ctx))).result if backup else None
    return close_day(ctx, CloseDay(closing, proof, posted, made)).result


def closed(kiosk: Kiosk) -> Closed:
    """A whole close of the oldest open date."""
    count_and_close(kiosk)
    return finished(kiosk, begun(kiosk))


def next_day(kiosk: Kiosk) -> None:
    kiosk.clock.now += timedelta(days=1)
    open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 50000))


def event_of(kiosk: Kiosk, event_id: bytes) -> Event:
    with kiosk.ctx.read() as conn:
        row = rows.event_by_id(conn, event_id)
    assert row is not None
    return posting.event_of(row)


# A close -------------------------------------------------------------------------------------------


def test_a_close_counts_its_date_and_proves_the_journal(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    head_before = kiosk.events()[-1]
    done = closed(kiosk)
    doc = event_of(kiosk, done.event_id).doc
    with kiosk.ctx.read() as conn:
        paid = conn.execute("SELECT sum(total_minor) FROM document").fetchone()[0]
        entries, points = conn.execute(
            "SELECT count(*), sum(CASE WHEN asset = 'points' THEN amount END) FROM ledger"
        ).fetchone()
    assert (done.number, done.on.iso(), done.unattended) == (1, "2026-11-21", False)
    assert doc["sums"]["paid"] == paid > 0
    assert doc["sums"]["tenders"] == [["cash", paid]]
    kinds = {row[0]: row[1] for row in doc["sums"]["kinds"]}
    assert (kinds["sale"], kinds["return"], kinds["void"], kinds["enrol"]) == (7, 2, 2, 2)
    proof = doc["proof"]
    last = kiosk.events()[-2]
    assert (proof["head"], proof["events"]) == (last.hash.hex(), last.seq)
    assert last.seq > head_before.seq
    assert (proof["entries"], proof["points"], proof["members"]) == (entries, points, 2)
    assert (proof["faults"], proof["verified"]) == (0, 1)
    assert proof["backup"].startswith("01-")
    assert doc["open"] == []
    (shift,) = doc["sums"]["shifts"]
    assert (shift["difference"], shift["total"]) == (0, shift["expected"])
    assert verify(kiosk.ctx).findings == []


def test_numbers_have_no_gap_and_windows_part_the_journal(kiosk: Kiosk) -> None:
    taken = []
    for day in range(3):
        if day:
            next_day(kiosk)
        kiosk.quote_and_sell(10000 * (day + 1))
        done = closed(kiosk)
        assert done.number == day + 1
        taken.append(event_of(kiosk, done.event_id).doc)
    assert [doc["sums"]["paid"] for doc in taken] == [10000, 20000, 30000]
    with kiosk.ctx.read() as conn:
        points = conn.execute("SELECT sum(points) FROM member_state").fetchone()[0]
    assert taken[-1]["proof"]["points"] == points
    assert sum(doc["sums"]["issued"] for doc in taken) == points


def test_closing_again_with_the_same_command_is_a_no_op(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    closing = begun(kiosk)
    made = make(kiosk.ctx)
    command = CloseDay(closing, prove(kiosk.ctx), None, made)
    first = close_day(kiosk.ctx, command)
    again_ = close_day(kiosk.ctx, command)
    assert again_.again
    assert again_.result == first.result


def test_with_nothing_open_there_is_nothing_to_close(kiosk: Kiosk) -> None:
    done = closed(kiosk)
    assert date_to_close(kiosk.ctx) is None
    with pytest.raises(Refused) as caught:
        begin(kiosk.ctx, BeginClose(kiosk.ctx.ids(), kiosk.session, done.on))
    assert caught.value.code is Refusal.DAY_NOTHING_TO_CLOSE


# What is open -----------------------------------------------------------------------------------------


def test_an_open_shift_is_closed_first(kiosk: Kiosk) -> None:
    with pytest.raises(Refused) as caught:
        begun(kiosk)
    assert caught.value.code is Refusal.SHIFT_OPEN


def test_what_is_open_is_listed_and_needs_a_manager_and_a_reason(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(100),)))
    assert open_items(kiosk.ctx) == (OpenItem("cart", 1),)
    with pytest.raises(Refused) as caught:
        begun(kiosk)
    assert caught.value.code is Refusal.REASON_NEEDED
    with pytest.raises(Refused) as caught:
        begun(kiosk, reason="because")
    assert caught.value.code is Refusal.REASON_NEEDED
    with pytest.raises(Refused) as caught:
        begun(kiosk, reason="other")
    assert caught.value.code is Refusal.APPROVAL_NEEDED
    assert isinstance(caught.value.offer, Ask)
    assert (caught.value.offer.right, caught.value.offer.amount) == (Right.CLOSE_OVER_OPEN, 1)


def test_what_was_signed_for_stands_on_the_z_with_who_agreed(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(100),)))
    command = BeginClose(kiosk.ctx.ids(), kiosk.session, BusinessDate.on(2026, 11, 21), "other")
    manager = agreed(kiosk, command)
    done = finished(kiosk, begin(kiosk.ctx, command))
    doc = event_of(kiosk, done.event_id).doc
    assert (doc["open"], doc["reason"]) == ([["cart", 1]], "other")
    assert doc["approval"] == {"by": manager.hex(), "right": "close_over_open"}


def manager_of(kiosk: Kiosk) -> bytes:
    """A manager who works here."""
    person = NewStaff("zg", "张国", "manager", "975310")
    return add_staff(kiosk.ctx, person, today=kiosk.ctx.business_date())


def agreed(kiosk: Kiosk, command: BeginClose) -> bytes:
    """A manager says yes to exactly what `begin` asks for."""
    manager = manager_of(kiosk)
    with pytest.raises(Refused) as caught:
        begin(kiosk.ctx, command)
    ask = caught.value.offer
    assert isinstance(ask, Ask)
    kiosk.ctx.approvals.give(ask, manager)
    return manager


def test_what_opens_after_the_signature_is_not_covered_by_it(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    closing = begun(kiosk)
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(100),)))
    with pytest.raises(Refused) as caught:
        finished(kiosk, closing)
    assert caught.value.code is Refusal.DAY_OPEN_ITEMS


def test_without_a_backup_somebody_signs(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    closing = begun(kiosk)
    with pytest.raises(Refused) as caught:
        finished(kiosk, closing, backup=False)
    assert caught.value.code is Refusal.DAY_OPEN_ITEMS
    command = replace(again(closing, OpenItem("no_backup", 1)), reason="disk_away")
    agreed(kiosk, command)
    done = finished(kiosk, begin(kiosk.ctx, command), backup=False)
    doc = event_of(kiosk, done.event_id).doc
    assert (doc["open"], doc["proof"]["backup"]) == ([["no_backup", 1]], None)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE member_state SET points = points + 1",
        "UPDATE lot SET remaining = remaining + 1",
        "UPDATE document SET total_minor = total_minor + 1 WHERE kind = 'sale'",
        "UPDATE ledger SET amount = amount + 1 WHERE asset = 'points'",
        "UPDATE event_figures SET paid_minor = paid_minor + 1 WHERE kind = 'sale'",
        "UPDATE event SET body = CAST(body || ' ' AS BLOB) WHERE kind = 'sale'",
    ],
)
def test_a_difference_stops_the_close_until_somebody_signs(kiosk: Kiosk, sql: str) -> None:
    kiosk.quote_and_sell()
    count_and_close(kiosk)
    with raw(kiosk) as conn:
        conn.execute(sql)
    kiosk.till = _opened_as_it_lies(kiosk)
    proof = prove(kiosk.ctx)
    assert proof.faults > 0
    closing = begun(kiosk)
    with pytest.raises(Refused) as caught:
        close_day(kiosk.ctx, CloseDay(closing, proof, None, None))
    assert caught.value.code is Refusal.DAY_OPEN_ITEMS


def _opened_as_it_lies(kiosk: Kiosk) -> Any:
    from app.build import open_till
    from tests.app.kiosk import OFFSET_MIN

    kiosk.running = True
    return open_till(
        kiosk.folder, find_keystore=kiosk.template.keystore, clock=kiosk.clock,
        offset_min=lambda: OFFSET_MIN, mending=False,
    )  # fmt: skip


def test_an_event_that_the_journal_file_lost_is_a_fault(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    count_and_close(kiosk)
    path = kiosk.journal_files()[-1]
    records = kiosk.ctx.journal.read(path)
    kiosk.ctx.journal.rewrite(path, records[:-2], previous=None, head=bytes(32))
    assert prove(kiosk.ctx).faults == 2


# The signature ------------------------------------------------------------------------------------


def z_file(kiosk: Kiosk) -> Path:
    (path,) = (kiosk.folder / "backups").glob("01-Z*.json")
    return path


def test_the_file_of_a_close_is_checked_without_any_store(
    kiosk: Kiosk, capsys: pytest.CaptureFixture[str]
) -> None:
    done = closed(kiosk)
    path = z_file(kiosk)
    assert path.name == "01-Z000001-2026-11-21.json"
    checked = statement.check(path.read_bytes())
    assert checked.facts["number"] == done.number
    assert checked.public.hex() == event_of(kiosk, done.event_id).doc["key"]
    assert run(["verify", "--z", str(path)]) == 0
    assert "signed by till 01 of S1; Z 000001 of 2026-11-21" in capsys.readouterr().out


@pytest.mark.parametrize("key", ["number", "date", "sums", "proof", "open", "till", "key"])
def test_any_altered_fact_breaks_the_signature(kiosk: Kiosk, key: str) -> None:
    closed(kiosk)
    plain = json.loads(z_file(kiosk).read_bytes())
    old = plain["statement"][key]
    plain["statement"][key] = (
        old + 1 if isinstance(old, int) else {**old, "x": 1} if isinstance(old, dict)
        else [["cart", 1]] if isinstance(old, list) else "00" * 32
    )  # fmt: skip
    with pytest.raises(BadStatement):
        statement.check(json.dumps(plain).encode())


@pytest.mark.parametrize(
    "blob", [b"", b"{}", b"[1]", b'{"statement": 3, "signature": "00"}', b"\xff"]
)
def test_what_is_no_statement_is_said_to_be_none(blob: bytes) -> None:
    with pytest.raises(BadStatement):
        statement.check(blob)


def test_a_z_that_is_left_out_shows_when_the_others_are_checked(
    kiosk: Kiosk, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in range(3):
        if day:
            next_day(kiosk)
        closed(kiosk)
    first, _, third = sorted((kiosk.folder / "backups").glob("01-Z*.json"))
    assert run(["verify", "--z", str(first), str(third)]) == 11
    assert "numbers do not follow each other" in capsys.readouterr().out


def test_every_z_of_a_till_is_signed_with_one_key(kiosk: Kiosk) -> None:
    one = event_of(kiosk, closed(kiosk).event_id).doc["key"]
    kiosk.reopen()
    next_day(kiosk)
    assert event_of(kiosk, closed(kiosk).event_id).doc["key"] == one


# After the Z ----------------------------------------------------------------------------------------


def test_a_void_of_a_closed_date_is_refused(kiosk: Kiosk) -> None:
    sold = kiosk.quote_and_sell().result
    closed(kiosk)
    next_day(kiosk)
    with pytest.raises(Refused) as caught:
        preview_void(kiosk.ctx, sold.event_id)
    assert caught.value.code is Refusal.VOID_DAY_CLOSED


def test_what_is_sold_after_the_z_belongs_to_the_next_date(kiosk: Kiosk) -> None:
    done = closed(kiosk)
    opened = open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0)).result
    sold = kiosk.quote_and_sell(700).result
    assert event_of(kiosk, sold.event_id).business_date == done.on + 1
    assert opened.shift_id is not None
    kiosk.clock.now += timedelta(days=1)
    second = closed(kiosk)
    assert (second.number, second.on) == (2, done.on + 1)
    assert event_of(kiosk, second.event_id).doc["sums"]["paid"] == 700


def test_more_than_a_day_past_the_last_close_a_supervisor_agrees(kiosk: Kiosk) -> None:
    closed(kiosk)
    kiosk.clock.now += timedelta(days=2)
    command = OpenShift(kiosk.ctx.ids(), kiosk.session, 0)
    with pytest.raises(Refused) as caught:
        open_shift(kiosk.ctx, command)
    assert caught.value.code is Refusal.APPROVAL_NEEDED
    assert isinstance(caught.value.offer, Ask)
    kiosk.ctx.approvals.give(caught.value.offer, manager_of(kiosk))
    assert open_shift(kiosk.ctx, command).result.shift_id is not None


def test_a_late_event_is_counted_by_the_next_close_and_alters_none(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell(10000)
    first = closed(kiosk)
    before = event_of(kiosk, first.event_id)
    with kiosk.ctx.write(kiosk.ctx.ids()) as tx:  # as head office would hand it on
        tx.record(
            posting.EXPIRE, event_id=kiosk.ctx.ids(), session=None, business_date=first.on,
            member_id=None, doc={"due": int(first.on)},
        )  # fmt: skip
    next_day(kiosk)
    kiosk.quote_and_sell(500)
    second = closed(kiosk)
    assert event_of(kiosk, first.event_id) == before
    kinds = {row[0]: row[1] for row in event_of(kiosk, second.event_id).doc["sums"]["kinds"]}
    assert (kinds["expire"], kinds["sale"]) == (1, 1)


def test_any_z_is_printed_again_and_marked(kiosk: Kiosk) -> None:
    done = closed(kiosk)
    z_file(kiosk).unlink()
    assert (
        reprint(kiosk.ctx, Reprint(kiosk.ctx.ids(), kiosk.session, done.event_id, "lost")).result
        == 1
    )
    seq = event_of(kiosk, done.event_id).seq
    with kiosk.ctx.read() as conn:
        jobs = till.jobs_of_event(conn, seq)
    assert ["COPY 1" in job.document for job in jobs] == [False, True]
    assert "Z 000001" in jobs[0].document
    assert statement.check(z_file(kiosk).read_bytes()).facts["number"] == 1


# Unattended -----------------------------------------------------------------------------------------


def test_missed_dates_are_closed_in_order_and_say_that_nobody_counted(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell(10000)
    assert due_unattended(kiosk.ctx) is None
    kiosk.clock.now += timedelta(days=1)
    assert due_unattended(kiosk.ctx) == BusinessDate.on(2026, 11, 21)
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(100),)))
    (done,) = close_all(kiosk.ctx).closed
    assert (done.number, done.unattended) == (1, True)
    event = event_of(kiosk, done.event_id)
    assert (event.staff_id, event.doc["unattended"]) == (None, 1)
    assert event.doc["open"] == [["cart", 1]]
    assert [shift["total"] for shift in event.doc["sums"]["shifts"]] == [None]
    assert "未盘点" in _slip(kiosk, event)
    assert close_all(kiosk.ctx).closed == ()
    assert verify(kiosk.ctx).findings == []


def _slip(kiosk: Kiosk, event: Event) -> str:
    with kiosk.ctx.read() as conn:
        (job,) = till.jobs_of_event(conn, event.seq)
    return job.document


def test_a_date_that_was_missed_before_an_attended_one_comes_first(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell(100)
    count_and_close(kiosk)
    next_day(kiosk)
    kiosk.quote_and_sell(200)
    with pytest.raises(Refused) as caught:
        begun(kiosk, on=BusinessDate.on(2026, 11, 22))
    assert caught.value.code is Refusal.DAY_OPEN_ITEMS
    one = finished(kiosk, begun(kiosk))
    assert (one.number, one.on.iso()) == (1, "2026-11-21")
    two = closed(kiosk)
    assert (two.number, two.on.iso()) == (2, "2026-11-22")
    paid = [event_of(kiosk, each.event_id).doc["sums"]["paid"] for each in (one, two)]
    assert paid == [100, 200]


# All members in seven closes ------------------------------------------------------------------------


def test_in_seven_turns_every_member_is_folded_once(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    assert oldest_share(kiosk.ctx) == 0
    seen = 0
    for _ in range(7):
        share = next_share(kiosk.ctx)
        report = verify_share(kiosk.ctx, share)
        seen += report.members
        assert report.total == 0
        note_share(kiosk.ctx, share)
    assert seen == 2
    assert oldest_share(kiosk.ctx) == int(kiosk.ctx.business_date())


def test_a_share_finds_what_differs_in_a_member_who_was_not_here(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    closed(kiosk)
    with kiosk.ctx.write_rows() as conn:
        conn.execute("UPDATE lot SET remaining = remaining + 1")
    assert sum(verify_share(kiosk.ctx, share).total for share in range(7)) == 1


def test_a_till_has_its_signing_key_before_its_first_close(kiosk: Kiosk) -> None:
    with kiosk.ctx.read() as conn:
        seed = till_seed(conn)
    assert seed is not None
    assert statement.public_of(seed).hex() == event_of(kiosk, closed(kiosk).event_id).doc["key"]


def test_an_older_store_without_a_signing_key_gets_it_with_its_first_close(kiosk: Kiosk) -> None:
    with kiosk.ctx.write_rows() as conn:
        conn.execute("DELETE FROM till_key")
    done = closed(kiosk)
    with kiosk.ctx.read() as conn:
        seed = till_seed(conn)
    assert seed is not None
    assert statement.public_of(seed).hex() == event_of(kiosk, done.event_id).doc["key"]
