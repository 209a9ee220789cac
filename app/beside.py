"""What lies beside a backup and tells how far its till had come: signed day closes, and other backups.

An older backup is sound by itself; only these show that it is an older one. Each is believed only with the
till's own signature or seal. Nothing is restored here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app import statement
from app.backup import BadBackup, Manifest, check_seal, listed
from app.log import log
from app.statement import BadStatement


@dataclass(frozen=True, slots=True)
class Told:
    """A file or a backup beside: its name, the last event that it knows of, and the number of the close that it
    is (0 for a backup). `since` says that its till had been brought back once more by then: whatever its events
    are numbered, they are later. `restores` is how often it had been, as a backup says; 0 for a close."""

    name: str
    seq: int
    close: int = 0
    since: bool = False
    restores: int = 0


def told_beside(
    folder: Path, manifest: Manifest, data_key: bytes, public: bytes | None
) -> tuple[Told, ...]:
    """What lies in the folder around a backup and is of the till of `manifest`. `public` is its key, None for
    a store from before it had one. What can't be read tells nothing: the backup itself has to be whole."""
    try:
        return (*_closes(folder, manifest, public), *_backups(folder, manifest, data_key))
    except OSError as error:
        log.warning("beside the backup: %s", error.strerror)
        return ()


def _closes(folder: Path, manifest: Manifest, public: bytes | None) -> Iterator[Told]:
    for path in sorted(folder.glob("*-Z*.json")):
        try:
            checked = statement.check(path.read_bytes())
            facts = checked.facts
            whose = (facts["tenant"], facts["device"])
            # The close is the event after those that it proves.
            told = Told(path.name, int(facts["proof"]["events"]) + 1, int(facts["number"]))
        except (OSError, BadStatement, KeyError, TypeError, ValueError):
            continue  # of something else, or altered: `verify --z` says which
        if public in (None, checked.public) and whose == (manifest.tenant, manifest.device):
            yield told


def _backups(folder: Path, manifest: Manifest, data_key: bytes) -> Iterator[Told]:
    for path in listed(folder):
        try:
            found = check_seal(path, data_key)
        except BadBackup:
            continue
        before, now = manifest.reach[0], found.reach[0]
        # What an earlier restore gave up was told then.
        if found.device == manifest.device and now >= before:
            yield Told(path.name, found.seq, since=now > before, restores=now)
