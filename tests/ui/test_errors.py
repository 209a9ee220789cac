"""Every code has words in both languages, and a bug has one notice."""

from __future__ import annotations

import logging
import re
import threading

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import error_words
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from tests.ui.conftest import make_kit
from ui.crash import CrashNotice
from ui.errors import sentence, words_of
from ui.kit import Kit

CODES = [*Refusal, *Outage]


@pytest.fixture(scope="module")
def kits(qapp: QApplication) -> dict[str, Kit]:
    """One of each language for all codes: a kit dresses the whole application."""
    return {language: make_kit(qapp, language=language) for language in ("en", "zh_CN")}


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_sentence_in_both_languages(
    kits: dict[str, Kit], code: Refusal | Outage
) -> None:
    english = sentence(kits["en"], code, {})
    chinese = sentence(kits["zh_CN"], code, {})
    assert re.fullmatch(r"[A-Z'’].*\.", english)
    assert re.search(r"[一-鿿]", chinese)
    assert chinese.endswith("。")
    assert len(english) <= 90
    assert len(chinese) <= 40
    assert not re.search(r"[!！]|失败|OK", english + chinese)


@pytest.mark.parametrize("code", list(error_words.WITH_FACTS))
def test_a_sentence_with_facts_falls_back_without_them(
    kits: dict[str, Kit], code: Refusal | Outage
) -> None:
    kit = kits["zh_CN"]
    names = re.findall(r"{(\w+)}", error_words.WITH_FACTS[code])
    rich = sentence(kit, code, dict.fromkeys(names, 1900))
    assert rich != sentence(kit, code, {})
    assert "{" not in rich


def test_facts_are_written_as_people_read_them(qapp: QApplication) -> None:
    kit = make_kit(qapp, language="en")
    limit = Refused(Refusal.SALE_ABOVE_LIMIT, {"amount_minor": 69012300})
    assert words_of(kit, limit).startswith("¥690,123.00 is over")
    few = Refused(Refusal.REDEEM_ABOVE_AVAILABLE, {"available": 1900})
    assert "1,900 points" in words_of(kit, few)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"unit_points": 100, "below": 1900, "above": 2000},
            "Points go in hundreds. Enter 1,900 or 2,000.",
        ),
        ({"unit_points": 100, "only": 100}, "Points go in hundreds. Enter 100."),
        ({"unit_points": 50, "below": 1900, "above": 1950}, "steps of 50. Enter 1,900 or 1,950."),
        ({"unit_points": 50, "only": 50}, "Points go in steps of 50. Enter 50."),
        ({"unit_points": 50}, "Points go in steps of 50. Enter a multiple."),
    ],
)
def test_a_wrong_step_names_the_next_ones(
    qapp: QApplication, facts: dict[str, int], said: str
) -> None:
    kit = make_kit(qapp, language="en")
    assert words_of(kit, Refused(Refusal.REDEEM_NOT_MULTIPLE, facts)).endswith(said)


def test_an_outage_says_what_to_do(qapp: QApplication) -> None:
    said = words_of(make_kit(qapp, language="en"), Unavailable(Outage.PRINTER_GONE))
    assert said == "The printer doesn't answer. Keep selling; it prints later."


def test_a_bug_says_that_the_sale_is_kept(qapp: QApplication) -> None:
    said = words_of(make_kit(qapp, language="en"), ZeroDivisionError())
    assert re.fullmatch(r"Something went wrong; the sale is kept, go on. Code E-\d{4}\.", said)


def bug(message: str = "Chen Siyuan 13800006621") -> Exception:
    try:
        raise KeyError(message)
    except KeyError as error:
        return error


@pytest.fixture
def crash(qapp: QApplication) -> CrashNotice:
    return CrashNotice()


def test_one_notice_for_one_bug_however_often_it_comes(crash: CrashNotice) -> None:
    told: list[str] = []
    crash.noticed.connect(told.append)
    for _ in range(50):
        crash.report(bug())
    assert len(told) == 1


def test_a_second_bug_has_its_own_notice(crash: CrashNotice) -> None:
    told: list[str] = []
    crash.noticed.connect(told.append)
    crash.report(bug())
    try:
        _ = next(iter(()))
    except StopIteration as error:
        crash.report(error)
    assert len(told) == 2


def test_the_log_names_the_place_and_no_person(
    crash: CrashNotice, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="regulars"):
        crash.report(bug())
    assert "KeyError at test_errors.py" in caplog.text
    assert not re.search(r"Siyuan|13800006621", caplog.text)


def test_a_bug_in_a_thread_is_told_in_the_gui_thread(crash: CrashNotice, qtbot: QtBot) -> None:
    heard: list[int] = []
    crash.noticed.connect(lambda code: heard.append(threading.get_ident()))
    put_back = crash.install()
    try:
        thread = threading.Thread(target=lambda: next(iter(())))
        thread.start()
        thread.join()
    finally:
        put_back()
    qtbot.waitUntil(lambda: heard == [threading.get_ident()])
