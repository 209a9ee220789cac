"""One person of the staff: their role, badge and own account; a new PIN, also a forgotten one; a new person.

A PIN is typed twice, by its owner. What may be changed by whom is the use-cases' to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from app.domain.errors import Refusal, Refused, Unavailable
from app.domain.rights import StaffRole
from app.queries.records import StaffView
from app.queries.staff import StaffLine
from ui.desk_records import Scan
from ui.dialogs.approval import approve_first
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.rights_words import role_name
from ui.widgets.basics import Button, Label, Text, WrappedLabel, nothing
from ui.widgets.number_fields import CodeField, PinField
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet
from ui.widgets.text_fields import TextField

if TYPE_CHECKING:
    from app.context import Session
    from ui.desk import Desk

_GIVEN: Final = ("cashier", "supervisor", "manager", "auditor")
"""Roles that a shop gives; head office gives its own."""


class _StaffSheet(Sheet):
    """What the sheets share: fields in a grid, a sentence when something is refused, one commit.

    Signals:
        changed(sentence): it is done.
    """

    changed = Signal(str)
    wide = 620

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk, title: Text) -> None:
        super().__init__(kit, title)
        self._lanes, self._desk = lanes, desk
        self._command_id = desk.new_command()
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(kit.look.px(16))
        self._grid.setVerticalSpacing(kit.look.px(10))
        self._grid.setColumnStretch(1, 1)
        self.body.addLayout(self._grid)
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        self.commit = Button(kit, lambda: kit.words.say("Save"), role="primary")
        self.commit.clicked.connect(self.submit)

    def _finish(self) -> None:
        """After the fields: where a refusal is said, and the buttons."""
        self.body.addWidget(self.problem)
        self.foot.addWidget(self.commit, 1)

    def _field(self, name: Text, field: QWidget) -> None:
        at = self._grid.rowCount()
        self._grid.addWidget(Label(name, role="text2"), at, 0)
        self._grid.addWidget(field, at, 1)

    def _role_field(self, *, chosen: str) -> Segments:
        kit = self._kit
        codes = _GIVEN if chosen in _GIVEN else (*_GIVEN, chosen)

        def segment(code: str) -> Segment:
            return Segment(code, lambda: role_name(kit, code))

        field = Segments(kit, lambda: kit.words.say("Role"), [segment(code) for code in codes])
        field.choose(chosen)
        field.entered.connect(self.submit)
        return field

    @property
    def busy(self) -> bool:
        return self.asking or not self.commit.isEnabled()

    def submit(self) -> None:
        """Commit what the fields say."""
        raise NotImplementedError

    def _commit(self, work: Callable[[], object], said: Text) -> None:
        if self.busy:
            return
        self.commit.setEnabled(False)
        self._lanes.run(self, "db", work, ok=lambda _: self._done(said()), failed=self._refused)

    def _done(self, said: str) -> None:
        self.commit.setEnabled(True)
        self.closing.emit()
        self.changed.emit(said)

    def _refused(self, error: Exception) -> None:
        self.commit.setEnabled(True)
        self.problem.tell(lambda: words_of(self._kit, error))


class _TwoPins:
    """A PIN typed twice."""

    def __init__(self, sheet: _StaffSheet, kit: Kit) -> None:
        words = kit.words
        self._words = words
        self.first = PinField(lambda: words.say("PIN"))
        self.second = PinField(lambda: words.say("PIN once more"))
        sheet._field(lambda: words.say("PIN, six digits"), self.first)
        sheet._field(lambda: words.say("PIN once more"), self.second)
        self.first.entered.connect(self.second.setFocus)
        self.second.entered.connect(sheet.submit)

    def agree(self, problem: WrappedLabel) -> bool:
        """Whether both say the same; says so where they don't."""
        if self.first.text() and self.first.text() == self.second.text():
            return True
        problem.tell(lambda: self._words.say("The two PINs differ. Type both again."))
        self.first.clear()
        self.second.clear()
        self.first.setFocus(Qt.FocusReason.OtherFocusReason)
        return False


class _RankedSheet(_StaffSheet):
    """A sheet whose act needs, for somebody of the same rank, a second person or the passphrase.

    The field of the passphrase comes when nobody else could agree, or nobody did.
    """

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], title: Text
    ) -> None:
        super().__init__(kit, lanes, desk, title)
        self._who = who
        self._again = self.submit
        """What was asked for last, and is sent once more when somebody agreed."""

        def name() -> str:
            return kit.words.say("Passphrase, without a second person")

        self._passphrase_name = Label(name, role="text2")
        self.passphrase = CodeField(name)
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self.passphrase.entered.connect(self._send_again)

    def _finish(self) -> None:
        at = self._grid.rowCount()
        self._grid.addWidget(self._passphrase_name, at, 0)
        self._grid.addWidget(self.passphrase, at, 1)
        self._passphrase_name.hide()
        self.passphrase.hide()
        super()._finish()

    def _refused(self, error: Exception) -> None:
        super()._refused(error)
        if approve_first(
            self, self._kit, self._lanes, self._desk, self._who, error,
            again=self._again, declined=self._declined,
        ):  # fmt: skip
            self.problem.clear()
        elif isinstance(error, Refused) and error.code is Refusal.STAFF_PASSPHRASE:
            self._ask_passphrase()
        elif isinstance(error, Unavailable) and not self.passphrase.isHidden():
            self.passphrase.clear()
            self._ask_passphrase()

    def _send_again(self) -> None:
        self._again()

    def _declined(self, said: Text) -> None:
        self.problem.tell(said)
        self._ask_passphrase()

    def _ask_passphrase(self) -> None:
        self._passphrase_name.show()
        self.passphrase.show()
        self.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)


