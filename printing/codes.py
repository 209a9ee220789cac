"""Bar codes as bars and QR codes as modules, without a font, a page or a printer.

Code 128 is our own (a table and a check sum, ISO/IEC 15417); QR matrices come from segno,
imported when the first one is drawn. Sizes are known without drawing, so that a layout needs
neither.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

CodeSet = Literal["B", "C"]

# Widths of bar, space, bar … in modules for the values 0 to 105 and the stop pattern.
_DIGITS = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132"
    "122231113222123122123221223211221132221231213212223112312131311222321122321221312212"
    "322112322211212123212321232121111323131123131321112313132113132311211313231113231311"
    "112133112331132131113123113321133121313121211331231131213113213311213131311123311321"
    "331121312113312311332111314111221411431111111224111422121124121421141122141221112214"
    "112412122114122411142112142211241211221114413111241112134111111242121142121241114212"
    "124112124211411212421112421211212141214121412121111143111341131141114113114311411113"
    "4113111131411141313111414111312114122112142112322331112"
)
_PATTERNS = (*(_DIGITS[place : place + 6] for place in range(0, 636, 6)), _DIGITS[636:])
_START: dict[CodeSet, int] = {"B": 104, "C": 105}
_SWITCH: dict[CodeSet, int] = {"B": 100, "C": 99}
_STOP = 106

# Bytes that QR versions 1, 2, 3 … hold in byte mode at level M (ISO/IEC 18004, table 7).
_QR_BYTES_M = (14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331)


def code128_segments(data: str) -> tuple[tuple[CodeSet, str], ...]:
    """The data cut into code sets: C (two digits a symbol) where it makes the code shorter, else
    B.
    """
    segments: list[tuple[CodeSet, str]] = []
    end = 0
    for match in re.finditer(r"[0-9]{4,}", data):
        start, stop = match.span()
        at_edge = start == 0 or stop == len(data)
        if stop - start < 6 and not at_edge:
            continue
        if (stop - start) % 2:
            start, stop = (start, stop - 1) if start == 0 else (start + 1, stop)
        if start > end:
            segments.append(("B", data[end:start]))
        segments.append(("C", data[start:stop]))
        end = stop
    if end < len(data):
        segments.append(("B", data[end:]))
    return tuple(segments)


def _values(data: str) -> list[int]:
    values: list[int] = []
    for code_set, text in code128_segments(data):
        values.append(_SWITCH[code_set] if values else _START[code_set])
        if code_set == "C":
            values += [int(text[place : place + 2]) for place in range(0, len(text), 2)]
        else:
            values += [ord(character) - 32 for character in text]
    check = values[0] + sum(place * value for place, value in enumerate(values))
    return [*values, check % 103, _STOP]


def code128_modules(data: str) -> int:
    """The width of the code in modules, without quiet zones."""
    symbols = sum(
        1 + len(text) // (2 if code_set == "C" else 1) for code_set, text in code128_segments(data)
    )
    return 11 * (symbols + 1) + 13


def code128_bars(data: str) -> tuple[int, ...]:
    """Widths in modules, bar and space by turns, beginning and ending with a bar."""
    return tuple(int(width) for value in _values(data) for width in _PATTERNS[value])


def _qr_version(data: str) -> int:
    length = len(data.encode())
    return next(number for number, room in enumerate(_QR_BYTES_M, start=1) if length <= room)


def qr_size(data: str) -> int:
    """Modules along one side, without the quiet zone. The data is at most document.QR_BYTES_MAX
    bytes long.
    """
    return 17 + 4 * _qr_version(data)


@lru_cache(maxsize=64)
def qr_modules(data: str) -> tuple[bytes, ...]:
    """Rows of modules, 1 is dark, without the quiet zone."""
    import segno

    code = segno.make_qr(
        data, error="m", mode="byte", encoding="utf-8", version=_qr_version(data), boost_error=False
    )
    return tuple(bytes(row) for row in code.matrix)
