"""Whose account lies open at the counter, and who opened it: what ends without a sale is noted (F9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ui.lanes import Lanes

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.context import Session
    from ui.desk import Desk


class Views:
    """One account at a time, as the cart has it. Nothing is noted while nobody works here."""

    def __init__(
        self, owner: QWidget, lanes: Lanes, desk: Desk, failed: Callable[[Exception], None]
    ) -> None:
        self._owner, self._lanes, self._desk, self._failed = owner, lanes, desk, failed
        self._seen: tuple[bytes, Session] | None = None

    def turn_to(self, member_id: bytes | None, who: Session | None) -> None:
        """The cart has another member, or none: the one before was only looked at."""
        before, self._seen = self._seen, None
        if member_id is not None and who is not None:
            self._seen = member_id, who
        if before is not None:
            self._note(*before)

    def sold(self) -> None:
        """The sale names its member: no look of its own."""
        self._seen = None

    def _note(self, member_id: bytes, who: Session) -> None:
        command_id = self._desk.new_command()
        self._lanes.run(
            self._owner,
            "db",
            lambda: self._desk.note_look(command_id, who, member_id),
            ok=lambda _: None,
            failed=self._failed,
        )
