"""Member search: every keystroke of 300 members in every way that they can be asked for."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from db.connection import Connection
from db.engine import Reader, Store
from db.search import search_members
from tests.bench.figures import Figure, percentile
from tests.bench.stores import Pair, PlainKey, drop_from_os_cache

MEMBERS_ASKED = 300
FIRST_SEARCHES = 300
SEED = 7


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of each keystroke, in both stores, in the same order."""

    cipher_ms: list[float]
    plain_ms: list[float]


def measure_keystrokes(pair: Pair) -> Measured:
    """Type at both stores in turn, warm; who goes first changes with every keystroke."""
    texts = list(_keystrokes(pair.cipher))
    cipher_ms: list[float] = []
    plain_ms: list[float] = []
    for store in (pair.cipher, pair.plain):
        with store.read(Reader.SEARCH) as conn:
            for text in texts:  # once unmeasured: what is measured is memory, not the disk
                search_members(conn, text)
    for number, text in enumerate(texts):
        turns = [(pair.cipher, cipher_ms), (pair.plain, plain_ms)]
        for store, times in turns if number % 2 else turns[::-1]:
            times.append(_search_ms(store, text))
    return Measured(cipher_ms, plain_ms)


def measure_first_search(pair: Pair) -> Measured:
    """The first search on a store just opened, its file dropped from the system's cache."""
    cipher_ms: list[float] = []
    plain_ms: list[float] = []
    texts = [text for text in _keystrokes(pair.cipher) if len(text) == 2][:FIRST_SEARCHES]
    for text in texts:
        for store, key, times in (
            (pair.cipher, pair.key, cipher_ms),
            (pair.plain, PlainKey(), plain_ms),
        ):
            drop_from_os_cache(store.path)
            fresh = Store.open(store.path, key)
            times.append(_search_ms(fresh, text))
            fresh.close()
    return Measured(cipher_ms, plain_ms)


def figures(large: Measured, small: Measured) -> list[Figure]:
    """The figures of warm keystrokes: absolute, beside the plain file, and beside the smaller store."""
    p99, plain = percentile(large.cipher_ms, 0.99), percentile(large.plain_ms, 0.99)
    p99_small = percentile(small.cipher_ms, 0.99)
    count = len(large.cipher_ms)
    return [
        Figure("search p99 of a keystroke, warm", p99, "ms", 5, "lower", count, "plain file", plain),
        Figure("search p99 / plain file", p99 / plain, "x", 2, "lower", count, "plain file", plain),
        Figure(
            "search p99 / 20 times fewer members", p99 / p99_small, "x", 6, "lower", count,
            "small store", p99_small,
        ),
    ]  # fmt: skip


def first_figures(first: Measured) -> list[Figure]:
    """The figure of a search with nothing in the system's cache."""
    cold, plain = percentile(first.cipher_ms, 0.5), percentile(first.plain_ms, 0.5)
    return [
        Figure(
            "first search after start, cold", cold, "ms", 30, "lower", len(first.cipher_ms),
            "plain file", plain,
        ),
    ]  # fmt: skip


def _search_ms(store: Store, text: str) -> float:
    with store.read(Reader.SEARCH) as conn:
        began = time.perf_counter()
        search_members(conn, text)
        return (time.perf_counter() - began) * 1000


def _keystrokes(store: Store) -> Iterator[str]:
    """What stands in the search box after each key, over all ways to ask for each member."""
    with store.read() as conn:
        asked = [text for member in some_members(conn) for text in member]
    for text in asked:
        for end in range(1, len(text) + 1):
            if not text[:end].endswith(" "):
                yield text[:end]


def some_members(conn: Connection) -> Iterator[list[str]]:
    """Every way to ask for each of 300 members from all over the store."""
    newest = conn.execute("SELECT max(seq) FROM member_seq").fetchone()[0]
    rng = random.Random(SEED)
    for seq in sorted(rng.sample(range(1, newest + 1), min(MEMBERS_ASKED, newest))):
        row = conn.execute(
            "SELECT p.name, p.phone, p.email, p.name_py, p.name_ini, c.value FROM member_seq AS s"
            " JOIN profile AS p ON p.member_id = s.member_id"
            " LEFT JOIN credential AS c ON c.member_id = s.member_id AND c.kind = 'card'"
            " WHERE s.seq = ?",
            (seq,),
        ).fetchone()
        name, phone, email, pinyin, initials, card = row
        ways = [name, pinyin.replace(" ", ""), initials, card]
        if phone:
            ways += [
                phone[-4:],
                phone[3:],
                f"{initials} {phone[-4:]}",
                f"{initials[0]}{phone[-4:]}",
            ]
            ways += [f"{name[0]}{phone[-4:]}"]
        if email:
            ways.append(email)
        yield [way for way in ways if way]
