"""What opening or writing a store may say no with. Facts in English, for the operator's log."""

from __future__ import annotations

from pathlib import Path


class StoreError(Exception):
    """The store can't be used as asked; nothing of the request was kept."""


class StoreBusy(StoreError):
    """Another connection was writing for longer than this one waits."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__(
            f"another process has been writing to the store for {wait_ms} ms: "
            "one store has one head office process"
        )


class NotAStore(StoreError):
    """The file is no store of head office."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is not a head office store: {why}")


class NewerSchema(StoreError):
    """A later version of this program has changed the schema."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(f"{path} has schema {found}, this version knows {known}: upgrade first")


class MigrationChanged(StoreError):
    """A recorded step is not the one that this version ships."""

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(f"{path}: step {number} differs from the shipped file")
