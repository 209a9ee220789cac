"""The middle column: the attached member. Balance and points appear here and nowhere else (law 7)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.domain.business_day import NEVER, BusinessDate
from app.formats import number
from app.queries.records import MemberPanel, Tier
from ui.kit import Kit
from ui.models.ledger_rows import LedgerRows
from ui.theme import set_style
from ui.widgets.bar import ShareBar
from ui.widgets.basics import (
    Button,
    ElidedLabel,
    KeyCap,
    Label,
    Picture,
    Text,
    WrappedLabel,
    card,
    columns,
    nothing,
    rows,
)
from ui.widgets.table import RecordTable

if TYPE_CHECKING:
    from app.usecases.unmask import Unmasked

FLAGS_MAX = 3
SHOWN_MS = 30_000
"""How long a phone or birthday that was asked for stays in full."""
_CHIP_OF_TONE = {
    "sunken": "plain",
    "info_soft": "info",
    "gold_soft": "gold",
    "black_card": "black",
}


class MemberView(QStackedWidget):
    """One member, or the sentence that there is none.

    Signals:
        why_wanted(event_id): explain this entry.
        ledger_wanted(), lots_wanted(), edit_wanted(): more about this member.
        alerted(text): what to mind with the member that is shown now, "" for nothing.
    """

    why_wanted = Signal(object)
    ledger_wanted = Signal()
    lots_wanted = Signal()
    edit_wanted = Signal()
    alerted = Signal(str)

    def __init__(self, kit: Kit, today: Callable[[], BusinessDate]) -> None:
        super().__init__()
        self._kit, self._today = kit, today
        self._tiers: tuple[Tier, ...] = ()
        self.member: MemberPanel | None = None
        self.masking = QTimer(self)
        self.masking.setSingleShot(True)
        self.masking.setInterval(SHOWN_MS)
        self.masking.timeout.connect(self.hide_whole)
        self.addWidget(self._empty())
        page = QWidget()
        column = rows(kit.look, page, gap=12 if kit.look.compact else 16)
        column.addWidget(self._identity_card())
        column.addWidget(self._expiring_card())
        column.addWidget(self._recent_card(), 1)
        self.addWidget(page)

    def use_tiers(self, tiers: tuple[Tier, ...]) -> None:
        self._tiers = tiers

    def show_member(self, member: MemberPanel | None) -> None:
        self.member = member
        if member is not None:
            self._fill(member)
        self.hide_whole()
        self.setCurrentIndex(0 if member is None else 1)
        self.alerted.emit("" if member is None else member.alert)

    def show_in_full(self, unmasked: Unmasked) -> None:
        """A value that was asked for with a reason: for half a minute, and only for this member."""
        words, kit = self._kit.words, self._kit
        self._whole.tell(
            lambda: words.say("{value} (hidden again soon)", value=_whole_text(kit, unmasked))
        )
        self._whole.show()
        self.masking.start()

    def hide_whole(self) -> None:
        """Away with what was shown in full."""
        self.masking.stop()
        self._whole.tell(nothing)
        self._whole.hide()

    def tier_name(self, tier: Tier) -> str:
        return tier.name_zh if self._kit.words.language == "zh_CN" else tier.name_en

    def _step(self, tier: Tier) -> int:
        codes = [each.code for each in self._tiers]
        return codes.index(tier.code) if tier.code in codes else 0

    def retranslate(self) -> None:
        if self.member is not None:
            self._fill(self.member)

    def restyle(self) -> None:
        self.retranslate()

    def _empty(self) -> QWidget:
        words, look = self._kit.words, self._kit.look
        page = card()
        column = rows(look, page, margins=24, gap=12)
        column.addStretch()
        column.addWidget(Picture(look, "user", size=40), 0, Qt.AlignmentFlag.AlignHCenter)
        title = Label(lambda: words.say("No member yet"), role="title")
        column.addWidget(title, 0, Qt.AlignmentFlag.AlignHCenter)
        hints: tuple[tuple[str, Text], ...] = (
            ("F2", lambda: words.say("Find a member")),
            ("F3", lambda: words.say("Enrol a new one")),
            ("F5", lambda: words.say("Sell without a member")),
        )
        for key, text in hints:
            line = columns(look, gap=8)
            line.addStretch()
            line.addWidget(KeyCap(look, key))
            line.addWidget(Label(text, role="text2"))
            line.addStretch()
            column.addLayout(line)
        column.addStretch()
        return page

    def _identity_card(self) -> QWidget:
        kit, look, words = self._kit, self._kit.look, self._kit.words
        frame = card()
        edge = (16, 12, 16, 12) if look.compact else 20
        column = rows(look, frame, margins=edge, gap=10 if look.compact else 14)
        head = columns(look, gap=14)
        self._avatar = QLabel()
        self._avatar.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._avatar.setFixedSize(look.px(60), look.px(60))
        head.addWidget(self._avatar)
        lines = rows(look, gap=4)
        first = columns(look, gap=10)
        self._name = ElidedLabel(role="h1")
        self._tier = Label(chip="gold")
        first.addWidget(self._name)
        first.addWidget(self._tier, 0, Qt.AlignmentFlag.AlignVCenter)
        first.addStretch()
        edit = Button(
            kit, nothing, role="icon", icon="pencil", name=lambda: words.say("Edit profile")
        )
        edit.clicked.connect(self.edit_wanted)
        first.addWidget(edit)
        lines.addLayout(first)
        lines.addLayout(self._number_line())
        self._whole = Label(role="strong", tone="warn")
        self._whole.hide()
        lines.addWidget(self._whole)
        head.addLayout(lines, 1)
        column.addLayout(head)
        self._flags: QVBoxLayout = rows(look, gap=4)
        self._flag_labels = [WrappedLabel(role="strong") for _ in range(FLAGS_MAX)]
        for label in self._flag_labels:
            self._flags.addWidget(label)
        column.addLayout(self._flags)
        wells = columns(look, gap=12)
        self._points = _Well(kit, "coins", lambda: words.say("Points"), tone="accent")
        self._next = _Well(kit, "clock", lambda: words.say("Expiring next"))
        self._visit = _Well(kit, "calendar", lambda: words.say("Last visit"))
        for well in (self._points, self._next, self._visit):
            wells.addWidget(well, 1)
        column.addLayout(wells)
        progress = columns(look, gap=10)
        self._gap = Label(role="caption")
        self._bar = ShareBar(kit)
        self._share = Label(role="caption")
        progress.addWidget(self._gap)
        progress.addWidget(self._bar, 1)
        progress.addWidget(self._share)
        column.addLayout(progress)
        return frame

    def _number_line(self) -> QHBoxLayout:
        line = columns(self._kit.look, gap=6)
        self._card_no, self._phone = Label(role="text2"), Label(role="text2")
        for icon, label in (("id-card", self._card_no), ("phone", self._phone)):
            line.addWidget(Picture(self._kit.look, icon, size=16))
            line.addWidget(label)
            line.addSpacing(self._kit.look.px(8))
        line.addStretch()
        return line

    def _expiring_card(self) -> QWidget:
        words, look = self._kit.words, self._kit.look
        frame = card()
        column = rows(look, frame, margins=(16, 8, 8, 10) if look.compact else (20, 12, 12, 16))
        head = columns(look)
        head.addWidget(Label(lambda: words.say("Points by expiry"), role="strong"))
        head.addStretch()
        lots = Button(self._kit, lambda: words.say("All lots"), role="link")
        lots.clicked.connect(self.lots_wanted)
        head.addWidget(lots)
        column.addLayout(head)
        line = columns(look, margins=(0, 0, 8, 0), gap=10)  # The link above brings its own edge.
        self._lots = [_Lot(self._kit) for _ in range(3)]
        for lot in self._lots:
            line.addWidget(lot, 1)
        self._no_lots = Label(lambda: words.say("No points yet."), role="muted")
        line.addWidget(self._no_lots)
        column.addLayout(line)
        return frame

    def _recent_card(self) -> QFrame:
        words, look = self._kit.words, self._kit.look
        frame, inner = _Yielding(), QWidget()
        rows(look, frame).addWidget(inner)
        column = rows(look, inner, margins=(8, 6, 8, 6) if look.compact else (8, 10, 8, 8), gap=4)
        head = columns(look, margins=(8, 0, 0, 0) if look.compact else (12, 0, 4, 0))
        head.addWidget(Label(lambda: words.say("Recent activity"), role="strong"))
        head.addStretch()
        every = Button(self._kit, lambda: words.say("Whole ledger"), role="link")
        every.clicked.connect(self.ledger_wanted)
        head.addWidget(every)
        column.addLayout(head)
        self._recent_rows = LedgerRows(self._kit, self._today)
        self.recent = RecordTable(
            self._kit, self._recent_rows, lambda: words.say("Recent activity"), whole=(0,)
        )
        self.recent.opened.connect(self._explain)
        column.addWidget(self.recent, 1)
        self._nothing_yet = WrappedLabel(
            lambda: words.say("Nothing yet. The first sale comes here: F12 charges it."),
            role="muted",
        )
        self._nothing_yet.hide()
        column.addWidget(self._nothing_yet)
        column.addStretch()
        return frame

    def _explain(self, row: int) -> None:
        line = self._recent_rows.record(row)
        if line is not None:
            self.why_wanted.emit(line.event_id)

    def _fill(self, member: MemberPanel) -> None:
        words, formats, look = self._kit.words, self._kit.formats, self._kit.look
        tier = member.tier.current
        ground, ink = look.tier_tones(self._step(tier), len(self._tiers))
        self._avatar.setText(member.name[:1].upper())
        # The radius of an exact circle: a larger one would be dropped silently.
        self._avatar.setStyleSheet(
            f"background: {look.hex(ground)}; color: {look.hex(ink)};"
            f" border-radius: {look.px(60) // 2}px; font-size: {look.px(26)}px; font-weight: 600"
        )
        self._name.tell(lambda: member.name)
        set_style(self._tier, chip=_CHIP_OF_TONE[ground])
        off = f" · {formats.discount(10_000 - tier.discount_bp)}" if tier.discount_bp else ""
        self._tier.tell(lambda: self.tier_name(tier) + off)
        self._card_no.tell(lambda: _card_text(member.card_no) or words.say("No card"))
        self._phone.tell(lambda: member.phone_masked or words.say("No phone"))
        self._points.show_figure(
            number(member.points_available),
            words.say("Worth {money}", money=formats.money(member.worth_minor)),
        )
        self._fill_dates(member)
        self._fill_progress(member)
        self._fill_flags(member)
        self._recent_rows.show(member.recent)
        self.recent.setVisible(bool(member.recent))
        self._nothing_yet.setVisible(not member.recent)

    def _fill_dates(self, member: MemberPanel) -> None:
        words, formats = self._kit.words, self._kit.formats
        today = self._today().to_date()
        soonest = member.expiring[0] if member.expiring else None
        self._next.show_figure(
            number(soonest.amount) if soonest else "0",
            self._expiry_text(soonest.expires) if soonest else words.say("Nothing expires"),
        )
        visit = member.last_visit
        joined = formats.day(member.joined.to_date(), today=today)
        self._visit.show_figure(
            formats.day_named(visit.to_date(), today=today) if visit else "–",
            words.say("Member since {day}", day=joined),
        )
        for at, lot in enumerate(self._lots):
            # Kept in the row while unused, so that each lot has the same third of it.
            lot.setVisible(bool(member.expiring))
            lot.set_shown(at < len(member.expiring))
            if at < len(member.expiring):
                shown = member.expiring[at]
                lot.show_lot(formats.points(shown.amount), self._expiry_text(shown.expires))
        self._no_lots.setVisible(not member.expiring)

    def _expiry_text(self, expires: BusinessDate) -> str:
        if expires >= NEVER:
            return self._kit.words.say("Never expires")
        day = self._kit.formats.day(expires.to_date(), today=self._today().to_date())
        return self._kit.words.say("until {day}", day=day)

    def _fill_progress(self, member: MemberPanel) -> None:
        words, progress = self._kit.words, member.tier
        if progress.next is None:
            self._gap.tell(lambda: words.say("Highest tier"))
            self._bar.show_share(1, 1)
            self._share.tell(nothing)
            return
        name = self.tier_name(progress.next)
        short = max(0, progress.target - progress.measure)
        if progress.kind == "spend":
            gap = self._kit.formats.money_short(short)
            self._gap.tell(lambda: words.say("{money} to {tier}", money=gap, tier=name))
        else:
            self._gap.tell(
                lambda: words.count(
                    "{count} visit to {tier}",
                    "{count} visits to {tier}",
                    short,
                    count=short,
                    tier=name,
                )
            )
        self._bar.show_share(progress.measure, progress.target)
        percent = min(100, progress.measure * 100 // max(1, progress.target))
        self._share.tell(lambda: f"{percent}%")

    def _fill_flags(self, member: MemberPanel) -> None:
        flags = self._flag_texts(member)[:FLAGS_MAX]
        for label, flag in zip(self._flag_labels, flags, strict=False):
            tone, text = flag
            set_style(label, tone=tone)
            label.tell(partial(str, text))
        for at, label in enumerate(self._flag_labels):
            label.setVisible(at < len(flags))

    def _flag_texts(self, member: MemberPanel) -> list[tuple[str, str]]:
        """(tone, sentence), in the order of counter-flows.md section 3."""
        words, formats = self._kit.words, self._kit.formats
        found = []
        if member.verify_identity:
            found.append(("warn", words.say("Ask for name or card before points are used.")))
        if member.alert:
            found.append(("danger", member.alert))
        if member.points_balance < 0:
            owed = formats.points(-member.points_balance)
            found.append(
                ("warn", words.say("Owes {points}; the next earning repays.", points=owed))
            )
        days = member.birthday_in_days
        if days is not None and days <= 7:
            found.append(("gold", self._birthday_text(days)))
        if member.points_pending:
            pending = formats.points(member.points_pending)
            found.append(("muted", words.say("{points} pending, not usable yet.", points=pending)))
        if member.note:
            found.append(("muted", member.note[:20]))
        return found

    def _birthday_text(self, days: int) -> str:
        words = self._kit.words
        if days == 0:
            return words.say("Birthday today")
        return words.count("Birthday in {days} day", "Birthday in {days} days", days, days=days)


class _Well(QFrame):
    """A figure with its name above and a remark below."""

    def __init__(self, kit: Kit, icon: str, title: Text, *, tone: str = "") -> None:
        super().__init__()
        look = kit.look
        self.setProperty("role", "well")
        column = rows(look, self, margins=(14, 8, 8, 8) if look.compact else (14, 12, 8, 12), gap=2)
        head = columns(look, gap=6)
        head.addWidget(Picture(look, icon, size=16))
        head.addWidget(Label(title, role="caption"))
        head.addStretch()
        column.addLayout(head)
        self._figure = Label(role="stat", tone=tone)
        self._remark = Label(role="caption")
        column.addWidget(self._figure)
        column.addWidget(self._remark)

    def show_figure(self, figure: str, remark: str) -> None:
        self._figure.tell(lambda: figure)
        self._remark.tell(lambda: remark)


class _Yielding(QFrame):
    """A card that goes where there is no room for it, rather than making the window higher."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        (inner,) = self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        fits = self.height() >= inner.minimumSizeHint().height()
        inner.setVisible(fits)
        set_style(self, role="card" if fits else "clear")


