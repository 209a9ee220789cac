"""Return goods of a sale (flow 9): find the receipt, choose quantities, see everything that goes
back, choose a reason. It looks like no sale: a warm band and minus signs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QScrollArea, QWidget

from app.domain.documents import LineRequest, ReturnedLine
from app.domain.errors import Refusal, Refused
from app.domain.moves import EntryMove
from app.domain.returns import ReturnQuote
from app.formats import number
from app.i18n import mark
from app.numbers import parse_receipt_number
from app.queries.records import DocumentLine, MemberPanel, SearchResult
from ui.desk_records import Scan, TillView
from ui.dialogs.approval import approve_first
from ui.entry_words import entry_said, tender_name
from ui.errors import sentence, words_of
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.models.document_rows import DocumentRows
from ui.widgets.basics import Button, Label, WrappedLabel, card, rows
from ui.widgets.number_fields import CodeField, WholeField
from ui.widgets.reasons import reasons
from ui.widgets.segments import Segments
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable

if TYPE_CHECKING:
    from app.context import Session
    from app.usecases.return_goods import Returned, SaleOnScreen
    from ui.desk import Desk

_MOVES: Final = {
    (True, True): mark("Refund {money}, take back {taken}, return {restored}."),
    (True, False): mark("Refund {money}, take back {taken}."),
    (False, True): mark("Refund {money}, return {restored}."),
    (False, False): mark("Refund {money}."),
}
"""By whether points are taken back and returned: what is nothing isn't said."""
MEMBERS_MOST = 8
"""Of more members than this that share a text nobody's purchases help: the text is too short."""


class FindReceipt(Sheet):
    """F8: the receipt number, or the purchases of a member: the attached one, or who is typed.

    Signals:
        found(event_id): return from this sale.
        elsewhere(number): no receipt of this till; head office may know it.
        scan_refused(): a scan was none of a receipt; the sheet says so.
    """

    found = Signal(object)
    elsewhere = Signal(str)
    scan_refused = Signal()
    wide = 760

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, member: MemberPanel | None, till: TillView
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Return goods"))
        self._lanes, self._desk = lanes, desk
        self.number = CodeField(
            lambda: words.say("Receipt number or member"),
            pattern=r"[0-9A-Za-z\-]{0,30}",
            role="search",
        )
        self.body.addWidget(
            Label(
                lambda: words.say("Scan the receipt, or type its number or a member"),
                role="muted",
            )
        )
        self.body.addWidget(self.number)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.rows = DocumentRows(kit, lambda: till.today)
        self.table = RecordTable(kit, self.rows, lambda: words.say("Purchases"), whole=(0, 2))
        self.table.opened.connect(self._open)
        self.body.addWidget(self.table, 1)
        self.table.hide()
        self.number.entered.connect(self._look_up)
        self.number.stepped.connect(lambda step: self.table.setFocus())
        if member is not None:
            self._ask_purchases((member.member_id,), self._show)

    def first_focus(self) -> QWidget:
        return self.number

    def height_for(self, width: int) -> int:
        return self._kit.look.px(480)

    def _ask_purchases(
        self, members: tuple[bytes, ...], ok: Callable[[Sequence[DocumentLine]], None]
    ) -> None:
        self._lanes.run(
            self, "db", lambda: self._desk.returnable(members), ok=ok, failed=self._refused
        )

    def _show(self, documents: Sequence[DocumentLine]) -> None:
        self.rows.show(documents)
        self.table.setVisible(bool(documents))
        self.table.selectRow(0)

    def _look_up(self) -> None:
        text = self.number.text().strip()
        if text:
            self._lanes.run(
                self,
                "db",
                lambda: self._desk.document_by_receipt(text),
                ok=lambda document: self._chosen(document.event_id),
                failed=lambda error: self._no_receipt(text, error),
            )

    def _no_receipt(self, text: str, error: Exception) -> None:
        """No receipt of this till: another till's, or the purchases of the members whom it finds."""
        if not isinstance(error, Refused):
            self._refused(error)
            return
        if self._desk.exchange.joined and parse_receipt_number(text) is not None:
            self._ask_elsewhere(text)
            return

        def found(result: SearchResult) -> None:
            members = tuple(hit.member_id for hit in result.hits[:MEMBERS_MOST])
            self._ask_purchases(members, lambda sales: self._purchases(sales, error))

        self._lanes.run(
            self, "search", lambda: self._desk.search(text), ok=found, failed=self._refused
        )

    def _purchases(self, sales: Sequence[DocumentLine], error: Refused) -> None:
        self._show(sales)
        self.number.mark_wrong(not sales)
        if sales:
            self.problem.clear()
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._refused(error)

    def _open(self, row: int) -> None:
        document = self.rows.record(row)
        if document is not None:
            self._chosen(document.event_id)

    def _ask_elsewhere(self, number: str) -> None:
        self.closing.emit()
        self.elsewhere.emit(number.strip().upper())

    def _chosen(self, event_id: bytes) -> None:
        self.closing.emit()
        self.found.emit(event_id)

    def takes_scan(self, scan: Scan) -> bool:
        """A receipt is what is wanted; goods are not sold behind this sheet."""
        words = self._kit.words
        if scan.kind == "receipt" and scan.event_id is not None:
            self._chosen(scan.event_id)
        elif scan.is_elsewhere and self._desk.exchange.joined:
            self._ask_elsewhere(scan.code)
        elif scan.kind in ("item", "unknown") and not scan.new_card:
            self.problem.tell(lambda: words.say("This is no receipt. Scan the receipt first."))
            self.scan_refused.emit()
        else:
            return False
        return True

    def _refused(self, error: Exception) -> None:
        self.number.mark_wrong(True)
        self.problem.tell(lambda: words_of(self._kit, error))


