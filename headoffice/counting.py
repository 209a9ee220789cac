"""What head office counts row by row of a chain when the writer looks around: not after each commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from headoffice import erasures, flags, shared_values, waiting
from headoffice.directory import Directory
from headoffice.store.plain import Plain


class Counted(NamedTuple):
    """quarantined: events that were kept and not applied; unseen: of them those that nobody has looked at;
    asked: what waits for a second person; flagged: documents that differ; shared: members with one card;
    erased: people whom a till has yet to forget."""

    quarantined: int
    unseen: int
    asked: Sequence[waiting.Waiting]
    flagged: flags.Unseen
    shared: shared_values.Look
    erased: erasures.Waiting


def count(plain: Plain, directory: Directory, tenant: bytes, now_ms: int) -> Counted:
    """All of it, of one chain, inside a transaction."""
    return Counted(
        directory.quarantined(tenant), directory.unseen(tenant), waiting.waiting(plain, tenant, now_ms),
        flags.unseen(plain, tenant), shared_values.look(plain, tenant),
        erasures.Erasures(plain, tenant).waiting(now_ms),
    )  # fmt: skip
