"""Enrol a member in under twenty seconds by keyboard (flow 4), and edit a profile.

Phone first, then name, birthday, consent. Every Enter goes to the next need; the last one saves.
Consent is never pre-ticked, and marketing has its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from app.domain.errors import Refusal, Refused
from app.queries.records import ProfileView
from ui.desk_records import PhoneCheck, Scan
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.theme import set_style
from ui.tokens import HEIGHTS
from ui.widgets.basics import Button, Label, Text, WrappedLabel, columns, nothing, rows
from ui.widgets.number_fields import CodeField
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet
from ui.widgets.text_fields import TextField, Tick

if TYPE_CHECKING:
    from app.context import Session
    from app.intake import Reading
    from app.usecases.enrol import BirthdayInput, Enrolled, ProfileInput
    from ui.desk import Desk

READINGS_AFTER_MS: Final = 120
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
        self._reading_of: Latest[Sequence[Reading]] = Latest(lanes, "db", interrupt=lambda: None)
        self._phone_of: Latest[PhoneCheck] = Latest(lanes, "db", interrupt=lambda: None)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(READINGS_AFTER_MS)
        self._timer.timeout.connect(self._ask_readings)
        words = kit.words
        self.phone = CodeField(lambda: words.say("Phone"), pattern=r"[0-9+ \-]{0,20}")
        self.name = TextField(lambda: words.say("Name"))
        self.birthday = CodeField(lambda: words.say("Birthday"), pattern=r"[0-9\-/. ]{0,10}")
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

    def profile_input(self, *, email: str = "", note: str = "", alert: str = "") -> ProfileInput:
        """What is in the fields. Only after sign-in, so the use-case's module is loaded."""
        from app.usecases.enrol import ProfileInput

        reading = self._readings[self._reading_at] if self._readings else self._stored_reading()
        return ProfileInput(
            name=self.name.text(),
            phone=self.phone.text(),
            email=email,
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
        self.problem.tell(lambda: words_of(self._kit, error))
        code = error.code if isinstance(error, Refused) else None
        fields: dict[Refusal, QWidget] = {
            Refusal.PHONE_INVALID: self.phone,
            Refusal.NAME_NEEDED: self.name,
            Refusal.BIRTHDAY_INVALID: self.birthday,
            Refusal.BIRTHDAY_LOCKED: self.birthday,
            Refusal.CONSENT_NEEDED: self.service,
        }
        field = fields.get(code, self.save) if isinstance(code, Refusal) else self.save
        if isinstance(field, CodeField | TextField):
            field.mark_wrong(True)
        field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask_phone(self) -> None:
        self.phone.mark_wrong(False)
        text = self.phone.text().strip()
        if not text:
            self.phone_said.tell(nothing)
            self._phone_of.drop()
            return
        self._phone_of.ask(
            self, lambda: self._desk.check_phone(text), ok=self._show_phone, failed=self.refused
        )

    def _show_phone(self, check: PhoneCheck) -> None:
        words = self._kit.words
        tone = "muted"
        self.others = max(0, check.members - self._own_phone(check.text))
        if check.problem == "short":
            self.phone_said.tell(
                lambda: words.say(
                    "{digits} of {expected} digits", digits=check.digits, expected=check.expected
                )
            )
        elif check.problem:
            tone = "danger"
            self.phone_said.tell(lambda: words.say("This isn't a phone number. Check the digits."))
        elif check.members > self._own_phone(check.text):
            tone = "warn"
            self.phone_said.tell(lambda: self.used_phone(check.members))
        elif check.members:
            self.phone_said.tell(nothing)
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

    def _own_phone(self, text: str) -> int:
        """How many of those who have this number are the member being edited."""
        return 0

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
        self.birthday.mark_wrong(False)
        words, text = self._kit.words, self.birthday.text().strip()
        whole = not text or self.birthday_input() is not None
        self.birthday_said.tell(
            nothing if whole else lambda: words.say("Month and day, like 5-21 or 1990-5-21.")
        )

    def birthday_complete(self) -> bool:
        """False while something is typed that is no month and day."""
        return not self.birthday.text().strip() or self.birthday_input() is not None


class EnrolSheet(ProfileSheet):
    """Signals:
    enrolled(member_id): saved.
    members_wanted(phone): show who has this number instead (S4).
    """

    enrolled = Signal(object)
    members_wanted = Signal(str)

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], *, phone: str = ""
    ) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, who, lambda: words.say("New member"))
        self.card = CodeField(lambda: words.say("Member card"), pattern=r"[0-9A-Za-z \-]{0,32}")
        self.card_said = Label(
            lambda: words.say("Empty takes the next number; or scan a new card."), role="caption"
        )
        self.body.addLayout(
            self._grid(
                (
                    (lambda: words.say("Phone"), self.phone, self.phone_said),
                    (lambda: words.say("Name"), self.name, self.name_said),
                    (lambda: words.say("Birthday"), self._birthday_row(), self.birthday_said),
                    (lambda: words.say("Member card"), self.card, self.card_said),
                )
            )
        )
        consent = rows(kit.look, gap=0)
        consent.addWidget(
            WrappedLabel(
                lambda: words.say("Ask the customer about the service notice, then press Space."),
                role="strong",
            )
        )
        consent.addLayout(self._ticks())
        self.body.addLayout(consent)
        self.body.addWidget(self.problem)
        self.foot.addWidget(self.save, 1)
        self.phone.setText(phone)
        self._chain()

    def _chain(self) -> None:
        """Enter: from each field to the next need, at the end it saves."""
        self.phone.entered.connect(self._after_phone)
        self.name.entered.connect(self._after_name)
        self.birthday.entered.connect(self._after_birthday)
        self.card.entered.connect(self._go(self.service))
        self.calendar.entered.connect(self._go(self.service))
        self.service.entered.connect(self.submit)
        self.marketing.entered.connect(self.submit)

    def _go(self, field: QWidget) -> Callable[[], None]:
        return partial(field.setFocus, Qt.FocusReason.TabFocusReason)

    def first_focus(self) -> QWidget:
        return self.name if self.phone.text() else self.phone

    def used_phone(self, members: int) -> str:
        return self._kit.words.count(
            "1 member uses this phone. Enter shows them, F3 enrols anyway.",
            "{count} members use this phone. Enter shows them, F3 enrols anyway.",
            members,
            count=members,
        )

    def takes_key(self, key: str) -> bool:
        """F3: enrol all the same, another member of the family."""
        if key != "F3":
            return False
        self.name.setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def _after_phone(self) -> None:
        if self.others:
            phone = self.phone.text().strip()
            self.closing.emit()
            self.members_wanted.emit(phone)
        else:
            self.name.setFocus(Qt.FocusReason.TabFocusReason)

    def _after_name(self) -> None:
        if self.name.text().strip():
            self.birthday.setFocus()
        else:
            self.refused(Refused(Refusal.NAME_NEEDED))

    def _after_birthday(self) -> None:
        if self.birthday_complete():
            self.service.setFocus()
        else:
            self.birthday.mark_wrong(True)

    def takes_scan(self, scan: Scan) -> bool:
        if not scan.new_card:
            return False
        self.card.setText(scan.code)
        return True

    def submit(self) -> None:
        if not self.save.isEnabled():
            return
        if not self.service.isChecked():
            self.refused(Refused(Refusal.CONSENT_NEEDED))
            return
        if not self.birthday_complete():
            self.refused(Refused(Refusal.BIRTHDAY_INVALID))
            return
        self.save.setEnabled(False)
        profile, command_id = self.profile_input(), self._command_id
        session = self._who()
        service, marketing = self.service.isChecked(), self.marketing.isChecked()
        card_no = self.card.text().strip()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.enrol(
                command_id,
                session,
                profile,
                service=service,
                marketing=marketing,
                card_no=card_no,
            ),
            ok=self._enrolled,
            failed=self.refused,
        )

    def _enrolled(self, enrolled: Enrolled) -> None:
        self.closing.emit()
        self.enrolled.emit(enrolled.member_id)


