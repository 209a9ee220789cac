"""`regulars change-passphrase`: the old one, then the new one twice; anything else changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.build import DATABASE, open_till
from app.commands.console import CANNOT
from app.commands.demo_data import no_keystore
from app.domain.errors import Outage, Unavailable
from app.keyslots.document import NAMES
from tests.app.kiosk import PASSPHRASE, Template
from ui.__main__ import main

NEW = "seven 雨伞 behind the door"


@pytest.fixture
def folder(template: Template, tmp_path: Path) -> Path:
    return template.copy_to(tmp_path / "store")


def change(folder: Path, monkeypatch: pytest.MonkeyPatch, *typed: str) -> int:
    answers = iter(typed)
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream: next(answers))
    return main(["--language", "en", "change-passphrase", "--store", str(folder)])


def opened_by(folder: Path, passphrase: str) -> bool:
    try:
        open_till(folder, passphrase=passphrase, find_keystore=no_keystore).close()
    except Unavailable as error:
        if error.code is not Outage.PASSPHRASE_WRONG:
            raise
        return False
    return True


def slots(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in NAMES]


def test_the_new_one_opens_both_copies_and_the_old_one_neither(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = (folder / DATABASE).read_bytes()
    assert change(folder, monkeypatch, PASSPHRASE, NEW, NEW) == 0
    assert "Earlier backups still open by the old one." in capsys.readouterr().out
    assert (folder / DATABASE).read_bytes() == database
    one, two = slots(folder)
    assert one == two
    for name in NAMES:
        (folder / name).unlink()
        assert opened_by(folder, NEW), name
    assert not opened_by(folder, PASSPHRASE)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ((NEW,), "Wrong passphrase"),
        ((PASSPHRASE, NEW, NEW + "x"), "The two passphrases differ"),
        ((PASSPHRASE, "too short", "too short"), "easy to guess"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: tuple[str, ...],
    said: str,
) -> None:
    before = slots(folder)
    assert change(folder, monkeypatch, *typed) == CANNOT
    assert said in capsys.readouterr().err
    assert slots(folder) == before


def test_it_is_refused_while_the_till_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    till = open_till(folder, passphrase=PASSPHRASE, find_keystore=no_keystore)
    before = slots(folder)
    assert change(folder, monkeypatch) == CANNOT, "nothing is asked for"
    till.close()
    assert "(store_in_use)" in capsys.readouterr().err
    assert slots(folder) == before


def test_a_folder_without_a_store_is_told_as_such_before_anything_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert change(tmp_path / "nonexistent", monkeypatch) == CANNOT
    assert "There is no data file in this folder." in capsys.readouterr().err


def test_a_disk_that_fails_half_way_is_said_and_the_store_opens(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.keyslots.document import write_durably

    def only_the_first(path: Path, blob: bytes) -> None:
        if path.name == NAMES[1]:
            raise OSError(28, "No space left on device")
        write_durably(path, blob)

    with monkeypatch.context() as broken:
        broken.setattr("app.keyslots.document.write_durably", only_the_first)
        assert change(folder, broken, PASSPHRASE, NEW, NEW) == CANNOT
    assert "the old one or the new one holds" in capsys.readouterr().err
    assert opened_by(folder, NEW)


def test_nobody_at_the_terminal_is_a_sentence_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(prompt: str, stream: object) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    assert main(["--language", "zh_CN", "change-passphrase", "--store", str(folder)]) == CANNOT
    assert capsys.readouterr().err == "regulars change-passphrase: 没有人应答。请在终端里运行。\n"
