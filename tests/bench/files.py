"""The file itself: its size and the time to open it, against the same rows without the cipher."""

from __future__ import annotations

import time
from pathlib import Path

from db.connection import WRITER_CACHE_KIB, Key, connect
from db.engine import Store
from tests.bench.figures import Figure, percentile
from tests.bench.stores import Pair, PlainKey

OPENINGS = 300


def figures(pair: Pair) -> list[Figure]:
    """Size ratio of freshly packed copies, and the ratio of the medians of opening."""
    cipher_bytes = _packed_bytes(pair.cipher.path, pair.key)
    plain_bytes = _packed_bytes(pair.plain.path, PlainKey())
    cipher_ms: list[float] = []
    plain_ms: list[float] = []
    for _ in range(OPENINGS):
        cipher_ms.append(_open_ms(pair.cipher.path, pair.key))
        plain_ms.append(_open_ms(pair.plain.path, PlainKey()))
    opening, opening_plain = percentile(cipher_ms, 0.5), percentile(plain_ms, 0.5)
    return [
        Figure(
            "file size / plain file", cipher_bytes / plain_bytes, "x", 1.05, "lower", 1,
            "plain file, MB", plain_bytes / 1e6,
        ),
        Figure(
            "open and first read / plain file", opening / opening_plain, "x", 5, "lower", OPENINGS,
            "plain file, ms", opening_plain,
        ),
    ]  # fmt: skip


def _packed_bytes(path: Path, key: Key) -> int:
    """The size of a copy without free pages: what filling left half empty is not the cipher's."""
    copy = path.with_suffix(".packed")
    copy.unlink(missing_ok=True)
    raw = connect(path, key, cache_kib=WRITER_CACHE_KIB, writer=True)
    raw.execute("VACUUM INTO ?", (str(copy),))
    raw.close()
    size = copy.stat().st_size
    copy.unlink()
    return size


def _open_ms(path: Path, key: Key) -> float:
    began = time.perf_counter()
    store = Store.open(path, key)
    with store.read() as conn:
        conn.execute("SELECT count(*) FROM meta").fetchone()
    took = time.perf_counter() - began
    store.close()
    return took * 1000
