"""Pay: the one place where money is taken (counter-flows.md section 3, laws 2 and 3).

Only Enter, F12 or the Charge button in here commits, once, and only after the sheet was painted.
Choosing a tender never does. The command id was made when the sheet opened.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.domain.errors import Refusal
from app.domain.sale import SaleQuote
from ui.errors import sentence
from ui.keyboard import OnceGuard
from ui.kit import Kit
from ui.theme import set_style
from ui.widgets.basics import Button, Label, Text, WrappedLabel, card, columns, nothing, rows
from ui.widgets.number_fields import AmountField
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet

NOTES_ROOM: Final = 370
"""Design pixels that the row of notes has beside the sum."""


class Pay(Sheet):
    """Signals:
    taking(tender, given_minor): money is taken; who takes it calls `wait`, and `refused` if it fails.
    left(): it is taken away.

    Attributes:
        hold: what head office has reserved for this sale.
    """

    taking = Signal(str, object)  # An int of Qt's has 32 bits: money doesn't fit.
    left = Signal()
    wide = 760

    def __init__(
        self,
        kit: Kit,
        quote: SaleQuote,
        *,
        command_id: bytes,
        default_tender: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(kit, lambda: kit.words.say("Pay"))
        self.command_id = command_id
        self.quote = quote
        self._guard = OnceGuard(clock)
        self.hold: bytes | None = None
        self._painted = False
        self._busy = False
        self._cash_typed = ""
        """What the customer gave in cash, while another tender is chosen."""
        words = kit.words
        self.tender = Segments(
            kit,
            lambda: words.say("Tender"),
            (
                Segment("cash", lambda: words.say("Cash"), "banknote"),
                Segment("qr", lambda: words.say("QR"), "qr-code"),
                Segment("card", lambda: words.say("Bank card"), "credit-card"),
            ),
        )
        self.received = AmountField(kit, lambda: words.say("Received"), several=False)
        self._build()
        self.tender.choose(default_tender)
        self.tender.chosen.connect(lambda code: self._tender_changed())
        self.tender.entered.connect(self.take_money)
        self.received.changed.connect(self._show_change)
        self.received.entered.connect(self.take_money)
        self.received.star.connect(self.tender.choose_next)
        self.received.stepped.connect(self.tender.choose_next)
        self.received.show_amount(quote.draft.to_pay_minor)
        self._show_quote()

    def _build(self) -> None:
        words, look = self._kit.words, self._kit.look
        two = columns(look, gap=24)
        left, right = rows(look, gap=6), rows(look, gap=10)
        left.addWidget(Label(lambda: words.say("To pay"), role="muted"))
        self._to_pay = Label(role="figure", tone="accent")
        left.addWidget(self._to_pay)
        self._benefits = WrappedLabel(role="text2")
        left.addWidget(self._benefits)
        left.addStretch()
        well = card("well")
        inside = rows(look, well, margins=(14, 10, 14, 10), gap=0)
        self._change_name = Label(role="muted")
        self._change = Label(role="figure")
        inside.addWidget(self._change_name)
        inside.addWidget(self._change)
        left.addWidget(well)
        right.addWidget(Label(lambda: words.say("Tender"), role="muted"))
        right.addWidget(self.tender)
        right.addWidget(Label(lambda: words.say("Received"), role="muted"))
        right.addWidget(self.received)
        self._notes = QGridLayout()
        self._notes.setSpacing(look.px(8))
        right.addLayout(self._notes)
        right.addStretch()
        two.addLayout(left, 4)
        two.addLayout(right, 5)
        self.body.addLayout(two)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.charge = Button(self._kit, nothing, role="primary")
        self.charge.clicked.connect(self.take_money)
        self.foot.addWidget(self.charge, 1)

    def first_focus(self) -> QWidget:
        return self.received

    def gone(self) -> None:
        self.left.emit()

    def use_quote(self, quote: SaleQuote) -> None:
        """Show another quote, and say what is to pay now. Cash that was typed stays: it is what the
        customer gave, whatever the sale costs."""
        before, now = self.quote.draft.to_pay_minor, quote.draft.to_pay_minor
        untouched = self.received.amount() in (None, before)
        self.quote = quote
        self._busy = False
        if untouched:
            self.received.show_amount(now)
        self._show_quote()
        if now != before:
            words, money = self._kit.words, self._kit.formats.money(now)
            self.problem.tell(lambda: words.say("The amount to pay is {money} now.", money=money))

    def _show_quote(self) -> None:
        self._fill_notes()
        self._tender_changed()
        self._say_all()

    def refused(self, sentence: Text) -> None:
        """The commit was refused: say why; everything typed stays."""
        self._busy = False
        self.charge.setEnabled(True)
        self.problem.tell(sentence)
        self.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)

    def take_money(self) -> None:
        """Commit, if this key or click counts."""
        if not self._guard.lets_through() or not self._painted or self.busy:
            return
        given = self.given_minor
        to_pay = self.quote.draft.to_pay_minor
        if given < to_pay:
            short = self._kit.formats.money(to_pay - given)
            self.problem.tell(lambda: self._kit.words.say("{money} still to pay.", money=short))
            return
        self.send()

    def send(self) -> None:
        """Have the money booked; once more, by the same command, after a second person agreed."""
        self.problem.tell(nothing)
        self.taking.emit(self.tender.code, self.given_minor)

    def wait(self) -> None:
        """The commit is on its way: no key counts until its answer. Never before it is, so that a
        fault on the way there leaves no sheet that waits for nothing."""
        self._busy = True
        self.charge.setEnabled(False)

    @property
    def given_minor(self) -> int:
        """What the customer hands over; exactly the amount unless it is cash, nothing where points paid."""
        if self.received.isReadOnly():
            return self.quote.draft.to_pay_minor
        return self.received.amount() or 0

    @property
    def change_minor(self) -> int:
        return self.given_minor - self.quote.draft.to_pay_minor

    @property
    def busy(self) -> bool:
        """True while the commit is on its way, or a second person is asked for it."""
        return self._busy or self.asking

    def retranslate(self) -> None:
        super().retranslate()
        if hasattr(self, "charge"):
            self._say_all()

    def _tender_changed(self) -> None:
        to_pay = self.quote.draft.to_pay_minor
        cash, was_cash = self.tender.code == "cash" and to_pay > 0, not self.received.isReadOnly()
        if was_cash and not cash:
            typed = self.received.amount() not in (None, to_pay)
            self._cash_typed = self.received.text() if typed else ""
        self.received.setReadOnly(not cash)
        set_style(self.received, state="" if cash else "fixed")
        if not cash or not was_cash:
            self.received.show_amount(to_pay)
        if cash and not was_cash and self._cash_typed:
            self.received.setText(self._cash_typed)
            self.received.selectAll()
        for at in range(self._notes.count()):
            item = self._notes.itemAt(at)
            note = item.widget() if item is not None else None
            if note is not None:
                note.setVisible(cash)
        self.problem.tell(nothing)
        self._show_change()

    def _show_change(self) -> None:
        words, formats, change = self._kit.words, self._kit.formats, self.change_minor
        self._change_name.tell(
            lambda: words.say("Change") if change >= 0 else words.say("Still to pay")
        )
        self._change.tell(lambda: formats.money(abs(change)))

    def _say_all(self) -> None:
        words, formats, draft = self._kit.words, self._kit.formats, self.quote.draft
        money = formats.money(draft.to_pay_minor)
        self._to_pay.tell(lambda: money)
        self.charge.tell(lambda: words.say("Charge {money}", money=money))
        said = []
        if draft.discount_minor:
            off = formats.money(-draft.discount_minor)
            said.append(words.say("Tier price {money}", money=off))
        if draft.points_spent:
            off = formats.money(-draft.points_value_minor)
            points = formats.points(draft.points_spent)
            said.append(words.say("Points used {points}: {money}", points=points, money=off))
        if draft.points_earned:
            points = formats.points_change(draft.points_earned)
            said.append(words.say("Earns {points}", points=points))
        text = "\n".join(said)
        self._benefits.tell(lambda: text)
        self._show_change()

    def _fill_notes(self) -> None:
        """The notes in one row, in two where large sums need the room."""
        while (item := self._notes.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        formats = self._kit.formats
        notes = []
        for minor in notes_for(self.quote.draft.to_pay_minor, 10**formats.sign.exponent):
            note = Button(self._kit, partial(formats.money_short, minor))
            note.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            note.clicked.connect(partial(self._note, minor))
            note.setParent(self)
            note.ensurePolished()
            note.setMinimumWidth(note.sizeHint().width())
            notes.append(note)
        wide = sum(note.sizeHint().width() + self._kit.look.px(8) for note in notes)
        in_a_row = 4 if wide <= self._kit.look.px(NOTES_ROOM) else 2
        for at, note in enumerate(notes):
            self._notes.addWidget(note, at // in_a_row, at % in_a_row)
        self._notes.setColumnStretch(4, 1)

    def _note(self, minor: int) -> None:
        self.received.show_amount(minor)
        self._show_change()
        self.received.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.tender.choose_next(1 if event.key() == Qt.Key.Key_Down else -1)
        elif event.text().isdecimal() and self.received.isReadOnly():
            self._say_exact()
        else:
            super().keyPressEvent(event)

    def _say_exact(self) -> None:
        """Digits were typed for a QR or card payment, which is never more or less (S16), or for nothing."""
        if self.quote.draft.to_pay_minor == 0:
            self.problem.tell(lambda: sentence(self._kit, Refusal.NOTHING_TO_PAY, {}))
            return
        money = self._kit.formats.money(self.quote.draft.to_pay_minor)
        self.problem.tell(
            lambda: self._kit.words.say("QR and card take exactly {money}.", money=money)
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._painted = True

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._painted = False  # Something lies over it: it is seen anew before it takes money.


def notes_for(to_pay_minor: int, unit: int) -> Sequence[int]:
    """Up to four amounts that a customer may hand over: the next tens and the usual notes."""
    found = []
    for note in (10, 20, 50, 100):
        step = note * unit
        amount = -(-to_pay_minor // step) * step
        if amount > to_pay_minor and amount not in found:
            found.append(amount)
    return found[:4]
