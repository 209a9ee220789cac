"""The command that moves a chain from the folder's own file to PostgreSQL while its tills wait."""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
from collections.abc import Callable
from typing import Final

from app.i18n import Words
from headoffice import audit, checking
from headoffice.alone import AlreadyServing, alone
from headoffice.at_store import Cannot, dsn_of, existing, told
from headoffice.audit import Checked
from headoffice.console.staff import Staff
from headoffice.directory import Chain, Directory
from headoffice.office import STORE_FILE, wall_ms
from headoffice.store import moving
from headoffice.store.moving import Copied, Different, Standing, Target, TargetHasChain
from headoffice.store.opening import open_database
from headoffice.store.sqlite_place import SqlitePlain

LOCK_FILE: Final = "moving.lock"


def move(chosen: argparse.Namespace, words: Words) -> None:
    """Copy a chain, compare the copy with it, and serve it from here no more."""
    dsn = dsn_of(chosen.to, words)
    assert dsn is not None, "the parser wants it"
    folder = existing(chosen, words)
    with told(chosen, words), contextlib.ExitStack() as stack:
        try:
            stack.enter_context(alone(folder, LOCK_FILE))
        except AlreadyServing as error:
            raise Cannot(words.say("A chain is moving from this folder already.")) from error
        source = stack.enter_context(contextlib.closing(open_database(folder / STORE_FILE)))
        target = stack.enter_context(contextlib.closing(moving.open_target(dsn)))
        chain = _chain(source, chosen.chain, words)
        if chosen.give_up:
            _give_up(source, target, chain, words)
            return
        copied, audited = _moved(source, target, chain, words)
    for name, rows in copied.rows.items():
        print(f"{name}\t{rows}")
    say = checking.whole if not audited.wrong else checking.broken
    print(say(words, chain, audited))
    print(
        words.say(
            "{chain} has moved: every row was read back and is the same, {number} sums and heads are, "
            "too. Serve it with --postgresql from now on, with the key of this folder.",
            chain=chain.name, number=copied.compared,
        )
    )  # fmt: skip


def _moved(
    source: sqlite3.Connection, target: Target, chain: Chain, words: Words
) -> tuple[Copied, Checked]:
    """What was copied, and how the audit of both is, while it is the same."""
    before = moving.standing(source, chain.tenant)
    if before == "moved":
        raise Cannot(words.say("{chain} was moved before.", chain=chain.name))
    if moving.has_chain(target, chain.tenant):
        if before == "here":
            raise TargetHasChain("it did not come from here")
        copied = _again(source, target, chain)
    else:
        if chain.name in moving.names(target):
            raise Cannot(
                words.say("There is a chain {name} already in the target.", name=chain.name)
            )
        copied = _copied(source, target, chain, before)
    audited = audit.check(SqlitePlain(source), chain.tenant)
    moving.analyze(source, target)
    moving.mark(source, chain.tenant, "moved", _noting(source, chain, "chain_moved"))
    return copied, audited


def _copied(source: sqlite3.Connection, target: Target, chain: Chain, before: Standing) -> Copied:
    """A copy that was committed. Whatever goes wrong before the commit, the chain is as it was; from then on it
    waits: a chain that is served here again may be in the target, too."""
    moving.mark(source, chain.tenant, "moving", _noting(source, chain, "chain_moves"))
    try:
        copied = moving.copy(source, target, chain.tenant)
    except BaseException:
        moving.mark(source, chain.tenant, before)
        raise
    moving.commit(target)
    return copied


def _again(source: sqlite3.Connection, target: Target, chain: Chain) -> Copied:
    """What a command that was killed behind its commit has left: the copy, while nobody served it."""
    try:
        return moving.compare(source, target, chain.tenant)
    except Different as error:
        raise TargetHasChain("it is not the same any more") from error


def _give_up(source: sqlite3.Connection, target: Target, chain: Chain, words: Words) -> None:
    """Serve a chain from here again whose move was killed."""
    if moving.standing(source, chain.tenant) == "moved" or moving.has_chain(target, chain.tenant):
        raise Cannot(
            words.say("The target has {chain}: it is served from there.", chain=chain.name)
        )
    moving.mark(source, chain.tenant, "here", _noting(source, chain, "move_given_up"))
    print(words.say("{chain} is served from here again.", chain=chain.name))


def _noting(source: sqlite3.Connection, chain: Chain, act: str) -> Callable[[], None]:
    """Writes an operator's row into the chain's audit. That a chain moves is noted before it is copied: so both
    databases have it."""
    staff = Staff(SqlitePlain(source), chain.tenant)
    return lambda: staff.note(wall_ms(), None, act)


def _chain(source: sqlite3.Connection, name: str, words: Words) -> Chain:
    chains = Directory(SqlitePlain(source)).chains()
    found = [chain for chain in chains if chain.name == name]
    if len(found) != 1:
        names = ", ".join(chain.name for chain in chains)
        raise Cannot(
            words.say("There is no chain {name}. There are: {names}.", name=name, names=names)
        )
    return found[0]
