"""Fields for amounts, points and PINs: no input method, no text of a scan, keys that count once."""

from __future__ import annotations

from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QRegularExpressionValidator
from PySide6.QtWidgets import QLineEdit

from app.formats import typed_amount
from ui.keyboard import is_enter, is_numpad
from ui.kit import Kit
from ui.typed import amount_pattern, parse_amount, parse_amounts, parse_whole
from ui.widgets.basics import Text
from ui.widgets.text_fields import EnterField


class CodeField(EnterField):
    """A field of digits or letters that an input method must not touch."""

    def __init__(self, name: Text, *, pattern: str = "", role: str = "") -> None:
        super().__init__(name)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.setInputMethodHints(Qt.InputMethodHint.ImhLatinOnly)
        if role:
            self.setProperty("role", role)
        if pattern:
            self.setValidator(QRegularExpressionValidator(QRegularExpression(pattern), self))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not (is_numpad(event) and self._numpad(event.text())):
            super().keyPressEvent(event)

    def _numpad(self, operator: str) -> bool:
        """Use a numpad operator; True when it meant something else than its character."""
        return False

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() != Qt.FocusReason.MouseFocusReason:
            self.selectAll()


class PinField(CodeField):
    """Digits that are not shown."""

    def __init__(self, name: Text, *, digits: int = 6) -> None:
        super().__init__(name, pattern=rf"\d{{0,{digits}}}", role="pin")
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)


class AmountField(CodeField):
    """One amount or several: `368`, `38+12.5`; whole units, decimals after a point.

    Signals:
        changed(): what is typed means other amounts now.
        star(): numpad `*` (the next tender, in Pay; a quantity, at items).
        slash(): numpad `/` (points).
        step_back(): numpad `-`.
    """

    changed = Signal()
    star = Signal()
    slash = Signal()
    step_back = Signal()

    def __init__(self, kit: Kit, name: Text, *, several: bool, role: str = "amount") -> None:
        self._exponent = kit.formats.sign.exponent
        whole = amount_pattern(self._exponent)
        pattern = whole if several else whole.removesuffix(whole[whole.index(r"(\+") :])
        super().__init__(name, pattern=pattern, role=role)
        self._numpad_operators = True
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.textEdited.connect(self.changed)

    def amounts(self) -> tuple[int, ...]:
        """The typed amounts in minor units, empty and zero ones left out."""
        return parse_amounts(self.text(), self._exponent)

    def amount(self) -> int | None:
        """The typed amount in minor units; None where nothing is typed."""
        return parse_amount(self.text(), self._exponent)

    def show_amount(self, minor: int) -> None:
        """Put an amount in, selected, so that the next digit replaces it."""
        self.setText(typed_amount(minor, self._exponent))
        self.selectAll()

    def use_numpad_operators(self, used: bool) -> None:
        """The setting of counter-flows.md section 2: numpad + - * / as keys."""
        self._numpad_operators = used

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event) and not event.isAutoRepeat():
            self._write_out()
        super().keyPressEvent(event)

    def _write_out(self) -> None:
        """`368` becomes `368.00`: what is accepted is shown as it will be taken."""
        amounts = self.amounts()
        if len(amounts) == 1 and (whole := typed_amount(amounts[0], self._exponent)) != self.text():
            self.setText(whole)
            self.changed.emit()

    def _numpad(self, operator: str) -> bool:
        if not self._numpad_operators:
            return False
        signals = {"-": self.step_back, "*": self.star, "/": self.slash}
        if operator in signals:
            signals[operator].emit()
            return True
        return False


class WholeField(CodeField):
    """A whole number: points, pieces."""

    changed = Signal()

    def __init__(self, name: Text, *, digits: int = 9, role: str = "") -> None:
        super().__init__(name, pattern=rf"\d{{0,{digits}}}", role=role)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.textEdited.connect(self.changed)

    def value(self) -> int | None:
        return parse_whole(self.text())

    def show_value(self, value: int) -> None:
        self.setText(str(value))
        self.selectAll()