class EditSheet(ProfileSheet):
    """Signals:
    saved(): the profile is changed.
    """

    saved = Signal()
    wide = 960

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], shown: ProfileView
    ) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, who, lambda: words.say("Edit profile"))
        self._shown = shown
        self.email = TextField(lambda: words.say("E-mail"))
        self.note = TextField(lambda: words.say("Note"))
        self.alert = TextField(lambda: words.say("Allergy or health"))
        two = columns(kit.look, gap=24)
        two.addLayout(
            self._grid(
                (
                    (lambda: words.say("Phone"), self.phone, self.phone_said),
                    (lambda: words.say("Name"), self.name, self.name_said),
                    (lambda: words.say("Birthday"), self._birthday_row(), self.birthday_said),
                )
            ),
            1,
        )
        two.addLayout(
            self._grid(
                (
                    (lambda: words.say("E-mail"), self.email, Label(role="caption")),
                    (lambda: words.say("Note"), self.note, Label(role="caption")),
                    (lambda: words.say("Allergy or health"), self.alert, Label(role="caption")),
                )
            ),
            1,
        )
        self.body.addLayout(two)
        self.body.addLayout(self._ticks())
        self.body.addWidget(self.problem)
        self.foot.addWidget(self.save, 1)
        self._fill(shown)
        fields: tuple[CodeField | TextField, ...] = (
            *(self.phone, self.name, self.birthday),
            *(self.email, self.note, self.alert),
        )
        for here, after in zip(fields, (*fields[1:], self.service), strict=True):
            here.entered.connect(partial(after.setFocus, Qt.FocusReason.TabFocusReason))
        self.service.entered.connect(self.submit)
        self.marketing.entered.connect(self.submit)

    def _fill(self, shown: ProfileView) -> None:
        self.phone.setText(shown.phone or "")
        self.name.setText(shown.name)
        self.calendar.choose(shown.birth_calendar)
        if shown.birth_month is not None and shown.birth_day is not None:
            year = f"{shown.birth_year}-" if shown.birth_year else ""
            self.birthday.setText(f"{year}{shown.birth_month}-{shown.birth_day}")
        self.email.setText(shown.email or "")
        self.note.setText(shown.note)
        self.alert.setText(shown.alert)
        self.service.setChecked(shown.service_consent)
        self.marketing.setChecked(shown.marketing_consent)

    def first_focus(self) -> QWidget:
        return self.name

    def _stored_reading(self) -> Reading | None:
        """The reading that was chosen once, as long as the name is the one it was chosen for."""
        from app.intake import Reading

        same = self.name.text().strip() == self._shown.name
        return Reading(tuple(self._shown.pinyin.split())) if same and self._shown.pinyin else None

    def _show_readings(self, readings: Sequence[Reading]) -> None:
        stored = self._stored_reading()
        if stored is not None:
            readings = (stored, *(reading for reading in readings if reading != stored))
        super()._show_readings(readings)

    def _own_phone(self, text: str) -> int:
        return 1 if text == self._shown.phone else 0

    def submit(self) -> None:
        if not self.save.isEnabled():
            return
        if not self.birthday_complete():
            self.refused(Refused(Refusal.BIRTHDAY_INVALID))
            return
        self.save.setEnabled(False)
        profile = self.profile_input(
            email=self.email.text(), note=self.note.text(), alert=self.alert.text()
        )
        session = self._who()
        service, marketing = self.service.isChecked(), self.marketing.isChecked()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.edit_profile(
                self._command_id,
                session,
                self._shown,
                profile,
                service=service,
                marketing=marketing,
            ),
            ok=self._saved,
            failed=self.refused,
        )

    def _saved(self, enrolled: Enrolled) -> None:
        self.closing.emit()
        self.saved.emit()
