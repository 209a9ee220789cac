"""What is in a command's way is a sentence in the reader's language: no bare code, no traceback."""

from __future__ import annotations

import argparse
import errno
import gettext
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.build import DATABASE, open_till
from app.commands import COMMANDS, WRONG_USE, console
from app.commands.console import CANNOT, STOPPED, Cannot, said, told, words_for
from app.commands.demo_data import no_keystore
from app.commands.line import parsed
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.error_words import AT_TERMINAL
from app.i18n import LANGUAGES, Words
from db.engine import Store, StoreKey
from db.errors import Damaged
from tests.app.kiosk import PASSPHRASE, Kiosk, Template
from tests.app.test_migrating import back_to
from ui.__main__ import main

BY_COMMAND = (
    Refusal.NOT_ALLOWED,
    Refusal.APPROVAL_NEEDED,
    Refusal.PIN_WRONG,
    Refusal.PIN_LOCKED,
    Refusal.PIN_BLOCKED,
    Refusal.PIN_WEAK,
    Refusal.STAFF_UNKNOWN,
    Refusal.DAY_OPEN_ITEMS,
    Refusal.DAY_NOTHING_TO_CLOSE,
    Refusal.CLOCK_BEHIND,
    Refusal.PROGRAMME_INVALID,
)
"""The refusals that a command can meet; the others belong to screens that no command has."""
NOT_BY_COMMAND = {code for code in Outage if code.value.startswith(("printer_", "network_"))}


# Every code ---------------------------------------------------------------------------------------


def error_of(code: Refusal | Outage) -> Refused | Unavailable:
    return Refused(code) if isinstance(code, Refusal) else Unavailable(code)


@pytest.mark.parametrize("code", [*Refusal, *Outage])
def test_every_code_is_a_sentence_in_both_languages(code: Refusal | Outage) -> None:
    english, chinese = (said(Words(language), error_of(code)) for language in ("en", "zh_CN"))
    assert re.fullmatch(r"[A-Z].*\.", english)
    assert re.search(r"[一-鿿]", chinese)
    assert chinese.endswith("。")
    assert code.value not in english + chinese


