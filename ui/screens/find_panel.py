"""The left column: search box, what it found, and the sentence when it found nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView

from app.domain.business_day import BusinessDate
from app.queries.records import MemberHit, SearchResult
from ui.keyboard import is_enter
from ui.kit import Kit
from ui.models.member_rows import MemberRowDelegate, MemberRows
from ui.widgets.basics import KeyCap, Label, Text, WrappedLabel, columns, rows
from ui.widgets.search_box import SearchBox

ENTER_WAITS_MS: Final = 150
MANY_ROWS: Final = 8


class FindPanel(QFrame):
    """Search as one types; attaching needs Enter or a click.

    Signals:
        asked(text): look this up.
        picked(hit): this member, please.
        enrol_wanted(phone): nobody has this number.
        few_wanted(text): nobody here, and Enter asks head office for who ends so.
        offer_taken(text, hit): this one of those whom head office offered.
    """

    asked = Signal(str)
    picked = Signal(object)
    enrol_wanted = Signal(str)
    few_wanted = Signal(str)
    offer_taken = Signal(str, object)

    def __init__(
        self,
        kit: Kit,
        today: Callable[[], BusinessDate],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._kit, self._clock = kit, clock
        self._result: SearchResult | None = None
        self._elsewhere = ""
        self._enter_at: float | None = None
        self._enter_unused = False
        self._moved = False
        self.setProperty("role", "card")
        self.box = SearchBox(kit)
        self.rows = MemberRows(kit, today)
        self.list = QListView()
        self._build()
        self.box.asked.connect(self._ask)
        self.box.accepted.connect(self._accept)
        self.box.beyond.connect(self._go_beyond)
        self.box.moved.connect(self._move)
        self.list.clicked.connect(lambda index: self._pick(index.row()))
        self.list.installEventFilter(self)
        self.retranslate()

    def _build(self) -> None:
        look = self._kit.look
        layout = rows(look, self, margins=(0, 16, 0, 8), gap=8)
        head = columns(look, margins=(16, 0, 16, 0))
        head.addWidget(self.box)
        layout.addLayout(head)
        line = columns(look, margins=(18, 0, 16, 0), gap=6)
        self._status = WrappedLabel(role="caption")
        line.addWidget(self._status, 1)
        line.addWidget(KeyCap(look, "F2"), 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(line)
        self.list.setModel(self.rows)
        self._delegate = MemberRowDelegate(self._kit, self.rows)
        self.list.setItemDelegate(self._delegate)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout.addWidget(self.list, 1)
        foot = columns(look, margins=(16, 0, 16, 4), gap=6)
        words = self._kit.words
        hints: tuple[tuple[str, Text], ...] = (
            ("↑ ↓", lambda: words.say("Choose")),
            ("Enter", lambda: words.say("Open")),
            ("Esc", lambda: words.say("Clear")),
        )
        for key, text in hints:
            foot.addWidget(KeyCap(look, key))
            foot.addWidget(Label(text, role="caption"))
        foot.addStretch()
        layout.addLayout(foot)

    def show_result(self, result: SearchResult) -> None:
        """Show an answer; one that isn't the box's text any more is dropped."""
        if result.text != self.box.whole_text().strip():
            return
        current = self.rows.hit(self.list.currentIndex().row())
        same = self._result is not None and self._result.text == result.text
        if same and self._elsewhere == "offered":
            return  # What head office offers stands until there is another text, or one of them comes.
        self._enter_unused = False  # One of long ago asks nobody.
        if not same or result.hits:
            self._elsewhere = ""
        self._result = result
        self.rows.show(result.hits)
        keep = self.rows.row_of(current.member_id) if current and self._moved else 0
        self.list.setCurrentIndex(self.rows.index(max(keep, 0)))
        self._status.tell(self._sentence)
        waited_from, self._enter_at = self._enter_at, None
        if waited_from is not None and (self._clock() - waited_from) * 1000 <= ENTER_WAITS_MS:
            self._accept()

    def say_elsewhere(self, how: str) -> None:
        """What head office says of a text that finds nobody here: few, asking, none, gone, many, often."""
        self._elsewhere = how
        self._status.tell(self._sentence)
        unused, self._enter_unused = self._enter_unused, False
        if how == "few" and unused:
            self.few_wanted.emit(self.box.whole_text().strip())

    def offer(self, hits: tuple[MemberHit, ...]) -> None:
        """Show whom head office offers for the text in the box."""
        self._elsewhere = "offered"
        self.rows.show(hits)
        self._moved = False
        # Nobody is chosen yet: an Enter that was meant to ask again must not attach a stranger.
        self.list.setCurrentIndex(QModelIndex())
        self._status.tell(self._sentence)

    def forget(self) -> None:
        """Nothing is searched: empty list, the opening sentence."""
        self._result = None
        self._elsewhere = ""
        self._moved = False
        self.rows.show(())
        self._status.tell(self._sentence)

    def clear_text(self) -> bool:
        """Esc: composition, then text. True while there was something to clear."""
        if not self.box.whole_text() and not self.rows.rowCount():
            return False
        self.box.clear()
        self.forget()
        return True

    def unknown_phone(self) -> str:
        """The whole phone number in the box that nobody has, as typed; else ""."""
        text, result = self.box.whole_text().strip(), self._result
        known = result is None or result.text != text or result.unknown_phone is None
        return "" if known else text

    def take_focus(self) -> None:
        self.box.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.box.selectAll()

    def retranslate(self) -> None:
        self.list.setAccessibleName(self._kit.words.say("Search results"))
        self._status.tell(self._sentence)

    def restyle(self) -> None:
        self.list.viewport().update()

    def _ask(self, text: str) -> None:
        self._moved = False
        self._enter_at = None
        if text.strip():
            self.asked.emit(text.strip())
        else:
            self.forget()

    def _accept(self) -> None:
        text = self.box.whole_text().strip()
        if self._result is None or self._result.text != text:
            # Its own answer is still on the way: an older row must not be taken for it.
            self._enter_at = self._clock() if text else None
        elif self._elsewhere == "offered" and self.list.currentIndex().row() < 0:
            return  # One of them is to be chosen first.
        elif self._result.hits or self.rows.rowCount():
            self._pick(max(self.list.currentIndex().row(), 0))
        elif self._result.unknown_phone is not None:
            self.enrol_wanted.emit(text)
        elif self._result.suggestion is not None:
            self.box.setText(self._result.suggestion)
        elif self._elsewhere in ("few", "gone"):
            self.few_wanted.emit(text)
        else:
            # It may be known in a moment that head office can be asked: show_result comes before.
            self._enter_unused = not self._elsewhere

    def _go_beyond(self) -> None:
        text, result = self.box.whole_text().strip(), self._result
        if self._elsewhere == "few" and result is not None and result.text == text:
            self.few_wanted.emit(text)

    def _pick(self, row: int) -> None:
        hit = self.rows.hit(row)
        if hit is not None and hit.where is not None:
            self.offer_taken.emit(self.box.whole_text().strip(), hit)
        elif hit is not None:
            self.picked.emit(hit)

    def _move(self, step: int) -> None:
        last = self.rows.rowCount() - 1
        if last >= 0:
            self._moved = True
            row = min(max(self.list.currentIndex().row() + step, 0), last)
            self.list.setCurrentIndex(self.rows.index(row))

    def _sentence(self) -> str:
        if self._elsewhere == "offered":
            return self._kit.words.count(
                "Head office knows 1 who ends so. Ask for the name, then choose.",
                "Head office knows {count} who end so. Ask for the name, then choose.",
                self.rows.rowCount(), count=self.rows.rowCount(),
            )  # fmt: skip
        here, elsewhere = self._found_here(), self._said_elsewhere()
        return f"{here} {elsewhere}" if elsewhere else here

    def _said_elsewhere(self) -> str:
        words = self._kit.words
        match self._elsewhere:
            case "few":
                result = self._result
                if result is not None and (result.hits or result.suggestion is not None):
                    return words.say("Ctrl+Enter asks head office for others.")
                return words.say("Press Enter to ask head office.")
            case "many":
                return words.say("Too many end so at head office. Type the whole number.")
            case "often":
                return words.say(
                    "This till has asked head office so too often. Type the whole number."
                )
            case "asking":
                return words.say("Asking head office…")
            case "none":
                return words.say("Head office doesn't know this number either.")
            case "gone":
                return words.say("Head office doesn't answer just now.")
        return ""

    def _found_here(self) -> str:
        words, result = self._kit.words, self._result
        if result is None:
            return words.say("Type the last four digits or initials, or scan a card.")
        if result.hits:
            if result.total > MANY_ROWS:
                return words.say("{count} members match. Add an initial.", count=result.total)
            return words.count("1 member", "{count} members", result.total, count=result.total)
        if result.unknown_phone is not None:
            return words.say(
                "{phone} isn't a member yet. Press Enter to enrol.", phone=_grouped(result.text)
            )
        if result.suggestion is not None:
            return words.say("No match. Did you mean {text}? Press Enter.", text=result.suggestion)
        if result.text.isdecimal():
            return words.say(
                "No member ends in {digits}. Type the whole phone or initials.",
                digits=result.text,
            )
        return words.say("No member matches {text}. Try the phone number.", text=result.text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self._moved = True
            elif is_enter(event):
                if not event.isAutoRepeat():
                    self._pick(self.list.currentIndex().row())
                return True
        return False


def _grouped(phone: str) -> str:
    """138 0000 6621: a long number is read in groups."""
    digits = phone.replace(" ", "")
    return f"{digits[:3]} {digits[3:7]} {digits[7:]}" if len(digits) == 11 else phone
