"""The first start: from a few answers to a store that can sell. Asked by the window's assistant.

There is no default PIN and no way around the passphrase. Where the shop keeps its store is remembered for the
next start in a small file of this user, since the program starts without arguments.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from app.build import NewStore, Till

CURRENCIES: Final = {"CNY": 2, "HKD": 2, "USD": 2, "EUR": 2, "GBP": 2, "JPY": 0}
"""ISO 4217 code and exponent of what the assistant offers."""
_REMEMBERED: Final = "store.path"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the assistant asked. `backup_folder` "" keeps backups beside the store; `till_no` 1 to 99."""

    language: Literal["zh_CN", "en"]
    shop: str
    currency: str
    till_no: int
    folder: Path
    backup_folder: str
    passphrase: str
    initials: str
    name: str
    pin: str


def share() -> Path:
    """Where this user's programs keep what is theirs."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "regulars"


def default_store() -> Path:
    """The store of this user: where the assistant put it, else the usual place."""
    try:
        kept = (share() / _REMEMBERED).read_text(encoding="utf-8").strip()
    except OSError:
        kept = ""
    return Path(kept) if kept else share() / "store"


def may_be_set_up(folder: Path) -> bool:
    """Whether nothing lies here: what is left of a store that doesn't open is never overwritten."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def free_folder(folder: Path) -> Path:
    """A place for a store that comes back: `folder` itself where nothing lies, else a new one beside it."""
    number = 1
    while not may_be_set_up(place := folder if number == 1 else _numbered(folder, number)):
        number += 1
    return place


def _numbered(folder: Path, number: int) -> Path:
    return folder.with_name(f"{folder.name}-{number}")


def passphrase_problem(passphrase: str) -> Literal["", "short", "common"]:
    """Why a passphrase isn't good enough, "" when it is."""
    from app.keyslots.errors import WeakPassphrase
    from app.keyslots.passphrase import require_strong

    try:
        require_strong(passphrase)
    except WeakPassphrase as error:
        return "short" if error.reason == "short" else "common"
    return ""


def set_up(answers: Answers, **surroundings: Any) -> Till:
    """Make the store and open it, with the owner as its manager.

    `surroundings` are those of app.build.create_store. Raises Refused: NAME_NEEDED, STAFF_INITIALS,
    PIN_WEAK; Unavailable: PASSPHRASE_WEAK, STORE_…, FILE_FAILED.
    """
    from app.build import NewStaff, NewStore
    from app.domain.errors import Outage, Refusal, Refused, Unavailable
    from app.settings import BackupSettings, Settings, ShopTexts
    from app.usecases.sign_in import is_weak
    from app.usecases.staff import check_initials

    if not answers.name.strip() or not answers.shop.strip():
        raise Refused(Refusal.NAME_NEEDED)
    if is_weak(answers.pin):
        raise Refused(Refusal.PIN_WEAK)
    initials = check_initials(answers.initials)
    if not may_be_set_up(answers.folder):
        raise Unavailable(Outage.STORE_EXISTS, {"folder": answers.folder.name})
    new = NewStore(
        store=answers.shop.strip(),
        till=f"{answers.till_no:02d}",
        programme=starter_programme(answers.currency),
        staff=(NewStaff(initials, answers.name.strip(), "manager", answers.pin),),
        card_prefix=f"88{answers.till_no:02d}",
        settings=Settings(
            language=answers.language,
            shop=ShopTexts(name=answers.shop.strip()),
            backup=BackupSettings(folder=answers.backup_folder),
        ),
    )
    try:
        if answers.backup_folder:
            Path(answers.backup_folder).mkdir(parents=True, exist_ok=True)
        till = _make(answers, new, surroundings)
        remember(answers.folder)
    except OSError as error:
        raise Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""}) from error
    return till


def _make(answers: Answers, new: NewStore, surroundings: dict[str, Any]) -> Till:
    """Whole or not at all: a set-up that was cut short leaves no half store in the shop's folder."""
    from app.build import create_store, open_till

    folder = answers.folder
    half = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(half, ignore_errors=True)
    try:
        create_store(half, new, passphrase=answers.passphrase, **surroundings).close()
        if folder.exists():
            folder.rmdir()  # Empty: it was looked at.
        half.rename(folder)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return open_till(folder, passphrase=answers.passphrase, **surroundings)


def starter_programme(currency: str) -> dict[str, Any]:
    """The rules to begin with: a point per 100 of the smallest unit, three tiers, a birthday bonus."""
    import resources

    text = resources.programme_path("starter.json").read_text(encoding="utf-8")
    programme: dict[str, Any] = json.loads(text)
    programme["currency"] = {"code": currency, "exponent": CURRENCIES[currency]}
    return programme


def remember(folder: Path) -> None:
    """Where this user's store lies from now on. Raises OSError."""
    usual = share() / "store"
    kept = share() / _REMEMBERED
    if folder == usual:
        kept.unlink(missing_ok=True)
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(str(folder.absolute()), encoding="utf-8")
