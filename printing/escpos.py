"""The laid-out page as ESC/POS bytes for a printer of a given profile (printing.md section 2).

The drawer is never opened from here: a kick inside a receipt would be repeated by a reprint.
Raster and its imaging library are imported when the first line has to be drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from printing import codes
from printing.layout import (
    COLUMN_DOTS,
    COLUMNS_58_MM,
    COLUMNS_80_MM,
    Bars,
    Bitmap,
    Element,
    Knife,
    Line,
    Matrix,
    Page,
)

_BAND_ROWS_MAX = 100  # larger images come out as garbage on common models
_BAND_ROWS_BAD = 48  # some clones misread an image whose height is a multiple of this
_FEED_LINES_WITHOUT_KNIFE = 4

DRAWER_PULSE = b"\x1bp\x00\x32\xc8"
"""A job of its own: 100 ms on pin 2, then 400 ms of rest (printing.md section 2)."""

_INIT = b"\x1b@\x1bR\x00"  # set 0 is USA; in set 15, China, a dollar would print as a yen
_CHINESE_ON, _CHINESE_OFF = b"\x1c&", b"\x1c."
_LEFT, _CENTER = b"\x1ba\x00", b"\x1ba\x01"
_CUT = {"partial": b"\x1dVB\x00", "full": b"\x1dVA\x00", "none": b"\n" * _FEED_LINES_WITHOUT_KNIFE}
# Clones keep a size of their own for Chinese, so both are always set together.
_SIZES = {
    (x, y): bytes((0x1D, 0x21, (x - 1) << 4 | (y - 1), 0x1C, 0x21, (x - 1) << 2 | (y - 1) << 3))
    for x in (1, 2)
    for y in (1, 2)
}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a printer can do, as data. `raster-only` is for models without Chinese; `native_codes`
    says that the printer draws Code 128 and QR codes itself.
    """

    columns: int
    encoding: Literal["gb18030", "raster-only"] = "gb18030"
    cutter: Literal["partial", "full", "none"] = "partial"
    native_codes: bool = True

    @property
    def dots(self) -> int:
        return self.columns * COLUMN_DOTS


PROFILE_80_MM = Profile(COLUMNS_80_MM)
PROFILE_58_MM = Profile(COLUMNS_58_MM, cutter="none")


def receipt_bytes(page: Page, profile: Profile) -> bytes:
    """The job for a page that was laid out for this printer's columns."""
    assert page.columns == profile.columns, (
        "a page is printed on the paper that it was laid out for"
    )
    job = _Job(profile)
    for element in page.elements:
        job.add(element)
    return bytes(job.sent)


class _Job:
    """The bytes so far and the printer's state after them, so that only changes are sent."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._as_text = profile.encoding == "gb18030"
        self._size = (1, 1)
        self._bold = False
        self._invert = False
        self.sent = bytearray(_INIT + (_CHINESE_ON if self._as_text else _CHINESE_OFF))

    def add(self, element: Element) -> None:
        match element:
            case Line():
                if not element.cells and not element.invert:
                    self.sent += b"\n"
                elif self._as_text and not element.raster:
                    self._text(element)
                else:
                    self._raster(element)
            case Bars() if self._profile.native_codes:
                self._bars(element)
            case Matrix() if self._profile.native_codes:
                self._matrix(element)
            case Knife():
                self._style((1, 1), bold=False, invert=False)
                self.sent += _CUT[self._profile.cutter]
            case _:
                self._raster(element)

    def _style(self, size: tuple[int, int], *, bold: bool, invert: bool) -> None:
        if size != self._size:
            self.sent += _SIZES[size]
            self._size = size
        if bold != self._bold:
            self.sent += b"\x1bE" + bytes((bold,))
            self._bold = bold
        if invert != self._invert:
            self.sent += b"\x1dB" + bytes((invert,))
            self._invert = invert

    def _text(self, line: Line) -> None:
        size = (line.scale_x, line.scale_y)
        if line.scale_x == 1:
            self._style(size, bold=line.bold, invert=line.invert)
            said = line.text
            if line.invert:
                last = line.cells[-1]
                said += " " * (self._profile.columns - last.column - last.columns)
            self.sent += said.encode("gb18030") + b"\n"
            return
        # A wide text may start at an odd column, so the blanks around it are narrow ones of its
        # height.
        narrow, column = (1, line.scale_y), 0
        for cell in line.cells:
            if cell.column > column:
                self._style(narrow, bold=line.bold, invert=line.invert)
                self.sent += b" " * (cell.column - column)
            self._style(size, bold=line.bold, invert=line.invert)
            self.sent += cell.text.encode("gb18030")
            column = cell.column + cell.columns
        if line.invert and column < self._profile.columns:
            self._style(narrow, bold=line.bold, invert=True)
            self.sent += b" " * (self._profile.columns - column)
        self.sent += b"\n"

    def _raster(self, element: Element) -> None:
        from printing.raster import element_bitmap

        self._style((1, 1), bold=False, invert=False)
        for band in bands(element_bitmap(element, self._profile.columns)):
            across = len(band.rows) // band.height
            sizes = across.to_bytes(2, "little") + band.height.to_bytes(2, "little")
            self.sent += b"\x1dv0\x00" + sizes + _without_real_time(band.rows)

    def _bars(self, bars: Bars) -> None:
        self._style((1, 1), bold=False, invert=False)
        # The brace begins a command inside the data, so a brace that is meant is doubled.
        data = b"".join(
            b"{B" + text.replace("{", "{{").encode()
            if code_set == "B"
            else b"{C" + bytes(int(text[place : place + 2]) for place in range(0, len(text), 2))
            for code_set, text in codes.code128_segments(bars.data)
        )
        self.sent += _CENTER + b"\x1dH\x02\x1df\x00"
        self.sent += bytes((0x1D, 0x68, bars.bar_height_dots, 0x1D, 0x77, bars.module_dots))
        self.sent += b"\x1dkI" + bytes((len(data),)) + data + _LEFT

    def _matrix(self, matrix: Matrix) -> None:
        self._style((1, 1), bold=False, invert=False)
        data = matrix.data.encode()
        self.sent += b"\n" + _CENTER + b"\x1d(k\x04\x001A2\x00"
        self.sent += b"\x1d(k\x03\x001C" + bytes((matrix.module_dots,)) + b"\x1d(k\x03\x001E1"
        self.sent += b"\x1d(k" + (len(data) + 3).to_bytes(2, "little") + b"1P0" + data
        self.sent += b"\x1d(k\x03\x001Q0" + _LEFT + b"\n"


def _without_real_time(rows: bytes) -> bytes:
    """Dots that no printer takes for DLE DC4: it would open the drawer or switch off in the middle
    of a picture. One dot more is the price.
    """
    return rows.replace(b"\x10\x14", b"\x10\x15")


def bands(bitmap: Bitmap) -> list[Bitmap]:
    """The bitmap in bands of at most 100 rows, none a multiple of 48 rows high: a white row is
    added to such a one.
    """
    across = (bitmap.width + 7) // 8
    cut = []
    for top in range(0, bitmap.height, _BAND_ROWS_MAX):
        rows = bitmap.rows[top * across : (top + _BAND_ROWS_MAX) * across]
        height = len(rows) // across
        if height % _BAND_ROWS_BAD == 0:
            rows, height = rows + bytes(across), height + 1
        cut.append(Bitmap(bitmap.width, height, rows))
    return cut
