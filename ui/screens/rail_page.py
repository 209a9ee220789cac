"""What the pages of the rail have in common: what each is given, and the ground that it stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.domain.business_day import BusinessDate
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.sheet import SheetHost
from ui.widgets.strip import Strip

if TYPE_CHECKING:
    from app.context import Session
    from ui.desk import Desk


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a page works with. `who` is asked when something is done: others may have come since;
    `today` is the day that dates on the page are told from."""

    kit: Kit
    lanes: Lanes
    desk: Desk
    who: Callable[[], Session]
    sheets: SheetHost
    strip: Strip
    today: Callable[[], BusinessDate]


class RailPage(QWidget):
    """A page of the rail, empty."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__()
        self._kit, self._lanes, self._desk = around.kit, around.lanes, around.desk
        self._who, self._today = around.who, around.today
        self._sheets, self._strip = around.sheets, around.strip
        self.setObjectName("root")
