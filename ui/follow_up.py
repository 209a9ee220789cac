"""What follows a Z, each step on its lane: reading and folding on the report lane, writes on the db lane."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from ui.lanes import Lanes

if TYPE_CHECKING:
    from app.domain.business_day import BusinessDate
    from app.domain.errors import Unavailable
    from app.usecases.after_day import Followed
    from app.usecases.export_report import Made, Taken
    from ui.desk_day import DayDesk


class FollowUp:
    """The steps after the Z of one date; then exactly one of `done()` and `failed(error)`."""

    def __init__(
        self,
        widget: QWidget,
        lanes: Lanes,
        day: DayDesk,
        on: BusinessDate,
        *,
        done: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._widget, self._lanes, self._day, self._on = widget, lanes, day, on
        self._done, self._failed = done, failed

    def start(self) -> None:
        self._lanes.run(
            self._widget, "report", partial(self._day.read_reports, self._on),
            ok=self._record, failed=self._failed,
        )  # fmt: skip

    def _record(self, made: Made | Unavailable | None) -> None:
        self._lanes.run(
            self._widget, "db", partial(self._day.record_reports, made),
            ok=self._finish, failed=self._failed,
        )  # fmt: skip

    def _finish(self, taken: Taken | Unavailable | None) -> None:
        self._lanes.run(
            self._widget, "report", partial(self._day.finish, self._on, taken),
            ok=self._note, failed=self._failed,
        )  # fmt: skip

    def _note(self, followed: Followed) -> None:
        self._lanes.run(
            self._widget, "db", partial(self._day.note_followed, followed),
            ok=lambda _: self._done(), failed=self._failed,
        )  # fmt: skip