class AddPerson(_RankedSheet):
    """A new person types their PIN at the end."""

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session]) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, who, lambda: words.say("New person"))
        self.initials = CodeField(lambda: words.say("Initials"))
        self.name = TextField(lambda: words.say("Name"))
        self.role = self._role_field(chosen="cashier")
        self.badge = CodeField(lambda: words.say("Badge"))
        self.phone = CodeField(lambda: words.say("Own phone"))
        for name, field in (
            (lambda: words.say("Initials"), self.initials),
            (lambda: words.say("Name"), self.name),
            (lambda: words.say("Role"), self.role),
            (lambda: words.say("Badge"), self.badge),
            (lambda: words.say("Own phone"), self.phone),
        ):
            self._field(name, field)
        self.pins = _TwoPins(self, kit)
        self.role.entered.disconnect()
        self.initials.entered.connect(self.name.setFocus)
        self.name.entered.connect(self.role.setFocus)
        self.role.entered.connect(self.badge.setFocus)
        self.badge.entered.connect(self.phone.setFocus)
        self.phone.entered.connect(self.pins.first.setFocus)
        self._finish()

    def first_focus(self) -> QWidget:
        return self.initials

    def takes_scan(self, scan: Scan) -> bool:
        if scan.kind not in ("unknown", "staff"):
            return False
        self.badge.setText(scan.code)
        return True

    def submit(self) -> None:
        if not self.pins.agree(self.problem):
            return
        session, command_id = self._who(), self._command_id
        role = cast(StaffRole, self.role.code)
        initials, name, pin = self.initials.text(), self.name.text(), self.pins.first.text()
        badge, phone, passphrase = self.badge.text(), self.phone.text(), self.passphrase.text()
        words = self._kit.words
        self._commit(
            lambda: self._desk.staff.add(
                command_id, session, role, initials=initials, name=name, pin=pin, badge=badge,
                phone=phone, passphrase=passphrase,
            ),
            lambda: words.say("{name} works here now.", name=name),
        )  # fmt: skip


class NewPin(_RankedSheet):
    """The owner of the PIN types it, beside the person who is signed in."""

    wide = 480

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], staff: StaffView
    ) -> None:
        words = kit.words
        super().__init__(
            kit, lanes, desk, who, lambda: words.say("New PIN of {name}", name=staff.name)
        )
        self._staff = staff
        self.body.insertWidget(
            0,
            WrappedLabel(
                lambda: words.say("Let {name} type it. Don't look.", name=staff.name), role="text2"
            ),
        )
        self.pins = _TwoPins(self, kit)
        self._finish()

    def first_focus(self) -> QWidget:
        return self.pins.first

    def submit(self) -> None:
        if not self.pins.agree(self.problem):
            return
        session, staff, pin = self._who(), self._staff, self.pins.first.text()
        words, command_id = self._kit.words, self._command_id
        passphrase = self.passphrase.text()
        self._commit(
            lambda: self._desk.staff.set_pin(command_id, session, staff.staff_id, pin, passphrase),
            lambda: words.say("{name} has a new PIN.", name=staff.name),
        )


class ForgottenPin(_StaffSheet):
    """A manager gets in again by the passphrase of the store; nobody is signed in yet."""

    wide = 560

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, lambda: words.say("Forgotten PIN"))
        self.body.insertWidget(
            0,
            WrappedLabel(
                lambda: words.say(
                    "For managers, with the passphrase of this till. A manager gives everybody else "
                    "a new PIN."
                ),
                role="text2",
            ),
        )
        self.initials = CodeField(lambda: words.say("Initials"))
        self.passphrase = CodeField(lambda: words.say("Passphrase"))
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self._field(lambda: words.say("Initials"), self.initials)
        self._field(lambda: words.say("Passphrase"), self.passphrase)
        self.pins = _TwoPins(self, kit)
        self.initials.entered.connect(self.passphrase.setFocus)
        self.passphrase.entered.connect(self.pins.first.setFocus)
        self._finish()

    def first_focus(self) -> QWidget:
        return self.initials

    def submit(self) -> None:
        if not self.pins.agree(self.problem):
            return
        words, desk, command_id = self._kit.words, self._desk, self._command_id
        who, passphrase = self.initials.text(), self.passphrase.text()
        pin = self.pins.first.text()
        self._commit(
            lambda: desk.staff.reset_forgotten_pin(command_id, who, passphrase, pin),
            lambda: words.say("The new PIN holds. Sign in with it."),
        )

    def _refused(self, error: Exception) -> None:
        super()._refused(error)
        words = self._kit.words
        if isinstance(error, Refused) and error.code is Refusal.STAFF_UNKNOWN:
            self.problem.tell(lambda: words.say("No manager has these initials."))
            self.initials.setFocus(Qt.FocusReason.OtherFocusReason)
        elif isinstance(error, Unavailable):
            self.passphrase.clear()
            self.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)


