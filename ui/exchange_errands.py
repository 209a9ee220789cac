"""The exchange with head office beside the counter: asks again and again on its own lane, tells the top bar how
it stands, and lets the screen hear what other tills did. Nobody at the counter waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

from app.domain.errors import Refusal, Refused
from ui.kit import Kit
from ui.lanes import Lanes
from ui.screens.counter import Counter

if TYPE_CHECKING:
    from app.context import Session
    from app.queries.exchange import Standing
    from app.sync.outcome import Heard, Joined
    from ui.desk import Desk

LOOK_MS: Final = 300
"""So often at most the screen looks how it stands, while answer follows on answer."""
AFTER_A_FAULT_MS: Final = 60_000
"""When the store itself could not be asked."""


class ExchangeErrands(QObject):
    """Signals:
    changed(standing, why): how it stands, None for a till of its own; why the last question was not answered.

    Attributes:
        standing: how it stood last. why: "" where the last question was answered (app/sync/outcome.py).
    """

    changed = Signal(object, str)

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        counter: Counter,
        who: Callable[[], Session],
        in_training: Callable[[], bool],
    ) -> None:
        super().__init__(counter)
        self._kit, self._lanes, self._desk = kit, lanes, desk
        self._counter, self._who = counter, who
        self._in_training = in_training
        self._asking = False
        self._looked = QElapsedTimer()
        self._looked.start()
        self.why = ""
        self.standing: Standing | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self.ask)
        counter.sold.connect(lambda sold: self._tell())
        counter.hold_ended.connect(self.ask_if_joined)

    def start(self) -> None:
        """Begin, where the till belongs to a head office."""
        self._look(then_ask=True)

    def ask(self) -> None:
        """Ask now; one question at a time."""
        if self._asking:
            return
        self._asking = True
        self._timer.stop()
        self._lanes.run(
            self._counter, "net", self._desk.exchange.once, ok=self._heard, failed=self._failed
        )

    def ask_if_joined(self) -> None:
        """Where there is somebody to ask."""
        if self.standing is not None and not self.standing.severed:
            self.ask()

    def _tell(self) -> None:
        """Something was written here: how much waits is another number."""
        if self.standing is not None:
            self._look()

    def show(self) -> None:
        """F11 `zb`, or the mark in the top bar: how it stands, or how to join."""
        from ui.dialogs.head_office import HeadOfficeSheet, JoinSheet

        if self._in_training():
            words = self._kit.words
            self._counter.strip.refuse(lambda: words.say("Training has no head office."))
            return
        at = self.standing
        again = self.why if self.why in ("unknown", "locked") else ""
        if at is None or at.severed or (again and not at.revoked):
            address = "" if at is None else at.address
            sheet = JoinSheet(self._kit, self._lanes, self._desk, self._who, address, again)
            sheet.joined.connect(self._joined)
            self._counter.sheets.open(sheet)
            return
        shown = HeadOfficeSheet(self._kit, at, self.why, self._desk.date_now())
        self.changed.connect(shown.use)
        shown.ask_wanted.connect(self.ask)
        self._counter.sheets.open(shown)

    def _joined(self, joined: Joined) -> None:
        words = self._kit.words
        self._counter.strip.good_news(
            lambda: words.say("This till belongs to {chain} now.", chain=joined.chain)
        )
        self._look(then_ask=True)

    def _look(self, *, then_ask: bool = False, then_show: bool = False) -> None:
        def seen(standing: Standing | None) -> None:
            self.standing = standing
            self.changed.emit(standing, self.why)
            if then_ask:
                self.ask_if_joined()
            if then_show and self._counter.sheets.top is None:
                self.show()  # What to do stands there.

        self._lanes.run(
            self._counter, "db", self._desk.exchange.standing, ok=seen, failed=self._counter.warn
        )

    def _heard(self, heard: Heard | None) -> None:
        self._asking = False
        if heard is None:
            return
        shut_out = heard.why == "revoked" != self.why
        self.why = heard.why
        self._timer.start(int(heard.again_s * 1000))
        attached = self._counter.attached
        if attached is not None and attached.member_id in heard.changes.members:
            self._counter.refresh_member()
        if shut_out:
            # Nobody is to see a member here any more.
            self._counter.detach()
            self._counter.finder.clear_text()
            self._counter.warn(Refused(Refusal.TILL_REVOKED))
        # A till that takes a million members in hears many times a second: the screen follows in steps.
        if shut_out or heard.again_s * 1000 > LOOK_MS or self._looked.hasExpired(LOOK_MS):
            self._looked.start()
            self._look(then_show=shut_out)

    def _failed(self, error: Exception) -> None:
        self._asking = False
        self._timer.start(AFTER_A_FAULT_MS)
        self._counter.warn(error)
