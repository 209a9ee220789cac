"""The top bar: where we are, who works, what needs attention, language, theme and lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.formats import number
from app.queries.records import StaffView
from ui.desk_records import TillView
from ui.kit import Kit
from ui.widgets.basics import Button, ElidedLabel, Label, Text, columns, nothing

if TYPE_CHECKING:
    from app.queries.exchange import Standing


class TopBar(QWidget):
    """Signals:
    language_wanted(), theme_wanted(), lock_wanted().
    attention_wanted(): a chip was pressed.
    exchange_wanted(): the mark of head office was pressed.
    """

    language_wanted = Signal()
    theme_wanted = Signal()
    lock_wanted = Signal()
    attention_wanted = Signal()
    exchange_wanted = Signal()

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        words, look = kit.words, kit.look
        self.setObjectName("topbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(look.dense(56, 48))
        line = columns(look, self, margins=(20, 0, 16, 0), gap=10)
        self._title = Label(role="title")
        self._place = ElidedLabel(role="muted")
        line.addWidget(self._title)
        line.addWidget(self._place, 1)
        middle = Qt.AlignmentFlag.AlignVCenter
        self._demo = Label(lambda: "DEMO", chip="danger")
        self._training = Label(lambda: words.say("Training: nothing here is real."), chip="danger")
        self._date = Label(chip="warn")
        self._needs, self._paper = (
            Button(kit, nothing, role="chip"),
            Button(kit, nothing, role="chip"),
        )
        self._needs.clicked.connect(self.attention_wanted)
        self._paper.clicked.connect(self.attention_wanted)
        self._exchange = Button(kit, nothing, role="ghost")
        self._exchange.clicked.connect(self.exchange_wanted)
        self._exchange.hide()
        self._away = Label(lambda: words.say("Click to continue"), chip="danger")
        for chip in (self._away, self._training, self._demo, self._date, self._needs, self._paper):
            chip.hide()
            line.addWidget(chip, 0, middle)
        line.addWidget(self._exchange, 0, middle)
        self._who = Label(role="text2")
        line.addWidget(self._who)
        self.language = Button(
            kit,
            lambda: "EN" if words.language == "zh_CN" else "中文",
            role="ghost",
            icon="languages",
            name=lambda: words.say("Switch language"),
        )
        self.theme = Button(
            kit, nothing, role="icon", icon="moon", name=lambda: words.say("Switch theme")
        )
        self.lock = Button(kit, lambda: words.say("Lock"), role="ghost", icon="lock")
        for button, signal in (
            (self.language, self.language_wanted),
            (self.theme, self.theme_wanted),
            (self.lock, self.lock_wanted),
        ):
            line.addWidget(button)
            button.clicked.connect(signal)
        self.restyle()

    def restyle(self) -> None:
        # The picture of what the button leads to.
        icons = {"light": "moon", "dark": "contrast", "contrast": "sun"}
        self.theme.show_icon(icons[self._kit.look.theme])

    def show_title(self, title: Text) -> None:
        self._title.tell(self._kit.titled(title))

    def show_till(self, till: TillView, staff: StaffView) -> None:
        words = self._kit.words
        self._place.tell(lambda: till.place(words))
        self._demo.setVisible(till.demo)
        self._training.setVisible(till.training)
        shift = till.shift
        if shift is None:
            self._who.tell(lambda: words.say("{name} · no shift", name=staff.name))
        else:
            since = self._kit.formats.time(shift.opened_at)
            self._who.tell(
                lambda: words.say("{name} · shift since {time}", name=staff.name, time=since)
            )

    def show_away(self, away: bool) -> None:
        """The window has no keyboard: what is typed goes elsewhere."""
        self._away.setVisible(away)

    def show_other_date(self, day: str) -> None:
        """The business date when it isn't the calendar's; empty hides it."""
        self._date.setVisible(bool(day))
        self._date.tell(lambda: self._kit.words.say("Business date {day}", day=day))

    def show_exchange(self, standing: Standing | None, why: str) -> None:
        """A small mark: head office has everything, so much waits, or there is no line; none for a till of
        its own. It never asks for a hand: selling goes on."""
        self._exchange.setVisible(standing is not None)
        if standing is None:
            return
        words, waiting = self._kit.words, number(standing.waiting)

        def say() -> str:
            if standing.severed:
                return words.say("Join head office again")
            if standing.revoked:
                return words.say("Shut out by head office")
            if why == "locked":
                return words.say("Locked by head office")
            if why == "unknown":
                return words.say("Join head office again")
            if standing.locked_days:
                return words.say("Offline · members locked")
            if why:
                return words.say("Offline · {count} waiting", count=waiting)
            if standing.progress is not None:
                at = standing.progress
                done = number(min(100, at.done * 100 // max(at.total, 1)))
                return words.say("Head office {percent} %", percent=done)
            if standing.waiting:
                return words.say("Sending {count}", count=waiting)
            return words.say("Head office ✓")

        self._exchange.tell(say)

    def show_needs(self, count: int) -> None:
        """How many things need a hand; none, no chip: silence is health."""
        self._needs.setVisible(count > 0)
        self._needs.tell(lambda: self._kit.words.say("To settle {count}", count=count))

    def show_paper(self, waiting: int) -> None:
        """How many slips wait for paper; none, no chip."""
        self._paper.setVisible(waiting > 0)
        self._paper.tell(lambda: self._kit.words.say("Print {count}", count=waiting))