class FirstPin(_StaffSheet):
    """Whoever typed their first code chooses their own PIN; then they sign in with it."""

    wide = 480

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk, who: str, code: str) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, lambda: words.say("Choose your own PIN"))
        self._given = who, code
        self.body.insertWidget(
            0,
            WrappedLabel(
                lambda: words.say(
                    "Nobody else needs it. From now on it stands for you at this till."
                ),
                role="text2",
            ),
        )
        self.pins = _TwoPins(self, kit)
        self._finish()

    def first_focus(self) -> QWidget:
        return self.pins.first

    def submit(self) -> None:
        if not self.pins.agree(self.problem):
            return
        desk, command_id, pin = self._desk, self._command_id, self.pins.first.text()
        words = self._kit.words
        self._commit(
            lambda: desk.staff.choose_pin(command_id, *self._given, pin),
            lambda: words.say("The new PIN holds. Sign in with it."),
        )


class PersonSheet(_RankedSheet):
    """Signals:
    pin_wanted(): the person's PIN is to be set anew.
    """

    pin_wanted = Signal()

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], line: StaffLine
    ) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, who, lambda: line.staff.name)
        self._line = line
        self._role_ids: dict[str, bytes] = {}
        self._member_id = line.member_id
        self.role = self._role_field(chosen=line.staff.role)
        self.badge = CodeField(lambda: words.say("Badge"))
        self.badge.setText(line.badge)
        self.phone = CodeField(lambda: words.say("Own phone"))
        self.phone.setPlaceholderText(line.phone_masked)
        self._own = Label(lambda: line.member_name or words.say("Scan their member card"))
        self._field(lambda: words.say("Role"), self.role)
        self._field(lambda: words.say("Badge"), self.badge)
        self._field(lambda: words.say("Own phone"), self.phone)
        self._field(lambda: words.say("Own account"), self._own)
        for field in (self.badge, self.phone):
            field.entered.connect(self.submit)
        self.pin = Button(kit, lambda: words.say("New PIN"))
        self.active = Button(
            kit, lambda: words.say("Disable") if line.active else words.say("Let in again")
        )
        if line.above:
            self.role.setEnabled(False)
            self.active.hide()
            self.body.insertWidget(
                0,
                WrappedLabel(
                    lambda: words.say(
                        "Head office says what they do here and whether they work here."
                    ),
                    role="text2",
                ),
            )
        self.pin.clicked.connect(self._to_pin)
        self.active.clicked.connect(self._switch_active)
        self.foot.addWidget(self.pin)
        self.foot.addWidget(self.active)
        self._finish()

    def first_focus(self) -> QWidget:
        return self.badge if self._line.above else self.role

    def takes_scan(self, scan: Scan) -> bool:
        """Their member card is their own account; anything unknown may be their badge."""
        if scan.kind == "member" and scan.member_id is not None:
            self._member_id = scan.member_id
            self._own.tell(lambda: scan.name)
            return True
        if scan.kind in ("unknown", "staff"):
            self.badge.setText(scan.code)
            return True
        return False

    def _to_pin(self) -> None:
        self.closing.emit()
        self.pin_wanted.emit()

    def _switch_active(self) -> None:
        if self.busy:
            return  # What is under way may ask for a second person, whose yes is for it.
        line, session, command_id = self._line, self._who(), self._command_id
        words, name, passphrase = self._kit.words, self._line.staff.name, self.passphrase.text()
        self._again = self._switch_active
        self._commit(
            lambda: self._desk.staff.set_active(
                command_id,
                session,
                line.staff.staff_id,
                active=not line.active,
                passphrase=passphrase,
            ),
            lambda: (
                words.say("{name} is disabled.", name=name)
                if line.active
                else words.say("{name} works here now.", name=name)
            ),
        )

    def submit(self) -> None:
        """Each thing that changed is a command of its own, one after the other. A role keeps its command's
        id, since a second person's yes is bound to it."""
        if self.busy:
            return
        line, session, desk = self._line, self._who(), self._desk
        person, self._again = line.staff.staff_id, self.submit
        role, badge, phone = cast(StaffRole, self.role.code), self.badge.text(), self.phone.text()
        member_id, passphrase = self._member_id, self.passphrase.text()
        role_id = self._role_ids.setdefault(role, desk.new_command())

        def work() -> None:
            if role != line.staff.role:
                desk.staff.set_role(role_id, session, person, role, passphrase)
            if badge != line.badge:
                desk.staff.set_badge(desk.new_command(), session, person, badge)
            if phone or member_id != line.member_id:
                # Nothing typed is no other phone: the one that is known stands masked in the field.
                desk.staff.link(desk.new_command(), session, person, member_id, phone or None)

        words, name = self._kit.words, line.staff.name
        self._commit(work, lambda: words.say("Saved: {name}.", name=name))
