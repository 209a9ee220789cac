"""A proof in parts is the proof: every event and every member moved is in one of them, and they join."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.apart import Apart
from app.domain.errors import Unavailable
from app.usecases import verify_day
from app.usecases.close_day import last_close, prove
from app.usecases.sell import sell
from app.usecases.verify_day import Part, parts_since, verify_since
from app.usecases.verify_report import Fault, Report
from tests.app.closing import closed, next_day
from tests.app.kiosk import Kiosk, sale_command
from tests.app.test_apart import Started
from tests.app.test_close_day import opened_as_it_lies
from tests.app.test_verify import raw
from tests.app.test_verify_members import shoppers

OF = [1, 2, 3, 7]


@pytest.fixture
def busy(kiosk: Kiosk) -> Kiosk:
    """A morning with all kinds of documents, and some members more."""
    kiosk.busy_morning()
    shoppers(kiosk, 5)
    return kiosk


def in_parts(kiosk: Kiosk, of: int, since: int = 0, points: int = 0) -> list[Report]:
    upto = len(kiosk.events())
    parts = (Part(number, of, upto) for number in range(of))
    return [verify_since(kiosk.ctx, since, points, part=part) for part in parts]


def joined(reports: list[Report]) -> Report:
    first, *others = reports
    for other in others:
        first.take(other)
    return first


def plain(report: Report) -> Report:
    """With what was found in one order, whatever part found it."""
    return replace(report, findings=sorted(report.findings, key=repr), wrong=sorted(report.wrong))


@pytest.mark.parametrize("of", OF)
def test_a_proof_in_parts_finds_what_the_whole_finds(busy: Kiosk, of: int) -> None:
    assert joined(in_parts(busy, of)) == verify_since(busy.ctx, 0)


@pytest.mark.parametrize("of", OF)
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE lot SET remaining = remaining + 1",
        "UPDATE member_state SET points = points + 1",
        "UPDATE ledger SET amount = amount + 1 WHERE asset = 'points'",
        "UPDATE document SET total_minor = total_minor + 1",
        "UPDATE event_share SET amount = amount + 1",
        "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), '36800', '36801') AS BLOB)",
        "UPDATE event SET hash = zeroblob(32) WHERE seq % 3 = 0",
        "DELETE FROM event WHERE seq % 5 = 0",
    ],
)
def test_what_was_altered_is_found_by_one_of_them(busy: Kiosk, of: int, sql: str) -> None:
    with raw(busy) as conn:
        conn.execute(sql)
        assert conn.execute("SELECT changes()").fetchone() > (0,)
    busy.till = opened_as_it_lies(busy)
    upto = max(row.seq for row in busy.events())
    whole = verify_since(busy.ctx, 0, part=Part(0, 1, upto))
    parts = [verify_since(busy.ctx, 0, part=Part(number, of, upto)) for number in range(of)]
    found, wanted = plain(joined(parts)), plain(whole)
    assert wanted.findings
    if "event" not in sql or "share" in sql:
        assert found == wanted
    else:  # the hash at a seam is not the one that the part before ends on
        assert {finding.fault for finding in found.findings} >= {
            finding.fault for finding in wanted.findings
        }


@pytest.mark.parametrize("of", OF)
@pytest.mark.parametrize(("since", "upto"), [(0, 0), (0, 1), (5, 6), (3, 40), (17, 1017)])
def test_every_event_is_in_one_part_and_they_follow_each_other(
    of: int, since: int, upto: int
) -> None:
    stretches = [Part(number, of, upto).stretch(since) for number in range(of)]
    ends = [since, *(end for _, end in stretches)]
    assert [after for after, _ in stretches] == ends[:-1]
    assert ends == sorted(ends)
    assert ends[-1] == upto


@pytest.mark.parametrize("of", OF)
def test_every_member_is_in_one_part(of: int) -> None:
    for last in range(256):
        has = [Part(number, of, 9).has(bytes([0, last])) for number in range(of)]
        assert has.count(True) == 1


def test_parts_that_do_not_join_are_a_fault(busy: Kiosk) -> None:
    first, second = in_parts(busy, 2)
    assert second.start == first.head
    assert joined([replace(first), replace(second)]).total == 0
    found = joined([first, replace(second, start=bytes(32))])
    assert [finding.fault for finding in found.findings] == [Fault.EVENT]


def test_what_is_sold_while_the_parts_begin_is_left_to_the_last_step(busy: Kiosk) -> None:
    upto = len(busy.events())
    first = verify_since(busy.ctx, 0, part=Part(0, 2, upto))
    busy.quote_and_sell()
    second = verify_since(busy.ctx, 0, part=Part(1, 2, upto))
    found = joined([first, second])
    assert (found.total, found.events, found.head) == (0, upto, busy.events()[upto - 1].hash)


def test_a_balance_that_no_event_explains_is_told_once(busy: Kiosk) -> None:
    closed(busy)
    next_day(busy)
    with busy.ctx.read() as conn:
        last = last_close(conn)
    assert last is not None
    with busy.ctx.write_rows() as conn:
        conn.execute("UPDATE member_state SET points = points + 1")
    found = joined(in_parts(busy, 3, last.seq, last.points))
    assert [finding.what[:12] for finding in found.findings] == ["all balances"]


@pytest.mark.parametrize(
    ("worth", "most", "count"), [(1, 3, 3), (10**6, 3, 1), (1, 1, 1), (10, 99, None)]
)
def test_there_are_as_many_parts_as_cores_and_as_the_day_is_worth(
    busy: Kiosk, monkeypatch: pytest.MonkeyPatch, worth: int, most: int, count: int | None
) -> None:
    monkeypatch.setattr(verify_day, "WORTH_A_PROCESS", worth)
    upto = len(busy.events())
    assert upto > 2 * 10
    parts = parts_since(busy.ctx, 0, most=most)
    assert len(parts) == (count or upto // 10)
    assert parts == [Part(number, len(parts), upto) for number in range(len(parts))]


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every day is worth three processes."""
    monkeypatch.setattr(verify_day, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 3)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("alter", ["", "UPDATE lot SET remaining = remaining + 1"])
def test_a_proof_in_several_processes_is_the_proof(busy: Kiosk, alter: str) -> None:
    if alter:
        with raw(busy) as conn:
            conn.execute(alter)
        busy.open()
    heard: list[int] = []
    found = Apart(busy.ctx).since(busy.ctx, 0, 0, heard.append)
    assert plain(found) == plain(verify_since(busy.ctx, 0))
    assert bool(found.findings) == bool(alter)
    assert heard == sorted(heard)
    assert heard[-1] == 100


@pytest.mark.usefixtures("three")
def test_a_close_goes_on_from_a_proof_in_several_processes(busy: Kiosk) -> None:
    sell(busy.ctx, sale_command(busy.ctx, busy.session, busy.member_id, 1500))
    assert prove(busy.ctx, Apart(busy.ctx).since) == prove(busy.ctx)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("place", [0, 1, 2])
def test_when_one_of_them_ends_without_an_answer_there_is_no_proof(
    busy: Kiosk, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    answers = "input(); print('{\"report\":{}}')"
    codes = [answers, answers, answers]
    codes[place] = "input()"
    started = Started(monkeypatch, *codes)
    checks = Apart(busy.ctx)
    with pytest.raises(Unavailable):
        checks.since(busy.ctx, 0, 0)
    assert len(started.processes) == 3
    assert started.are_gone(checks)
