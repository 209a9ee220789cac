"""Passphrases: which are refused, the cost of a guess, the wait after a wrong one."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from app.keyslots import TooSoon, WeakPassphrase
from app.keyslots.passphrase import Attempts, calibrated, derive, require_strong
from tests.keys.conftest import Clock


@pytest.mark.parametrize(
    "passphrase",
    ["", "kettle 7 on", "雨伞在门后面第三个钩", "a" + "\N{COMBINING ACUTE ACCENT}" * 5 + "bcdef"],
)
def test_fewer_than_twelve_characters_are_too_short(passphrase: str) -> None:
    with pytest.raises(WeakPassphrase) as caught:
        require_strong(passphrase)
    assert caught.value.reason == "short"


@pytest.mark.parametrize(
    "passphrase",
    [
        "passwordpassword",
        "Password1234",
        "P@ssw0rd2026!",
        "123456789012",
        "098765432109",
        "aaaaaaaaaaaa",
        "abababababab",
        "qwertyuiopas",
        "1qaz2wsx3edc",
        "iloveyou!!!!1",
        "abcdefghijklm",
        "mlkjihgfedcba",
        "woaini520520",
        "WoAiNi13141314",
        "Regulars 2026 !!",
        "changeme-changeme",
        "长长长长长长长长长长长长",
        "1q2w3e4r5t6y",
    ],
)
def test_what_guessers_try_first_is_refused(passphrase: str) -> None:
    with pytest.raises(WeakPassphrase) as caught:
        require_strong(passphrase)
    assert caught.value.reason == "common"


@pytest.mark.parametrize(
    "passphrase",
    [
        "green kettle on tuesday",
        "雨伞在门后面第三个钩子上",
        "correct-horse-battery",
        "demo till, demo shop",
        "mT9!rpQ2#wLz",
    ],
)
def test_a_sentence_is_good(passphrase: str) -> None:
    require_strong(passphrase)


def test_the_same_text_from_another_keyboard_gives_the_same_key() -> None:
    kdf = calibrated()
    composed = unicodedata.normalize("NFC", "café am Markt 9")
    apart = unicodedata.normalize("NFD", composed)
    assert composed != apart
    assert derive(composed, kdf) == derive(apart, kdf)


def test_text_that_is_not_unicode_does_not_crash() -> None:
    assert len(derive("\ud800 half a pair", calibrated())) == 32


def test_calibration_goes_upward_on_a_fast_machine_and_never_below_the_default() -> None:
    ticks = iter([0.0, 0.1])
    assert calibrated(lambda: next(ticks)).time_cost == 10
    ticks = iter([0.0, 3.0])
    slow = calibrated(lambda: next(ticks))
    assert (slow.memory_kib, slow.time_cost, slow.lanes) == (65536, 4, 1)
    ticks = iter([0.0, 0.0])
    assert calibrated(lambda: next(ticks)).time_cost == 16


def test_each_calibration_has_its_own_salt() -> None:
    assert calibrated().salt != calibrated().salt


def test_the_wait_doubles_up_to_a_minute(tmp_path: Path, clock: Clock) -> None:
    attempts = Attempts(tmp_path / "tries", clock)
    waits = []
    for _ in range(9):
        attempts.failed()
        waits.append(attempts.wait_s)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_try_before_the_wait_is_over_is_not_taken(tmp_path: Path, clock: Clock) -> None:
    attempts = Attempts(tmp_path / "tries", clock)
    attempts.require_ready()
    for _ in range(3):
        attempts.failed()
    clock.now_s += 3.5
    with pytest.raises(TooSoon) as caught:
        attempts.require_ready()
    assert (caught.value.failures, caught.value.wait_s) == (3, 1)
    clock.now_s += 0.5
    attempts.require_ready()


def test_another_process_keeps_the_count_and_waits_the_rest(tmp_path: Path, clock: Clock) -> None:
    attempts = Attempts(tmp_path / "tries", clock)
    for _ in range(4):
        attempts.failed()
    clock.now_s += 5
    for _ in range(3):
        again = Attempts(tmp_path / "tries", clock)
        with pytest.raises(TooSoon) as caught:
            again.require_ready()
        assert (caught.value.failures, caught.value.wait_s) == (4, 3)
    clock.now_s += 3
    again = Attempts(tmp_path / "tries", clock)
    again.require_ready()
    assert again.failures == 4


def test_a_new_start_of_the_computer_never_makes_the_wait_longer(
    tmp_path: Path, clock: Clock
) -> None:
    attempts = Attempts(tmp_path / "tries", clock)
    for _ in range(7):
        attempts.failed()
    clock.now_s = 20.0
    with pytest.raises(TooSoon) as caught:
        Attempts(tmp_path / "tries", clock).require_ready()
    assert caught.value.wait_s == 40
    for clock.now_s in (60.0, 1000.0, 1001.0):
        Attempts(tmp_path / "tries", clock).require_ready()


def test_a_count_without_an_instant_is_kept_and_waits_no_more(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "tries").write_bytes(b"3")
    attempts = Attempts(tmp_path / "tries", clock)
    attempts.require_ready()
    attempts.failed()
    assert attempts.failures == 4


def test_success_forgets_the_failures(tmp_path: Path, clock: Clock) -> None:
    attempts = Attempts(tmp_path / "tries", clock)
    attempts.failed()
    attempts.succeeded()
    attempts.require_ready()
    assert Attempts(tmp_path / "tries", clock).failures == 0


@pytest.mark.parametrize("content", [b"", b"x", b"-5", b"9" * 50, b"\xff\xfe", b"5 x", b"5 -7"])
def test_a_damaged_count_never_stops_the_till(tmp_path: Path, clock: Clock, content: bytes) -> None:
    (tmp_path / "tries").write_bytes(content)
    attempts = Attempts(tmp_path / "tries", clock)
    assert 0 <= attempts.wait_s <= 60
