"""Before the first paint: what is imported, and what the binding does to the interpreter's singletons."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtWidgets import QApplication

ROOT = Path(__file__).resolve().parents[2]
COSTLY = (
    "sqlalchemy",
    "sqlcipher3",
    "numpy",
    "pypinyin",
    "asyncio",
    "babel",
    "phonenumbers",
    "reportlab",
    "PIL",
)

FIRST_PAINT = """
import json, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from PySide6.QtCore import QTimer
import ui.__main__
from ui.window import build_window
application = QApplication([])
window = build_window(application, Path(sys.argv[1]))
window.show()
painted = window.sign_in.paintEvent
def report():
    print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
    application.exit(0)
window._open = lambda passphrase: report()
application.exec()
"""


def test_nothing_costly_is_imported_before_the_first_paint(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        timeout=60,
    )
    loaded = json.loads(run.stdout.strip().splitlines()[-1])
    assert [name for name in COSTLY if name in loaded] == []


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"]])
def test_headless_words_need_no_qt(arguments: list[str]) -> None:
    code = (
        "import sys, ui.__main__\n"
        "try:\n    ui.__main__.main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('QT' if any(m.startswith('PySide6') for m in sys.modules) else 'NONE')"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    assert run.stdout.strip().endswith("NONE")
    assert "--store FOLDER" in run.stdout


class _Nothing(QAbstractListModel):
    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 1

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> object:
        return None


class _Speaker(QObject):
    spoken = Signal(bool)


def test_signals_and_models_keep_the_reference_counts_of_singletons(qapp: QApplication) -> None:
    """PySide6 6.12.0 on Python 3.11 drops a reference per call until the interpreter aborts."""
    speaker, model = _Speaker(), _Nothing()
    speaker.spoken.connect(lambda value: None)
    before = [sys.getrefcount(each) for each in (True, False, None)]
    for _ in range(200):
        speaker.spoken.emit(True)
        model.data(model.index(0), int(Qt.ItemDataRole.DecorationRole))
    after = [sys.getrefcount(each) for each in (True, False, None)]
    assert all(abs(a - b) < 50 for a, b in zip(after, before, strict=True))
