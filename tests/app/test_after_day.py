"""What follows a Z: reports and a share of the members, never in the way of the close, kept as incidents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from app.queries.attention import needs
from app.settings import ReportSettings
from app.usecases.after_day import follow_close
from app.usecases.close_unattended import close_all
from app.usecases.verify_day import next_share, note_share, oldest_share, verify_share
from tests.app.closing import closed
from tests.app.kiosk import Kiosk
from tests.app.test_verify import raw


def save_reports(kiosk: Kiosk, folder: Path) -> None:
    """From now on each close saves its reports in a folder."""
    chosen = ReportSettings(folder=str(folder), after_close="csv")
    kiosk.ctx.keep_settings(replace(kiosk.ctx.settings, reports=chosen))


def incidents(kiosk: Kiosk) -> list[tuple[str, Mapping[str, int | str] | None]]:
    return [(need.code, need.facts) for need in needs(kiosk.ctx) if need.kind == "incident"]


def test_a_close_without_anybody_saves_the_reports_of_its_date(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    kiosk.busy_morning()
    save_reports(kiosk, tmp_path / "reports")
    kiosk.clock.now += timedelta(days=1)
    assert len(close_all(kiosk.ctx).closed) == 1
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["reports-01-2026-11-21.csv"]


def test_reports_that_cannot_be_saved_leave_the_close_and_need_a_hand(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    (tmp_path / "reports").write_text("a file lies where the folder should be")
    save_reports(kiosk, tmp_path / "reports")
    kiosk.clock.now += timedelta(days=1)
    assert [each.number for each in close_all(kiosk.ctx).closed] == [1]
    assert incidents(kiosk) == [("reports_not_made", {"date": "2026-11-21"})]


def test_a_share_with_a_wrong_balance_is_an_incident_with_its_count(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    done = closed(kiosk)
    with raw(kiosk) as conn:
        conn.execute("UPDATE member_state SET points = points + 1")
    for share in range(7):  # until it is the member's turn
        if share == kiosk.member_id[-1] % 7:
            break
        note_share(kiosk.ctx, next_share(kiosk.ctx))
    follow_close(kiosk.ctx, done.on)
    assert incidents(kiosk) == [("share_differs", {"count": 1})]


def test_a_share_that_is_all_right_is_no_incident(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    done = closed(kiosk)
    before = next_share(kiosk.ctx)
    follow_close(kiosk.ctx, done.on)
    assert incidents(kiosk) == []
    assert next_share(kiosk.ctx) != before


def test_a_day_without_any_backup_needs_a_hand(kiosk: Kiosk) -> None:
    assert "backup" not in [need.kind for need in needs(kiosk.ctx)]
    kiosk.clock.now += timedelta(days=1)
    assert [need.code for need in needs(kiosk.ctx) if need.kind == "backup"] == ["backup_none"]


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
