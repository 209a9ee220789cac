"""What F11 sets going about the audit: exceptions, the key for the safe, the support file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.protocol.evolving import StartKey
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.sheet import SheetHost
from ui.widgets.strip import Strip

if TYPE_CHECKING:
    from app.context import Session
    from app.domain.business_day import BusinessDate
    from app.queries.health import Health
    from ui.desk import Desk


class AuditErrands:
    """Each asks the desk on a lane; what it may not do is said on the strip."""

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        sheets: SheetHost,
        strip: Strip,
        who: Callable[[], Session],
        today: Callable[[], BusinessDate],
    ) -> None:
        self._kit, self._lanes, self._desk, self._who = kit, lanes, desk, who
        self._sheets, self._strip, self._today = sheets, strip, today

    def exceptions(self) -> None:
        """Who may see the report, and how far, is the use-case's to say."""
        from ui.screens.exceptions_page import ExceptionsPage

        self._sheets.open(
            ExceptionsPage(self._kit, self._lanes, self._desk, self._who, self._today)
        )

    def start_key(self) -> None:
        """Show the key for the owner's safe, as long as the store still has it."""
        session, command = self._who(), self._desk.new_command()
        self._lanes.run(
            self._sheets,
            "db",
            lambda: self._desk.audit.start_key(session, command),
            ok=self._show_key,
            failed=self._warn,
        )

    def _show_key(self, key: StartKey | None) -> None:
        from ui.dialogs.start_key import StartKeySheet

        words = self._kit.words
        if key is None:
            self._strip.refuse(
                lambda: words.say("The key is in the safe. The till has it no longer.")
            )
            return
        sheet = StartKeySheet(self._kit, self._lanes, self._desk, self._who, key)
        sheet.kept.connect(lambda: self._strip.good_news(lambda: words.say("The key is put away.")))
        self._sheets.open(sheet)

    def save_support_file(self) -> None:
        """Logs, versions, health and settings for whoever helps."""
        session, command, words = self._who(), self._desk.new_command(), self._kit.words

        def saved(path: Path) -> None:
            self._strip.good_news(lambda: words.say("Saved: {path}", path=str(path)))

        taking = self._desk.audit.support_file(command, session)
        taking.start(self._sheets, self._lanes, ok=saved, failed=self._warn)

    def health(self) -> None:
        """How the till is."""
        session, kit = self._who(), self._kit

        def answered(found: Health) -> None:
            from ui.dialogs.health import HealthSheet

            now = self._desk.now()
            self._sheets.open(HealthSheet(kit, found, now, self._desk.context.business_date))

        self._lanes.run(
            self._sheets,
            "report",
            lambda: self._desk.audit.health(session),
            ok=answered,
            failed=self._warn,
        )

    def _warn(self, error: Exception) -> None:
        self._strip.fail(error)
