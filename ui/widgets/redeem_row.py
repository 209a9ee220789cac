"""Points that pay: an inline field with its money beside it and the reason of its limit below."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame

from app.domain.errors import Refused
from app.domain.redemption import MostRedeemable
from app.formats import number
from ui.errors import words_of
from ui.kit import Kit
from ui.theme import set_style
from ui.widgets.basics import Label, Text, WrappedLabel, columns, nothing, rows
from ui.widgets.number_fields import WholeField


class RedeemRow(QFrame):
    """Signals:
    changed(points): what is typed now; 0 for nothing.
    accepted(): Enter.
    left(): Esc.
    """

    changed = Signal(object)
    accepted = Signal()
    left = Signal()

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        words = kit.words
        self.setProperty("role", "band")
        self.setProperty("tone", "accent")
        column = rows(kit.look, self, margins=(12, 8, 12, 8), gap=4)
        line = columns(kit.look, gap=8)
        self.field = WholeField(lambda: words.say("Points to use"))
        line.addWidget(Label(lambda: words.say("Use points"), role="strong"))
        line.addWidget(self.field, 1)
        self._worth = Label(role="strong", tone="accent")
        line.addWidget(self._worth)
        column.addLayout(line)
        self._limit = WrappedLabel(role="caption")
        column.addWidget(self._limit)
        self.field.changed.connect(lambda: self.changed.emit(self.points))
        self.field.entered.connect(self.accepted)
        self.hide()

    @property
    def points(self) -> int:
        return self.field.value() or 0

    def offer(self, points: int, most: MostRedeemable) -> None:
        """Open with a number of points, selected; the most where none were used yet, or too many."""
        self.field.show_value(min(points or most.points, most.points))
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.say_limit(most)

    def say_worth(self, minor: int) -> None:
        money = self._kit.formats.money(-minor) if minor else ""
        self._worth.tell(lambda: money)

    def say_limit(self, most: MostRedeemable) -> None:
        """Why not more, in words."""
        self.field.mark_wrong(False)
        set_style(self._limit, tone="")
        self._limit.tell(lambda: limit_sentence(self._kit, most))

    def say_problem(self, sentence: Text) -> None:
        self.field.mark_wrong(True)
        self._worth.tell(nothing)
        set_style(self._limit, tone="danger")
        self._limit.tell(sentence)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if not event.isAutoRepeat():
                self.left.emit()
        else:
            super().keyPressEvent(event)


def points_problem(kit: Kit, error: Exception) -> str:
    """Why these points can't be used: above the most, how many can (S13); else the error's sentence."""
    most = error.offer if isinstance(error, Refused) else None
    return limit_sentence(kit, most) if isinstance(most, MostRedeemable) else words_of(kit, error)


def limit_sentence(kit: Kit, most: MostRedeemable) -> str:
    """`Up to 2,000 points (¥20.00).` and why not more (S13)."""
    words, formats = kit.words, kit.formats
    if most.points == 0:
        return {
            "off": words.say("This programme doesn't take points as payment."),
            "no_member": words.say("Points need a member. Press F2 and find one first."),
            "minimum": words.say("Too few points or too small a sale for using points."),
            "excluded": words.say("Points can't pay for these goods."),
        }.get(most.reason, words.say("No points can be used on this sale."))
    points = words.count(
        "{points} point", "{points} points", most.points, points=number(most.points)
    )
    money = formats.money(most.value_minor)
    if most.reason == "balance":
        return words.say("Up to {points} ({money}): all there are.", points=points, money=money)
    if most.reason == "share":
        return words.say(
            "Up to {points} ({money}): points pay a part of a sale.", points=points, money=money
        )
    if most.reason == "excluded":
        return words.say(
            "Up to {points} ({money}): some goods are excluded.", points=points, money=money
        )
    return words.say("Up to {points} ({money}).", points=points, money=money)
