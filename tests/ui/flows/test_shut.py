"""A till that can't be opened says why and what to do, and tries again; an older store says how far it is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.build import DATABASE, open_till
from app.domain.errors import Outage, Unavailable
from app.error_words import PLAIN
from app.i18n import LANGUAGES
from app.settings import Settings
from db.lock import StoreLock
from tests.app.kiosk import OFFSET_MIN, Kiosk, kiosk, made_template, template
from tests.app.test_migrating import back_to
from tests.ui.conftest import make_kit
from tests.ui.keys import press
from ui.desk import Desk
from ui.errors import why_shut
from ui.main_window import MainWindow
from ui.tour.looks import faults

__all__ = ["kiosk", "made_template", "template"]

AT_OPENING = (
    Outage.STORE_BUSY,
    Outage.STORE_FULL,
    Outage.STORE_READ_ONLY,
    Outage.STORE_DAMAGED,
    Outage.STORE_KEY_WRONG,
    Outage.STORE_IN_USE,
    Outage.STORE_MISSING,
    Outage.STORE_TOO_NEW,
    Outage.STORE_FAILED,
    Outage.JOURNAL_FILE_FAILED,
    Outage.JOURNAL_CONFLICT,
    Outage.JOURNAL_GAP,
    Outage.KEYS_MISSING,
    Outage.KEYS_DAMAGED,
    Outage.KEYS_NEWER,
    Outage.KEYS_COPIED,
    Outage.SETTINGS_BAD,
)
"""What open_till raises beside what the passphrase field answers."""


@contextmanager
def window_on(
    qtbot: QtBot,
    qapp: QApplication,
    open_desk: Callable[[Callable[[int], None]], Desk],
    language: str,
) -> Iterator[MainWindow]:
    kit = make_kit(qapp, language=language)
    window = MainWindow(kit, Settings(), lambda typed, told: open_desk(told))
    window.resize(1366, 768)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    try:
        yield window
    finally:
        window.close()
        window.deleteLater()


def opener(kiosk: Kiosk) -> Callable[[Callable[[int], None]], Desk]:
    """Opens the kiosk's store as the product does."""
    kiosk.close()

    def open_desk(told: Callable[[int], None]) -> Desk:
        return Desk(
            open_till(
                kiosk.folder, find_keystore=kiosk.template.keystore, clock=kiosk.clock,
                offset_min=lambda: OFFSET_MIN, told=told,
            )
        )  # fmt: skip

    return open_desk


def says(window: MainWindow, text: str) -> bool:
    return text in window.sign_in._said.text()


def keep_picture(window: MainWindow, name: str) -> None:
    """For eyes: REGULARS_PICTURES names a folder."""
    folder = os.environ.get("REGULARS_PICTURES")
    if folder:
        window.grab().save(str(Path(folder) / f"{name}.png"))


# Each failure ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_failure_has_its_own_sentence_and_next_step_and_fits(
    qtbot: QtBot, qapp: QApplication, language: str
) -> None:
    failing = [Outage.STORE_BUSY]

    def fail(told: Callable[[int], None]) -> Desk:
        raise Unavailable(failing[0])

    told: dict[Outage, str] = {}
    with window_on(qtbot, qapp, fail, language) as window:
        qtbot.waitUntil(window.sign_in.again.isVisible, timeout=20_000)
        for code in AT_OPENING:
            failing[0] = code
            sentence = why_shut(window._kit, Unavailable(code))
            press(Qt.Key.Key_Return)
            qtbot.waitUntil(partial(says, window, sentence), timeout=20_000)
            assert faults(window) == [], code
            keep_picture(window, f"shut_{language}_{code.value}")
            told[code] = sentence
    assert len(set(told.values())) == len(AT_OPENING)
    for code, sentence in told.items():
        # What is so, then what to do: two sentences, or a colon and a step.
        assert len(re.findall(r"[.;。；]", sentence)) >= 2, (code, sentence)


