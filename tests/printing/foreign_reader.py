"""The tokenizer of emupos, a simulator of receipt printers that others wrote from Epson's reference.

Where a command begins and ends, which bytes are its data and which are text is decided there; here its tokens
only become lines. It knows no `FS !`, the size of Chinese characters: that comes as unknown bytes, the command
and its number apart.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from types import ModuleType
from typing import Any, Final

_TOKENIZER: Final = "emupos/printer/escpos/tokenizer.py"
_ALIAS: Final = re.compile(r"^type (\w+) = ", re.MULTILINE)
"""How Python 3.12 and later name a type: the file's only two lines that 3.11 doesn't read."""
CHINESE_SIZE: Final = b"\x1c!"


@dataclass(frozen=True, slots=True)
class Read:
    """One thing on paper: `text`, raster `image`, `code128`, `qr` or `cut`; `data` is its bytes."""

    kind: str
    data: bytes


def read(job: bytes) -> tuple[list[Read], list[str]]:
    """What a job prints, from top to bottom, and the names of its commands.

    Raises:
        AssertionError: bytes that are no command, a command cut off, or a line without an end.
    """
    tokenizer = _tokenizer().Tokenizer()
    tokens = tokenizer.feed(job)
    assert tokenizer.close() is None, "the job ends in the middle of a command"
    found: list[Read] = []
    names: list[str] = []
    line, qr, size_next = b"", b"", False
    for token in tokens:
        match type(token).__name__:
            case "Text":
                line += token.data
            case "Unknown":
                assert size_next != (token.raw == CHINESE_SIZE), token.raw
                size_next = not size_next
            case _:
                names.append(token.name)
                qr = _stored(token, qr)
                thing = _printed(token, line, qr)
                if thing is not None:
                    found.append(thing)
                    line = b""
    assert line == b"", "the job ends in the middle of a line"
    return found, names


def _printed(token: Any, line: bytes, qr: bytes) -> Read | None:
    match token.name:
        case "LF":
            return Read("text", line)
        case "GS v 0":
            return Read("image", token.data)
        case "GS k":
            return Read("code128", token.data[1:])
        case "GS ( k" if token.data[1:2] == b"Q":
            return Read("qr", qr)
        case "GS V":
            return Read("cut", b"")
    return None


def _stored(token: Any, before: bytes) -> bytes:
    """The text of a QR code is stored by one command and printed by another."""
    is_store = token.name == "GS ( k" and token.data[1:2] == b"P"
    return bytes(token.data[3:]) if is_store else before


@cache
def _tokenizer() -> ModuleType:
    """The tokenizer's file as it is in the package, but for the spelling of its aliases."""
    path = distribution("emupos").locate_file(_TOKENIZER)
    with open(str(path), encoding="utf-8") as file:
        source = _ALIAS.sub(r"\1 = ", file.read())
    module = ModuleType("foreign_tokenizer")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(compile(source, str(path), "exec"), vars(module))
    return module
