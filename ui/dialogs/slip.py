"""A slip on screen, as the printer would lay it out."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QWidget

from printing.document import from_json
from printing.layout import COLUMNS_58_MM, COLUMNS_80_MM, lay_out
from ui.kit import Kit
from ui.preview import SlipPreview
from ui.widgets.basics import Button
from ui.widgets.sheet import Sheet


class SlipSheet(Sheet):
    """`document` is the slip's JSON as it was queued; `paper_mm` the printer's paper."""

    wide = 560

    def __init__(self, kit: Kit, document: str, *, paper_mm: int) -> None:
        super().__init__(kit, lambda: kit.words.say("Slip"))
        columns = COLUMNS_58_MM if paper_mm == 58 else COLUMNS_80_MM
        self.preview = SlipPreview(kit.look)
        self.preview.show_page(lay_out(from_json(document.encode()), columns))
        area = QScrollArea()
        area.setWidget(self.preview)
        area.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        area.setAccessibleName(kit.words.say("Slip"))
        area.viewport().setProperty("role", "clear")
        self.body.addWidget(area, 1)
        self.foot.addStretch()
        self.done = Button(kit, lambda: kit.words.say("Close"))
        self.done.clicked.connect(self.step_back)
        self.foot.addWidget(self.done)

    def first_focus(self) -> QWidget:
        return self.done

    def height_for(self, width: int) -> int:
        return self.preview.height() + self._kit.look.px(170)
