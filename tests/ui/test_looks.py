"""The tour's own eyes: what they must find in a picture."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from ui.tour.looks import faults


def test_cut_and_covered_texts_are_found(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(400, 200)
    good, cut, under, over = (QLabel(text, window) for text in ("Good", "Cut off", "Under", "Over"))
    good.setGeometry(10, 10, 200, 30)
    cut.setGeometry(10, 60, 20, 30)
    under.setGeometry(10, 110, 80, 30)
    over.setGeometry(70, 110, 80, 30)
    same, place = QLabel("Same", window), QLabel("Place", window)
    same.setGeometry(200, 150, 80, 30)
    place.setGeometry(200, 150, 80, 30)
    window.show()
    found = " ".join(faults(window))
    assert "'Good'" not in found
    assert "clipped: 'Cut off'" in found
    assert "overlap: 'Under' and 'Over'" in found
    assert "overlap: 'Same' and 'Place'" in found
