"""All that is written down about the attached member: what to mind, and the note (Ctrl+I)."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.queries.records import MemberPanel
from ui.kit import Kit
from ui.widgets.basics import Button, Label, WrappedLabel
from ui.widgets.sheet import Sheet


class Notes(Sheet):
    """Signals:
    edit_wanted(): change them.
    """

    edit_wanted = Signal()
    gives_way = True

    def __init__(self, kit: Kit, member: MemberPanel) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Notes: {name}", name=member.name))
        self.about = member.member_id
        for head, text, tone in (
            (lambda: words.say("Allergy or health"), member.alert, "danger"),
            (lambda: words.say("Note"), member.note, ""),
        ):
            if text:
                self.body.addWidget(Label(head, role="muted"))
                self.body.addWidget(WrappedLabel(partial(str, text), role="strong", tone=tone))
        if not (member.alert or member.note):
            self.body.addWidget(WrappedLabel(lambda: words.say("Nothing is noted."), role="muted"))
        self.body.addStretch()
        edit = Button(kit, lambda: words.say("Edit profile"))
        edit.clicked.connect(self._edit)
        self.foot.addWidget(edit)
        self.foot.addStretch()
        self.done = Button(kit, lambda: words.say("Close"))
        self.done.clicked.connect(self.step_back)
        self.foot.addWidget(self.done)

    def first_focus(self) -> QWidget:
        return self.done

    def _edit(self) -> None:
        self.closing.emit()
        self.edit_wanted.emit()
