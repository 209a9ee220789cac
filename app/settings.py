"""Machine settings: one typed frozen record, read from `settings.toml` beside the store.

A value that doesn't fit is an error that names its key. A key that isn't known is told and passed over: a typo
must not silently mean "default", but a file of another version must still open its store. Shop policy is not
here (it is in the programme), secrets neither (key store).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, cast, get_args, get_origin, get_type_hints

import tomli_w

FILE_NAME: Final = "settings.toml"
Language = Literal["zh_CN", "en"]
Theme = Literal["light", "dark", "contrast"]


class BadSettings(ValueError):
    """`path` names the key that has a wrong value."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True)
class ShopTexts:
    """What the head and foot of a receipt say."""

    name: str = ""
    name_en: str = ""
    address: str = ""
    phone: str = ""
    footer: str = ""
    footer_en: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptSettings:
    """`printer` is "" (none), "tcp://host:port" or "file:///folder/or/file"; `paper_mm` 58 or 80."""

    printer: str = ""
    paper_mm: Literal[58, 80] = 80
    profile: Literal["gb18030", "raster-only"] = "gb18030"
    bilingual: bool = True
    cutter: bool = True


@dataclass(frozen=True, slots=True)
class CounterSettings:
    """How the counter behaves on this machine. Times in seconds, limits in minor units."""

    default_tender: Literal["cash", "qr", "card"] = "cash"
    numpad_operators: bool = True
    sale_limit_minor: int = 50_000_00
    idle_lock_s: int = 180
    sound: bool = True


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """A keyboard-wedge scanner: what it types in front of a code, and the longest gap in ms."""

    prefix: str = ""
    gap_ms: int = 35


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Where backups go: a folder on another disk or a stick, "" for one beside the store."""

    folder: str = ""


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """Reports that are saved: in `folder`, "" for one beside the store. After a close they are printed, saved,
    or neither; `which` are their codes, comma-separated."""

    folder: str = ""
    after_close: Literal["none", "print", "pdf", "xlsx", "csv"] = "none"
    which: str = "overview,tender,category,cashier"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that belongs to this machine. Changed through `save`, read again by whoever needs it."""

    language: Language = "zh_CN"
    theme: Theme = "light"
    scale_percent: Literal[100, 115, 125, 150] = 100
    journal_folder: str = ""
    shop: ShopTexts = field(default_factory=ShopTexts)
    receipt: ReceiptSettings = field(default_factory=ReceiptSettings)
    counter: CounterSettings = field(default_factory=CounterSettings)
    scanner: ScannerSettings = field(default_factory=ScannerSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    reports: ReportSettings = field(default_factory=ReportSettings)


def _quiet(key: str) -> None:
    del key


def load(folder: Path, *, unknown: Callable[[str], None] = _quiet) -> Settings:
    """The settings of a store's folder; defaults when there is no file. `unknown` is told the path of
    each key that this version doesn't know. Raises BadSettings, OSError."""
    path = folder / FILE_NAME
    if not path.exists():
        return Settings()
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(FILE_NAME, str(error)) from error
    return cast(Settings, _from_plain(Settings, plain, "", unknown))


def save(folder: Path, settings: Settings) -> None:
    """Write the settings: temp file, fsync, replace. Raises OSError."""
    path = folder / FILE_NAME
    temp = path.with_suffix(".tmp")
    with temp.open("wb") as out:
        tomli_w.dump(_to_plain(settings), out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(temp, path)


def _to_plain(record: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for one in fields(record):
        value = getattr(record, one.name)
        plain[one.name] = _to_plain(value) if hasattr(value, "__dataclass_fields__") else value
    return plain


def _from_plain(
    kind: type, plain: dict[str, Any], path: str, unknown: Callable[[str], None]
) -> object:
    hints = _hints(kind)
    for key in plain:
        if key not in hints:
            unknown(path + key)
    values = {
        key: _value(hints[key], value, path + key, unknown)
        for key, value in plain.items()
        if key in hints
    }
    return kind(**values)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, value: Any, path: str, unknown: Callable[[str], None]) -> object:
    if hasattr(hint, "__dataclass_fields__"):
        if not isinstance(value, dict):
            raise BadSettings(path, "must be a table")
        return _from_plain(hint, value, path + ".", unknown)
    if get_origin(hint) is Literal:
        allowed = get_args(hint)
        if value not in allowed or type(value) is not type(allowed[0]):
            raise BadSettings(path, f"must be one of {', '.join(map(str, allowed))}")
        return cast(object, value)
    assert not isinstance(hint, UnionType), "settings have one type each"
    if type(value) is not hint:
        raise BadSettings(path, f"must be of type {hint.__name__}")
    if hint is int and value < 0:
        raise BadSettings(path, "must not be negative")
    return cast(object, value)
