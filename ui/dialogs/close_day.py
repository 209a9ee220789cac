"""Close the day (flow 17, after the count): what is open, the steps as they go, and the number of the Z."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.documents.z_slip import ITEM_WORDS, REASON_WORDS
from app.domain.errors import Refusal, Refused
from app.i18n import mark
from ui.day_run import STEPS, DayRun, Step
from ui.dialogs.approval import approve_first
from ui.errors import sentence, words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, Label, Picture, WrappedLabel, nothing
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from app.context import Session
    from app.usecases.close_day import BeginClose, Closed, Closing, OpenItem
    from ui.desk import Desk
    from ui.desk_day import DayView

_STEP_WORDS: Final[dict[Step, str]] = {
    "post": mark("Expiries and tiers"),
    "prove": mark("Verify every event and member of the day"),
    "backup": mark("Backup, opened and checked"),
    "sign": mark("Number, sign and print the Z"),
}
_ICONS: Final = {
    "waits": ("minus", "muted"),
    "runs": ("clock", "accent"),
    "done": ("check", "accent"),
    "failed": ("triangle-alert", "danger"),
}


class CloseDay(Sheet):
    """Signals:
    closed(sentence): the date is closed and its Z is queued.
    """

    closed = Signal(str)
    wide = 720

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], view: DayView
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Close the day"))
        self._lanes, self._desk, self._who, self._view = lanes, desk, who, view
        self._command: BeginClose | None = None
        self._run = DayRun(
            self, lanes, desk.day, told=self._step, done=self._done, failed=self._refused
        )
        self._found: tuple[OpenItem, ...] = ()
        self._running = False
        self.body.addWidget(Label(self._date, role="pay"))
        self._items = WrappedLabel(self._say_items, role="strong")
        self.body.addWidget(self._items)
        self._say_due = WrappedLabel(self._due, role="muted")
        self.body.addWidget(self._say_due)
        self.body.addWidget(self._steps())
        self.body.addStretch()
        self.reason = Segments(
            kit,
            lambda: words.say("Reason"),
            [Segment(code, partial(words.say, said)) for code, said in REASON_WORDS.items()],
            open_=True,
        )
        self.body.addWidget(self.reason)
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        self.problem.setMinimumHeight(kit.look.px(44))
        self.body.addWidget(self.problem)
        self.commit = Button(kit, lambda: words.say("Close the day"), role="primary")
        self.foot.addWidget(self.commit, 1)
        self.commit.clicked.connect(self.submit)
        self.reason.entered.connect(self.submit)
        self._show_reason()
        if view.shift_open or view.on is None:
            self.commit.setEnabled(False)
            self.problem.tell(self._in_the_way)

    def _steps(self) -> QWidget:
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(self._kit.look.px(12))
        self.icons: dict[Step, Picture] = {}
        for at, step in enumerate(STEPS):
            self.icons[step] = Picture(self._kit.look, "minus")
            grid.addWidget(self.icons[step], at, 0)
            grid.addWidget(Label(partial(self._kit.words.say, _STEP_WORDS[step])), at, 1)
        grid.setColumnStretch(1, 1)
        return box

    # What it says -----------------------------------------------------------------------------

    def _date(self) -> str:
        words, on = self._kit.words, self._view.on
        return words.say("Business date {date}", date=on.iso()) if on is not None else ""

    def _all_items(self) -> tuple[OpenItem, ...]:
        return (*self._view.items, *self._found)

    def _say_items(self) -> str:
        words = self._kit.words
        found = [
            words.say("{what}: {count}", what=words.say(ITEM_WORDS[item.code]), count=item.count)
            for item in self._all_items()
        ]
        return " · ".join(found) if found else words.say("Nothing is open.")

    def _due(self) -> str:
        words, due = self._kit.words, self._view.due
        said = []
        if due is not None and due.points:
            said.append(
                words.count(
                    "Points of one member expire: {points}.",
                    "Points of {count} members expire: {points}.",
                    due.members,
                    count=due.members,
                    points=self._kit.formats.points(due.points),
                )
            )
        if self._view.beside:
            said.append(words.say("Backups lie on this computer's own disk. Set another folder."))
        return " ".join(said)

    def _in_the_way(self) -> str:
        words = self._kit.words
        if self._view.on is None:
            return sentence(self._kit, Refusal.DAY_NOTHING_TO_CLOSE, {})
        return words.say("A shift of this date is open. Count and close it first.")

    # What it does -----------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        return self._running

    def first_focus(self) -> QWidget:
        return self.reason if self.reason.isVisibleTo(self) else self.commit

    def height_for(self, width: int) -> int:
        return self._kit.look.px(600)  # also with the reasons, which may be asked for later

    def takes_key(self, key: str) -> bool:
        if key == "F12":
            self.submit()
        return key == "F12"

    def submit(self) -> None:
        """Begin, or sign for what the steps have found and go on."""
        if self._running or not self.commit.isEnabled() or self._view.on is None:
            return
        if self._all_items() and not self.reason.code:
            self.problem.tell(lambda: sentence(self._kit, Refusal.REASON_NEEDED, {}))
            self.reason.setFocus()
            return
        from app.usecases.close_day import BeginClose

        command = self._command or BeginClose(self._desk.new_command(), self._who(), self._view.on)
        command = replace(command, reason=self.reason.code, found=self._found)
        self._command = command
        self._running = True
        self.problem.clear()
        self._lanes.run(
            self, "db", lambda: self._desk.day.begin(command),
            ok=self._begun, failed=self._refused,
        )  # fmt: skip

    def _begun(self, closing: Closing) -> None:
        if self._run.proof is None:
            self._run.start(closing)
        else:
            self._run.sign(closing)

    def _step(self, step: Step) -> None:
        at = STEPS.index(step)
        for n, each in enumerate(STEPS):
            state = "done" if n < at else "runs" if n == at else "waits"
            self.icons[each].show_icon(*_ICONS[state])

    def _done(self, closed: Closed) -> None:
        self._running = False
        words = self._kit.words
        said = words.say(
            "{date} is closed. Z {number} prints.",
            date=closed.on.iso(),
            number=f"{closed.number:06d}",
        )
        self.closing.emit()
        self.closed.emit(said)

    def _refused(self, error: Exception) -> None:
        self._running = False
        if approve_first(
            self, self._kit, self._lanes, self._desk, self._who, error,
            again=self.submit, declined=self.problem.tell,
        ):  # fmt: skip
            return
        if isinstance(error, Refused) and error.code is Refusal.DAY_OPEN_ITEMS:
            self._look_again()
            return
        self.problem.tell(lambda: words_of(self._kit, error))

    def _look_again(self) -> None:
        """The last step found what nobody signed for: show it, and ask for a reason."""
        from app.usecases.close_day import FAULTS, NO_BACKUP, OpenItem

        found = []
        if self._run.proof is not None and self._run.proof.faults:
            found.append(OpenItem(FAULTS, self._run.proof.faults))
        if self._run.proof is not None and self._run.made is None:
            found.append(OpenItem(NO_BACKUP, 1))
        self._found = tuple(found)
        steps: dict[str, Step] = {FAULTS: "prove", NO_BACKUP: "backup"}
        for item in found:
            self.icons[steps[item.code]].show_icon(*_ICONS["failed"])

        def seen(view: DayView) -> None:
            self._view = view
            self._items.retranslate()
            self._show_reason()
            self.problem.tell(lambda: sentence(self._kit, Refusal.DAY_OPEN_ITEMS, {}))
            self.first_focus().setFocus()

        self._lanes.run(self, "db", self._desk.day.look, ok=seen, failed=self._refused)

    def _show_reason(self) -> None:
        self.reason.setVisible(bool(self._all_items()))
