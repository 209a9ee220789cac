"""The member card as a PDF of two CR80 pages, front and back (printing.md section 6.2).

Words arrive finished. A tier's colour is taken as a wish: it is darkened, or the letters are,
until small text can be read. A character that no shipped font has refuses the card, because a
card with a hole in a name is worse than none.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from printing import codes
from printing.fonts import coverage
from printing.pdf import MM, beyond_reportlab, open_canvas, registered, said_as
from resources import FONT_MONO, FONT_MONO_BOLD, FONT_RARE, FONT_SANS, FONT_SANS_BOLD

WIDTH_MM, HEIGHT_MM = 85.60, 53.98
STRIPE_TOP_MM, STRIPE_HEIGHT_MM = 4.0, 12.7
CONTRAST_MIN = 5.0  # between letters and ground; 4.5 is the least for small text (WCAG 2.1, 1.4.3)

_EDGE_MM = 6.0
_NAME_PT_MAX, _NAME_PT_ON_ONE_LINE, _NAME_PT_MIN = 14.0, 9.0, 5.0
_QR_PANEL_MM = 18.5
_QR_BYTES_MAX = 84  # 37 modules of 0.4 mm
_MODULE_MM_MAX, _MODULE_MM_MIN = 0.33, 0.25
_QUIET_MODULES = 10
_BAR_HEIGHT_MM = 9.0
_WHITE, _INK = (1.0, 1.0, 1.0), (0.11, 0.11, 0.12)

Colour = tuple[float, float, float]


class CardRefused(ValueError):  # an outcome, named as people say it
    """The card cannot be made well; the message says why and names the characters, if it is them."""


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on a card. `number` is printed in groups of four and as a Code 128, `qr` as a
    QR code; `colour` is #RRGGBB; `mark` a word such as DEMO; `terms` lines for the back. Empty
    texts are left out.
    """

    shop: str
    name: str
    number: str
    qr: str
    tier: str
    colour: str
    shop_second: str = ""
    name_second: str = ""
    tier_second: str = ""
    number_label: str = ""
    valid: str = ""
    signature_label: str = ""
    terms: tuple[str, ...] = ()
    mark: str = ""


