"""R4 for the exception report: a full disk takes nothing from it, for it only reads."""

from __future__ import annotations

from pathlib import Path

from app.apart import Apart
from app.queries.exceptions import exceptions
from tests.app.kiosk import Kiosk, Template
from tests.faults.test_disk_full import full, small_disk

__all__ = ["small_disk"]


def test_the_report_of_exceptions_is_read_from_a_full_disk(
    template: Template, small_disk: Path
) -> None:
    kiosk = Kiosk(template.copy_to(small_disk / "store"), template)
    kiosk.busy_morning()
    today = kiosk.ctx.business_date()
    here = exceptions(kiosk.ctx, today.plus(-6), today, "manager")
    with full(small_disk):
        there = exceptions(kiosk.ctx, today.plus(-6), today, "manager", Apart(kiosk.ctx).walk)
    assert there == here
    assert there.people
    kiosk.close()
