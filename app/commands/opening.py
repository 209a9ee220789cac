"""How a command gets into a store: by the system's key store, else by the passphrase of the person there."""

from __future__ import annotations

import getpass
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from app.build import Till, open_till
from app.commands.console import Cannot, upgrade_line
from app.domain.errors import Outage, Unavailable
from app.i18n import Words, mark

Answer = TypeVar("Answer")
PASSPHRASE_VARIABLE: Final = "REGULARS_PASSPHRASE"
PASSPHRASE_ASKED: Final = mark("Passphrase of this till: ")


def open_by_any_key(folder: Path, words: Words, *, mending: bool = True) -> Till:
    """Open a store by the system's key store, or by the passphrase. Raises Unavailable, Cannot."""
    try:
        return open_till(folder, mending=mending, told=upgrade_line(words))
    except Unavailable as error:
        if error.code is not Outage.KEYSTORE_GONE:
            raise
    return open_by_passphrase(folder, words, mending=mending)


def open_by_passphrase(folder: Path, words: Words, *, mending: bool = True) -> Till:
    """Open a store by the passphrase. Raises Unavailable, Cannot."""
    given = passphrase(words)
    return once_ready(
        words,
        lambda: open_till(folder, passphrase=given, mending=mending, told=upgrade_line(words)),
    )


def once_ready(words: Words, act: Callable[[], Answer]) -> Answer:
    """Do what needs the passphrase, once the wait after an earlier wrong one is over. Raises Unavailable."""
    while True:
        try:
            return act()
        except Unavailable as error:
            if error.code is not Outage.PASSPHRASE_WAIT or error.retry_after_s is None:
                raise
            wait_s = error.retry_after_s
            print(
                words.say("Waiting {wait_s} s after a wrong one …", wait_s=wait_s), file=sys.stderr
            )
            time.sleep(wait_s)


def passphrase(words: Words) -> str:
    """From the environment, else asked for at the terminal. Raises Cannot."""
    given = os.environ.get(PASSPHRASE_VARIABLE)
    return given if given is not None else asked(words, PASSPHRASE_ASKED)


def asked(words: Words, question: str) -> str:
    """A secret typed at the terminal, not shown. `question` went through `mark`. Raises Cannot."""
    try:
        return getpass.getpass(words.say(question), stream=sys.stderr)
    except EOFError as error:
        raise Cannot(words.say("Nobody answered. Run it at a terminal.")) from error
