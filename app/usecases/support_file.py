"""A file for whoever helps: logs, versions, health, settings. No member, no key, no PIN is in it (S1).

Logs are written without personal values in the first place; what looks like one is blotted out here once more,
because an error's own text can quote what somebody typed.
"""

from __future__ import annotations

import io
import json
import platform
import re
import zipfile
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Final

from app.context import Changes, Context, Session
from app.domain.errors import Outage, Unavailable
from app.domain.rights import Right
from app.queries.health import health
from app.queries.readers import require_look
from app.settings import Settings
from app.usecases.done import Done
from app.usecases.rights import require
from app.usecases.take_out import record_taken_out, write_new
from db.engine import Reader

FOLDER: Final = "support"
_LOG_MOST: Final = 2_000_000
_PACKAGES: Final = ("PySide6-Essentials", "sqlcipher3", "SQLAlchemy", "msgspec", "cryptography")
_SETTINGS: Final = frozenset(
    {"language", "theme", "scale_percent", "counter", "receipt", "scanner"}
)
"""Parts of the settings that go along: no folder, for its name may be a person's, and no text of slips."""
_BLOTS: Final = (
    re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
    re.compile(r"\+?\d[\d ]{6,}\d"),
    re.compile(r"(?i)\b[0-9a-f]{32,}\b"),
    re.compile(r"[\u3400-\u9fff]+"),
    re.compile(r"'[^'\n]*'|\"[^\"\n]*\""),
)
"""E-mail, digits like a phone's or a card's, keys and ids in hex, Chinese text, whatever is quoted."""


@dataclass(frozen=True, slots=True)
class SaveSupportFile:
    """Save it into `folder`, None: beside the store."""

    command_id: bytes
    session: Session
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class SupportRead:
    """What goes into the file, by its name in it; nothing is recorded yet."""

    command: SaveSupportFile
    parts: dict[str, str]


def save_support_file(ctx: Context, command: SaveSupportFile) -> Done[Path]:
    """Read, record, then write, one after the other. Raises Refused(NOT_ALLOWED), Unavailable(FILE_FAILED)."""
    read = read_support(ctx, command)
    return Done(
        write_support(ctx, read, record_support(ctx, read)), Changes(), warning=ctx.warning()
    )


def read_support(ctx: Context, command: SaveSupportFile) -> SupportRead:
    """Health, versions and logs (report lane: logs are long). Raises Refused(NOT_ALLOWED),
    Unavailable(FILE_FAILED)."""
    with ctx.read(Reader.REPORT) as conn:
        require_look(conn, command.session, Right.SETTINGS)
    parts = {
        "health.json": _json(asdict(health(ctx))),
        "versions.json": _json(_versions()),
        "settings.json": _json(_settings(ctx.settings)),
    }
    try:
        for log in sorted((ctx.folder / "logs").glob("*.log*")):
            text = log.read_bytes()[-_LOG_MOST:].decode("utf-8", "replace")
            parts[f"logs/{log.name}"] = blotted(text)
    except OSError as error:
        raise Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""}) from error
    return SupportRead(command, parts)


def record_support(ctx: Context, read: SupportRead) -> int:
    """The number of the event that says so, recorded before anything leaves (db lane). Raises
    Refused(NOT_ALLOWED)."""
    command = read.command
    with ctx.write(command.command_id) as tx:
        if tx.known is None:
            require(ctx, tx.conn, command.session, Right.SETTINGS, command_id=command.command_id)
            record_taken_out(tx, command.session, "support", "zip", 0)
        assert tx.event is not None, "recorded now or before"
        return tx.event.seq


def write_support(ctx: Context, read: SupportRead, seq: int) -> Path:
    """Write the file (report lane). Raises Unavailable(FILE_FAILED)."""
    folder = read.command.folder or ctx.folder / FOLDER
    path = folder / f"regulars-support-{ctx.till.till}-{seq}.zip"
    return write_new(path, _zip(read.parts))


def _settings(chosen: Settings) -> dict[str, object]:
    """The parts that go along; of a printer that is a file or a folder no more than that it is one."""
    printer = chosen.receipt.printer
    if printer.startswith("file:"):
        chosen = replace(chosen, receipt=replace(chosen.receipt, printer="file:"))
    return {name: part for name, part in asdict(chosen).items() if name in _SETTINGS}


def blotted(text: str) -> str:
    """A log without what could be somebody's, line by line; times and codes stay."""
    lines = []
    for line in text.splitlines():
        stamp = _STAMP.match(line)
        start = stamp.end() if stamp else 0
        rest = line[start:]
        for pattern in _BLOTS:
            rest = pattern.sub("▮", rest)
        lines.append(line[:start] + rest)
    return "\n".join(lines) + "\n"


_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": platform.platform()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def _json(plain: object) -> str:
    return json.dumps(plain, indent=2, ensure_ascii=False, default=str) + "\n"


def _zip(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return buffer.getvalue()
