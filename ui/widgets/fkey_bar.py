"""The bar of F-keys: each action once, last in the tab order."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QWidget

from ui.actions import Action, Actions
from ui.kit import Kit
from ui.widgets.basics import KeyCap, Label, columns


class FKeyBar(QWidget):
    """Buttons for the actions that have an F-key and a label."""

    def __init__(self, kit: Kit, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("fbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        edge = (12, 6, 12, 6) if kit.look.compact else (16, 10, 16, 10)
        layout = columns(kit.look, self, margins=edge, gap=8)
        for action in actions.on_bar():
            layout.addWidget(_FKey(kit, actions, action), 1)


class _FKey(QPushButton):
    def __init__(self, kit: Kit, actions: Actions, action: Action) -> None:
        super().__init__()
        self._kit, self._action = kit, action
        self.setProperty("role", "fkey")
        self.setAutoDefault(False)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = columns(kit.look, self, margins=(8, 0, 8, 0), gap=6)
        layout.addWidget(KeyCap(kit.look, action.key))
        layout.addWidget(Label(lambda: kit.words.say(action.label)))
        layout.addStretch()
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.clicked.connect(lambda: actions.do(action.code))
        self.retranslate()

    def retranslate(self) -> None:
        self.setAccessibleName(f"{self._kit.words.say(self._action.title)} ({self._action.key})")

    def sizeHint(self) -> QSize:
        layout = self.layout()
        assert layout is not None
        return layout.sizeHint().expandedTo(super().sizeHint())

    def minimumSizeHint(self) -> QSize:
        layout = self.layout()
        assert layout is not None
        high = self._kit.look.px(44)
        return QSize(layout.minimumSize().width(), high)
