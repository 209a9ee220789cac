"""Head office as the till sees it: joining by a code, and how the exchange stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.formats import number
from app.i18n import Words
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, Label, WrappedLabel, columns, rows
from ui.widgets.number_fields import CodeField
from ui.widgets.sheet import Sheet
from ui.widgets.text_fields import TextField

if TYPE_CHECKING:
    from app.context import Session
    from app.queries.exchange import Progress, Standing
    from app.sync.outcome import Joined
    from ui.desk import Desk


class JoinSheet(Sheet):
    """Signals:
    joined(joined): the till belongs to a head office from now on.
    """

    joined = Signal(object)
    wide = 620

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        address: str = "",
        why: str = "",
    ) -> None:
        """`address`: of the head office that the till belongs to and that doesn't know it any more, or has
        locked it: `why` (app/sync/outcome.py)."""
        words = kit.words
        super().__init__(kit, lambda: words.say("Join a head office"))
        self._lanes, self._desk, self._who = lanes, desk, who
        self.body.addWidget(
            WrappedLabel(
                lambda: _reason(words, address, why),
                role="text2",
            )
        )
        self.body.addWidget(Label(lambda: words.say("Address of head office"), role="muted"))
        self.address = TextField(lambda: words.say("Address of head office"))
        self.address.setText(address or "https://")
        self.body.addWidget(self.address)
        self.body.addWidget(Label(lambda: words.say("Joining code"), role="muted"))
        self.code = CodeField(lambda: words.say("Joining code"), role="search")
        self.body.addWidget(self.code)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.go = Button(kit, lambda: words.say("Join"), role="primary")
        self.address.entered.connect(self.code.setFocus)
        self.code.entered.connect(self._join)
        self.go.clicked.connect(self._join)
        self.foot.addWidget(self.go, 1)

    @property
    def busy(self) -> bool:
        return not self.go.isEnabled()

    def first_focus(self) -> QWidget:
        return self.code if self.address.text() != "https://" else self.address

    def _join(self) -> None:
        address, code = self.address.text().strip(), self.code.text().strip()
        if self.busy or not address or not code:
            return
        words, session = self._kit.words, self._who()
        self.go.setEnabled(False)
        self.problem.tell(lambda: words.say("Asking head office…"))
        self._lanes.run(
            self, "net", lambda: self._desk.exchange.join(session, address, code),
            ok=self._done, failed=self._refused,
        )  # fmt: skip

    def _done(self, joined: Joined) -> None:
        self.go.setEnabled(True)
        self.joined.emit(joined)
        self.step_back()

    def _refused(self, error: Exception) -> None:
        self.go.setEnabled(True)
        self.problem.tell(lambda: words_of(self._kit, error))
        self.code.setFocus(Qt.FocusReason.OtherFocusReason)
        self.code.selectAll()


class HeadOfficeSheet(Sheet):
    """How it stands, live. Signals:
    ask_wanted(): ask now, not at the next time.
    """

    ask_wanted = Signal()
    wide = 560

    def __init__(self, kit: Kit, standing: Standing, why: str, today: date) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Head office"))
        self._standing, self._why, self._today = standing, why, today
        self._said = WrappedLabel(role="strong")
        self.body.addWidget(self._said)
        grid = columns(kit.look, gap=24)
        self._names, self._values = rows(kit.look, gap=8), rows(kit.look, gap=8)
        grid.addLayout(self._names)
        grid.addLayout(self._values, 1)
        self.body.addLayout(grid)
        self._cells: list[tuple[Label, Label]] = []
        for _ in range(_LINES):
            pair = Label(role="muted"), Label(role="strong")
            self._names.addWidget(pair[0])
            self._values.addWidget(pair[1])
            self._cells.append(pair)
        self.ask = Button(kit, lambda: words.say("Send now"), role="primary")
        self.ask.clicked.connect(self.ask_wanted)
        self.foot.addWidget(self.ask, 1)
        self._say()

    def first_focus(self) -> QWidget:
        return super().first_focus() if self._standing.revoked else self.ask

    def use(self, standing: Standing | None, why: str) -> None:
        """It stands otherwise now."""
        if standing is not None:
            self._standing, self._why = standing, why
            self._say()

    def retranslate(self) -> None:
        super().retranslate()
        if hasattr(self, "ask"):
            self._say()

    def _say(self) -> None:
        found = state_of(self._kit, self._standing, self._why)
        self._said.tell(lambda: found)
        self.ask.setVisible(not self._standing.revoked)  # Nothing is sent any more.
        lines = self._lines()
        for (name, value), (told, what) in zip(self._cells, lines, strict=True):
            name.tell(lambda told=told: told)  # type: ignore[misc]  # bound now, said at once
            value.tell(lambda what=what: what)  # type: ignore[misc]  # as above
            if name.isHidden() == bool(what):
                name.setVisible(bool(what))
                value.setVisible(bool(what))
                self.resized.emit()

    def _lines(self) -> list[tuple[str, str]]:
        """What is shown; a line of which there is nothing to say has no value."""
        words, at = self._kit.words, self._standing
        today = self._today
        moment = self._kit.formats.moment

        def when(instant: datetime | None) -> str:
            return words.say("never") if instant is None else moment(instant, today=today)

        right = words.say("none")
        if at.grant_left and at.lease is not None:
            right = words.say(
                "{points} until {when}",
                points=self._kit.formats.points(at.grant_left),
                when=when(at.lease),
            )
        return [
            (words.say("Address"), at.address),
            (words.say("New address, not reached yet"), at.told),
            (words.say("Events waiting"), number(at.waiting)),
            (words.say("The oldest of them"), when(at.oldest) if at.waiting else words.say("none")),
            (words.say("Profile fields waiting"), number(at.fields)),
            (words.say("Last answer"), when(at.heard)),
            (words.say("Points to spend without head office"), right),
        ]


_LINES = 7


def _reason(words: Words, address: str, why: str) -> str:
    if why == "locked":
        return words.say(
            "Head office has locked this till: it began anew too often in a day, as two computers with a"
            " copy of the same data do. Call there first. Once it is clear which one is the till, a code"
            " lets it in again. Nothing is lost."
        )
    if address:
        return words.say(
            "Head office doesn't know this till any more, or has a new key: one of them was put"
            " back from a backup. Call there. A code for this till lets it in again. Nothing is"
            " lost."
        )
    return words.say(
        "Head office gives a code for this till, good for ten minutes. From then on it owns"
        " the members' points, books what expires, and shows them to every store."
    )


def state_of(kit: Kit, standing: Standing, why: str) -> str:
    """How the exchange stands, in a sentence."""
    words = kit.words
    if standing.revoked or why == "revoked":
        return words.say(
            "Head office has shut this till out. It sells nothing more, and its members' data is"
            " deleted here. The sales that head office lacks are kept, sealed. Close the shift, call head"
            " office, and leave this computer as it is."
        )
    if why == "clock":
        return words.say("The till's clock is wrong: head office answers once it is right.")
    if why in ("refused", "unknown", "locked"):
        return words.say("Head office doesn't accept this till's requests. Ask there.")
    if why == "gone" and not standing.locked_days:
        return words.say(
            "No line to head office. Keep selling; everything waits here, nothing is lost."
        )
    if standing.locked_days:
        return words.say(
            "Head office was not reached for {days} days: members are locked. Sales without a member go"
            " on. Mend the line; one answer opens the members again.",
            days=standing.locked_days,
        )
    if standing.progress is not None:
        return progress_of(kit, standing.progress)
    if standing.anew:
        return words.say(
            "The till finds its place at head office anew; it holds no rights meanwhile."
        )
    if standing.waiting or standing.fields:
        return words.say("What was sold is on its way to head office.")
    return words.say("Head office has everything.")


def progress_of(kit: Kit, at: Progress) -> str:
    """How far the till is in what it has to do once, in a sentence."""
    words, done, total = kit.words, number(at.done), number(at.total)
    if at.what == "placing":
        return words.say(
            "{done} of {total} events placed. Keep selling; they are sent once all are.",
            done=done, total=total,
        )  # fmt: skip
    if at.what == "telling":
        return words.say(
            "Profiles of {done} of {total} members are ready to be sent. Keep selling.",
            done=done, total=total,
        )  # fmt: skip
    return words.say(
        "{done} of about {total} members have come from head office. Keep selling.",
        done=done, total=total,
    )  # fmt: skip
