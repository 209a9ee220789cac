"""Before points go out to a phone that was silent for long: is this the member? (domain.md section 3,
"Phone"). Space says that the customer gave the name; a scan of the member's own card says it, too.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.member import Doubtful
from ui.desk_records import Scan
from ui.kit import Kit
from ui.widgets.basics import WrappedLabel
from ui.widgets.sheet import Sheet
from ui.widgets.text_fields import Tick


class ConfirmPerson(Sheet):
    """Enter does nothing here: F6 Enter is a habit of the hand.

    Signals:
        confirmed(how): "name" or "card".
    """

    confirmed = Signal(str)

    def __init__(self, kit: Kit, member: Doubtful) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Ask the customer's name"))
        self._member_id = self.about = member.member_id
        self.body.addWidget(
            WrappedLabel(
                lambda: words.say(
                    "{phone} was silent for a year and may have a new owner.",
                    phone=member.phone_masked,
                )
            )
        )
        self.said = Tick(
            kit, lambda: words.say("The customer said {name} (Space)", name=member.name)
        )
        self.said.toggled.connect(lambda: self._confirm("name"))
        self.body.addWidget(self.said)
        self.body.addWidget(
            WrappedLabel(
                lambda: words.say("Another name: leave with Esc and sell without points."),
                role="caption",
            )
        )

    def first_focus(self) -> QWidget:
        return self.said

    def takes_scan(self, scan: Scan) -> bool:
        if scan.member_id != self._member_id:
            return False
        self._confirm("card")
        return True

    def _confirm(self, how: str) -> None:
        self.closing.emit()
        self.confirmed.emit(how)
