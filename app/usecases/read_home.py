"""The manager's home: today at a glance, what is to do, and how the till is. Reads only, on the report lane.

Figures are the overview report's own; alarms are app.queries.attention's and the open sale's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from app.account import birthdays_on
from app.context import Context, Session
from app.documents.report import Drill, Figure, Line, ReportFilter
from app.domain.business_day import BusinessDate
from app.domain.errors import Cancelled
from app.domain.member import mask_name, mask_phone
from app.domain.programme import Programme
from app.domain.redemption import value_of
from app.domain.rights import Right
from app.queries.health import Health, health
from app.queries.readers import require_look, shift_day
from app.queries.reports.sales import uncounted_shift, where_of
from app.queries.reports.standing import EXPIRING_DAYS
from app.usecases.read_report import report_of, sees_names
from app.usecases.verify_day import shares_verified
from db import home as home_rows
from db import report_sums, till
from db.connection import Connection
from db.engine import Reader
from db.errors import Interrupted

GLANCE: Final = ("takings", "sales", "member_share", "enrolled", "redeemed_share", "points_share")
BIRTHDAYS_SHOWN: Final = 100
MINUTES: Final = 60
DAY_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class BirthdayToday:
    """A member whose birthday is today; the name is masked for who sees no names at the counter."""

    member_id: bytes
    name: str
    phone_masked: str


FOLLOW_UPS_SHOWN: Final = 50
FAULTY_DAYS: Final = 7
"""So long somebody who brought faulty goods back is to be asked how it went, unless they have bought since."""
AWAY_DAYS: Final = 60
AWAY_WEEK: Final = 7
"""A regular is on the list in the week after so many days away, once."""
REGULAR_SALES: Final = 4
REGULAR_DAYS: Final = 180


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A member to call back (docs/decisions/home.md): "faulty" brought faulty goods back on `on`; "away" is a
    regular who was here last on `on`. `note` is the profile's, "" for who sees no names."""

    why: Literal["faulty", "away"]
    member_id: bytes
    on: BusinessDate
    name: str
    phone_masked: str
    note: str


@dataclass(frozen=True, slots=True)
class Visits:
    """Sales by hour, `hours` in a row: today's up to the hour that it is, and the same weekday's last week."""

    hours: tuple[int, ...]
    today: tuple[int, ...]
    week_before: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ExpiringSoon:
    """Points whose last good date is within 30 days: whose, how many, worth in minor units (None where
    points are no tender); `figure` opens into the events that gave them."""

    members: int
    figure: Figure
    worth_minor: int | None


@dataclass(frozen=True, slots=True)
class Devices:
    """`printer` says whether there is one; `waiting` slips, `problem` its code, "" while nothing is wrong."""

    printer: bool
    waiting: int
    problem: str


@dataclass(frozen=True, slots=True)
class Home:
    """One look at the shop.

    Attributes:
        glance: one line for each of GLANCE: its figure today, and a whole day a week before. Takings of
            today, and what share of them points paid, are withheld until the open shift's cash is counted
            (counter-flows.md section 5).
        birthdays: the first hundred by name; `birthday_count` is how many there are.
        verified: the business date of the last check of a share of the members, None before any.
        verified_all: since when every member was checked, None while some never were.
    """

    on: BusinessDate
    glance: tuple[Line, ...]
    birthdays: tuple[BirthdayToday, ...]
    birthday_count: int
    expiring: ExpiringSoon
    follow_ups: tuple[FollowUp, ...]
    visits: Visits
    devices: Devices
    health: Health
    health_at: datetime
    verified: BusinessDate | None
    verified_all: BusinessDate | None


def read_home(ctx: Context, session: Session) -> Home:
    """Read it all. Raises Refused(NOT_ALLOWED) for who may not read reports; Cancelled."""
    try:
        with ctx.read(Reader.REPORT) as conn:
            names = sees_names(require_look(conn, session, Right.REPORTS))
            # After the Z the till may work for the next date; a shift that was left open is no day's.
            on = max(ctx.business_date(), shift_day(ctx, conn))
            programme = ctx.programme_on(conn, on)
            days = birthdays_on(programme, on)
            glance = _glance(ctx, conn, on)
            born = home_rows.born_on(conn, days, BIRTHDAYS_SHOWN)
            born_count = home_rows.born_on_count(conn, days)
            expiring = _expiring(conn, programme, on)
            follow_ups = _follow_ups(conn, on, names=names)
            visits = _visits(ctx, conn, on)
            devices = _devices(ctx, conn)
            oldest, newest = shares_verified(conn)
        looked = health(ctx)
    except Interrupted:
        raise Cancelled from None
    return Home(
        on=on,
        glance=glance,
        birthdays=tuple(_birthday(row, names=names) for row in born),
        birthday_count=born_count,
        expiring=expiring,
        follow_ups=follow_ups,
        visits=visits,
        devices=devices,
        health=looked,
        health_at=ctx.clock(),
        verified=BusinessDate(newest) if newest else None,
        verified_all=BusinessDate(oldest) if oldest else None,
    )


