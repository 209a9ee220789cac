"""Close the day (flow 17): what is open, the count with its difference, the steps as they go, the Z's number.

The drawer's own part is close_drawer.py's, the list of steps close_steps.py's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from app.documents.z_slip import ITEM_WORDS, REASON_WORDS
from app.domain.errors import Refusal, Refused
from ui.day_run import DayRun, Step
from ui.dialogs.approval import approve_first
from ui.dialogs.close_drawer import DrawerPart
from ui.dialogs.close_steps import State, StepList
from ui.errors import sentence, words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, Label, Text, WrappedLabel, columns, nothing, rows
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from app.context import Session
    from app.queries.records import PrintStatus
    from app.usecases.close_day import BeginClose, Closed, Closing, OpenItem
    from ui.desk import Desk
    from ui.desk_day import DayView


class CloseDay(Sheet):
    """Signals:
    closed(sentence): the date is closed and its Z is queued.
    shift_ended(): its shift was counted and closed in here; slips of it wait.
    settle_wanted(code): to where an open item is settled.
    """

    closed = Signal(str)
    shift_ended = Signal()
    settle_wanted = Signal(str)
    wide = 1080

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        view: DayView,
        clock: Callable[[], float],
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Close the day"))
        self._lanes, self._desk, self._who, self._view = lanes, desk, who, view
        self._command: BeginClose | None = None
        self._closing: Closing | None = None
        self._run = DayRun(
            self, lanes, desk.day, told=self._step, percent=self._percent, done=self._done,
            failed=self._refused,
        )  # fmt: skip
        self._found: tuple[OpenItem, ...] = ()
        self._running = self._waits_for_paper = self._tried = self._shown = False
        self.body.addWidget(Label(self._date, role="pay"))
        line = columns(kit.look, gap=24)
        self.body.addLayout(line, 1)
        self.steps = StepList(kit)
        self.steps.setFixedWidth(kit.look.px(320))
        self.steps.settle_wanted.connect(self.settle_wanted)
        self.icons = self.steps.icons
        line.addWidget(self.steps)
        self._right = rows(kit.look, gap=12)
        line.addLayout(self._right, 1)
        self.part = self._drawer_part(clock)
        self._add_words()
        self.without = Button(kit, lambda: words.say("Close without counting"))
        self.commit = Button(kit, nothing, role="primary")
        self.foot.addWidget(self.without)
        self.foot.addWidget(self.commit, 1)
        self.commit.clicked.connect(self.submit)
        if self.part is not None:
            self.without.clicked.connect(self.part.leave_uncounted)
        self._show_stage()

    def _drawer_part(self, clock: Callable[[], float]) -> DrawerPart | None:
        """The drawer, while a shift of the date is open."""
        drawer = self._view.drawer
        if drawer is None:
            return None
        part = DrawerPart(self._kit, self._lanes, self._desk, self._who, drawer, self, clock)
        part.counted.connect(self._counted)
        part.ended.connect(self._shift_ended)
        part.ready.connect(self._focus_commit)
        part.said.connect(self._say_problem)
        return part

    def _add_words(self) -> None:
        """The right side: the drawer, what is signed for, and what is wrong."""
        kit, words = self._kit, self._kit.words
        if self.part is not None:
            self._right.addWidget(self.part)
        self._items = WrappedLabel(self._say_items, role="strong")
        self._right.addWidget(self._items)
        self._say_due = WrappedLabel(self._due, role="muted")
        self._right.addWidget(self._say_due)
        self.reason = Segments(
            kit,
            lambda: words.say("Reason"),
            [Segment(code, partial(words.say, said)) for code, said in REASON_WORDS.items()],
            open_=True,
        )
        self._right.addWidget(self.reason)
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        self.problem.setMinimumHeight(kit.look.px(44))
        self._right.addWidget(self.problem)
        self._right.addStretch()
        self.reason.entered.connect(self.submit)

    def _show_stage(self) -> None:
        """What is asked now: the count, the difference, or a signature for what is open."""
        words, part = self._kit.words, self.part
        counting = part is not None and part.counting
        self.without.setVisible(counting)
        self.commit.tell(
            lambda: words.say("Submit the count") if counting else words.say("Close the day")
        )
        self.steps.show_items(self._view.items)
        if part is None and not self._running:
            state: State = "done" if self._view.on is not None else "waits"
            self.steps.show_state("count", state)
            self.steps.show_state("difference", state)
        elif part is not None:
            self.steps.show_state("count", "runs" if counting else "done")
            self.steps.show_state("difference", "waits" if counting else "runs")
        for label in (self._items, self._say_due):
            label.setVisible(part is None)
            label.retranslate()
        self.reason.setVisible(part is None and bool(self._all_items()))
        if self._view.on is None:
            self.commit.setEnabled(False)
            self.problem.tell(lambda: sentence(self._kit, Refusal.DAY_NOTHING_TO_CLOSE, {}))

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

    # What it does -----------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        return self.asking or self._running or (self.part is not None and self.part.busy)

    def first_focus(self) -> QWidget:
        """Where Enter goes on: to the first thing that is open, before anything was tried."""
        first = None if self._tried else self.steps.first_open()
        if first is not None and not self._running:
            return first
        if self.part is not None:
            return self.part.first_focus() or self.commit
        return self.reason if self.reason.isVisibleTo(self) else self.commit

    def height_for(self, width: int) -> int:
        return self._kit.look.px(600)  # also with the reasons, which may be asked for later

    def takes_key(self, key: str) -> bool:
        if key == "F12":
            self.submit()
        return key == "F12"

    def submit(self) -> None:
        """Begin, or sign for what the steps have found and go on."""
        if self.busy or not self.commit.isEnabled() or self._view.on is None:
            return
        self._tried = True
        if self.part is not None:
            self.part.submit()
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
        self._closing = closing
        if self._run.proof is None:
            self._run.start(closing)
        else:
            self._run.sign(closing)

    def _step(self, step: Step) -> None:
        self.steps.run(step)

    def _percent(self, step: Step, percent: int) -> None:
        self.steps.show_percent(step, percent)

    # The drawer -------------------------------------------------------------------------------

    def _counted(self) -> None:
        self._show_stage()
        self.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)

    def _shift_ended(self) -> None:
        """The drawer is done: its slips are on their way, and with them on paper the day closes."""
        part, self.part = self.part, None
        assert part is not None, "its shift was open"
        part.hide()
        self._right.removeWidget(part)
        part.deleteLater()
        self._show_stage()
        self._running = True
        self._waits_for_paper = bool(self._desk.settings().receipt.printer)
        self.shift_ended.emit()
        if not self._waits_for_paper:
            self._go_on()

    def paper_changed(self, status: PrintStatus) -> None:
        """Slips of the shift are printed, or the printer needs a hand; what merely runs is waited for."""
        if self._waits_for_paper and (not status.waiting or status.is_stuck):
            self._waits_for_paper = False
            self._go_on()
        elif not self.busy:
            self._look_at_items()

    def _go_on(self) -> None:
        def seen(view: DayView) -> None:
            self._running = False
            self._view = view
            self._show_stage()
            if self._all_items():
                self.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)
            else:
                self.submit()

        self._lanes.run(self, "db", self._desk.day.look, ok=seen, failed=self._refused)

    def _focus_commit(self) -> None:
        self.commit.setFocus(Qt.FocusReason.TabFocusReason)

    def _say_problem(self, said: Text) -> None:
        self.problem.tell(said)

    # What comes of it -------------------------------------------------------------------------

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
        if self._outran(error) and self._closing is not None:
            self._run.start(self._closing)
            return
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

    def _outran(self, error: Exception) -> bool:
        """Whether the counter sold more since the check than the last step walks: all is checked anew. What
        a check found wrong, another one would find too."""
        proof = self._run.proof
        old = isinstance(error, Refused) and error.code is Refusal.DAY_PROOF_OLD
        return old and proof is not None and not proof.faults

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
            self.steps.show_state(steps[item.code], "failed")

        def seen(view: DayView) -> None:
            self._view = view
            self._show_stage()
            self.problem.tell(lambda: sentence(self._kit, Refusal.DAY_OPEN_ITEMS, {}))
            self.first_focus().setFocus()

        self._lanes.run(self, "db", self._desk.day.look, ok=seen, failed=self._refused)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._shown and not self.busy:
            self._look_at_items()  # Back from where something open was settled.
        self._shown = True

    def _look_at_items(self) -> None:
        def seen(view: DayView) -> None:
            if self.busy:
                return
            self._view = replace(self._view, items=view.items)
            here = self.steps.has_focus()
            self._show_stage()
            if here and not self.steps.has_focus():
                self.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)

        self._lanes.run(self, "db", self._desk.day.look, ok=seen, failed=self._refused)
