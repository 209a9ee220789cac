"""The backups in a folder as far as they tell of themselves: when, whose, how large, which one is proposed.

Nothing is opened and no passphrase is known here: a manifest is read and files are measured, so a backup that
looks whole is proven only by app.restore. A stick may take its time: never asked in the window's thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from app import settings
from app.backup import BadBackup, Manifest, has_name, listed, made_at, read_manifest
from app.domain.errors import Outage, Unavailable
from app.protocol.events import instant_of
from app.settings import BadSettings, ShopTexts

_SUBFOLDERS_MOST: Final = 200
"""Of a stick's top folder the folders in it are looked through too; so many, no more."""


@dataclass(frozen=True, slots=True)
class FoundBackup:
    """A backup in its own words.

    made_at    aware, in this computer's zone
    reach      how often its till had been brought back, and its last event: the higher one knows more
    shop       name, English name and code of the store, each "" where it isn't known
    till       its code
    device     which till made it, "" where its manifest can't be read
    whole      its manifest can be read and every file has its size
    proposed   the one to take, at most one of a folder
    """

    path: Path
    made_at: datetime
    reach: tuple[int, int]
    shop: tuple[str, str, str]
    till: str
    device: str
    size_bytes: int
    whole: bool
    proposed: bool = False


def find_backups(source: Path) -> tuple[FoundBackup, ...]:
    """Those in a folder, or in the folders in it, newest first; a backup itself is one. Raises
    Unavailable(BACKUP_FOLDER_GONE): there is no such folder, or it can't be read."""
    try:
        if not source.is_dir():
            raise Unavailable(Outage.BACKUP_FOLDER_GONE, {"folder": str(source)})
        found = [_found(path) for path in _places(source)]
    except OSError as error:
        raise Unavailable(Outage.BACKUP_FOLDER_GONE, {"folder": str(source)}) from error
    return propose(sorted(found, key=lambda each: (each.made_at, each.reach), reverse=True))


def propose(found: Sequence[FoundBackup]) -> tuple[FoundBackup, ...]:
    """The same, with one proposed: of the till whose whole backup is the newest, the one that knows most.
    A clock that went back makes the newest of a till not the one of the latest time, and a till that was
    brought back from an older state counts its events on from there."""
    newest = next((each for each in found if each.whole), None)
    if newest is None:
        return tuple(replace(each, proposed=False) for each in found)
    own = [each for each in found if each.whole and each.device == newest.device]
    best = max(own, key=_reach)
    return tuple(replace(each, proposed=each is best) for each in found)


def without(found: Sequence[FoundBackup], path: Path) -> tuple[FoundBackup, ...]:
    """After one of them proved not to be whole: what is proposed then."""
    return propose([replace(each, whole=each.whole and each.path != path) for each in found])


def of_one_till(found: Sequence[FoundBackup]) -> tuple[Path, ...]:
    """The backups of the till that is proposed, those that know most events first, and among them those that
    can't say whose they are and have its name: never another till's instead of a damaged one."""
    best = next((each for each in found if each.proposed), None)
    own = [
        each
        for each in found
        if best is None
        or each.device == best.device
        or (not each.device and each.till == best.till)
    ]
    return tuple(each.path for each in sorted(own, key=_reach, reverse=True))


def _reach(each: FoundBackup) -> tuple[tuple[int, int], datetime]:
    return each.reach, each.made_at


def _places(source: Path) -> tuple[Path, ...]:
    if has_name(source) or _manifest(source) is not None:
        return (source,)
    here = listed(source)
    if here:
        return here
    inside = sorted(path for path in source.iterdir() if path.is_dir())
    return tuple(path for folder in inside[:_SUBFOLDERS_MOST] for path in _listed(folder))


def _listed(folder: Path) -> tuple[Path, ...]:
    """What a stick keeps for itself (lost+found, a waste bin) may be shut: it has no backups."""
    try:
        return listed(folder)
    except OSError:
        return ()


def _manifest(path: Path) -> Manifest | None:
    try:
        return read_manifest(path)
    except BadBackup:
        return None


def _found(path: Path) -> FoundBackup:
    manifest = _manifest(path)
    sizes = {
        str(file.relative_to(path)): file.stat().st_size
        for file in path.rglob("*")
        if file.is_file()
    }
    size_bytes = sum(sizes.values())
    if manifest is None:
        till, _, seq = path.name.rsplit("-", 2)
        nobody = ("", "", "")
        at = made_at(path).astimezone()
        return FoundBackup(path, at, (0, int(seq)), nobody, till, "", size_bytes, whole=False)
    names = _names(path)
    return FoundBackup(
        path=path,
        made_at=instant_of(manifest.made_at_us).astimezone(),
        reach=manifest.reach,
        shop=(names.name, names.name_en, manifest.store),
        till=manifest.till,
        device=manifest.device,
        size_bytes=size_bytes,
        whole=all(sizes.get(name) == facts.bytes for name, facts in manifest.files.items()),
    )


def _names(path: Path) -> ShopTexts:
    try:
        return settings.load(path).shop
    except (BadSettings, OSError):
        return ShopTexts()
