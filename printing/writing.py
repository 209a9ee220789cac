"""Proportional text on a PDF page: how wide it is, where it breaks, and drawing it with no character blank.

Sizes are PDF points. What a text says and where it stands is its caller's.
"""

from __future__ import annotations

import unicodedata
from contextlib import nullcontext
from functools import lru_cache
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from printing.fonts import face_for
from printing.pdf import beyond_reportlab, registered, said_as

_NOT_FIRST: Final = frozenset("，。、；：？！）》」』”’…·,.;:?!)]}%")
"""Signs that never begin a line."""
_NOT_LAST: Final = frozenset("（《「『“‘([{¥$")
"""Signs that never end one."""


@lru_cache(maxsize=4096)
def runs(text: str, *, bold: bool = False) -> tuple[tuple[str, str], ...]:
    """(font, text): the text in pieces of one shipped font each. A character that none has is spelled out as
    its code point."""
    found: list[tuple[str, str]] = []
    for character in text:
        font, said = face_for(character, columns=2, bold=bold), character
        if font is None:
            said = f"[U+{ord(character):04X}]"
            font = face_for("U", columns=2, bold=bold)
            assert font is not None, "every face has the letters"
        apart = beyond_reportlab(said[-1])
        if found and found[-1][0] == font and not apart and not beyond_reportlab(found[-1][1][-1]):
            found[-1] = (font, found[-1][1] + said)
        else:
            found.append((font, said))
    return tuple(found)


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is, in points."""
    return size * _wide(text, bold)


@lru_cache(maxsize=4096)
def _wide(text: str, bold: bool) -> float:
    """In parts of the size: a table is measured at several."""
    return sum(
        pdfmetrics.stringWidth(said, registered(font), 1) for font, said in runs(text, bold=bold)
    )


def write(
    canvas: Canvas, text: str, x: float, y: float, size: float, *, bold: bool = False
) -> None:
    """Draw a text with its base line at y, in the colour that the canvas has."""
    for font, said in runs(text, bold=bold):
        canvas.setFont(registered(font), size)
        with said_as(canvas, said) if beyond_reportlab(said[-1]) else nullcontext():
            canvas.drawString(x, y, said)
        x += width_of(said, size, bold=bold)


def broken(text: str, size: float, width: float, *, bold: bool = False) -> tuple[str, ...]:
    """The text in lines of at most this width: at blanks, between Chinese characters (never before a closing
    sign), and inside a word only where the word alone is too wide."""
    if width_of(text, size, bold=bold) <= width:
        return (text,)
    lines, line = [], ""
    for piece in pieces(text):
        if width_of((line + piece).rstrip(), size, bold=bold) <= width:
            line += piece
            continue
        if line:
            lines.append(line.rstrip())
        line = piece
        while width_of(line.rstrip(), size, bold=bold) > width:
            fits = next(
                n for n in range(len(line) - 1, 0, -1)
                if n == 1 or width_of(line[:n], size, bold=bold) <= width
            )  # fmt: skip
            lines.append(line[:fits])
            line = line[fits:]
    return (*lines, line.rstrip())


def pieces(text: str) -> list[str]:
    """What stays together: a word with the blanks behind it, a Chinese character with its signs."""
    found: list[str] = []
    for character in text:
        if found and not _may_part(found[-1][-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def _may_part(before: str, after: str) -> bool:
    if after == " " or after in _NOT_FIRST or before in _NOT_LAST:
        return False
    return before == " " or _is_wide(before) or _is_wide(after)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
