"""Head office's part of packaging/requirements.lock, as its image installs it: what is listed below and all
that those need, by the lock's own "via" lines.

    python packaging/headoffice/part_of_lock.py > packaging/headoffice/requirements.lock
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

LOCK: Final = Path(__file__).parent.parent / "requirements.lock"
ROOTS: Final = [
    "argon2-cffi",
    "cryptography",
    "msgspec",
    "phonenumbers",
    "pypinyin",
    "borax",
    "reportlab",
    "pillow",
    "segno",
    "fonttools",
    "httpx",
    "zstandard",
    "starlette",
    "uvicorn",
    "fastapi",
    "psycopg",
    "psycopg-binary",
    "psycopg-pool",
    "jinja2",
    "python-multipart",
    "prometheus-client",
    "pyotp",
    "babel",
]
"""Babel compiles the catalogues while the image is built."""


def part(lock: str) -> str:
    """The entries of a lock that head office needs, as they stand there."""
    entries = {_name(entry): entry for entry in re.split(r"\n(?=[^\s#])", lock.strip())}
    needed = set(ROOTS)
    assert needed <= set(entries), f"not in the lock: {sorted(needed - set(entries))}"
    while True:
        more = {name for name, entry in entries.items() if needed & _needed_by(entry)} - needed
        if not more:
            break
        needed |= more
    return "\n".join(entries[name] for name in sorted(needed)) + "\n"


def _name(entry: str) -> str:
    return re.split(r"[\[=]", entry, maxsplit=1)[0].lower()


def _needed_by(entry: str) -> set[str]:
    via = entry.partition("# via")[2]
    return {line.strip(" #").partition("[")[0].lower() for line in via.splitlines()}


if __name__ == "__main__":
    print(part(LOCK.read_text(encoding="utf-8")), end="")
