"""Which personal value of the attached member is wanted in full, and why. The panel shows it for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.errors import Refusal
from app.queries.records import MemberPanel
from ui.errors import sentence, words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, Label, WrappedLabel
from ui.widgets.reasons import reasons
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from app.context import Session
    from app.usecases.unmask import Unmasked
    from ui.desk import Desk


class ShowInFull(Sheet):
    """Signals:
    shown(unmasked): it is written down, and this is the value.
    """

    shown = Signal(object)
    wide = 640

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        member: MemberPanel,
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Show in full: {name}", name=member.name))
        self._lanes, self._desk, self._who, self._member = lanes, desk, who, member
        self.about = member.member_id
        self._command_id = desk.new_command()
        self.what = Segments(
            kit,
            lambda: words.say("Value"),
            (
                Segment("phone", lambda: words.say("Phone")),
                Segment("birthday", lambda: words.say("Birthday")),
            ),
        )
        self.body.addWidget(self.what)
        self.body.addWidget(Label(lambda: words.say("Reason"), role="muted"))
        self.reason = reasons(kit, ("customer_asks", "call_back", "same_name", "other"))
        self.body.addWidget(self.reason)
        self.body.addWidget(
            WrappedLabel(
                lambda: words.say("The journal keeps who looked, at whom and why."), role="caption"
            )
        )
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.commit = Button(kit, lambda: words.say("Show"), role="primary")
        self.foot.addWidget(self.commit, 1)
        self.commit.clicked.connect(self.submit)
        self.what.entered.connect(self.reason.setFocus)
        self.reason.entered.connect(self.submit)

    @property
    def busy(self) -> bool:
        return not self.commit.isEnabled()

    def first_focus(self) -> QWidget:
        return self.what

    def submit(self) -> None:
        """Have it written down and shown; a reason must be chosen."""
        if self.busy:
            return
        if not self.reason.code:
            self.problem.tell(lambda: sentence(self._kit, Refusal.REASON_NEEDED, {}))
            self.reason.setFocus()
            return
        self.commit.setEnabled(False)
        session, what, reason = self._who(), self.what.code, self.reason.code
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.unmask(
                self._command_id, session, self._member.member_id, what, reason
            ),
            ok=self._done,
            failed=self._refused,
        )

    def _done(self, unmasked: Unmasked) -> None:
        self.closing.emit()
        self.shown.emit(unmasked)

    def _refused(self, error: Exception) -> None:
        self.commit.setEnabled(True)
        self.problem.tell(lambda: words_of(self._kit, error))