def test_whatever_opening_can_raise_is_walked() -> None:
    by_field = {"keystore_gone", "passphrase_wrong", "passphrase_wait", "passphrase_weak"}
    later = re.compile(
        r"backup_|printer_|network_|head_office_|return_needs_line|fold_|check_|file_failed|store_exists"
    )
    of_opening = {code for code in PLAIN if isinstance(code, Outage) and not later.match(code)}
    assert of_opening == {*AT_OPENING, *map(Outage, by_field)}


def test_a_mistake_of_ours_promises_no_kept_sale(qtbot: QtBot, qapp: QApplication) -> None:
    def fail(told: Callable[[int], None]) -> Desk:
        raise ZeroDivisionError

    with window_on(qtbot, qapp, fail, "en") as window:
        qtbot.waitUntil(window.sign_in.again.isVisible, timeout=20_000)
        assert re.fullmatch(
            r"The till couldn't be opened\. Try again; if it stays, call for help with code E-\d{4}\.",
            window.sign_in._said.text(),
        )


# As it happens ---------------------------------------------------------------------------------------


def test_a_store_in_use_opens_on_enter_once_it_is_free(
    qtbot: QtBot, qapp: QApplication, kiosk: Kiosk
) -> None:
    open_desk = opener(kiosk)
    lock = StoreLock(kiosk.database)
    with window_on(qtbot, qapp, open_desk, "en") as window:
        qtbot.waitUntil(window.sign_in.again.isVisible, timeout=20_000)
        assert says(window, "The till is already running here. Use that window.")
        assert not window.sign_in.who.isVisible()
        lock.release()
        press(Qt.Key.Key_Return)
        qtbot.waitUntil(window.sign_in.who.isVisible, timeout=30_000)
        assert window.desk is not None
        assert window.sign_in._said.text() == ""
        assert not window.sign_in.again.isVisible()


def test_a_copied_store_names_the_way_and_asks_for_no_passphrase(
    qtbot: QtBot, qapp: QApplication, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    open_desk = opener(kiosk)
    monkeypatch.setenv("REGULARS_MACHINE", str(tmp_path / "another computer"))
    with window_on(qtbot, qapp, open_desk, "zh_CN") as window:
        qtbot.waitUntil(window.sign_in.again.isVisible, timeout=20_000)
        assert says(window, "regulars restore")
        assert not window.sign_in.passphrase.isVisible()


def test_a_damaged_first_page_is_said(qtbot: QtBot, qapp: QApplication, kiosk: Kiosk) -> None:
    open_desk = opener(kiosk)
    content = bytearray((kiosk.folder / DATABASE).read_bytes())
    content[200] ^= 1
    (kiosk.folder / DATABASE).write_bytes(content)
    with window_on(qtbot, qapp, open_desk, "en") as window:
        qtbot.waitUntil(window.sign_in.again.isVisible, timeout=20_000)
        assert says(window, "The data file is damaged. Stop, and call the person in charge.")
    assert (kiosk.folder / DATABASE).read_bytes() == content


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_older_store_says_how_far_it_is_and_the_window_lives(
    qtbot: QtBot, qapp: QApplication, kiosk: Kiosk, language: str
) -> None:
    kiosk.busy_morning()
    back_to(kiosk, 1)
    open_desk = opener(kiosk)
    seen: list[str] = []
    with window_on(qtbot, qapp, open_desk, language) as window:
        told, show = window._upgrading, window.sign_in.wait
        beats: list[int] = []
        beat = QTimer(window)
        beat.timeout.connect(lambda: beats.append(len(seen)))
        beat.start(1)

        def watched(sentence: Callable[[], str]) -> None:
            show(sentence)
            seen.append(window.sign_in._said.text())
            if sentence():
                assert faults(window) == []
                keep_picture(window, f"upgrading_{language}")

        window.sign_in.wait = watched  # type: ignore[method-assign]  # to see each sentence shown
        qtbot.waitUntil(lambda: window.desk is not None and seen[-1:] == [""], timeout=60_000)
        assert told is not None
    percents = [int(found[1]) for text in seen if (found := re.search(r"(\d+) ?%", text))]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 100)
    assert len(set(percents)) > 5
    # The loop ran between the sentences, not only before and after.
    assert len({count for count in beats if 0 < count < len(seen)}) > 1
