"""A second person agrees to one request (flow 18): who, what, member, amount, reason, and sixty seconds.

Badge or initials, then their own PIN. They are not signed in by it. Esc, and time, are a no, which is recorded.
`approve_first` is how a sheet whose command was answered APPROVAL_NEEDED gets its yes and goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.approvals import LIFE_S, Ask
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right, least_approver
from app.queries.records import StaffView
from ui.desk_records import Scan
from ui.errors import sentence, words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.rights_words import NEEDED, asked_for, facts_of
from ui.widgets.basics import Button, Label, Text, WrappedLabel, card, columns, nothing, rows
from ui.widgets.number_fields import CodeField, PinField
from ui.widgets.reasons import reason_name
from ui.widgets.ring import Ring
from ui.widgets.sheet import Sheet, SheetHost

if TYPE_CHECKING:
    from app.context import Session
    from app.queries.staff import AskView
    from ui.desk import Desk


class Approval(Sheet):
    """Signals:
    approved(): somebody who may agreed; run exactly that request.
    declined(sentence): nobody did; a Text, so that it is said in the language of the moment.
    """

    approved = Signal()
    declined = Signal(object)
    wide = 620

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        view: AskView,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("A second person must agree"))
        self._lanes, self._desk, self._session, self._view = lanes, desk, who, view
        self._approver = ""
        self._open = True
        self._no: Text | None = None
        self.ring = Ring(kit, LIFE_S, clock=clock)
        self.ring.over.connect(self._too_late)
        self.body.addWidget(WrappedLabel(self._asked, role="strong"))
        self.body.addWidget(self._request())
        self._says = Label(lambda: words.say("Badge or initials of the second person"))
        self.body.addWidget(self._says)
        self.who = CodeField(lambda: words.say("Initials or badge"), role="search")
        self.pin = PinField(lambda: words.say("PIN"))
        self.pin.hide()
        self.body.addWidget(self.who)
        self.body.addWidget(self.pin)
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        self.problem.setMinimumHeight(kit.look.px(44))
        self.body.addWidget(self.problem)
        self.refuse = Button(kit, lambda: words.say("Refuse (Esc)"))
        self.foot.addWidget(self.refuse)
        self.foot.addStretch()
        self.refuse.clicked.connect(self.step_back)
        self.who.entered.connect(lambda: self._who_given(self.who.text().strip()))
        self.pin.entered.connect(self._pin_given)

    def _asked(self) -> str:
        view, words = self._view, self._kit.words
        plain, with_member = NEEDED[least_approver(view.asker_role, view.ask.right)]
        what = asked_for(self._kit, view.ask)
        if not view.member_name:
            return words.say(plain, what=what)
        return words.say(with_member, what=what, name=view.member_name)

    def _request(self) -> QWidget:
        kit, words, view = self._kit, self._kit.words, self._view
        band = card("band")
        line = columns(kit.look, band, margins=(16, 12, 16, 12), gap=16)
        grid = QGridLayout()
        grid.setHorizontalSpacing(kit.look.px(16))
        grid.setVerticalSpacing(kit.look.px(4))
        facts: list[tuple[Text, Text]] = [
            (lambda: words.say("Asked by"), lambda: view.asker.name),
            (lambda: words.say("What"), lambda: asked_for(kit, view.ask)),
            (lambda: words.say("Member"), lambda: view.member_name),
            (lambda: words.say("Slip"), lambda: view.receipt_no),
            (lambda: words.say("Reason"), lambda: reason_name(kit, view.ask.reason)),
            (self._note_name, lambda: view.ask.note),
            *(
                (partial(self._fact, n, 0), partial(self._fact, n, 1))
                for n in range(len(facts_of(kit, view.ask)))
            ),
        ]
        for at, (name, value) in enumerate((n, v) for n, v in facts if v()):
            grid.addWidget(Label(name, role="muted"), at, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(WrappedLabel(value, role="strong"), at, 1, Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(1, 1)
        line.addLayout(grid, 1)
        ring = rows(kit.look)
        ring.addWidget(self.ring)
        ring.addStretch()
        line.addLayout(ring)
        return band

    def _fact(self, which: int, part: int) -> str:
        """Its name (part 0) or value, in the words of now: the language may change while the sheet is up."""
        return facts_of(self._kit, self._view.ask)[which][part]

    def _note_name(self) -> str:
        words = self._kit.words
        if self._view.ask.right is Right.STAFF:
            return words.say("Person")
        return words.say("What happened")

    @property
    def busy(self) -> bool:
        """A request that is out stays until it is answered."""
        return self._open

    def first_focus(self) -> QWidget:
        return self.who if self.pin.isHidden() else self.pin

    def takes_scan(self, scan: Scan) -> bool:
        """A badge names the second person; it never approves."""
        if scan.kind != "staff":
            return False
        self._who_given(scan.code)
        return True

    def step_back(self) -> None:
        """Esc: refused, and recorded."""
        self._decline(lambda: self._kit.words.say("Not approved."))

    def _too_late(self) -> None:
        self._decline(lambda: sentence(self._kit, Refusal.APPROVAL_EXPIRED, {}))

    def _decline(self, said: Text) -> None:
        """Nobody agrees. Where a PIN is being checked its answer goes first: a yes that was given stands."""
        if not self._open:
            return
        if not self.pin.isEnabled():
            self._no = said
            return
        session, ask = self._session(), self._view.ask
        self._close()
        # Of the host: this sheet is gone before the answer comes.
        host, desk = self.parentWidget(), self._desk
        if host is not None:
            self._lanes.run(
                host,
                "db",
                lambda: desk.staff.refuse(session, ask),
                ok=lambda _: None,
                failed=lambda _: None,
            )
        self.declined.emit(said)

    def _close(self) -> None:
        self._open = False
        self.ring.stop()
        self.closing.emit()

    def _who_given(self, who: str) -> None:
        if not who:
            return
        self._run(lambda: self._desk.find_staff(who), lambda found: self._found(who, found))

    def _found(self, who: str, staff: StaffView | None) -> None:
        words = self._kit.words
        if staff is None:
            self.problem.tell(lambda: words.say("Nobody here has these initials. Try again."))
            self.who.selectAll()
            return
        self._approver = who
        self.problem.clear()
        self.who.hide()
        self.pin.clear()
        self.pin.show()
        self._says.tell(lambda: words.say("{name}: your PIN", name=staff.name))
        self.pin.setFocus(Qt.FocusReason.OtherFocusReason)

    def _pin_given(self) -> None:
        pin, who, ask = self.pin.text(), self._approver, self._view.ask
        if not pin or not self.pin.isEnabled():
            return
        self.pin.setEnabled(False)
        self._run(lambda: self._desk.staff.approve(ask, who, pin), lambda _: self._agreed())

    def _agreed(self) -> None:
        if self._open:
            self._close()
            self.approved.emit()

    def _run(self, function: Callable[[], object], ok: Callable[..., None]) -> None:
        self._lanes.run(self, "db", function, ok=ok, failed=self._refused)

    def _refused(self, error: Exception) -> None:
        self.pin.setEnabled(True)
        if self._no is not None:
            self._decline(self._no)
            return
        self.problem.tell(lambda: words_of(self._kit, error))
        self.pin.clear()
        code = error.code if isinstance(error, Refused) else None
        if code in (Refusal.APPROVAL_OWN, Refusal.APPROVAL_RANK):
            self._ask_again()
        self.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask_again(self) -> None:
        """Somebody else, then."""
        words = self._kit.words
        self._says.tell(lambda: words.say("Badge or initials of the second person"))
        self.pin.hide()
        self.who.show()
        self.who.selectAll()


def approve_first(
    sheet: Sheet,
    kit: Kit,
    lanes: Lanes,
    desk: Desk,
    who: Callable[[], Session],
    error: Exception,
    *,
    again: Callable[[], None],
    declined: Callable[[Text], None],
) -> bool:
    """Where `error` asks for a second person: open their sheet over `sheet`, and answer True.

    One request has one sheet: `sheet.asking` is set until its answer. `again` sends the very same command,
    under its own id, once somebody agreed; `declined` says why it isn't sent.
    """
    ask = error.offer if isinstance(error, Refused) else None
    host = sheet.parentWidget()
    if not isinstance(ask, Ask) or not isinstance(host, SheetHost):
        return False

    def agreed() -> None:
        sheet.asking = False
        again()

    def refused(said: Text) -> None:
        sheet.asking = False
        declined(said)

    def opened(view: AskView) -> None:
        over = Approval(kit, lanes, desk, who, view)
        over.approved.connect(agreed)
        over.declined.connect(refused)
        host.open(over)

    sheet.asking = True
    lanes.run(
        sheet,
        "db",
        lambda: desk.staff.ask_view(ask),
        ok=opened,
        failed=lambda failure: refused(lambda: words_of(kit, failure)),
    )
    return True