class _Lot(QFrame):
    """Points of one expiry."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.setProperty("role", "well")
        column = rows(kit.look, self, margins=(14, 6, 8, 6), gap=0)
        self._points, self._until = Label(role="strong"), Label(role="caption")
        column.addWidget(self._points)
        column.addWidget(self._until)

    def set_shown(self, shown: bool) -> None:
        """An unused one keeps its place and shows nothing."""
        self._points.setVisible(shown)
        self._until.setVisible(shown)
        self.setProperty("role", "well" if shown else "clear")
        self.style().polish(self)

    def show_lot(self, points: str, until: str) -> None:
        self._points.tell(lambda: points)
        self._until.tell(lambda: until)


def _whole_text(kit: Kit, unmasked: Unmasked) -> str:
    """The phone or the birthday in full, or that there is none."""
    words = kit.words
    if unmasked.what == "phone":
        phone = unmasked.phone
        return words.say("Phone {phone}", phone=phone) if phone else words.say("No phone")
    if unmasked.birthday is None:
        return words.say("No birthday")
    calendar, year, month, day = unmasked.birthday
    date = f"{month:02d}-{day:02d}" if year is None else f"{year}-{month:02d}-{day:02d}"
    if calendar == "lunar":
        return words.say("Birthday {day} (lunar)", day=date)
    return words.say("Birthday {day}", day=date)


def _card_text(number_: str | None) -> str:
    """8800 0012 4471: a card number is read in fours."""
    if not number_:
        return ""
    return " ".join(number_[at : at + 4] for at in range(0, len(number_), 4))
