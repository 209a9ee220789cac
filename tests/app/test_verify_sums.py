"""The sums that reports read: kept with each row, proven by verify, named when changed, written anew."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest

from app.usecases.enrol import ProfileInput
from app.usecases.owner_postings import post_all
from app.usecases.sell import sell
from app.usecases.tidy import tidy
from app.usecases.verify import verify
from app.usecases.verify_report import Fault
from db import report_sums_kept, states
from db.migrate import shipped
from tests.app.closing import next_day
from tests.app.kiosk import Kiosk, sale_command
from tests.app.mending import assert_sound, lose_log
from tests.app.test_owner_postings import TO_SILVER, last_good_date, members_who_bought, shut
from tests.app.test_verify import program, raw

TRIGGERS = re.findall(
    r"CREATE TRIGGER (\w+)",
    next(step.sql for step in shipped() if step.name == "report_sums"),
)


def year(kiosk: Kiosk) -> None:
    """Everything that moves points, lots or tiers: sales, all points of a lot spent and given back, returns, a
    void that takes a tier back, an enrolment, later expiries and reviews at the end of it."""
    kiosk.busy_morning()
    members_who_bought(kiosk, 2, TO_SILVER)
    member = kiosk.enrol(ProfileInput("Grace Hopper", "13900009999")).result.member_id
    sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, member, 20000))
    spends = sale_command(kiosk.ctx, kiosk.session, member, 5000, redeem=200)
    spent = sell(kiosk.ctx, spends).result
    kiosk.take_back(spent.event_id)
    for minor in [44000] * 4:
        sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, member, minor))
    risen = sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, member, 10000)).result
    assert risen.tier_code == "silver"
    kiosk.undo(risen.event_id)
    shut(kiosk)
    on = last_good_date(kiosk)
    expired = post_all(kiosk.ctx, on, None)
    reviewed = post_all(kiosk.ctx, on.plus(800), None)
    assert (expired.members > 0, reviewed.lowered > 0) == (True, True)


def test_after_a_whole_year_the_sums_are_what_the_journal_says(kiosk: Kiosk) -> None:
    year(kiosk)
    assert_sound(kiosk)
    with kiosk.ctx.read() as conn:
        points = report_sums_kept.kept_points(conn)
        tiers = report_sums_kept.kept_tiers(conn)
        (balance,) = conn.execute("SELECT sum(points) FROM member_state").fetchone()
    assert sum(each.issued - each.redeemed - each.expired for each in points.values()) == balance
    assert all(getattr(list(points.values())[-1], name) for name in ("expired", "expiries"))
    assert sum(tiers.values()) == 5


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_without_any_one_of_the_triggers_a_sum_would_be_wrong(kiosk: Kiosk, trigger: str) -> None:
    with raw(kiosk, without=[trigger]):
        """It is gone."""
    kiosk.open()
    year(kiosk)
    assert {finding.fault for finding in verify(kiosk.ctx).findings} == {Fault.SUM}


def test_a_lot_that_is_written_over_is_in_its_sum_once(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    with kiosk.ctx.write_rows() as conn:
        (lot,) = states.lots(conn, kiosk.member_id)
        states.put_lots(conn, [lot._replace(remaining=lot.remaining + 7)])
        assert report_sums_kept.kept_lots(conn) == {
            (lot.available_from, lot.expires): (1, lot.remaining + 7)
        }
        states.put_lots(conn, [lot])
    assert_sound(kiosk)


def test_a_till_that_lost_its_log_has_the_same_sums_again(kiosk: Kiosk) -> None:
    kiosk.reopen()
    kiosk.busy_morning()
    members_who_bought(kiosk, 1, TO_SILVER)
    with kiosk.ctx.read() as conn:
        before = report_sums_kept.kept_points(conn), report_sums_kept.kept_tiers(conn)
    lose_log(kiosk)
    kiosk.open()
    assert ("events_replayed" in [code for code, _ in kiosk.till.findings.found]) is True
    with kiosk.ctx.read() as conn:
        after = report_sums_kept.kept_points(conn), report_sums_kept.kept_tiers(conn)
    assert after == before
    assert_sound(kiosk)


def test_adding_up_some_at_a_time_gives_what_the_triggers_kept(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    year(kiosk)
    monkeypatch.setattr(report_sums_kept, "_EVENTS_AT_ONCE", 3)
    monkeypatch.setattr(report_sums_kept, "_MEMBERS_AT_ONCE", 2)
    told: list[tuple[int, int]] = []
    with kiosk.ctx.read() as conn:
        sums = report_sums_kept.added_up(conn, lambda done, whole: told.append((done, whole)))
        kept = (
            report_sums_kept.kept_points(conn),
            report_sums_kept.kept_lots(conn),
            report_sums_kept.kept_tiers(conn),
        )
    assert tuple(sums) == kept
    assert told == sorted(told)
    assert len(told) > 8
    assert {whole >= done for done, whole in told} == {True}


# What was changed behind the store's back ---------------------------------------------------------

COLUMNS = [
    *(("points_sum", name) for name in report_sums_kept.PointsKey._fields),
    *(("points_sum", name) for name in report_sums_kept.PointsSum._fields),
    *(("lot_sum", name) for name in ("available_from", "expires", "lots", "points")),
    *(("tier_sum", name) for name in ("tier", "until", "members")),
]
NAMED = {"points_sum": "sum of points ", "lot_sum": "sum of lots ", "tier_sum": "sum of tiers "}
_OTHER: dict[str, Callable[[str], str]] = {
    "INTEGER": lambda column: f"{column} + 1",
    "TEXT": lambda column: f"{column} || 'x'",
    "BLOB": lambda column: f"CAST({column} || x'00' AS BLOB)",
}


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_changed_sum_is_named_and_rebuilt(kiosk: Kiosk, table: str, column: str) -> None:
    kiosk.busy_morning()
    with raw(kiosk) as conn:
        kinds = {row[1]: row[2] for row in conn.execute(f"PRAGMA table_info({table})")}
        (one,) = conn.execute(f"SELECT max({column}) FROM {table}").fetchone()
        conn.execute(
            f"UPDATE {table} SET {column} = {_OTHER[kinds[column]](column)} WHERE {column} = ?",
            (one,),
        )
    kiosk.open()
    findings = verify(kiosk.ctx).findings
    assert findings
    assert all(each.what.startswith(NAMED[table]) for each in findings)
    assert {each.fault for each in findings} == {Fault.SUM}
    verify(kiosk.ctx, rebuild=True)
    assert_sound(kiosk)


@pytest.mark.parametrize("table", NAMED)
def test_a_missing_sum_is_named(kiosk: Kiosk, table: str) -> None:
    kiosk.quote_and_sell()
    with raw(kiosk) as conn:
        conn.execute(f"DELETE FROM {table}")
    kiosk.open()
    (finding,) = verify(kiosk.ctx).findings
    assert (finding.fault, finding.seq) == (Fault.SUM, 0)
    assert finding.what.startswith(NAMED[table])
    assert ": None, not " in finding.what


def test_beside_a_changed_balance_a_changed_sum_is_named_too_and_both_are_mended(
    kiosk: Kiosk,
) -> None:
    kiosk.quote_and_sell()
    with raw(kiosk) as conn:
        conn.execute("UPDATE lot SET remaining = remaining + 1")
        conn.execute("UPDATE member SET tier = 'gold'")
        conn.execute("UPDATE lot_sum SET points = points + 1")
        conn.execute("UPDATE tier_sum SET tier = 'gold'")
    kiosk.open()
    report = verify(kiosk.ctx)
    # The sums agree with the changed rows: only the journal knows better.
    assert [each.fault for each in report.findings] == [Fault.CACHE, *[Fault.SUM] * 3]
    assert verify(kiosk.ctx, rebuild=True).rebuilt == 1
    assert_sound(kiosk)


def test_the_program_has_an_exit_code_for_it_and_mends_it(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    with raw(kiosk) as conn:
        conn.execute("UPDATE points_sum SET issued = issued + 5")
    found = program(kiosk)
    assert found.returncode == 16, found.stdout + found.stderr
    assert "16 A sum that reports read differs (sum of points " in found.stdout
    assert program(kiosk, "--rebuild").returncode == 16
    assert program(kiosk).returncode == 0


def test_what_is_sold_while_sums_are_compared_is_no_difference(kiosk: Kiosk) -> None:
    kiosk.busy_morning()

    def sell_meanwhile(what: str, done: int, total: int) -> None:
        if what == "sums" and not done:
            selling = threading.Thread(target=kiosk.quote_and_sell)
            selling.start()
            selling.join()
            sold.append(done)

    sold: list[int] = []

    assert verify(kiosk.ctx, progress=sell_meanwhile).findings == []
    assert sold == [0]


def test_the_idle_work_and_the_next_day_leave_the_sums_alone(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    assert tidy(kiosk.ctx) == ()
    shut(kiosk)
    next_day(kiosk)
    assert_sound(kiosk)
