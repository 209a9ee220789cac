"""The right column: amount or items, what they come to, and the way to Pay. It takes no money itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QPushButton, QWidget

from app.domain.sale import SaleQuote
from app.formats import signed_number
from app.queries.records import Tier
from ui.cart import Cart
from ui.keyboard import is_enter
from ui.kit import Kit
from ui.models.cart_rows import CartRowDelegate, CartRows
from ui.widgets.basics import (
    KeyCap,
    Label,
    Picture,
    Text,
    WrappedLabel,
    columns,
    nothing,
    rows,
    rule,
)
from ui.widgets.number_fields import AmountField
from ui.widgets.redeem_row import RedeemRow


@dataclass(frozen=True, slots=True)
class LastSale:
    """What stays readable until the next sale ends (S18, S19)."""

    paid_minor: int
    change_minor: int
    points_earned: int
    receipt_no: str
    is_last_slip: bool
    """Whether F10 prints this sale's slip again: no other document came after it."""


class SalePanel(QFrame):
    """Signals:
    typed(text, amounts): the amount field.
    pay_wanted(): Enter in it, or the Charge button.
    points_wanted(): numpad `/`.
    quantity_typed(n): numpad `*` after a number: for the next item.
    quantity_changed(line, step), line_removed(line): keys in the list of lines.
    """

    typed = Signal(str, object)
    pay_wanted = Signal()
    points_wanted = Signal()
    quantity_typed = Signal(int)
    quantity_changed = Signal(int, int)
    line_removed = Signal(int)

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._last: LastSale | None = None
        self._quantity = 1
        self.setProperty("role", "card")
        self.setMinimumWidth(kit.look.px(320))  # A button gives no room to the amount inside it.
        edge = (16, 12, 16, 12) if kit.look.compact else 20
        self._column = rows(kit.look, self, margins=edge, gap=7 if kit.look.compact else 10)
        self._build_head()
        self._build_lines()
        self._build_sums()
        self._build_charge()
        self.amount.changed.connect(self._emit_typed)
        self.amount.entered.connect(self.pay_wanted)
        self.amount.slash.connect(self.points_wanted)
        self.amount.star.connect(self._star)
        self.amount.step_back.connect(self.drop_last_amount)
        self.lines.installEventFilter(self)
        self.retranslate()
        self.show_quote(None, None)

    def _build_head(self) -> None:
        words, look = self._kit.words, self._kit.look
        head = columns(look, gap=6)
        head.addWidget(Label(lambda: words.say("This sale"), role="title"))
        self._pieces = Label(chip="info")
        self._pieces.hide()
        head.addWidget(self._pieces, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch()
        head.addWidget(Label(lambda: words.say("Amount or items"), role="caption"))
        head.addWidget(KeyCap(look, "F5"))
        self._column.addLayout(head)
        self.amount = AmountField(self._kit, lambda: words.say("Amount"), several=True)
        self._column.addWidget(self.amount)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.problem.hide()
        self._column.addWidget(self.problem)

    def _build_lines(self) -> None:
        self.line_rows = CartRows(self._kit)
        self.lines = QListView()
        self.lines.setModel(self.line_rows)
        self._delegate = CartRowDelegate(self._kit, self.line_rows)
        self.lines.setItemDelegate(self._delegate)
        self.lines.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.lines.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.lines.hide()
        self._column.addWidget(self.lines, 1)
        self.last_sale = _LastSaleCard(self._kit)
        self._column.addWidget(self.last_sale)
        self._stretch = QWidget()
        self._column.addWidget(self._stretch, 1)

    def _build_sums(self) -> None:
        words, look = self._kit.words, self._kit.look
        self.redeem = RedeemRow(self._kit)
        self._column.addWidget(self.redeem)
        self._discount = _SumLine(self._kit)
        self._points = _SumLine(self._kit)
        self._column.addWidget(self._discount)
        self._column.addWidget(self._points)
        self._column.addWidget(rule())
        line = columns(look)
        line.addWidget(Label(lambda: words.say("To pay"), role="title"))
        line.addStretch()
        self.to_pay = Label(role="pay")
        line.addWidget(self.to_pay)
        self._column.addLayout(line)
        self._earns = QWidget()
        line = columns(look, self._earns)
        line.addWidget(Label(lambda: words.say("Points earned"), role="text2"))
        line.addStretch()
        self.earned = Label(chip="gold")
        line.addWidget(self.earned, 0, Qt.AlignmentFlag.AlignVCenter)
        self._column.addWidget(self._earns)

    def _build_charge(self) -> None:
        self.alert = WrappedLabel(role="strong", tone="danger")
        self.alert.hide()
        self._column.addWidget(self.alert)
        self.charge = _ChargeButton(self._kit)
        self.charge.clicked.connect(self.pay_wanted)
        self._column.addWidget(self.charge)
        self.last_line = Label(role="caption")
        self.last_line.hide()
        self._column.addWidget(self.last_line)

    def show_cart(self, cart: Cart) -> None:
        """The lines; the amount field only when it says something else."""
        self.line_rows.show(cart)
        has_lines = self.line_rows.rowCount() > 0
        self.lines.setVisible(has_lines)
        self._stretch.setVisible(not has_lines)
        if self.amount.text() != cart.typed_text:
            self.amount.setText(cart.typed_text)
        if cart.is_empty:
            self.show_quote(None, None)
        self._place_last_sale(cart.is_empty)

    def show_quote(self, quote: SaleQuote | None, tier: Tier | None) -> None:
        """What it comes to; None while nothing can be quoted."""
        words, formats = self._kit.words, self._kit.formats
        draft = quote.draft if quote else None
        self._discount.setVisible(bool(draft and draft.discount_minor))
        self._points.setVisible(bool(draft and draft.points_spent))
        if draft and draft.discount_minor and tier is not None:
            off = formats.money(-draft.discount_minor)
            self._discount.show_sum(partial(self._tier_said, tier), off)
        if draft and (spent := draft.points_spent):
            self._points.show_sum(
                lambda: words.say("Points used {points}", points=formats.points(spent)),
                formats.money(-draft.points_value_minor),
            )
        to_pay = formats.money(draft.to_pay_minor if draft else 0)
        self.to_pay.tell(lambda: to_pay)
        self.charge.show_amount(to_pay if draft else "")
        earned = signed_number(draft.points_earned) if draft and quote and quote.member else ""
        self._earns.setVisible(bool(earned))
        self.earned.tell(lambda: earned)

    def _tier_said(self, tier: Tier) -> str:
        name = tier.name_zh if self._kit.words.language == "zh_CN" else tier.name_en
        return f"{name} {self._kit.formats.discount(10_000 - tier.discount_bp)}"

    def say_problem(self, sentence: Text | None) -> None:
        """What is wrong with the amount, below it; None clears it."""
        self.problem.setVisible(sentence is not None)
        self.problem.tell(sentence or nothing)
        self.amount.mark_wrong(sentence is not None)

    def show_alert(self, text: str) -> None:
        """An allergy or another thing to mind, beside Charge, never elided; "" for none."""
        self.alert.tell(lambda: text)
        self.alert.setVisible(bool(text))

    def show_last_sale(self, last: LastSale | None) -> None:
        self._last = last
        self._place_last_sale(self.line_rows.rowCount() == 0 and not self.amount.text())

    def show_quantity(self, quantity: int) -> None:
        """The pieces that the next item will be."""
        self._quantity = quantity
        self._pieces.tell(lambda: f"× {quantity}")
        self._pieces.setVisible(quantity != 1)

    def retranslate(self) -> None:
        self.lines.setAccessibleName(self._kit.words.say("Lines of this sale"))
        if self._last is not None:
            self.show_last_sale(self._last)

    def restyle(self) -> None:
        self.lines.viewport().update()

    def _place_last_sale(self, empty: bool) -> None:
        last = self._last
        self.last_sale.setVisible(empty and last is not None)
        self.last_line.setVisible(not empty and last is not None)
        if last is None:
            return
        self.last_sale.show_sale(last)
        words, formats = self._kit.words, self._kit.formats
        self.last_line.tell(
            lambda: words.say(
                "Last: {paid}, change {change}",
                paid=formats.money(last.paid_minor),
                change=formats.money(last.change_minor),
            )
        )

    def _emit_typed(self) -> None:
        self.typed.emit(self.amount.text(), self.amount.amounts())

    def _star(self) -> None:
        text = self.amount.text()
        if text.isdecimal() and 0 < int(text) < 1000:
            self.amount.clear()
            self._emit_typed()
            self.quantity_typed.emit(int(text))

    def drop_last_amount(self) -> None:
        """Numpad `-` or Esc: one step back in `38+12.5`."""
        self.amount.setText(self.amount.text().rpartition("+")[0])
        self._emit_typed()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        line = self.line_rows.line_number(self.lines.currentIndex().row())
        if is_enter(event):
            if not event.isAutoRepeat():
                self.pay_wanted.emit()
            return True
        if line is None:
            return False
        if event.key() == Qt.Key.Key_Delete:
            self.line_removed.emit(line)
            return True
        if event.text() in ("+", "-"):
            self.quantity_changed.emit(line, 1 if event.text() == "+" else -1)
            return True
        return False


class _SumLine(QWidget):
    """A benefit: its name and what it takes off."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        line = columns(kit.look, self)
        self._name, self._money = Label(role="text2"), Label(tone="accent")
        line.addWidget(self._name)
        line.addStretch()
        line.addWidget(self._money)
        self.hide()

    def show_sum(self, name: Text, money: str) -> None:
        self._name.tell(name)
        self._money.tell(lambda: money)


class _ChargeButton(QPushButton):
    """Charge, the amount, and its key."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self.setProperty("role", "primary")
        self.setAutoDefault(False)
        layout = columns(kit.look, self, margins=(18, 0, 16, 0), gap=10)
        self._amount = Label(role="onaccent")
        layout.addWidget(Picture(kit.look, "circle-check", tone="on_accent", size=24))
        layout.addWidget(Label(lambda: kit.words.say("Charge"), role="onaccent"))
        layout.addStretch()
        layout.addWidget(self._amount)
        layout.addWidget(KeyCap(kit.look, "F12", on_accent=True))
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.retranslate()

    def show_amount(self, money: str) -> None:
        self._amount.tell(lambda: money)
        self.retranslate()

    def retranslate(self) -> None:
        self.setAccessibleName(f"{self._kit.words.say('Charge')} {self._amount.text()}".strip())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event):
            if not event.isAutoRepeat():
                self.click()
        else:
            super().keyPressEvent(event)