def card_pdf(card: Card) -> bytes:
    """Front and back, one page each, exactly CR80. The same card gives the same bytes. Raises
    CardRefused.
    """
    _check(card)
    buffer = io.BytesIO()
    canvas = open_canvas(buffer, WIDTH_MM * MM, HEIGHT_MM * MM, title=card.number)
    _Front(canvas, card).draw()
    canvas.showPage()
    _Back(canvas, card).draw()
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def colours(wish: str) -> tuple[Colour, Colour]:
    """(ground, letters) for a colour #RRGGBB, with a contrast of CONTRAST_MIN or more. Raises
    CardRefused.
    """
    digits = wish.removeprefix("#")
    if len(digits) != 6 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        raise CardRefused(f"no colour: {wish!r}")
    red, green, blue = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    ground: Colour = (red, green, blue)
    if contrast(ground, _WHITE) < CONTRAST_MIN <= contrast(ground, _INK):
        return ground, _INK  # gold and silver stay what they are and carry dark letters
    while contrast(ground, _WHITE) < CONTRAST_MIN:
        ground = _mixed(ground, (0, 0, 0), 0.04)
    return ground, _WHITE


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.1)."""
    lights = sorted((_luminance(one), _luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: Colour) -> float:
    linear = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(colour, other, strict=True))
    return red, green, blue


def _check(card: Card) -> None:
    texts = (
        *(card.shop, card.shop_second, card.name, card.name_second, card.tier, card.tier_second),
        *(card.number, card.number_label, card.valid, card.signature_label, *card.terms, card.mark),
    )
    missing = sorted({c for text in texts for c in text if _face(c, bold=False) is None})
    if missing:
        named = ", ".join(f"{c} (U+{ord(c):04X})" for c in missing)
        raise CardRefused(f"no font has {named}")
    if not (card.number.isascii() and card.number.isprintable() and card.number.strip()):
        raise CardRefused("a card number is printable ASCII")
    if not 0 < len(card.qr.encode()) <= _QR_BYTES_MAX:
        raise CardRefused(f"a QR code on a card holds 1 to {_QR_BYTES_MAX} bytes")
    if _module_mm(card.number) < _MODULE_MM_MIN:
        raise CardRefused("the number is too long for a bar code on a card")


def _face(character: str, *, bold: bool) -> str | None:
    faces = (FONT_SANS_BOLD, FONT_MONO_BOLD) if bold else (FONT_SANS, FONT_MONO)
    return next((name for name in (*faces, FONT_RARE) if ord(character) in coverage(name)), None)


def _module_mm(number: str) -> float:
    room = WIDTH_MM - 2 * _EDGE_MM
    return min(_MODULE_MM_MAX, room / (codes.code128_modules(number) + 2 * _QUIET_MODULES))


def grouped(number: str) -> str:
    """A number of digits in groups of four, as people read it out; any other number as it is."""
    if not number.isdecimal():
        return number
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))


class _Side:
    """One face of the card, in millimetres from its top left corner."""

    def __init__(self, canvas: Canvas, card: Card) -> None:
        self._canvas = canvas
        self._card = card
        self._ground, self._letters = colours(card.colour)

    def _pieces(self, text: str, *, bold: bool) -> Iterator[tuple[str, str]]:
        run, face = "", ""
        for character in text:
            name = _face(character, bold=bold) or FONT_SANS
            if run and name != face:
                yield face, run
                run = ""
            run, face = run + character, name
        if run:
            yield face, run

    def _width_mm(self, text: str, size: float, *, bold: bool) -> float:
        pieces = self._pieces(text, bold=bold)
        return sum(pdfmetrics.stringWidth(run, registered(name), size) for name, run in pieces) / MM

    def _fitted(self, text: str, size: float, room_mm: float, *, bold: bool) -> float:
        """The size in points, `size` or less, at which the text takes no more than the room;
        never below 5.
        """
        taken = self._width_mm(text, size, bold=bold)
        return size if taken <= room_mm else max(size * room_mm / taken, _NAME_PT_MIN)

    def _text(
        self,
        text: str,
        x: float,
        baseline: float,
        size: float,
        colour: Colour,
        *,
        room: float,
        bold: bool = False,
        align: str = "left",
    ) -> None:
        """One line, made smaller to fit `room` millimetres; what doesn't fit at 5 points is cut
        with an ellipsis.
        """
        size = self._fitted(text, size, room, bold=bold)
        if self._width_mm(text, size, bold=bold) > room + 0.01:
            while text and self._width_mm(text + "…", size, bold=bold) > room:
                text = text[:-1]
            text = text.rstrip() + "…"
        taken = self._width_mm(text, size, bold=bold)
        x -= {"left": 0.0, "center": taken / 2, "right": taken}[align]
        self._canvas.setFillColorRGB(*colour)
        left = x * MM
        for name, run in self._pieces(text, bold=bold):
            rare = any(beyond_reportlab(character) for character in run)
            with said_as(self._canvas, run) if rare else nullcontext():
                words = self._canvas.beginText(left, (HEIGHT_MM - baseline) * MM)
                words.setFont(registered(name), size)
                words.textOut(run)
                self._canvas.drawText(words)
            left += pdfmetrics.stringWidth(run, registered(name), size)

    def _box(
        self, x: float, y: float, width: float, height: float, colour: Colour, radius: float = 0
    ) -> None:
        self._canvas.setFillColorRGB(*colour)
        self._canvas.roundRect(
            x * MM,
            (HEIGHT_MM - y - height) * MM,
            width * MM,
            height * MM,
            radius * MM,
            stroke=0,
            fill=1,
        )

    def _dark(self, rectangles: Iterator[tuple[float, float, float, float]]) -> None:
        """Black rectangles as one path, so that neighbours leave no hairline between them."""
        self._canvas.setFillColorRGB(0, 0, 0)
        path = self._canvas.beginPath()
        for x, y, width, height in rectangles:
            path.rect(x * MM, (HEIGHT_MM - y - height) * MM, width * MM, height * MM)
        self._canvas.drawPath(path, stroke=0, fill=1)


class _Front(_Side):
    """Shop and tier above, name and number below, the QR code at the right."""

    def draw(self) -> None:
        card, letters = self._card, self._letters
        self._background()
        right = WIDTH_MM - _EDGE_MM
        self._text(card.shop, _EDGE_MM, 11.2, 13, letters, room=48, bold=True)
        self._text(card.shop_second, _EDGE_MM, 15.4, 6.5, letters, room=48)
        self._text(card.tier, right, 11.2, 12, letters, room=22, bold=True, align="right")
        self._text(card.tier_second, right, 15.4, 6.5, letters, room=22, align="right")
        self._mark(right)
        room = right - _QR_PANEL_MM - 4 - _EDGE_MM
        self._name(room)
        self._text(card.number_label, _EDGE_MM, 41.2, 6, letters, room=room)
        self._text(grouped(card.number), _EDGE_MM, 46.2, 12, letters, room=room, bold=True)
        self._text(card.valid, _EDGE_MM, 50.0, 6, letters, room=room)
        self._code(right - _QR_PANEL_MM, 28.5)

    def _background(self) -> None:
        """Bled to the edge; the rings keep away from the letters' colour, so they never cost
        contrast.
        """
        away: Colour = (0, 0, 0) if self._letters == _WHITE else (1, 1, 1)
        self._box(-1, -1, WIDTH_MM + 2, HEIGHT_MM + 2, self._ground)
        for step, radius in enumerate((62, 50, 38, 26, 14), start=1):
            self._canvas.setFillColorRGB(*_mixed(self._ground, away, 0.045 * step))
            self._canvas.circle(
                WIDTH_MM * 0.93 * MM, HEIGHT_MM * 0.02 * MM, radius * MM, stroke=0, fill=1
            )

    def _name(self, room: float) -> None:
        """On one line, made smaller to fit; a long name of several words takes the second line
        too.
        """
        name, second = self._card.name, self._card.name_second
        size = self._fitted(name, _NAME_PT_MAX, room, bold=True)
        middle = min(
            (place for place, character in enumerate(name) if character == " "),
            key=lambda place: abs(place - len(name) / 2),
            default=None,
        )
        if size >= _NAME_PT_ON_ONE_LINE or second or middle is None:
            self._text(name, _EDGE_MM, 30.5, _NAME_PT_MAX, self._letters, room=room, bold=True)
            self._text(second, _EDGE_MM, 34.6, 7, self._letters, room=room)
            return
        halves = (name[:middle], name[middle + 1 :])
        size = min(self._fitted(half, 10, room, bold=True) for half in halves)
        for half, baseline in zip(halves, (30.5, 34.8), strict=True):
            self._text(half, _EDGE_MM, baseline, size, self._letters, room=room, bold=True)

    def _mark(self, right: float) -> None:
        if self._card.mark:
            width = self._width_mm(self._card.mark, 7, bold=True) + 4
            self._box(right - width, 18.4, width, 4.6, _WHITE, radius=1)
            centre = right - width / 2
            self._text(self._card.mark, centre, 21.7, 7, _INK, room=40, bold=True, align="center")

    def _code(self, left: float, top: float) -> None:
        self._box(left, top, _QR_PANEL_MM, _QR_PANEL_MM, _WHITE, radius=1.6)
        modules = codes.qr_modules(self._card.qr)
        size = _QR_PANEL_MM / (len(modules) + 8)
        self._dark(
            (left + (column + 4) * size, top + (row + 4) * size, size, size)
            for row, line in enumerate(modules)
            for column, dark in enumerate(line)
            if dark
        )


class _Back(_Side):
    """The stripe's zone without ink, the signature field and terms, the bar code with its number."""

    def draw(self) -> None:
        tint = _mixed(self._ground, _WHITE, 0.88)
        below = STRIPE_TOP_MM + STRIPE_HEIGHT_MM
        self._box(-1, below, WIDTH_MM + 2, HEIGHT_MM - below + 1, tint)
        self._signature()
        self._terms()
        self._bar_code()

    def _signature(self) -> None:
        if self._card.signature_label:
            self._box(_EDGE_MM - 0.1, 20.1, 36.2, 7.8, _mixed(_WHITE, _INK, 0.3), radius=0.7)
            self._box(_EDGE_MM, 20.2, 36, 7.6, _WHITE, radius=0.6)
            self._text(self._card.signature_label, _EDGE_MM, 30.6, 5.5, _INK, room=36)

    def _terms(self) -> None:
        left = 46.0 if self._card.signature_label else _EDGE_MM
        for place, line in enumerate(self._card.terms[:3]):
            self._text(line, left, 22.4 + place * 3.4, 5.8, _INK, room=WIDTH_MM - _EDGE_MM - left)

    def _bar_code(self) -> None:
        module = _module_mm(self._card.number)
        width = (codes.code128_modules(self._card.number) + 2 * _QUIET_MODULES) * module
        left, top = (WIDTH_MM - width) / 2, 35.0
        self._box(left, top - 1, width, _BAR_HEIGHT_MM + 2, _WHITE)

        def bars() -> Iterator[tuple[float, float, float, float]]:
            x = left + _QUIET_MODULES * module
            for place, modules in enumerate(codes.code128_bars(self._card.number)):
                if place % 2 == 0:
                    yield x, top, modules * module, _BAR_HEIGHT_MM
                x += modules * module

        self._dark(bars())
        number = grouped(self._card.number)
        self._text(number, WIDTH_MM / 2, 49.2, 8.5, _INK, room=70, bold=True, align="center")
