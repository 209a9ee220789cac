"""Edit a member's profile: the fields of enrolment, filled, and those that only an edit has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.domain.errors import Refusal, Refused
from app.queries.records import ProfileView
from ui.dialogs.profile_fields import ProfileSheet
from ui.kit import Kit
from ui.lanes import Lanes
from ui.theme import set_style
from ui.widgets.basics import Label, columns, nothing
from ui.widgets.number_fields import CodeField
from ui.widgets.text_fields import TextField

if TYPE_CHECKING:
    from app.context import Session
    from app.intake import Reading
    from app.usecases.enrol import Enrolled, Masked
    from ui.desk import Desk
    from ui.desk_records import PhoneCheck


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
        self._set_aside = False
        """Whether the stored birthday gave way to one of the other calendar."""
        self._typed_date = ""
        self.email = TextField(lambda: words.say("E-mail"))
        self.email.textChanged.connect(lambda: self.email.mark_wrong(False))
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
            if here is not self.birthday:
                here.entered.connect(partial(after.setFocus, Qt.FocusReason.TabFocusReason))
        self.birthday.entered.connect(partial(self.leave_birthday, self.email))
        self.service.entered.connect(self.submit)
        self.marketing.entered.connect(self.submit)

    def _fill(self, shown: ProfileView) -> None:
        self.phone.setText(shown.phone_masked)
        self.name.setText(shown.name)
        self.calendar.choose(shown.birth_calendar)
        self.birthday.setText(shown.birthday_masked)
        self.calendar.chosen.connect(self._other_calendar)
        self.email.setText(shown.email_masked)
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

    def _field_of(self, code: Refusal) -> QWidget | None:
        return self.email if code is Refusal.EMAIL_INVALID else super()._field_of(code)

    def _other_calendar(self, code: str) -> None:
        """A date of the other calendar is another date, typed anew; the stored one is back with its own
        calendar, and so is what was typed for the other one."""
        if code != self._shown.birth_calendar and self._kept("birthday"):
            self._set_aside = True
            self.birthday.setText(self._typed_date)
        elif code == self._shown.birth_calendar and self._set_aside:
            self._typed_date = self.birthday.text()
            self._set_aside = False
            self.birthday.setText(self._shown.birthday_masked)
        self._show_birthday()

    def _kept(self, name: Masked) -> bool:
        """The field still says what was masked: the value stays as it is stored."""
        shown = self._shown
        field, masked = {
            "phone": (self.phone, shown.phone_masked),
            "email": (self.email, shown.email_masked),
            "birthday": (self.birthday, shown.birthday_masked),
        }[name]
        return bool(masked) and field.text() == masked

    def _check_phone(self, text: str) -> PhoneCheck:
        return self._desk.check_phone(text, but=self._shown.member_id)

    def _ask_phone(self) -> None:
        if not self._kept("phone"):
            super()._ask_phone()
            return
        self.phone.mark_wrong(False)
        self.phone_said.tell(nothing)
        self._phone_of.drop()

    def _show_birthday(self) -> None:
        super()._show_birthday()
        words, tone = self._kit.words, "muted"
        if self._kept("birthday"):
            self.birthday_said.tell(nothing)
        elif self._lacks_date:
            self.birthday_said.tell(self._say_typed_anew)
        elif self._shown.birthday_masked and not self.birthday.text():
            tone = "warn"
            self.birthday_said.tell(lambda: words.say("Saving removes the birthday."))
        set_style(self.birthday_said, tone=tone)

    def _say_typed_anew(self) -> str:
        return self._kit.words.say("Type the date of this calendar, or choose the other one again.")

    def birthday_refusal(self) -> Refused | None:
        if (
            self._lacks_date
        ):  # To remove a birthday its own field is emptied: a calendar chosen is no such deed.
            return Refused(Refusal.BIRTHDAY_INVALID)
        return None if self._kept("birthday") else super().birthday_refusal()

    @property
    def _lacks_date(self) -> bool:
        """The other calendar is chosen, and no date of it typed."""
        return self._set_aside and not self.birthday.text().strip()

    def submit(self) -> None:
        if not self.save.isEnabled():
            return
        if (wrong := self.birthday_refusal()) is not None:
            self.refused(wrong)
            if self._lacks_date:
                self.problem.tell(self._say_typed_anew)
            return
        self.save.setEnabled(False)
        names: tuple[Masked, ...] = ("phone", "email", "birthday")
        kept = frozenset(name for name in names if self._kept(name))
        profile = self.profile_input(
            kept, email=self.email.text(), note=self.note.text(), alert=self.alert.text()
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
                kept=kept,
            ),
            ok=self._saved,
            failed=self.refused,
        )

    def _saved(self, enrolled: Enrolled) -> None:
        self.closing.emit()
        self.saved.emit()
