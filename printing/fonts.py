"""Which shipped font draws a character: the mono face for narrow cells, the Chinese face for
full-width ones, and for rare Han that it lacks the face of those.

Coverage is read from the fonts' own tables, because a missing glyph is silent in every drawing
library. A character that no shipped font has is drawn by the renderers as a box holding its code
point, never left blank.
"""

from __future__ import annotations

from functools import cache

from fontTools.ttLib import TTFont

from resources import FONT_MONO, FONT_MONO_BOLD, FONT_RARE, FONT_SANS, FONT_SANS_BOLD, font_path

_FACES = {False: (FONT_MONO, FONT_SANS), True: (FONT_MONO_BOLD, FONT_SANS_BOLD)}


@cache
def coverage(name: str) -> frozenset[int]:
    """The code points that a shipped font has a glyph for."""
    with TTFont(font_path(name), lazy=True) as font:
        return frozenset(font.getBestCmap())


@cache
def face_for(character: str, *, columns: int, bold: bool) -> str | None:
    """The font that draws the character in a cell of so many columns, or None when no shipped font
    has it.
    """
    mono, sans = _FACES[bold]
    wanted = (mono, sans) if columns == 1 else (sans, mono, FONT_RARE)
    return next((name for name in wanted if ord(character) in coverage(name)), None)


def is_mono(name: str) -> bool:
    """Whether the font is one of the narrow faces."""
    return name in (FONT_MONO, FONT_MONO_BOLD)


# The digits 0 to F on 3 x 5 dots, five rows of three bits each, as octal digits.
_TINY_DIGITS = (
    *("75557", "26227", "71747", "71717", "55711", "74717", "74757", "71122"),
    *("75757", "75717", "25755", "65656", "34443", "65556", "74647", "74644"),
)


def code_point_dots(character: str, *, columns: int) -> list[tuple[int, int, int, int]]:
    """What stands for a character that no shipped font has: rectangles (x, y, width, height) in
    the dots of a cell of 12 * columns x 24, a frame around the hex digits of its code point.
    """
    width = 12 * columns
    digits = f"{ord(character):04X}"
    across, size = (3, 2) if columns == 2 else (2, 1)
    drawn = [(0, 0, width, 1), (0, 23, width, 1), (0, 0, 1, 24), (width - 1, 0, 1, 24)]
    rows = -(-len(digits) // across)
    top = (24 - rows * 6 * size + size) // 2
    for place, digit in enumerate(digits):
        left = 2 + place % across * (3 * size + 1)
        for row, bits in enumerate(_TINY_DIGITS[int(digit, 16)]):
            y = top + (place // across * 6 + row) * size
            drawn += [
                (left + bit * size, y, size, size) for bit in range(3) if int(bits) >> (2 - bit) & 1
            ]
    return drawn
