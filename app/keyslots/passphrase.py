"""The manager's passphrase: is it good enough, the key made from it, and the wait after a wrong one."""

from __future__ import annotations

import contextlib
import math
import os
import re
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Final

from argon2.low_level import Type, hash_secret_raw

from app.keyslots.document import MEMORY_LEAST_KIB, Kdf, write_durably
from app.keyslots.errors import TooSoon, WeakPassphrase

LENGTH_LEAST: Final = 12
WAIT_MOST_S: Final = 60
DEFAULT_TIME_COST: Final = 4
TARGET_S: Final = 0.25
TIME_COST_MOST: Final = 16

# Rows and orders that hands and heads fall into; each is also looked for backwards and doubled.
_RUNS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789",
    "1234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
)
# What is left of most weak ones once digits and signs are gone and leetspeak is undone.
_WORD_LIST: Final = """
admin administrator changeme default dragon football iloveyou letmein login manager master monkey
passphrase password princess qwerty regulars root secret shadow shop store sunshine superman system
test trustno user welcome woaini woaiwojia wodemima mima huiyuan changke laoban
"""
_WORDS: Final = frozenset(_WORD_LIST.split())
_LEET: Final = str.maketrans("013457@$!", "oleastasi")


def normalised(passphrase: str) -> bytes:
    """The same text typed on any keyboard gives the same bytes (NFC; RFC 8265 section 4.2)."""
    return unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")


def require_strong(passphrase: str) -> None:
    """Raise WeakPassphrase for fewer than 12 characters and for what guessers try first.

    A guesser's list is mostly a few shapes: one character or word again and again, a row of the
    keyboard, a common word with digits around it. The shapes are checked, so no list is shipped.
    """
    if len(unicodedata.normalize("NFC", passphrase)) < LENGTH_LEAST:
        raise WeakPassphrase("short")
    text = passphrase.casefold()
    letters = re.sub(r"[\W_]", "", text)
    few = len(set(letters)) < 5 or letters.isdigit()  # digits alone: a date, a phone number
    if few or _repeats(text) or _in_a_row(letters) or _is_common_word(text):
        raise WeakPassphrase("common")


def _repeats(text: str) -> bool:
    """One unit of up to half the length, again and again (the last may be cut)."""
    return any(
        text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1)
    )


def _in_a_row(letters: str) -> bool:
    rows = [row * 3 for row in _RUNS]
    return any(letters in row or letters in row[::-1] for row in rows)


def _is_common_word(text: str) -> bool:
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
    for candidate in (text, bare.translate(_LEET)):
        word = re.sub(r"[\W\d_]", "", candidate)
        if word in _WORDS or any(word == known * 2 for known in _WORDS):
            return True
    return False


def derive(passphrase: str, kdf: Kdf) -> bytes:
    """The 32-byte key-encryption key. Takes about a quarter of a second on purpose."""
    return hash_secret_raw(
        normalised(passphrase),
        kdf.salt,
        time_cost=kdf.time_cost,
        memory_cost=kdf.memory_kib,
        parallelism=kdf.lanes,
        hash_len=32,
        type=Type.ID,
    )


def calibrated(clock_s: Callable[[], float] = time.perf_counter) -> Kdf:
    """64 MiB, one lane, and passes upward from 4 until one derivation takes 250 ms here.

    Never below the default: on a slow till it takes longer instead.
    """
    kdf = Kdf(
        memory_kib=MEMORY_LEAST_KIB, time_cost=DEFAULT_TIME_COST, lanes=1, salt=os.urandom(16)
    )
    began = clock_s()
    derive("calibration", kdf)
    took_s = max(clock_s() - began, 0.001)
    passes = min(math.ceil(DEFAULT_TIME_COST * TARGET_S / took_s), TIME_COST_MOST)
    return Kdf(
        memory_kib=kdf.memory_kib,
        time_cost=max(DEFAULT_TIME_COST, passes),
        lanes=1,
        salt=kdf.salt,
    )


class Attempts:
    """Wrong passphrases in a row, and the wait that grows with them: 1, 2, 4 … 60 seconds.

    A small file keeps the count and when its wait began, so another process waits no longer and no
    shorter than this one: no restart clears the count, and waiting always ends. The time is the
    monotonic clock's, which counts from the computer's start for all processes and which setting the
    time does not move (security.md, lockouts). Who can delete the file can also copy the slot file
    and guess elsewhere: argon2id is the defence there.
    """

    def __init__(self, path: Path, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock_s = clock_s
        self.failures, self._began_s = self._read()

    @property
    def wait_s(self) -> int:
        """The wait that belongs to the failures so far, in seconds."""
        return min(2 ** min(self.failures - 1, 10), WAIT_MOST_S) if self.failures else 0

    def require_ready(self) -> None:
        """Raise TooSoon while the wait runs."""
        left = self._began_s + self.wait_s - self._clock_s()
        if left > 0:
            raise TooSoon(failures=self.failures, wait_s=math.ceil(left))

    def failed(self) -> None:
        """Count one more and start its wait."""
        self.failures += 1
        self._began_s = self._clock_s()
        # Without room to keep the count the wait still runs here, and "wrong" must still be said.
        with contextlib.suppress(OSError):
            self._keep()

    def succeeded(self) -> None:
        """Forget the failures."""
        self.failures = 0
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _keep(self) -> None:
        # Whole milliseconds, rounded up: a reader must not find the wait over before its end.
        write_durably(self._path, f"{self.failures} {math.ceil(self._began_s * 1000)}".encode())

    def _read(self) -> tuple[int, float]:
        """The failures and when their wait began, in seconds of the monotonic clock."""
        try:
            words = self._path.read_text(encoding="ascii")[:40].split()
            failures = min(max(int(words[0]), 0), 999_999)
            began_s = max(int(words[1]), 0) / 1000 if len(words) > 1 else 0.0
        except (OSError, ValueError, IndexError):
            return 0, 0.0
        now_s = self._clock_s()
        if began_s <= now_s + 1:
            return failures, min(began_s, now_s)
        # The computer was started since: all the time since then has been waited. It is written down,
        # so that the clock does not come past the old instant and the wait begin once more.
        self.failures, self._began_s = failures, 0.0
        with contextlib.suppress(OSError):
            self._keep()
        return failures, 0.0
