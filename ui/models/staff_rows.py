"""The people who work here as a table: initials, name, role, badge, own account, and how they stand."""

from __future__ import annotations

from app.i18n import mark
from app.queries.staff import StaffLine
from ui.models.record_rows import RecordColumns
from ui.rights_words import role_name


class StaffRows(RecordColumns[StaffLine]):
    """Everybody, those who work here first."""

    heads = (
        mark("Initials"),
        mark("Name"),
        mark("Role"),
        mark("Badge"),
        mark("Own account"),
        mark("State"),
    )

    def cells(self, record: StaffLine) -> tuple[str, ...]:
        staff = record.staff
        own = record.member_name or record.phone_masked
        return (
            staff.initials.upper(),
            staff.name,
            self._role(record),
            record.badge,
            own,
            self._state(record),
        )

    def tone(self, record: StaffLine, column: int) -> str:
        if not record.active:
            return "muted"
        return "danger" if column == 5 and (record.blocked or record.wait_s) else ""

    def _role(self, record: StaffLine) -> str:
        role = role_name(self._kit, record.staff.role)
        return self._kit.words.say("{role} (head office)", role=role) if record.above else role

    def _state(self, record: StaffLine) -> str:
        words, formats = self._kit.words, self._kit.formats
        if not record.active:
            return words.say("Disabled")
        if record.blocked:
            return words.say("Shut out: needs a supervisor")
        if record.wait_s:
            return words.say("Waits {minutes} min", minutes=-(-record.wait_s // 60))
        if record.code_until is not None:
            until = formats.moment(record.code_until, today=self._today().to_date())
            return words.say("First code until: {time}", time=until)
        if record.signed_at is None:
            return words.say("Was never here")
        moment = formats.moment(record.signed_at, today=self._today().to_date())
        if record.till:
            return words.say("At till {till}: {time}", till=record.till, time=moment)
        return words.say("Left: {time}", time=moment)
