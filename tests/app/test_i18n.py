"""Words: languages, placeholders, and a catalogue that is complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from app import i18n
from app.i18n import MissingCatalogueError, Words
from tests import words as catalogue_check


def test_english_is_the_source_text() -> None:
    assert Words("en").say("Today") == "Today"


def test_chinese_comes_from_the_catalogue() -> None:
    assert Words("zh_CN").say("Today") == "今天"


def test_a_switch_changes_the_same_object() -> None:
    words = Words("en")
    words.switch("zh_CN")
    assert (words.language, words.say("Today")) == ("zh_CN", "今天")


def test_plurals_follow_the_number() -> None:
    words = Words("en")
    said = [words.count("{points} pt", "{points} pts", n, points=n) for n in (0, 1, 2)]
    assert said == ["0 pts", "1 pt", "2 pts"]


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="fr"):
        Words("fr")


def test_a_missing_catalogue_names_the_file_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(i18n, "locale_dir", lambda: tmp_path)
    with pytest.raises(MissingCatalogueError, match=r"regulars\.mo is missing. Run `make setup`"):
        Words("zh_CN")


def test_a_translation_with_a_foreign_placeholder_falls_back_to_the_source() -> None:
    assert i18n._filled("{wrong} 分", "{points} pts", {"points": 3}) == "3 pts"


def test_the_catalogue_is_complete_and_current() -> None:
    said = catalogue_check.sources()
    for language in catalogue_check.LANGUAGES:
        assert catalogue_check.faults(catalogue_check.stored(language), said) == []


@pytest.mark.parametrize(
    ("text", "flags", "fault"),
    [
        ("", (), "not translated: 'Pay {sum}'"),
        ("付 {sum}", ("fuzzy",), "fuzzy: 'Pay {sum}'"),
        ("请付,谢谢 {sum}", (), "half-width: 'Pay {sum}' -> '请付,谢谢 {sum}'"),
        ("{sum},请付", (), "half-width: 'Pay {sum}' -> '{sum},请付'"),
        ("付 {amount}", (), "placeholders differ: 'Pay {sum}' -> '付 {amount}'"),
    ],
)
def test_the_catalogue_check_sees_each_fault(text: str, flags: tuple[str, ...], fault: str) -> None:
    said, written = Catalog(), Catalog()
    said.add("Pay {sum}")
    written.add("Pay {sum}", text, flags=flags)
    assert catalogue_check.faults(written, said) == [fault]


def test_the_catalogue_check_sees_new_and_dead_messages() -> None:
    said, written = Catalog(), Catalog()
    said.add("New")
    written.add("Old", "旧")
    assert catalogue_check.faults(written, said) == [
        "not in the catalogue: 'New'",
        "no longer said: 'Old'",
    ]


@pytest.mark.parametrize("arguments", [[], ["--update"]])
@pytest.mark.parametrize("before", ['"POT-Creation-Date', 'msgid "Price"'])
def test_a_catalogue_in_conflict_is_refused_and_left_as_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    before: str,
    arguments: list[str],
) -> None:
    head, tail = catalogue_check.po_path("zh_CN").read_text("utf-8").split(before, 1)
    text = f"{head}<<<<<<< HEAD\n{before}{tail}"
    path = tmp_path / "regulars.po"
    path.write_text(text, "utf-8")
    monkeypatch.setattr(catalogue_check, "po_path", lambda language: path)
    monkeypatch.setattr(catalogue_check, "sources", Catalog)
    assert catalogue_check.main(arguments) == 1
    line = head.count("\n") + 1
    assert capsys.readouterr().out.startswith(f"{path}:{line} is no line of a catalogue")
    assert path.read_text("utf-8") == text


def test_words_import_neither_qt_nor_babel() -> None:
    code = "import sys, app.i18n, app.formats; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"PySide6", "babel", "sqlalchemy"} & set(run.stdout.split())


def test_a_member_card_and_a_bank_card_are_two_words() -> None:
    words = Words("zh_CN")
    assert (words.say("Card"), words.say("Bank card")) == ("会员卡", "银行卡")
