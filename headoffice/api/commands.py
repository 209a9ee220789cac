"""What an operator does with keys of the open API: makes one, lists them, ends one."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from app.i18n import Words
from headoffice.api.keys import ApiKey, ApiKeys, new_key
from headoffice.at_store import Cannot, opened
from headoffice.console.staff import Staff
from headoffice.office import wall_ms
from headoffice.operating import chain_of, names
from headoffice.store.plain import Plain


def make_key(chosen: argparse.Namespace, words: Words) -> None:
    """Print a new key, alone on its line, and what it is good for beside."""
    if not 1 <= chosen.per_minute <= 1_000_000:
        raise Cannot(words.say("A key has 1 to 1,000,000 requests a minute."))
    with opened(chosen, words) as desk:
        chain = chain_of(desk, chosen, words)
        names(words, chosen.name)
        store, now_ms = desk.store(chain.tenant), wall_ms()
        with store.writing():
            keys = ApiKeys(desk.database, chain.tenant)
            key = new_key(keys, store, chosen.name, chosen.scopes, chosen.per_minute, now_ms)
            _note(desk.database, chain.tenant, "api_key_made", f"{chosen.name} {key[4:16]}", now_ms)
    print(key)
    told = words.say(
        "For {name} of {chain}. It is shown this once; whoever has it may: {scopes}.",
        name=chosen.name, chain=chain.name, scopes=", ".join(chosen.scopes),
    )  # fmt: skip
    print(told, file=sys.stderr)


def list_keys(chosen: argparse.Namespace, words: Words) -> None:
    """One line a key: its first part, chain, name, scopes, requests a minute, last use, when it ended."""
    with opened(chosen, words) as desk:
        for chain in desk.directory.chains():
            with desk.database.of(chain.tenant):
                found = ApiKeys(desk.database, chain.tenant).all()
            for key in found:
                scopes = ",".join(sorted(key.scopes))
                line = (
                    key.id,
                    chain.name,
                    key.name,
                    scopes,
                    str(key.per_minute),
                    _day(key.used_ms),
                )
                print("\t".join((*line, _day(key.ended_ms))))


def end_key(chosen: argparse.Namespace, words: Words) -> None:
    """End a key: a serving head office shuts it out within a second."""
    with opened(chosen, words) as desk:
        for chain in desk.directory.chains():
            keys, now_ms = ApiKeys(desk.database, chain.tenant), wall_ms()
            with desk.store(chain.tenant).writing():
                found = [key for key in keys.all() if key.id == chosen.key and not key.ended_ms]
                for key in found:
                    keys.end(key.id, now_ms)
                    _note(desk.database, chain.tenant, "api_key_ended", _named(key), now_ms)
            if found:
                print(words.say("The key {key} is over.", key=chosen.key))
                return
    raise Cannot(words.say("There is no such key, or it is over. `keys` lists them."))


def _note(database: Plain, tenant: bytes, act: str, detail: str, now_ms: int) -> None:
    Staff(database, tenant).note(now_ms, None, act, detail=detail)


def _named(key: ApiKey) -> str:
    return f"{key.name} {key.id}"


def _day(at_ms: int | None) -> str:
    return (
        datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at_ms else "-"
    )
