"""The exception report as tables: people against measures, cases, and the events behind one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.domain.business_day import BusinessDate
from app.domain.fraud.peers import Standing
from app.formats import number, signed_number
from app.i18n import mark
from app.queries.exceptions import MEASURES, CaseLine, JournalLine, Measure, PersonLine
from ui.guard_words import STATES, case_sentence, rule_name
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
_KINDS: Final = {
    "sale": mark("Sale"),
    "return": mark("Return"),
    "void": mark("Void"),
    "adjust": mark("Adjusted"),
    "enrol": mark("Enrolled"),
    "profile": mark("Profile changed"),
    "drawer": mark("Drawer opened"),
    "drawer_shut": mark("Drawer shut"),
    "look": mark("Looked at"),
    "sign_in": mark("Signed in"),
    "cash": mark("Cash in or out"),
    "count": mark("Cash counted"),
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

    def tone(self, record: PersonLine, column: int) -> str:
        if column == len(self.heads) - 1:
            return "danger" if record.open_cases else ""
        at = column - 2
        marked = 0 <= at < len(MEASURES) and _is_marked(record.counts[MEASURES[at]])
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
        state = self._kit.words.say(STATES[record.state])
        if record.state == "new":
            return f"{state} !"
        by = [word.by.name for word in record.words if word.state == record.state]
        return f"{state} · {by[-1]}"


class JournalRows(RecordColumns[JournalLine]):
    """The events behind a case, oldest first."""

    heads = (
        mark("No."),
        mark("Time"),
        mark("Kind"),
        mark("Receipt"),
        mark("By"),
        mark("Agreed by"),
        mark("Member"),
        mark("Amount"),
        mark("Points"),
    )
    right = (0, 7, 8)

    def cells(self, record: JournalLine) -> tuple[str, ...]:
        kit = self._kit
        kind = _KINDS.get(record.kind)
        return (
            number(record.seq),
            kit.formats.moment(record.at, today=self._today().to_date()),
            kit.words.say(kind) if kind else record.kind,
            record.receipt_no,
            record.staff.initials.upper(),
            record.approver.initials.upper() if record.approver else "",
            record.member_name,
            "" if record.total_minor is None else kit.formats.money(record.total_minor),
            signed_number(record.points) if record.points else "",
        )


def _is_marked(standing: Standing) -> bool:
    return standing.times_tenths is not None and standing.times_tenths >= MARKED_TENTHS


def _cell(standing: Standing) -> str:
    """`4 ×3.2 !`: count, multiple of the median where there is one, and the mark."""
    if not standing.count or standing.times_tenths is None:
        return number(standing.count)
    whole, part = divmod(standing.times_tenths, 10)
    sign = " !" if _is_marked(standing) else ""
    return f"{number(standing.count)} ×{whole}.{part}{sign}"
