"""Enrol a member in under twenty seconds by keyboard (flow 4).

Phone first, then name, birthday, consent. Every Enter goes to the next need; the last one saves.
Consent is never pre-ticked, and marketing has its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.documents.notice import notice
from app.domain.errors import Refusal, Refused
from ui.desk_records import PhoneCheck, Scan
from ui.dialogs.profile_fields import ProfileSheet
from ui.errors import sentence
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.theme import set_style
from ui.widgets.basics import WrappedLabel, rows
from ui.widgets.number_fields import CodeField

if TYPE_CHECKING:
    from app.code_ranges import CardFault
    from app.context import Session
    from app.usecases.enrol import Enrolled
    from ui.desk import Desk


class EnrolSheet(ProfileSheet):
    """Signals:
    enrolled(member_id, name, card_no): saved.
    members_wanted(phone): show who has this number instead (S4).
    """

    enrolled = Signal(object, str, str)
    members_wanted = Signal(str)

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        *,
        phone: str = "",
        card_no: str = "",
    ) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, who, lambda: words.say("New member"))
        self.card = CodeField(lambda: words.say("Member card"), pattern=r"[0-9A-Za-z \-]{0,32}")
        self.card_said = WrappedLabel(role="caption")
        self._card_of: Latest[tuple[CardFault, int]] = Latest(lanes, "db", interrupt=lambda: None)
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
        consent.addWidget(WrappedLabel(lambda: notice(words), role="caption"))
        consent.addSpacing(kit.look.px(6))
        consent.addLayout(self._ticks())
        self.body.addLayout(consent)
        self.body.addWidget(self.problem)
        self.foot.addWidget(self.save, 1)
        self._goes_on = False
        """Whether Enter in the phone waits for who else has it."""
        self.phone.setText(phone)
        self.card.textChanged.connect(self._ask_card)
        self.card.setText(card_no)
        self._ask_card()
        self._chain()

    def _chain(self) -> None:
        """Enter: from each field to the next need, at the end it saves."""
        self.phone.entered.connect(self._after_phone)
        self.name.entered.connect(self._after_name)
        self.birthday.entered.connect(partial(self.leave_birthday, self.service))
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
        self._goes_on = False
        self.name.setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def _show_phone(self, check: PhoneCheck) -> None:
        super()._show_phone(check)
        if self._goes_on and self.phone.hasFocus():
            self._after_phone()  # Who went on by another key is where they want to be.

    def _ask_phone(self) -> None:
        self._goes_on = False
        super()._ask_phone()

    def _after_phone(self) -> None:
        """On to the name, or to the members who have this phone; who they are is known first."""
        self._goes_on = self.checking
        if self.checking:
            return
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

    def _field_of(self, code: Refusal) -> QWidget | None:
        if code in (Refusal.CARD_TAKEN, Refusal.CARD_NOT_OURS):
            return self.card
        return super()._field_of(code)

    def takes_scan(self, scan: Scan) -> bool:
        if not scan.new_card:
            return False
        self.card.setText(scan.code)
        return True

    def _ask_card(self) -> None:
        self.card.mark_wrong(False)
        words, text = self._kit.words, self.card.text().strip()
        if not text:
            self._card_of.drop()
            self.card_said.tell(
                lambda: words.say("Empty takes the next number; or scan a new card.")
            )
            set_style(self.card_said, tone="muted")
            return
        self._card_of.ask(
            self,
            lambda: self._desk.check_card(text),
            ok=partial(self._show_card, len(text.replace(" ", ""))),
            failed=self.refused,
        )

    def _show_card(self, digits: int, check: tuple[CardFault, int]) -> None:
        kit = self._kit
        fault, expected = check
        if fault == "short":
            self.card_said.tell(
                lambda: kit.words.say(
                    "{digits} of {expected} digits", digits=digits, expected=expected
                )
            )
        elif fault:
            code = Refusal.CARD_TAKEN if fault == "taken" else Refusal.CARD_NOT_OURS
            self.card_said.tell(lambda: sentence(kit, code, {}))
        else:
            self.card_said.tell(lambda: kit.words.say("This card is free."))
        set_style(self.card_said, tone="danger" if fault in ("taken", "foreign") else "muted")

    def submit(self) -> None:
        if not self.save.isEnabled():
            return
        if not self.service.isChecked():
            self.refused(Refused(Refusal.CONSENT_NEEDED))
            return
        if (wrong := self.birthday_refusal()) is not None:
            self.refused(wrong)
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
            ok=partial(self._enrolled, profile.name),
            failed=self.refused,
        )

    def _enrolled(self, name: str, enrolled: Enrolled) -> None:
        self.closing.emit()
        self.enrolled.emit(enrolled.member_id, name, enrolled.card_no)
