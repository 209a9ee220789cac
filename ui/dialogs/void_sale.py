"""Void a document of this shift (flow 11): the newest one is chosen, its mirror is shown, a reason
has to be said. An older one is scanned, typed by its number, or found by going down the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.errors import Refusal, Refused
from app.domain.moves import EntryMove
from app.domain.void import VoidQuote
from app.queries.records import DocumentLine
from ui.desk_records import Scan, TillView
from ui.dialogs.approval import approve_first
from ui.dialogs.return_goods import written_off
from ui.entry_words import entry_said, tender_name
from ui.errors import sentence, words_of
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.models.document_rows import DocumentRows
from ui.widgets.basics import Button, Label, WrappedLabel, card, nothing, rows
from ui.widgets.number_fields import CodeField
from ui.widgets.reasons import reasons
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable

if TYPE_CHECKING:
    from app.context import Session
    from app.usecases.void import Voided
    from ui.desk import Desk


class VoidSale(Sheet):
    """Signals:
    voided(sentence, event_id): it is done, to this document.
    """

    voided = Signal(str, object)
    wide = 820

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        documents: Sequence[DocumentLine],
        till: TillView,
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Void"))
        self._lanes, self._desk, self._who = lanes, desk, who
        self._command_id = desk.new_command()
        self._finding: Latest[DocumentLine] = Latest(lanes, "db", interrupt=lambda: None)
        self._quoting: Latest[tuple[VoidQuote, tuple[EntryMove, ...]]] = Latest(
            lanes, "db", interrupt=lambda: None
        )
        self.quote: VoidQuote | None = None
        self.rows = DocumentRows(kit, lambda: till.today)
        self._documents = list(documents)
        self._oldest = documents[-1].seq if documents else 0
        self._whole = not documents
        self.rows.show(self._documents)
        self.number = CodeField(lambda: words.say("Receipt number"), pattern=r"[0-9A-Za-z\-]{0,30}")
        self.body.addWidget(
            Label(lambda: words.say("Scan the receipt, type its number, or choose"), role="muted")
        )
        self.body.addWidget(self.number)
        self.table = RecordTable(
            kit, self.rows, lambda: words.say("Documents of this shift"), whole=(0, 2)
        )
        self.body.addWidget(self.table, 1)
        band = self._preview()
        self.body.addWidget(band)
        self.reason = reasons(kit, ("wrong_item", "wrong_member", "test", "other"))
        reason_name = Label(lambda: words.say("Reason"), role="muted")
        self.body.addWidget(reason_name)
        self.body.addWidget(self.reason)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.commit = Button(kit, lambda: words.say("Void"), role="primary")
        self.foot.addWidget(self.commit, 1)
        self.commit.clicked.connect(self.submit)
        self.reason.entered.connect(self.submit)
        self.number.entered.connect(self._look_up)
        self.number.textEdited.connect(lambda _: self._finding.drop())
        self.number.stepped.connect(lambda step: self.table.setFocus())
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._row_changed())
        self.table.opened.connect(lambda _: self._opened())
        self._useful = (band, reason_name, self.reason, self.commit)
        self.table.selectRow(0)
        if not self._documents:
            self._show_useful(False)
            self.problem.tell(lambda: words.say("Nothing of this shift can be voided."))

    def _show_useful(self, useful: bool) -> None:
        """The mirror and what commits it; nothing of it without a document."""
        for widget in self._useful:
            widget.setVisible(useful)

    def _preview(self) -> QWidget:
        band = card("band", tone="danger")
        inside = rows(self._kit.look, band, margins=(16, 12, 16, 12), gap=4)
        self._money = Label(role="pay", tone="danger")
        self._points = WrappedLabel(role="strong")
        inside.addWidget(self._money)
        inside.addWidget(self._points)
        self._entries = WrappedLabel()
        inside.addWidget(self._entries)
        return band

    @property
    def busy(self) -> bool:
        return self.asking or not self.commit.isEnabled()

    def takes_scan(self, scan: Scan) -> bool:
        """A receipt is the one to void."""
        if scan.kind != "receipt" or scan.event_id is None:
            return False
        self.number.clear()  # What stood there is not the one any more.
        self._find(scan.code)
        return True

    def _look_up(self) -> None:
        text = self.number.text().strip()
        if text:
            self._find(text)
        else:
            self.reason.setFocus()

    def _find(self, text: str) -> None:
        self._finding.ask(
            self, lambda: self._desk.document_by_number(text),
            ok=self._choose, failed=self._unknown,
        )  # fmt: skip

    def _unknown(self, error: Exception) -> None:
        self.number.mark_wrong(True)
        self.problem.tell(lambda: words_of(self._kit, error))

    def _choose(self, document: DocumentLine) -> None:
        """Show it among the others, or above them; what it can't be voided for is told by its quote."""
        self.number.mark_wrong(False)
        self.number.clear()  # What was typed is found: the row says which it is.
        if all(each.event_id != document.event_id for each in self._documents):
            self._documents.insert(0, document)
            self.rows.show(self._documents)
        self._show_useful(True)
        at = [each.event_id for each in self._documents].index(document.event_id)
        self.table.selectRow(at)
        self._ask()
        self.reason.setFocus()

    def _opened(self) -> None:
        """Enter on a row: it is the one, also where it was the current one before."""
        self._leave_number()
        self._ask()
        self.reason.setFocus()

    def _leave_number(self) -> None:
        """A row is chosen by hand: whatever was typed, or is being looked for, is not the one."""
        self._finding.drop()
        self.number.clear()
        self.number.mark_wrong(False)

    def _row_changed(self) -> None:
        if self.table.hasFocus():
            self._leave_number()
        self._ask()
        if self.table.currentIndex().row() == len(self._documents) - 1 and not self._whole:
            self._whole = True  # until more came
            oldest = self._oldest
            self._lanes.run(
                self,
                "db",
                lambda: self._desk.voidable(oldest),
                ok=self._older,
                failed=self._refused,
            )

    def _older(self, documents: Sequence[DocumentLine]) -> None:
        if not documents:
            return
        self._whole, self._oldest = False, documents[-1].seq
        known = {each.event_id for each in self._documents}
        at = self.table.currentIndex().row()
        self._documents += [each for each in documents if each.event_id not in known]
        self.rows.show(self._documents)
        self.table.selectRow(at)

    def first_focus(self) -> QWidget:
        return self.reason if self.rows.rowCount() else super().first_focus()

    def height_for(self, width: int) -> int:
        return self._kit.look.px(720)

    def submit(self) -> None:
        """Commit what is previewed; a reason must be chosen."""
        if self.number.text().strip() and not self.busy:
            self._look_up()  # Never another one than the number that stands there.
            return
        document = self.rows.record(self.table.currentIndex().row())
        if self.busy or self._finding.waiting or document is None or self.quote is None:
            return
        if not self.reason.code:
            self.problem.tell(lambda: sentence(self._kit, Refusal.REASON_NEEDED, {}))
            self.reason.setFocus()
            return
        self.commit.setEnabled(False)
        quote, reason, session = self.quote, self.reason.code, self._who()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.void(self._command_id, session, document.event_id, reason, quote),
            ok=lambda voided: self._done(document, voided),
            failed=self._refused,
        )

    def _ask(self) -> None:
        self.quote = None
        document = self.rows.record(self.table.currentIndex().row())
        if document is not None:
            self._quoting.ask(
                self,
                lambda: self._desk.preview_void(document.event_id),
                ok=lambda preview: self._quoted(document, *preview),
                failed=self._not_quoted,
            )

    def _not_quoted(self, error: Exception) -> None:
        """It can't be voided: the sentence says why, and no figure of another one stands there."""
        for said in (self._money, self._points, self._entries):
            said.tell(nothing)
        self._refused(error)

    def _quoted(
        self, document: DocumentLine, quote: VoidQuote, moves: tuple[EntryMove, ...]
    ) -> None:
        self.quote = quote
        self._entries.tell(lambda: "\n".join(entry_said(self._kit, move) for move in moves))
        self._entries.setVisible(bool(moves))
        words, formats = self._kit.words, self._kit.formats
        self.problem.clear()
        self._money.tell(lambda: formats.money(-sum(minor for _, minor in quote.refunds)))

        def say() -> str:
            said = _money_said(self._kit, quote)
            if quote.settlement.charged_minor:
                kept = formats.money(quote.settlement.charged_minor)
                said.append(words.say("{money} are kept for points already spent.", money=kept))
            if quote.settlement.written_off:
                said.append(written_off(self._kit, quote.settlement.written_off))
            if document.member_id is not None:
                points = formats.points(quote.balance_after)
                said.append(words.say("Points then: {points}.", points=points))
            return " ".join(said)

        self._points.tell(say)

    def _done(self, document: DocumentLine, voided: Voided) -> None:
        said = self._kit.words.say("Voided {number}.", number=voided.voided_no)
        self.closing.emit()
        self.voided.emit(said, document.event_id)

    def _refused(self, error: Exception) -> None:
        self.commit.setEnabled(True)
        if approve_first(
            self, self._kit, self._lanes, self._desk, self._who, error,
            again=self.submit, declined=self.problem.tell,
        ):  # fmt: skip
            return
        if isinstance(error, Refused) and isinstance(error.offer, VoidQuote):
            self._ask()  # Shown anew, with its entries, before anybody says yes to it.
        self.problem.tell(lambda: words_of(self._kit, error))


def _money_said(kit: Kit, quote: VoidQuote) -> list[str]:
    """Who hands money to whom, and what is done at the payment side: a sentence each."""
    words, formats = kit.words, kit.formats
    kinds = {kind for kind, _ in quote.refunds}
    elsewhere = bool(kinds - {"cash"})
    total = sum(minor for _, minor in quote.refunds)
    by_tender = ", ".join(
        f"{tender_name(kit, kind)} {formats.money(abs(minor))}" for kind, minor in quote.refunds
    )
    if not quote.refunds:
        return []
    if total < 0:
        if not elsewhere:
            return [words.say("Take {money} back in cash.", money=formats.money(-total))]
        return [
            words.say("Take back {money}.", money=by_tender),
            words.say("Charge QR and card at the payment side first, then void."),
        ]
    said = [words.say("Give back {money}.", money=by_tender)]
    if elsewhere:
        said.append(words.say("Refund QR and card at the payment side first, then void."))
    return said
