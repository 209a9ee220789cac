"""Errors as the window says them. The words themselves are in app/error_words.py."""

from __future__ import annotations

from typing import Final

from app import error_words
from app.domain.errors import Facts, Refused, Unavailable
from app.error_words import Code
from app.i18n import mark
from app.log import bug_code
from ui.kit import Kit

NOT_OPENED: Final = mark(
    "The till couldn't be opened. Try again; if it stays, call for help with code {code}."
)
CRASHED: Final = mark("Something went wrong; the sale is kept, go on. Code {code}.")


def words_of(kit: Kit, error: Exception) -> str:
    """The sentence of an error that was foreseen; of any other, that something went wrong."""
    if isinstance(error, Refused | Unavailable):
        return sentence(kit, error.code, error.facts)
    return kit.words.say(CRASHED, code=bug_code(error))


def why_shut(kit: Kit, error: Exception) -> str:
    """Why the till can't be opened, and what to do: nothing was kept or sold yet that a bug could promise."""
    if isinstance(error, Refused | Unavailable):
        return sentence(kit, error.code, error.facts)
    return kit.words.say(NOT_OPENED, code=bug_code(error))


def sentence(kit: Kit, code: Code, facts: Facts) -> str:
    """The sentence of a code, with its facts where they are all there."""
    return error_words.sentence(kit.words, kit.formats, code, facts)
