"""The lists of the home page as rows: today's figures, what is to do, what needs a hand, how the machine is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.documents.report import Figure, Line, ReportCode
from app.documents.report_words import MEASURES, cell
from app.domain.business_day import BusinessDate
from app.domain.errors import Outage
from app.formats import number
from app.i18n import mark
from app.usecases.read_home import BirthdayToday, FollowUp, Home
from printing.report import ChartData
from ui.attention import NeedLine
from ui.errors import sentence
from ui.kit import Kit
from ui.models.health_rows import HealthLine, health_lines
from ui.models.record_rows import RecordColumns

_UP: Final = "▲"
_DOWN: Final = "▼"
NOTE_SIGNS: Final = 20
REPORT_OF: Final[Mapping[str, ReportCode]] = {
    "takings": "day",
    "sales": "hours",
    "member_share": "tier",
    "enrolled": "members",
    "redeemed_share": "points",
    "points_share": "points",
}
"""Which report tells more of a figure of the day."""


class GlanceRows(RecordColumns[Line]):
    """Today beside the same weekday last week; more or less is told by shape, not by colour."""

    heads = (mark("Figure"), mark("Today"), mark("Week before"), mark("More or less"))
    right = (1, 2, 3)

    def cells(self, record: Line) -> tuple[str, ...]:
        words, formats = self._kit.words, self._kit.formats
        today, before = record.figures
        name = words.say(MEASURES[str(record.key)])
        told = (cell(today, formats), cell(before, formats))
        return (name, *told, self._change(today, before))

    def _change(self, today: Figure, before: Figure) -> str:
        """In percent; of shares in percentage points; "" where there is nothing to compare with."""
        if today.value is None or not before.value:
            return ""
        step = today.value - before.value
        sign = _UP if step > 0 else _DOWN if step < 0 else ""
        if today.unit == "share":
            size = f"{abs(step) // 100}.{abs(step) % 100:02d}"
            said = self._kit.words.say("{points} pp", points=size)
            return f"{sign} {said}" if step else "="
        return (
            "="
            if not step
            else f"{sign} {number((abs(step) * 100 + abs(before.value) // 2) // abs(before.value))}%".strip()
        )


@dataclass(frozen=True, slots=True)
class Task:
    """One line of what is to do; it opens a member or a figure, or nothing where both are None."""

    what: str
    detail: str
    member_id: bytes | None = None
    figure: Figure | None = None


class TaskRows(RecordColumns[Task]):
    """What is to do today, in words that were made with it."""

    heads = (mark("To do"), mark("Who or how much"))

    def cells(self, record: Task) -> tuple[str, ...]:
        return (record.what, record.detail)


def tasks(kit: Kit, home: Home) -> tuple[Task, ...]:
    """Who is to be called back first, then points that expire soon, then whose birthday it is."""
    words, more = kit.words, home.birthday_count - len(home.birthdays)
    found = [_follow_up(kit, home, each) for each in home.follow_ups]
    found.append(_expiring(kit, home))
    found += [_birthday(kit, each) for each in home.birthdays]
    if not home.birthdays:
        found.append(Task(words.say("Birthday today"), words.say("nobody")))
    if more:
        found.append(
            Task(
                words.say("Birthday today"),
                words.count("{count} more", "{count} more", more, count=number(more)),
            )
        )
    return tuple(found)


def _follow_up(kit: Kit, home: Home, who: FollowUp) -> Task:
    words = kit.words
    day = kit.formats.day_named(who.on.to_date(), today=home.on.to_date())
    if who.why == "faulty":
        why = words.say("Call back: faulty goods returned, {day}", day=day)
    else:
        why = words.say("Call back: a regular, last here {day}", day=day)
    note = who.note if len(who.note) <= NOTE_SIGNS else f"{who.note[:NOTE_SIGNS]}…"
    said = " · ".join(part for part in (who.name, who.phone_masked, note) if part)
    return Task(why, said, member_id=who.member_id)


def visits_chart(kit: Kit, home: Home) -> ChartData | None:
    """Today's visits by hour against the same weekday's; None on two days without any."""
    words, visits = kit.words, home.visits
    if not visits.hours:
        return None
    return ChartData(
        "lines",
        words.say("Visits today"),
        tuple(f"{hour:02d}" for hour in visits.hours),
        visits.today,
        tuple(number(count) for count in visits.today),
        visits.week_before,
        words.say("Week before"),
        tuple(number(count) for count in visits.week_before),
    )


def _expiring(kit: Kit, home: Home) -> Task:
    words, soon = kit.words, home.expiring
    parts = [
        words.count("{count} member", "{count} members", soon.members, count=number(soon.members)),
        words.say("{points} points", points=number(soon.figure.value or 0)),
    ]
    if soon.worth_minor is not None:
        parts.append(kit.formats.money(soon.worth_minor))
    figure = soon.figure if soon.figure.value else None
    return Task(words.say("Points that expire within 30 days"), " · ".join(parts), figure=figure)


def _birthday(kit: Kit, who: BirthdayToday) -> Task:
    said = " · ".join(part for part in (who.name, who.phone_masked) if part)
    return Task(kit.words.say("Birthday today"), said, member_id=who.member_id)


class AlarmRows(RecordColumns[NeedLine]):
    """What needs a hand, oldest first."""

    heads = (mark("Since"), mark("What is so"), mark("Next step"))

    def cells(self, record: NeedLine) -> tuple[str, ...]:
        since = record.since(self._kit, self._today().to_date())
        return (since, record.what(), record.step())


def machine_lines(kit: Kit, home: Home) -> tuple[HealthLine, ...]:
    """The printer, the last check of the ledger, and the health of the till; what needs a hand comes first."""
    words, devices = kit.words, home.devices
    printer = words.say("ready") if devices.printer else words.say("none is set up")
    if devices.waiting:
        printer = words.count(
            "1 slip waits.", "{count} slips wait.", devices.waiting, count=devices.waiting
        )
    if devices.problem:
        printer = f"{printer} {sentence(kit, Outage(devices.problem), {})}"
    health = health_lines(kit, home.health, home.health_at, home.on)
    lines = (
        HealthLine(mark("Printer"), printer, bool(devices.problem)),
        HealthLine(mark("Ledger checked"), _checked(kit, home.verified), False),
        HealthLine(mark("Every member checked since"), _checked(kit, home.verified_all), False),
        *health,
    )
    return tuple(sorted(lines, key=lambda line: not line.alarm))


def _checked(kit: Kit, on: BusinessDate | None) -> str:
    return kit.words.say("never") if on is None else on.iso()
