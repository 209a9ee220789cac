"""A member's ledger as a table: when, what, money, points, balance afterwards."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.business_day import BusinessDate
from app.formats import number, signed_number
from app.i18n import mark
from app.queries.records import LedgerLine
from ui.kit import Kit
from ui.models.record_rows import RecordColumns

_HEADS = (mark("Time"), mark("Kind"), mark("Amount"), mark("Points"), mark("Balance"))
_OPERATOR = mark("By")
_KINDS = {
    "sale": mark("Sale"),
    "return": mark("Return"),
    "void": mark("Void"),
    "enrol": mark("Enrolled"),
    "adjust": mark("Adjusted"),
    "opening": mark("Opening"),
    "expire": mark("Expired"),
    "unexpire": mark("Expiry undone"),
    "redeem": mark("Redeemed"),
    "earn": mark("Earned"),
    "reverse": mark("Reversed"),
    "transfer": mark("Transfer"),
}


def kind_text(kit: Kit, line: LedgerLine) -> str:
    """What happened, in a word: the document's kind, made exact by the entry's where it differs."""
    source = line.kind if line.source == "sale" and line.kind == "redeem" else line.source
    known = _KINDS.get(source) or _KINDS.get(line.kind)
    return kit.words.say(known) if known else source


class LedgerRows(RecordColumns[LedgerLine]):
    """Lines as they came, newest first. `operator` adds who did it."""

    right = (2, 3, 4)

    def __init__(
        self, kit: Kit, today: Callable[[], BusinessDate], *, operator: bool = False
    ) -> None:
        super().__init__(kit, today)
        self.heads = (*_HEADS, _OPERATOR) if operator else _HEADS

    def cells(self, record: LedgerLine) -> tuple[str, ...]:
        formats = self._kit.formats
        money = "" if record.total_minor is None else formats.money(record.total_minor)
        return (
            formats.moment(record.at, today=self._today().to_date()),
            kind_text(self._kit, record),
            money,
            signed_number(record.amount),
            number(record.balance_after),
            record.operator.upper(),
        )

    def tone(self, record: LedgerLine, column: int) -> str:
        return "accent_text" if column == 3 and record.amount > 0 else ""
