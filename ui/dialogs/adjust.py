"""Points by hand: give or take, how many, why, and what happened; then a second person agrees."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.domain.errors import Refusal, Refused
from ui.dialogs.cash_move import ReasonedSheet
from ui.errors import sentence, words_of
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.widgets.basics import Label, WrappedLabel
from ui.widgets.number_fields import WholeField
from ui.widgets.segments import Segment, Segments
from ui.widgets.text_fields import TextField

if TYPE_CHECKING:
    from app.context import Session
    from app.queries.records import MemberPanel
    from app.usecases.adjust import Adjusted, AdjustPreview
    from ui.desk import Desk

REASONS: Final = ("goodwill", "missed_sale", "correction", "other")


class AdjustSheet(ReasonedSheet):
    """Signals:
    adjusted(sentence): it is done.

    Attributes:
        direction: "give" or "take".
        preview: the balance before and after, live; nothing is clamped.
    """

    adjusted = Signal(str)
    wide = 720

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        member: MemberPanel,
        start: AdjustPreview,
    ) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, who, lambda: words.say("Change points"))
        self._member, self._shown = member, start
        self._least = start.note_chars
        self._fresh = False
        self._previews: Latest[AdjustPreview] = Latest(lanes, "db", interrupt=lambda: None)
        self.body.addWidget(Label(partial(str, member.name), role="strong"))
        self.direction = Segments(
            kit,
            lambda: words.say("Direction"),
            [
                Segment("give", lambda: words.say("Give points")),
                Segment("take", lambda: words.say("Take points")),
            ],
        )
        self.body.addWidget(self.direction)
        self.body.addWidget(Label(lambda: words.say("Points"), role="muted"))
        self.points = WholeField(lambda: words.say("Points"), digits=9)
        self.body.addWidget(self.points)
        self.preview = WrappedLabel(self._previewed, role="text2")
        self.preview.setMinimumHeight(kit.look.px(44))
        self.body.addWidget(self.preview)
        self.body.addWidget(Label(lambda: words.say("What happened"), role="muted"))
        self.note = TextField(lambda: words.say("What happened"))
        self.body.addWidget(self.note)
        self._ask_reason(REASONS)
        self.direction.chosen.connect(lambda _: self._changed())
        self.direction.entered.connect(self._focus_points)
        self.points.changed.connect(self._changed)
        self.points.entered.connect(self._points_given)
        self.note.entered.connect(self._note_given)

    def first_focus(self) -> QWidget:
        return self.points

    def submit(self) -> None:
        if self._points_given() and self._note_given():
            super().submit()

    def _signed(self) -> int:
        points = self.points.value() or 0
        return points if self.direction.code == "give" else -points

    def _previewed(self) -> str:
        words, formats, shown = self._kit.words, self._kit.formats, self._shown
        before = formats.points(shown.balance_before)
        if shown.balance_after == shown.balance_before:
            return words.say("Balance {points}.", points=before)
        after = formats.points(shown.balance_after)
        if shown.owed_after:
            return words.say(
                "Balance {before}, then {after}: {points} are owed.",
                before=before,
                after=after,
                points=formats.points(shown.owed_after),
            )
        if shown.expires is not None:
            return words.say(
                "Balance {before}, then {after}. What is given is good through {date}.",
                before=before,
                after=after,
                date=shown.expires.iso(),
            )
        return words.say("Balance {before}, then {after}.", before=before, after=after)

    def _changed(self) -> None:
        self.problem.clear()
        self._look()

    def _look(self) -> None:
        """Ask what it would do; an answer to an older question is dropped."""
        self._fresh = False
        points, session, member_id = self._signed(), self._who(), self._member.member_id
        self._previews.ask(
            self,
            lambda: self._desk.preview_adjust(session, member_id, points),
            ok=self._show,
            failed=lambda error: self.problem.tell(lambda: words_of(self._kit, error)),
        )

    def _show(self, shown: AdjustPreview) -> None:
        self._shown, self._fresh = shown, True
        self.preview.tell(self._previewed)

    def _focus_points(self) -> None:
        self.points.setFocus(Qt.FocusReason.OtherFocusReason)

    def _points_given(self) -> bool:
        if not self.points.value():
            self.problem.tell(lambda: sentence(self._kit, Refusal.ADJUST_ZERO, {}))
            self._focus_points()
            return False
        self.problem.clear()
        if self.points.hasFocus():
            self.note.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def _note_given(self) -> bool:
        if len(" ".join(self.note.text().split())) < self._least:
            least = {"least": self._least}
            self.problem.tell(lambda: sentence(self._kit, Refusal.ADJUST_NOTE_SHORT, least))
            self.note.setFocus(Qt.FocusReason.OtherFocusReason)
            return False
        self.problem.clear()
        if self.note.hasFocus():
            self.reason.focus_here()
        return True

    def _send(self) -> None:
        session, points, reason = self._who(), self._signed(), self.reason.code
        member_id, note = self._member.member_id, self.note.text()
        shown = self._shown if self._fresh else None

        def run() -> object:
            # Enter may be faster than the preview; it is there before the second person agrees.
            after = shown or self._desk.preview_adjust(session, member_id, points)
            return self._desk.adjust(
                self._command_id, session, member_id, points, reason, note, after.balance_after
            )

        self._run(run, self._done)

    def _refused(self, error: Exception) -> None:
        super()._refused(error)
        if isinstance(error, Refused) and error.code is Refusal.QUOTE_CHANGED:
            self._look()

    def _done(self, done: Adjusted) -> None:
        words, formats = self._kit.words, self._kit.formats
        said = words.say(
            "{points} for {name}; the balance is {balance}.",
            points=formats.points_change(done.points),
            name=self._member.name,
            balance=formats.points(done.balance),
        )
        self.closing.emit()
        self.adjusted.emit(said)