@pytest.mark.parametrize("code", [*BY_COMMAND, *(c for c in Outage if c not in NOT_BY_COMMAND)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_command_can_meet_names_no_key_and_no_window_field(
    code: Refusal | Outage, language: str
) -> None:
    sentence = said(Words(language), error_of(code))
    assert not re.search(r"\bF\d|Press|按 ?F|then sell", sentence)


def test_the_terminals_own_sentences_differ_from_the_windows() -> None:
    from app.error_words import PLAIN

    assert not {code for code, sentence in AT_TERMINAL.items() if PLAIN[code] == sentence}


# Through the real command -------------------------------------------------------------------------


@pytest.fixture
def folder(template: Template, tmp_path: Path) -> Path:
    """A shut store, whose key no key store of this computer has."""
    return template.copy_to(tmp_path / "store")


@pytest.fixture(params=LANGUAGES)
def command(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Runs `regulars verify` on a folder in one language; what it said, once it is known to be a sentence."""
    monkeypatch.setenv("REGULARS_PASSPHRASE", PASSPHRASE)
    language = str(request.param)

    def run(folder: Path, expected: Outage) -> str:
        code = main(["--language", language, "verify", "--store", str(folder)])
        told = capsys.readouterr()
        assert (code, told.out) == (CANNOT, "")
        assert told.err.count("\n") == 1, told.err
        sentence = said(Words(language), Unavailable(expected))
        assert told.err == f"regulars verify: {sentence} ({expected.value})\n"
        return told.err

    return run


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own: rights do not bind root, a read-only or full volume does."""
    folder = tmp_path / "volume"
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=True, timeout=60
    )
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=60)


def key_of(folder: Path) -> StoreKey:
    till = open_till(folder, passphrase=PASSPHRASE, find_keystore=no_keystore, mending=False)
    try:
        key = till.context.store.key
    finally:
        till.close()
    assert isinstance(key, StoreKey)
    return key


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def test_a_wrong_passphrase(
    folder: Path, command: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGULARS_PASSPHRASE", "not the passphrase at all")
    command(folder, Outage.PASSPHRASE_WRONG)


def test_a_damaged_first_page(folder: Path, command: Callable[..., str]) -> None:
    flip(folder / DATABASE, 200)
    command(folder, Outage.STORE_DAMAGED)


def test_a_damaged_page_in_the_middle_met_while_verifying(
    folder: Path, command: Callable[..., str]
) -> None:
    key_of(folder)
    whole = (folder / DATABASE).read_bytes()
    for page in range(2, len(whole) // 4096):
        flip(folder / DATABASE, page * 4096 + 100)
    command(folder, Outage.STORE_DAMAGED)


def test_a_copied_folder(
    folder: Path,
    command: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("REGULARS_MACHINE", str(tmp_path / "another computer"))
    assert "regulars restore" in command(folder, Outage.KEYS_COPIED)


def test_a_read_only_folder(folder: Path, volume: Path, command: Callable[..., str]) -> None:
    shutil.copytree(folder, volume / "store")
    subprocess.run(["mount", "-o", "remount,ro", str(volume)], check=True, timeout=60)
    command(volume / "store", Outage.STORE_READ_ONLY)


def test_a_full_disk(folder: Path, volume: Path, command: Callable[..., str]) -> None:
    shutil.copytree(folder, volume / "store")
    (volume / "store" / f"{DATABASE}.lock").unlink(missing_ok=True)
    with pytest.raises(OSError, match="No space"):
        (volume / "filler").write_bytes(bytes(16_000_000))
    command(volume / "store", Outage.STORE_FULL)


def test_a_second_instance(folder: Path, command: Callable[..., str]) -> None:
    till = open_till(folder, passphrase=PASSPHRASE, find_keystore=no_keystore)
    try:
        command(folder, Outage.STORE_IN_USE)
    finally:
        till.close()


def test_no_store_there(tmp_path: Path, command: Callable[..., str]) -> None:
    command(tmp_path / "nothing here", Outage.STORE_MISSING)
    assert not (tmp_path / "nothing here").exists()


def test_a_newer_schema(folder: Path, command: Callable[..., str]) -> None:
    store = Store.open(folder / DATABASE, key_of(folder))
    with store.write() as raw:
        number = raw.execute("SELECT max(number) FROM schema_step").fetchone()[0] + 1
        raw.execute("INSERT INTO schema_step VALUES (?, 'later', zeroblob(32))", (number,))
    store.close()
    command(folder, Outage.STORE_TOO_NEW)


def test_a_schema_of_another_build(folder: Path, command: Callable[..., str]) -> None:
    store = Store.open(folder / DATABASE, key_of(folder))
    with store.write() as raw:
        raw.execute("UPDATE schema_step SET sha256 = zeroblob(32) WHERE number = 7")
    store.close()
    command(folder, Outage.STORE_TOO_NEW)


def test_a_missing_key_file(folder: Path, command: Callable[..., str]) -> None:
    for path in folder.glob("keyslots*"):
        path.unlink()
    command(folder, Outage.KEYS_MISSING)


def test_settings_with_a_mistake(folder: Path, command: Callable[..., str]) -> None:
    (folder / "settings.toml").write_text("scale_percent = 7\n")
    command(folder, Outage.SETTINGS_BAD)


def test_an_empty_folder_of_backups_and_a_target_that_is_not_empty(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGULARS_PASSPHRASE", PASSPHRASE)
    (tmp_path / "none").mkdir()
    there = ["--from", str(tmp_path / "none"), "--to"]
    assert main(["--language", "en", "restore", *there, str(tmp_path / "new")]) == CANNOT
    assert "No backup in this folder is whole." in capsys.readouterr().err
    assert main(["--language", "zh_CN", "restore", *there, str(folder)]) == CANNOT
    assert "这个文件夹里已有东西" in capsys.readouterr().err


def test_a_store_that_was_not_named_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--language", "zh_CN", "backup"]) == 2
    assert "--store FOLDER" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "Updating the data, 0 %. Leave the till on.\n"),
        ("zh_CN", "正在更新数据，0%。请勿关机。\n"),
    ],
)
def test_an_older_store_is_brought_up_with_a_word_about_it(
    kiosk: Kiosk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    language: str,
    line: str,
) -> None:
    back_to(kiosk, 1)
    monkeypatch.setenv("REGULARS_PASSPHRASE", PASSPHRASE)
    assert main(["--language", language, "verify", "--store", str(kiosk.folder)]) == 0
    assert capsys.readouterr().err == line


def test_where_somebody_watches_the_line_grows_to_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    told = console.upgrade_line(Words("en"))
    for percent in (0, 45, 100):
        told(percent)
    written = capsys.readouterr().err
    assert re.findall(r"(\d+) %", written) == ["0", "45", "100"]
    assert written.count("\r") == 3
    assert written.endswith("\n")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "There is no screen here for the window. Give a command; --help lists them."),
        ("zh_CN", "这里没有屏幕，开不了窗口。请给出命令，用 --help 查看。"),
    ],
)
def test_the_window_without_a_screen(language: str, said: str) -> None:
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    done = subprocess.run(
        [sys.executable, "-m", "ui", "--language", language],
        env={name: value for name, value in os.environ.items() if name not in screens},
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (CANNOT, "", f"regulars: {said}\n")


# What comes from below ----------------------------------------------------------------------------


def outcome(raised: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    def act() -> int:
        raise raised

    return told(Words("en"), "verify", act), capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (OSError(errno.ENOSPC, "full"), "store_full"),
        (OSError(errno.EROFS, "read-only"), "store_read_only"),
        (OSError(errno.EIO, "bad sector"), "file_failed"),
        (Damaged(Path("regulars.db"), "page 4"), "store_damaged"),
    ],
)
def test_a_fault_of_the_disk_has_its_sentence(
    raised: Exception, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    number, err = outcome(raised, capsys)
    assert number == CANNOT
    assert err == f"regulars verify: {said(Words('en'), Unavailable(Outage(code)))} ({code})\n"


def test_a_mistake_of_ours_is_a_sentence_with_a_code_and_no_traceback(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    number, err = outcome(KeyError("Chen Siyuan"), capsys)
    assert number == CANNOT
    assert re.fullmatch(
        r"regulars verify: Something went wrong; .* code E-\d{4} to support\.\n", err
    )
    assert "KeyError at test_console.py" in caplog.text
    assert "Siyuan" not in err + caplog.text


def test_ctrl_c_stops_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(KeyboardInterrupt(), capsys) == (STOPPED, "\nStopped.\n")


def test_a_commands_own_no_is_said_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    number, err = outcome(Cannot("The two PINs differ."), capsys)
    assert (number, err) == (CANNOT, "regulars verify: The two PINs differ.\n")


# The language -------------------------------------------------------------------------------------


def chosen(language: str | None = None, store: Path | None = None) -> argparse.Namespace:
    return argparse.Namespace(language=language, store=store)


def spoken(out: str = "utf-8", store: Path | None = None, asked: str = "", **named: str) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=out)
    return words_for(chosen(asked or None, store), named, stream).language


def test_the_locale_decides_where_nothing_else_does() -> None:
    assert spoken(LANG="zh_CN.UTF-8") == "zh_CN"
    assert spoken(LANG="zh_CN.UTF-8", LC_ALL="en_GB.UTF-8") == "en"
    assert spoken() == "en"


def test_the_stores_settings_come_before_the_locale(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('language = "zh_CN"\n')
    assert spoken(store=tmp_path, LANG="en_GB.UTF-8") == "zh_CN"
    (tmp_path / "settings.toml").write_text("language = 7\n")
    assert spoken(store=tmp_path, LANG="en_GB.UTF-8") == "en"


def test_the_option_comes_before_all(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('language = "zh_CN"\n')
    assert spoken(store=tmp_path, asked="en", LANG="zh_CN.UTF-8") == "en"


def test_a_terminal_that_cannot_show_chinese_gets_english() -> None:
    assert spoken(out="latin-1", LANG="zh_CN.UTF-8") == "en"
    assert console._shows_chinese("gb18030")


@pytest.fixture
def _own_textdomain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    yield
    gettext.textdomain("messages")


@pytest.mark.usefixtures("_own_textdomain")
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=str)
def test_help_speaks_the_readers_language(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = {}
    for language in LANGUAGES:
        with pytest.raises(SystemExit) as ended:
            parsed(["--language", language, *command, "--help"])
        assert ended.value.code == 0
        said[language] = capsys.readouterr().out
    assert "show this help" in said["en"]
    for line in said["zh_CN"].splitlines():
        assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", line), line


@pytest.mark.usefixtures("_own_textdomain")
@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["reset-pin"], "缺少参数：--who"),
        (["--theme", "blue"], "'blue' 不能选"),
        (["catalogue", "export"], "'export' 不能选"),
        (["verify", "--nothing"], "不认识的参数：--nothing"),
        (["demo-data", "--members", "many"], "'many' 不是"),
        (["backup", "--to"], "后面要有一个值"),
    ],
    ids=str,
)
def test_a_wrong_line_is_told_in_the_readers_language(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(["--language", "zh_CN", *argv])
    assert ended.value.code == WRONG_USE
    told = capsys.readouterr().err
    assert said in told
    assert "用法：" in told
