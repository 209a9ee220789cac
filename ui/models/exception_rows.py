"""The exception report as tables: people against measures, and cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.documents.event_codes import CASE_STATES
from app.domain.business_day import BusinessDate
from app.domain.fraud.peers import Standing
from app.formats import number
from app.i18n import mark
from app.queries.exceptions import CaseLine, PersonLine
from app.queries.guard_walk import MEASURES, Measure
from ui.guard_words import case_sentence, rule_name
from ui.kit import Kit
from ui.models.record_rows import RecordColumns

MARKED_TENTHS: Final = 30
"""From three times the median a cell is marked, by a sign and a colour."""
_MEASURES: Final[dict[Measure, str]] = {
    "returns": mark("Returns"),
    "voids": mark("Voids"),
    "drawer": mark("Drawer"),
    "own_card": mark("Own card"),
    "adjust": mark("Adjusted"),
    "approvals": mark("Approvals"),
    "looks": mark("Looks"),
    "enrolments": mark("New members"),
}


class PersonRows(RecordColumns[PersonLine]):
    """A row a person: a measure's count and how many times the median of all it is."""

    heads = (
        mark("Person"),
        mark("Sales"),
        *(_MEASURES[measure] for measure in MEASURES),
        mark("Cases"),
    )
    right = tuple(range(1, len(MEASURES) + 3))

    def cells(self, record: PersonLine) -> tuple[str, ...]:
        return (
            record.staff.name,
            number(record.sales),
            *(_cell(record.counts[measure]) for measure in MEASURES),
            self._cases(record),
        )

    def measure(self, column: int) -> Measure | None:
        """What a column counts, None where it is no measure."""
        return MEASURES[column - 2] if 2 <= column < len(MEASURES) + 2 else None

    def sentence(self, record: PersonLine, column: int) -> str:
        """What a cell says of a person against the others, in words; "" of a name or of sales."""
        measure, words = self.measure(column), self._kit.words
        if measure is None:
            return ""
        standing = record.counts[measure]
        said = words.say(
            "{name}, {measure}: {count} in {sales} sales.",
            name=record.staff.name, measure=words.say(_MEASURES[measure]),
            count=number(standing.count), sales=number(standing.base),
        )  # fmt: skip
        if standing.times_tenths is None:
            against = words.say("There is nobody to compare with.")
        else:
            times = tenths(standing.times_tenths)
            against = words.say("That is {times} times the usual.", times=times)
            if is_marked(standing):
                against = words.say("That is {times} times the usual: look into it.", times=times)
        return f"{said} {against}"

    def tone(self, record: PersonLine, column: int) -> str:
        if column == len(self.heads) - 1:
            return "danger" if record.open_cases else ""
        at = column - 2
        marked = 0 <= at < len(MEASURES) and is_marked(record.counts[MEASURES[at]])
        return "danger" if marked else ""

    def _cases(self, record: PersonLine) -> str:
        if not record.open_cases:
            return number(record.cases)
        return self._kit.words.say(
            "{cases} ({new} new)", cases=number(record.cases), new=number(record.open_cases)
        )


class CaseRows(RecordColumns[CaseLine]):
    """Cases, newest first; whose they are, where the list is everybody's."""

    right = ()

    def __init__(self, kit: Kit, today: Callable[[], BusinessDate]) -> None:
        super().__init__(kit, today)
        self.heads = (
            mark("Time"),
            mark("Rule"),
            mark("What was found"),
            mark("Person"),
            mark("Member"),
            mark("State"),
        )

    def cells(self, record: CaseLine) -> tuple[str, ...]:
        kit = self._kit
        return (
            kit.formats.moment(record.at, today=self._today().to_date()),
            rule_name(kit, record.case.rule),
            case_sentence(kit, record.case),
            record.staff.name,
            record.member_name,
            self._state(record),
        )

    def tone(self, record: CaseLine, column: int) -> str:
        return "danger" if column == 5 and record.state == "new" else ""

    def _state(self, record: CaseLine) -> str:
        state = self._kit.words.say(CASE_STATES[record.state])
        if record.state == "new":
            return f"{state} !"
        by = [word.by.name for word in record.words if word.state == record.state]
        return f"{state} · {by[-1]}"


def is_marked(standing: Standing) -> bool:
    """Whether it is three times the usual or more."""
    return standing.times_tenths is not None and standing.times_tenths >= MARKED_TENTHS


def tenths(value: int) -> str:
    """32 -> `3.2`."""
    return f"{value // 10}.{value % 10}"


def _cell(standing: Standing) -> str:
    """`4 ×3.2 !`: count, multiple of the median where there is one, and the mark."""
    if not standing.count or standing.times_tenths is None:
        return number(standing.count)
    sign = " !" if is_marked(standing) else ""
    return f"{number(standing.count)} ×{tenths(standing.times_tenths)}{sign}"