class ReturnSheet(Sheet):
    """Signals:
    returned(sentence): the goods are back.
    scan_refused(): a scan was of nothing that can come back here; the sheet says so.
    """

    returned = Signal(str)
    scan_refused = Signal()
    wide = 860

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        sale: SaleOnScreen,
        names_en: Mapping[str, str],
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Return: {number}", number=sale.receipt_no))
        self._lanes, self._desk, self._who, self._sale = lanes, desk, who, sale
        self._names_en = names_en
        self._command_id = desk.new_command()
        self._quoting: Latest[tuple[ReturnQuote, tuple[EntryMove, ...]]] = Latest(
            lanes, "db", interrupt=lambda: None
        )
        self._moves: tuple[EntryMove, ...] = ()
        self.quote: ReturnQuote | None = None
        self.fields: list[WholeField] = []
        self.body.addWidget(self._lines())
        self.body.addWidget(self._preview())
        self.reason: Segments = reasons(kit, (("changed_mind", "faulty", "wrong_item", "other")))
        self.body.addWidget(Label(lambda: words.say("Reason"), role="muted"))
        self.body.addWidget(self.reason)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.take_back = Button(kit, lambda: words.say("Return goods"), role="primary")
        self.foot.addWidget(self.take_back, 1)
        self.take_back.clicked.connect(self.submit)
        self.reason.entered.connect(self.submit)
        self._say_preview()

    def _lines(self) -> QWidget:
        kit, words, formats = self._kit, self._kit.words, self._kit.formats
        holder = QWidget()
        holder.setProperty("role", "clear")
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(kit.look.px(16))
        heads = (
            lambda: words.say("Item"),
            lambda: words.say("Sold"),
            lambda: words.say("Returned"),
            lambda: words.say("Left"),
            lambda: words.say("Paid"),
            lambda: words.say("Give back"),
        )
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for column, head in enumerate(heads):
            label = Label(head, role="caption")
            label.setAlignment(right if column else left)
            grid.addWidget(label, 0, column)
        for at, line in enumerate(self._sale.document.lines):
            sold, kept = line.request.quantity, self._sale.kept[at]
            cells = (
                Label(partial(self._name, line.request)),
                Label(partial(number, sold)),
                Label(partial(number, sold - kept)),
                Label(partial(number, kept)),
                Label(partial(formats.money, line.payable_minor)),
            )
            for column, cell in enumerate(cells):
                cell.setAlignment(right if column else left)
                grid.addWidget(cell, at + 1, column)
            grid.addWidget(self._quantity_field(at, kept), at + 1, len(cells))
        grid.setColumnStretch(0, 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(holder)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        rows_high = min(len(self._sale.document.lines), 5) * 50 + 34
        area.setFixedHeight(kit.look.px(rows_high))
        return area

    def _name(self, sold: LineRequest) -> str:
        words = self._kit.words
        english = self._names_en.get(sold.item or "", "") if words.language == "en" else ""
        return english or sold.name or words.say("Amount")

    def _quantity_field(self, line: int, kept: int) -> WholeField:
        words = self._kit.words
        field = WholeField(lambda: words.say("Give back, line {line}", line=line + 1), digits=6)
        field.setFixedWidth(self._kit.look.px(110))
        field.setEnabled(kept > 0)
        field.changed.connect(self._ask)
        field.entered.connect(lambda: self._next_field(line, 1))
        field.stepped.connect(lambda step: self._next_field(line, step))
        self.fields.append(field)
        return field

    def _preview(self) -> QWidget:
        band = card("band")
        inside = rows(self._kit.look, band, margins=(16, 12, 16, 12), gap=4)
        self._refund = Label(role="pay")
        self._points = WrappedLabel(role="strong")
        self._effects = WrappedLabel(role="text2")
        for label in (self._refund, self._points, self._effects):
            inside.addWidget(label)
        return band

    @property
    def busy(self) -> bool:
        return self.asking or not self.take_back.isEnabled()

    def first_focus(self) -> QWidget:
        return next((field for field in self.fields if field.isEnabled()), self.take_back)

    def chosen(self) -> tuple[ReturnedLine, ...]:
        """The lines with a quantity."""
        return tuple(
            ReturnedLine(at, value)
            for at, field in enumerate(self.fields)
            if (value := field.value() or 0) > 0
        )

    def submit(self) -> None:
        """Commit what is previewed; a reason must be chosen."""
        if self.busy or (self.quote is None and self.chosen()):
            if not self.busy and not self._quoting.waiting:
                self._ask()  # The one before had no answer but a sentence.
            return  # Nothing goes back before everything that does has been shown.
        code = Refusal.RETURN_EMPTY if self.quote is None else None
        code = code or (Refusal.REASON_NEEDED if not self.reason.code else None)
        if code is not None or self.quote is None:
            shown = code or Refusal.RETURN_EMPTY
            self.problem.tell(lambda: sentence(self._kit, shown, {}))
            (self.reason if self.quote else self.first_focus()).setFocus()
            return
        self.take_back.setEnabled(False)
        self._send(self.quote, self.chosen(), self.reason.code)

    def _send(self, quote: ReturnQuote, lines: tuple[ReturnedLine, ...], reason: str) -> None:
        session = self._who()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.return_goods(
                self._command_id, session, self._sale.event_id, lines, reason, quote
            ),
            ok=self._done,
            failed=self._refused,
        )

    def _ask(self) -> None:
        self.quote = None
        lines = self.chosen()
        if not lines:
            self._quoting.drop()
            self.problem.clear()
            self._say_preview()
            return
        self._quoting.ask(
            self,
            partial(self._preview_of, lines),
            ok=self._quoted,
            failed=self._not_quoted,
        )

    def _preview_of(
        self, lines: tuple[ReturnedLine, ...]
    ) -> tuple[ReturnQuote, tuple[EntryMove, ...]]:
        """What would go back, and to which lots where that is known (db lane)."""
        return self._desk.preview_return(self._sale.event_id, lines), ()

    def _quoted(self, previewed: tuple[ReturnQuote, tuple[EntryMove, ...]]) -> None:
        self.quote, self._moves = previewed
        self.problem.clear()
        self._say_preview()

    def _not_quoted(self, error: Exception) -> None:
        self._say_preview()
        self.problem.tell(lambda: words_of(self._kit, error))

    def _say_preview(self) -> None:
        words, formats, quote = self._kit.words, self._kit.formats, self.quote
        if quote is None:
            self._refund.tell(lambda: formats.money(0))
            self._points.tell(lambda: words.say("Enter how many come back, line by line."))
            self._effects.clear()
            return
        draft = quote.draft
        self._refund.tell(lambda: formats.money(-quote.refund_minor))
        by_tender = ", ".join(
            f"{tender_name(self._kit, kind)} {formats.money(minor)}"
            for kind, minor in draft.refunds
        )
        money_back = by_tender or formats.money(quote.refund_minor)
        self._points.tell(
            lambda: words.say(
                _MOVES[bool(draft.points_taken_back), bool(draft.points_restored)],
                money=money_back,
                taken=formats.points(draft.points_taken_back),
                restored=formats.points(draft.points_restored),
            )
        )
        effects = [words.say("Points then: {points}.", points=formats.points(quote.balance_after))]
        if quote.debt_after:
            owed = formats.points(-quote.debt_after)
            effects.append(
                words.say(
                    "Not enough points: balance {points}, repaid by the next earning.", points=owed
                )
            )
        if draft.charged_minor:
            money = formats.money(draft.charged_minor)
            effects.append(words.say("{money} are kept for points already spent.", money=money))
        if quote.settlement.written_off:
            effects.append(written_off(self._kit, quote.settlement.written_off))
        effects += [entry_said(self._kit, move) for move in self._moves if move.lots]
        text = "\n".join(effects) if self._sale.member_id else ""
        self._effects.tell(lambda: text)

    def retranslate(self) -> None:
        super().retranslate()
        if hasattr(self, "take_back"):
            self._say_preview()

    def _next_field(self, line: int, step: int) -> None:
        after = [f for f in self.fields[line + 1 :] if f.isEnabled()]
        before = [f for f in reversed(self.fields[:line]) if f.isEnabled()]
        if step > 0:
            (after[0] if after else self.reason).setFocus()
        elif before:
            before[0].setFocus()

    def takes_scan(self, scan: Scan) -> bool:
        """Goods are one more piece that comes back; they are never sold behind this sheet."""
        if self.busy or scan.kind not in ("item", "unknown") or scan.new_card:
            return False
        lines = self._lines_of(scan)
        room = [at for at in lines if self._left(at) > 0]
        if room:
            self._add_piece(room[0])
        else:
            words = self._kit.words
            self.problem.tell(
                lambda: (
                    words.say("No more of this item can come back on this receipt.")
                    if lines
                    else words.say("This item isn't on the receipt.")
                )
            )
            self.scan_refused.emit()
        return True

    def _lines_of(self, scan: Scan) -> list[int]:
        """The numbers of the lines that sold the scanned item."""
        sold = self._sale.document.lines
        code = scan.item.code if scan.item is not None else scan.code
        return [at for at, line in enumerate(sold) if line.request.item == code]

    def _left(self, line: int) -> int:
        """What of a line was not returned and is not chosen to come back."""
        return self._sale.kept[line] - (self.fields[line].value() or 0)

    def _add_piece(self, line: int) -> None:
        piece = self._sale.document.lines[line].request.per_quantity
        field = self.fields[line]
        field.show_value((field.value() or 0) + min(piece, self._left(line)))
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        self._ask()

    def _done(self, returned: Returned) -> None:
        money = self._kit.formats.money(returned.refund_minor)
        said = self._kit.words.say(
            "Returned {money}, slip {number}.", money=money, number=returned.receipt_no
        )
        self.closing.emit()
        self.returned.emit(said)

    def _refused(self, error: Exception) -> None:
        self.take_back.setEnabled(True)
        if approve_first(
            self, self._kit, self._lanes, self._desk, self._who, error,
            again=self.submit, declined=self.problem.tell,
        ):  # fmt: skip
            return
        if isinstance(error, Refused) and isinstance(error.offer, ReturnQuote):
            self.quote = error.offer
            self._say_preview()
        self.problem.tell(lambda: words_of(self._kit, error))

    def takes_key(self, key: str) -> bool:
        """F12: from the quantities to the reasons; from there it gives back (flow 9)."""
        if key != "F12":
            return False
        if self.quote is not None and not self.reason.code:
            self.reason.setFocus()
        elif self.quote is not None or not self.chosen():
            self.submit()  # Without a quantity it says that there is none.
        else:
            self.first_focus().setFocus()
        return True


def written_off(kit: Kit, points: int) -> str:
    """That points already spent are let go, which a manager signs for."""
    said = kit.formats.points(points)
    return kit.words.say("{points} already spent are written off: a manager signs.", points=said)
