"""A closed day: its Z is signed, checked without any store, printed again, and nothing alters it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import posting, statement
from app.approvals import Ask
from app.commands import run
from app.commands.verify_z import faults
from app.domain.errors import Refusal, Refused
from app.i18n import Words
from app.statement import BadStatement
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.reprint import Reprint, reprint
from app.usecases.void import preview_void
from db import till
from db.day import till_seed
from tests.app.closing import closed, event_of, manager_of, next_day
from tests.app.kiosk import Kiosk

# The signature -----------------------------------------------------------------------------------


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
    assert "the numbers do not follow each other" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "public", "said"),
    [
        ({}, b"k", []),
        ({"date": 20}, b"k", ["Z 000001 and Z 000002: the dates do not rise."]),
        ({"proof": {"events": 5}}, b"k", ["Z 000001 and Z 000002: the events do not rise."]),
        ({}, b"l", ["Z 000001 and Z 000002: they are signed with different keys."]),
        ({"device": "another", "date": 20}, b"l", []),
    ],
)
def test_closes_that_do_not_join_say_by_what(
    changes: dict[str, Any], public: bytes, said: list[str]
) -> None:
    first = {"device": "till", "number": 1, "date": 20, "proof": {"events": 5}}
    second = {"device": "till", "number": 2, "date": 21, "proof": {"events": 9}, **changes}
    found = [statement.Checked(first, b"k"), statement.Checked(second, public)]
    assert list(faults(found, Words("en"))) == said


def test_every_z_of_a_till_is_signed_with_one_key(kiosk: Kiosk) -> None:
    one = event_of(kiosk, closed(kiosk).event_id).doc["key"]
    kiosk.reopen()
    next_day(kiosk)
    assert event_of(kiosk, closed(kiosk).event_id).doc["key"] == one


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


# After the Z -------------------------------------------------------------------------------------


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
