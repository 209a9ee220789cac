"""When a shift may open and on which business date (domain.md section 3, "Clock").

Nothing here reads a clock: instants are passed in. Nothing is ordered by wall clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused


def check_clock(
    now_utc: datetime,
    last_event_utc: datetime | None,
    head_office_utc: datetime | None,
    *,
    most_apart: timedelta,
    slack: timedelta = timedelta(seconds=1),
) -> None:
    """Refuse a shift while the clock is before the last event or far from head office's.

    `slack` forgives what a clock that is being disciplined does. Fact: `minutes`, rounded up.
    """
    if last_event_utc is not None and last_event_utc - now_utc > slack:
        minutes = _minutes_up(last_event_utc - now_utc)
        raise Refused(Refusal.CLOCK_BEHIND, {"minutes": minutes})
    if head_office_utc is not None:
        apart = abs(now_utc - head_office_utc)
        if apart > most_apart:
            raise Refused(Refusal.CLOCK_FAR_FROM_HEAD_OFFICE, {"minutes": _minutes_up(apart)})


def _minutes_up(span: timedelta) -> int:
    return -(-span // timedelta(minutes=1))


def check_business_date(
    proposed: BusinessDate,
    last: BusinessDate | None,
    last_closed: BusinessDate | None,
    head_office: BusinessDate | None,
    *,
    supervisor: bool,
) -> None:
    """A business date is never before the last one of any document.

    More than one day past the last close, or past head office's date, it needs a supervisor.
    """
    if last is not None and proposed < last:
        raise Refused(Refusal.BUSINESS_DATE_BACK, {"proposed": proposed.iso(), "last": last.iso()})
    ahead_of_close = last_closed is not None and proposed > last_closed + 1
    ahead_of_head_office = head_office is not None and proposed > head_office
    if (ahead_of_close or ahead_of_head_office) and not supervisor:
        known = head_office if ahead_of_head_office else last_closed
        assert known is not None
        raise Refused(
            Refusal.BUSINESS_DATE_AHEAD, {"proposed": proposed.iso(), "last": known.iso()}
        )
