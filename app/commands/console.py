"""What a command says at a terminal: in which language, how an error reads, how a long work shows.

Every command's errors end here (`told`), so that nobody ever meets a bare code or a traceback. The sentences of
codes are in app/error_words.py; a command's own sentences are in its module.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import Final, TextIO

from app import log
from app.domain.errors import Outage, Refused, Unavailable
from app.error_words import sentence_at_terminal
from app.formats import YUAN, Formats
from app.i18n import SOURCE_LANGUAGE, MissingCatalogueError, Words, mark
from app.settings import BadSettings, load

CANNOT: Final = 4
"""Exit code of a command that could not be done."""
STOPPED: Final = 130
"""Exit code of a command that Ctrl+C stopped, as shells have it."""
CHINESE: Final = "zh_CN"
_BAR: Final = 30
_BUG: Final = mark(
    "Something went wrong; what was done so far is kept. Send code {code} to support."
)
_BY_ERRNO: Final = {
    errno.ENOSPC: Outage.STORE_FULL,
    errno.EDQUOT: Outage.STORE_FULL,
    errno.EROFS: Outage.STORE_READ_ONLY,
    errno.EACCES: Outage.STORE_READ_ONLY,
    errno.EPERM: Outage.STORE_READ_ONLY,
}


class Cannot(Exception):
    """A command's own no, its sentence already in the reader's language."""


def words_for(
    chosen: argparse.Namespace,
    environment: Mapping[str, str] = os.environ,
    out: TextIO | None = None,
) -> Words:
    """The words for who runs a command: as asked, else as the store's settings say, else as the system's
    locale does; English where the terminal can't show anything else."""
    language = chosen.language or _of_store(chosen) or _of_locale(environment)
    encoding = getattr(out or sys.stdout, "encoding", None) or "ascii"
    if not _shows_chinese(encoding):
        language = SOURCE_LANGUAGE
    try:
        return Words(language)
    except MissingCatalogueError:
        return Words(SOURCE_LANGUAGE)


def _of_store(chosen: argparse.Namespace) -> str:
    folder = getattr(chosen, "store", None)
    try:
        return load(folder).language if folder and (folder / "settings.toml").is_file() else ""
    except (BadSettings, OSError):
        return ""  # The command itself will say so, if it matters to it.


def _of_locale(environment: Mapping[str, str]) -> str:
    named = (environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return CHINESE if next(filter(None, named), "").startswith("zh") else SOURCE_LANGUAGE


def _shows_chinese(encoding: str) -> bool:
    try:
        "收银台".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def told(words: Words, name: str, act: Callable[[], int]) -> int:
    """Do a command; whatever is in its way is said in one sentence. Returns the exit code."""
    from app.translated import translated

    try:
        with translated():
            return act()
    except Cannot as error:
        return say_cannot(name, str(error))
    except (Refused, Unavailable) as error:
        return say_cannot(name, said(words, error), error.code.value)
    except OSError as error:
        code = _BY_ERRNO.get(error.errno or 0, Outage.FILE_FAILED)
        return say_cannot(name, said(words, Unavailable(code)), code.value)
    except KeyboardInterrupt:
        print(f"\n{words.say('Stopped.')}", file=sys.stderr)
        return STOPPED
    except Exception as error:  # the program's edge: a mistake of ours is told like everything else
        log.log_bug(error)
        return say_cannot(name, words.say(_BUG, code=log.bug_code(error)))


def said(words: Words, error: Refused | Unavailable) -> str:
    """An error's sentence for a terminal."""
    return sentence_at_terminal(words, Formats(words, YUAN, UTC), error.code, error.facts)


def no_screen(chosen: argparse.Namespace) -> int:
    """`regulars` without a command where no window can open. Returns the exit code."""
    words = words_for(chosen)
    said = words.say("There is no screen here for the window. Give a command; --help lists them.")
    print(f"regulars: {said}", file=sys.stderr)
    return CANNOT


def say_cannot(name: str, sentence: str, code: str = "") -> int:
    """Print why a command could not be done, the code behind it for whoever is asked for help."""
    print(f"regulars {name}: {sentence}{f' ({code})' if code else ''}", file=sys.stderr)
    return CANNOT


@contextlib.contextmanager
def bad_text_is(sentence: str) -> Iterator[None]:
    """What can't be read in here (ValueError) or found (OSError) is told by this sentence."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise Cannot(sentence) from error


def bar(what: str, done: int, total: int) -> None:
    """One line that grows, where somebody watches."""
    if not sys.stderr.isatty():
        return
    filled = _BAR * done // max(total, 1)
    line = f"\r{what:14s} [{'#' * filled}{'.' * (_BAR - filled)}] {done:,} / {total:,}"
    print(line, end="" if done < total else "\n", file=sys.stderr, flush=True)


def upgrade_line(words: Words) -> Callable[[int], None]:
    """Tells how far an older store is on its way to this version: a line that grows where somebody watches,
    else one sentence at its beginning."""

    def told(percent: int) -> None:
        line = words.say("Updating the data, {percent} %. Leave the till on.", percent=percent)
        if sys.stderr.isatty():
            end = "" if percent < 100 else "\n"
            print(f"\r{line}", end=end, file=sys.stderr, flush=True)
        elif percent == 0:
            print(line, file=sys.stderr)

    return told
