"""The numbered schema steps that this version ships, for each database a folder of headoffice/migrations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from headoffice.store.errors import MigrationChanged, NewerSchema

_MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
SQLITE: Final = _MIGRATIONS / "sqlite"
POSTGRESQL: Final = _MIGRATIONS / "postgresql"
_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


class Step(NamedTuple):
    """One numbered migration; its checksum is over the text with line ends as LF."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> bytes:
        """What is recorded of it."""
        return sha256(self.sql.encode()).digest()


@cache
def shipped(folder: Path) -> tuple[Step, ...]:
    """The steps of this version in order, read once a process. A gap or a strange name is a mistake of ours."""
    steps = []
    for path in sorted(folder.glob("*.sql")):
        parts = _NAME.fullmatch(path.name)
        assert parts, f"{path.name} is not NNNN_name.sql"
        steps.append(Step(int(parts[1]), parts[2], path.read_text(encoding="utf-8")))
    numbers = [step.number for step in steps]
    assert numbers == list(range(1, len(steps) + 1)), f"steps have a gap or a twin: {numbers}"
    return tuple(steps)


def compared(had: Sequence[tuple[int, bytes]], steps: Sequence[Step], place: object) -> int:
    """How many steps a store has had, of its recorded numbers and checksums; each must be the one shipped.

    Raises NewerSchema or MigrationChanged, about the store at `place`.
    """
    if len(had) > len(steps):
        raise NewerSchema(place, len(had), len(steps))
    for (number, checksum), step in zip(had, steps, strict=False):
        if (number, checksum) != (step.number, step.sha256):
            raise MigrationChanged(place, number)
    return len(had)
