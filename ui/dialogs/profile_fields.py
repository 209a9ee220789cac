"""The fields that enrolling and editing share: phone with who else has it, name with its reading,
birthday, consents. What is saved, and how Enter goes on, is the sheets' own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from app.domain.errors import Refusal, Refused
from ui.desk_records import PhoneCheck
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.theme import set_style
from ui.tokens import HEIGHTS
from ui.widgets.basics import Button, Label, Text, WrappedLabel, columns, nothing
from ui.widgets.number_fields import CodeField
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet
from ui.widgets.text_fields import TextField, Tick

if TYPE_CHECKING:
    from app.context import Session
    from app.intake import Reading
    from app.usecases.enrol import BirthdayInput, Masked, ProfileInput
    from ui.desk import Desk

READINGS_AFTER_MS: Final = 120
_YEAR = re.compile(r"(?:19|20)\d{2}")
"""The first half of a whole date: not to be told that there is no month 19."""
_BIRTHDAY = re.compile(r"(?:(\d{4})[-/. ]?)?(\d{1,2})[-/. ](\d{1,2})|(\d{4})?(\d{2})(\d{2})")


class ProfileSheet(Sheet):
    """The fields that enrolling and editing share."""

    wide = 620

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], title: Text
    ) -> None:
        super().__init__(kit, title)
        self._lanes, self._desk, self._who = lanes, desk, who
        self._command_id = desk.new_command()
        self._readings: Sequence[Reading] = ()
        self._reading_at = 0
        self.others = 0
        """How many other members have the phone that is typed."""
        self.checking = False
        """Whether that is being asked."""
        self._reading_of: Latest[Sequence[Reading]] = Latest(lanes, "db", interrupt=lambda: None)
        self._phone_of: Latest[PhoneCheck] = Latest(lanes, "db", interrupt=lambda: None)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(READINGS_AFTER_MS)
        self._timer.timeout.connect(self._ask_readings)
        words = kit.words
        self.phone = CodeField(lambda: words.say("Phone"), pattern=r"[0-9+ *\-]{0,20}")
        self.name = TextField(lambda: words.say("Name"))
        self.birthday = CodeField(lambda: words.say("Birthday"), pattern=r"[0-9*\-/. ]{0,10}")
        self.calendar = Segments(
            kit,
            lambda: words.say("Calendar"),
            (
                Segment("solar", lambda: words.say("Solar")),
                Segment("lunar", lambda: words.say("Lunar")),
            ),
        )
        self.service = Tick(kit, lambda: words.say("Agrees to the service notice"))
        self.marketing = Tick(kit, lambda: words.say("Wants offers and news"))
        self.phone_said = WrappedLabel(role="caption")
        self.name_said = WrappedLabel(role="caption")
        self.birthday_said = WrappedLabel(role="caption")
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.save = Button(kit, lambda: words.say("Save"), role="primary")
        self._connect()

    def _connect(self) -> None:
        self.phone.textChanged.connect(self._ask_phone)
        self.name.textChanged.connect(self._name_changed)
        self.name.stepped.connect(self._step_reading)
        self.birthday.textChanged.connect(self._show_birthday)
        self.calendar.chosen.connect(lambda _: self._show_birthday())
        self.save.clicked.connect(self.submit)

    def _grid(self, fields: Sequence[tuple[Text, QWidget, QWidget | None]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(self._kit.look.px(16))
        grid.setVerticalSpacing(self._kit.look.px(6))
        for at, (name, field, said) in enumerate(fields):
            label = Label(name, role="text2")
            label.setBuddy(field)
            grid.addWidget(label, 2 * at, 0)
            grid.addWidget(field, 2 * at, 1)
            if said is not None:
                grid.addWidget(said, 2 * at + 1, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _ticks(self) -> QHBoxLayout:
        line = columns(self._kit.look, gap=16)
        line.addWidget(self.service)
        line.addWidget(self.marketing)
        line.addStretch()
        return line

    def _birthday_row(self) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(self._kit.look.px(8))
        grid.addWidget(self.birthday, 0, 0)
        grid.addWidget(self.calendar, 0, 1)
        grid.setColumnStretch(0, 1)
        holder.setMinimumHeight(self._kit.look.px(HEIGHTS["segment"] + 4))
        return holder

    @property
    def busy(self) -> bool:
        return not self.save.isEnabled()

    def submit(self) -> None:
        raise NotImplementedError

    def profile_input(
        self,
        kept: Collection[Masked] = (),
        *,
        email: str = "",
        note: str = "",
        alert: str = "",
    ) -> ProfileInput:
        """What is in the fields, nothing for those whose stored value is kept. Only after sign-in, so the
        use-case's module is loaded."""
        from app.usecases.enrol import ProfileInput

        reading = self._readings[self._reading_at] if self._readings else self._stored_reading()
        return ProfileInput(
            name=self.name.text(),
            phone="" if "phone" in kept else self.phone.text(),
            email="" if "email" in kept else email,
            birthday=self.birthday_input(),
            note=note,
            alert=alert,
            reading=reading,
        )

    def birthday_input(self) -> BirthdayInput | None:
        """`5-21`, `1990-5-21`, `19900521`, `0521`; None where nothing (or nothing whole) is typed."""
        from app.usecases.enrol import BirthdayInput

        found = _BIRTHDAY.fullmatch(self.birthday.text().strip())
        if found is None:
            return None
        year, month, day = found.group(1, 2, 3) if found.group(2) else found.group(4, 5, 6)
        calendar: Literal["solar", "lunar"] = "lunar" if self.calendar.code == "lunar" else "solar"
        return BirthdayInput(calendar, int(month), int(day), int(year) if year else None)

    def refused(self, error: Exception) -> None:
        """Say it where it belongs; everything typed stays."""
        self.save.setEnabled(True)
        self.checking = False
        self.problem.tell(lambda: words_of(self._kit, error))
        code = error.code if isinstance(error, Refused) else None
        field = (self._field_of(code) if isinstance(code, Refusal) else None) or self.save
        if isinstance(field, CodeField | TextField):
            field.mark_wrong(True)
        field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _field_of(self, code: Refusal) -> QWidget | None:
        """The field that a refusal is about."""
        fields: dict[Refusal, QWidget] = {
            Refusal.PHONE_INVALID: self.phone,
            Refusal.NAME_NEEDED: self.name,
            Refusal.BIRTHDAY_INVALID: self.birthday,
            Refusal.BIRTHDAY_AHEAD: self.birthday,
            Refusal.BIRTHDAY_LOCKED: self.birthday,
            Refusal.CONSENT_NEEDED: self.service,
        }
        return fields.get(code)

    def _ask_phone(self) -> None:
        self.phone.mark_wrong(False)
        text = self.phone.text().strip()
        self.others, self.checking = 0, bool(text)
        if not text:
            self.phone_said.tell(nothing)
            self._phone_of.drop()
            return
        self._phone_of.ask(
            self, lambda: self._check_phone(text), ok=self._show_phone, failed=self.refused
        )

    def _show_phone(self, check: PhoneCheck) -> None:
        words = self._kit.words
        tone = "muted"
        self.others, self.checking = check.members, False
        if check.problem == "short":
            self.phone_said.tell(
                lambda: words.say(
                    "{digits} of {expected} digits", digits=check.digits, expected=check.expected
                )
            )
        elif check.problem:
            tone = "danger"
            self.phone_said.tell(lambda: words.say("This isn't a phone number. Check the digits."))
        elif check.members:
            tone = "warn"
            self.phone_said.tell(lambda: self.used_phone(check.members))
        else:
            self.phone_said.tell(lambda: words.say("This number is free."))
        set_style(self.phone_said, tone=tone)

    def used_phone(self, members: int) -> str:
        """What is said when others have this number: families share one."""
        return self._kit.words.count(
            "1 member uses this phone.",
            "{count} members use this phone.",
            members,
            count=members,
        )

    def _check_phone(self, text: str) -> PhoneCheck:
        return self._desk.check_phone(text)

    def _name_changed(self) -> None:
        """The readings were those of the name before: none of them may be saved with this one."""
        self._reading_of.drop()
        self._readings = ()
        self.name_said.tell(nothing)
        self._timer.start()

    def _ask_readings(self) -> None:
        self.name.mark_wrong(False)
        name = self.name.text().strip()
        if not name:
            return
        self._reading_of.ask(
            self, lambda: self._desk.readings(name), ok=self._show_readings, failed=self.refused
        )

    def _show_readings(self, readings: Sequence[Reading]) -> None:
        self._readings, self._reading_at = readings, 0
        self._say_reading()

    def _stored_reading(self) -> Reading | None:
        """A reading of just this name that is known already."""
        return None

    def _step_reading(self, step: int) -> None:
        if self._readings:
            self._reading_at = (self._reading_at + step) % len(self._readings)
            self._say_reading()

    def _say_reading(self) -> None:
        words = self._kit.words
        if not self._readings:
            return
        pinyin = self._readings[self._reading_at].pinyin
        several = len(self._readings) > 1
        self.name_said.tell(
            lambda: (
                words.say("Read {pinyin}. Down for another reading.", pinyin=pinyin)
                if several
                else words.say("Read {pinyin}.", pinyin=pinyin)
            )
        )

    def _show_birthday(self) -> None:
        """What is wrong with the day stands below it while it is typed, not only once it is saved."""
        self.birthday.mark_wrong(False)
        words, text = self._kit.words, self.birthday.text().strip()
        wrong = self.birthday_refusal()
        if wrong is None:
            self.birthday_said.tell(nothing)
        elif self.birthday_input() is None or _YEAR.fullmatch(text):
            self.birthday_said.tell(lambda: words.say("Month and day, like 5-21 or 1990-5-21."))
        else:
            self.birthday_said.tell(lambda: words_of(self._kit, wrong))

    def birthday_refusal(self) -> Refused | None:
        """Why what is typed is nobody's birthday; None where nothing is typed, or a day that has been."""
        if not self.birthday.text().strip():
            return None
        given = self.birthday_input()
        try:
            if given is None:
                return Refused(Refusal.BIRTHDAY_INVALID)
            self._desk.check_birthday(given)
        except Refused as refused:
            return refused
        return None

    def leave_birthday(self, after: QWidget) -> None:
        """Enter in the birthday: on to `after`, or it is framed as wrong and stays."""
        if self.birthday_refusal() is None:
            after.setFocus(Qt.FocusReason.TabFocusReason)
        else:
            self.birthday.mark_wrong(True)