class _LastSaleCard(QFrame):
    """Change in large figures while the next customer comes."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        words = kit.words
        self.setProperty("role", "well")
        column = rows(kit.look, self, margins=(14, 10, 14, 10), gap=2)
        self._done = Label(role="strong", tone="accent")
        self._change = Label(role="figure")
        column.addWidget(self._done)
        self._change_name = Label(lambda: words.say("Change"), role="caption")
        column.addWidget(self._change_name)
        column.addWidget(self._change)
        foot = columns(kit.look, gap=6)
        self._receipt = Label(role="caption")
        foot.addWidget(self._receipt)
        foot.addStretch()
        self._again = (
            KeyCap(kit.look, "F10"),
            Label(lambda: words.say("Print again"), role="caption"),
        )
        for label in self._again:
            foot.addWidget(label)
        column.addLayout(foot)
        self.hide()

    def show_sale(self, last: LastSale) -> None:
        words, formats = self._kit.words, self._kit.formats
        paid = formats.money(last.paid_minor)
        earned = formats.points_change(last.points_earned)
        if last.points_earned:
            self._done.tell(lambda: words.say("Paid {money}, {points}.", money=paid, points=earned))
        else:
            self._done.tell(lambda: words.say("Paid {money}.", money=paid))
        change = formats.money(last.change_minor)
        self._change.tell(lambda: change)
        for label in (self._change, self._change_name):
            label.setVisible(last.change_minor > 0)
        for label in self._again:
            label.setVisible(last.is_last_slip)
        self._receipt.tell(lambda: last.receipt_no)