def _glance(ctx: Context, conn: Connection, on: BusinessDate) -> tuple[Line, ...]:
    report = report_of(ctx, conn, "overview", ReportFilter(on, on))
    lines = {line.key: replace(line, figures=line.figures[:2]) for line in report.lines}
    if _is_uncounted(conn, on):
        for code in ("takings", "points_share"):
            today, before = lines[code].figures
            hidden = replace(today, value=None, drill=None, withheld=True)
            lines[code] = replace(lines[code], figures=(hidden, before))
    return tuple(lines[code] for code in GLANCE)


def _is_uncounted(conn: Connection, on: BusinessDate) -> bool:
    """Whether the takings of a date hold those of a shift whose cash isn't counted yet."""
    shift_id = uncounted_shift(conn)
    shift = till.shift(conn, shift_id) if shift_id else None
    return shift is not None and shift.business_date == on


def _birthday(row: home_rows.BirthdayRow, *, names: bool) -> BirthdayToday:
    name = row.name if names or not row.name else mask_name(row.name)
    return BirthdayToday(row.member_id, name, mask_phone(row.phone) if row.phone else "")


def _expiring(conn: Connection, programme: Programme, on: BusinessDate) -> ExpiringSoon:
    last = on.plus(EXPIRING_DAYS)
    members, points = home_rows.expiring_points(conn, int(on), int(last), uncounted_shift(conn))
    drill = Drill("points_expiring", ReportFilter(on, on))
    rules = programme.redemption
    worth = value_of(rules, points) if rules else None
    return ExpiringSoon(members, Figure(points, "points", drill), worth)


def _follow_ups(conn: Connection, on: BusinessDate, *, names: bool) -> tuple[FollowUp, ...]:
    faulty = home_rows.returned_for(
        conn, "faulty", int(on.plus(-FAULTY_DAYS)), int(on), FOLLOW_UPS_SHOWN
    )
    away = home_rows.regulars_away(
        conn, int(on.plus(1 - AWAY_DAYS - AWAY_WEEK)), int(on.plus(-AWAY_DAYS)),
        least=REGULAR_SALES, within=REGULAR_DAYS, limit=FOLLOW_UPS_SHOWN,
    )  # fmt: skip
    return (
        *(_follow_up("faulty", row, names=names) for row in faulty),
        *(_follow_up("away", row, names=names) for row in away),
    )


def _follow_up(
    why: Literal["faulty", "away"], row: home_rows.FollowUpRow, *, names: bool
) -> FollowUp:
    return FollowUp(
        why,
        row.member_id,
        BusinessDate(row.business_date),
        row.name if names or not row.name else mask_name(row.name),
        mask_phone(row.phone) if row.phone else "",
        row.note if names else "",
    )


def _visits(ctx: Context, conn: Connection, on: BusinessDate) -> Visits:
    """From the first hour with a sale on either day to the last one, or to the hour that it is. Hours after
    midnight belong to the evening before: they come last."""
    asked = ReportFilter(on, on)
    today, before = (_by_hour(conn, each) for each in (asked, asked.week_before()))
    cut_off = ctx.till.cut_off_minute // MINUTES
    now = (ctx.minute_of_day() // MINUTES - cut_off) % DAY_HOURS
    places = {(hour - cut_off) % DAY_HOURS for hour in (*today, *before)} | (
        {now} if today else set()
    )
    if not places:
        return Visits((), (), ())
    span = range(min(places), max(places) + 1)
    hours = tuple((place + cut_off) % DAY_HOURS for place in span)
    return Visits(
        hours,
        tuple(today.get(hour, 0) for place, hour in zip(span, hours, strict=True) if place <= now),
        tuple(before.get(hour, 0) for hour in hours),
    )


def _by_hour(conn: Connection, asked: ReportFilter) -> dict[int, int]:
    """Hour → sales that stand; counts are told before the drawer is counted, money isn't."""
    found = report_sums.sums(conn, where_of(conn, asked), "hour", ("sales",))
    return {hour: count for hour, (count,) in found if isinstance(hour, int) and count}


def _devices(ctx: Context, conn: Connection) -> Devices:
    if not ctx.settings.receipt.printer:
        return Devices(False, 0, "")
    jobs = till.waiting_jobs(conn)
    return Devices(True, len(jobs), next((job.problem for job in jobs if job.problem), "") or "")
