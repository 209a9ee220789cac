"""Tokens -> QPalette, one style sheet, icons and fonts. The only place that knows Qt's style traps.

A widget gets a Look in its constructor and asks it for pixels, colours, icons and fonts; it never
writes a colour or a pixel count of its own.
"""

from __future__ import annotations

from string import Template
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget

import resources
from ui.tokens import HEIGHTS, PALETTES, TIER_TONES, TYPE, ThemeName

FAMILY: Final = "Noto Sans SC"
MONO_FAMILY: Final = "Noto Sans Mono"
RARE_FAMILY: Final = "Regulars Rare Han"
"""For the characters that the first two lack; named behind them wherever names are drawn."""

_ROLES: Final = (
    (QPalette.ColorRole.Window, "bg"),
    (QPalette.ColorRole.WindowText, "text"),
    (QPalette.ColorRole.Base, "surface"),
    (QPalette.ColorRole.AlternateBase, "sunken"),
    (QPalette.ColorRole.Text, "text"),
    (QPalette.ColorRole.Button, "surface"),
    (QPalette.ColorRole.ButtonText, "text"),
    (QPalette.ColorRole.Highlight, "accent"),
    (QPalette.ColorRole.HighlightedText, "on_accent"),
    (QPalette.ColorRole.PlaceholderText, "muted"),
    (QPalette.ColorRole.ToolTipBase, "text"),
    (QPalette.ColorRole.ToolTipText, "surface"),
    (QPalette.ColorRole.Accent, "accent"),
    (QPalette.ColorRole.Link, "accent_text"),
)


class Look:
    """Theme, scale and density of the window.

    Attributes:
        theme: "light", "dark" or "contrast"; `wear` changes it while running.
        scale_percent: one of SCALES_PERCENT; fixed for the life of the window.
        compact: the dense variant for low screens.
    """

    def __init__(self, theme: ThemeName, *, scale_percent: int = 100, compact: bool = True) -> None:
        self.theme: ThemeName = theme
        self.scale_percent = scale_percent
        self.compact = compact
        self._icons: dict[tuple[str, str, int], QIcon] = {}

    def px(self, size: int) -> int:
        """A design size in this window's pixels, never below 1."""
        return max(1, (size * self.scale_percent + 50) // 100)

    def dense(self, roomy: int, compact: int) -> int:
        """Pixels of a size that has a compact variant."""
        return self.px(compact if self.compact else roomy)

    def hex(self, token: str) -> str:
        return PALETTES[self.theme][token]

    def colour(self, token: str, *, alpha: int = 255) -> QColor:
        colour = QColor(self.hex(token))
        colour.setAlpha(alpha)
        return colour

    def tier_tones(self, step: int, tiers: int) -> tuple[str, str]:
        """(ground, text) tokens of the tier that is `step` steps above the entry tier of `tiers`."""
        if step <= 0:
            return TIER_TONES["plain"]
        return TIER_TONES[("black", "gold", "silver")[min(2, max(0, tiers - 1 - step))]]

    def font(self, size: int, *, bold: bool = False, family: str = FAMILY) -> QFont:
        """A font for painted text; styled widgets get theirs from the sheet."""
        font = QFont([family, RARE_FAMILY])
        font.setPixelSize(self.px(size))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font

    def icon(self, name: str, tone: str = "text2", size: int = 20) -> QIcon:
        """A shipped icon in the colour of the token `tone`; `size` in design pixels."""
        key = (name, self.hex(tone), self.px(size))
        if key not in self._icons:
            self._icons[key] = QIcon(_drawn_icon(*key))
        return self._icons[key]

    def pixmap(self, name: str, tone: str = "muted", size: int = 20) -> QPixmap:
        return self.icon(name, tone, size).pixmap(self.px(size), self.px(size))

    def wear(self, application: QApplication, theme: ThemeName) -> None:
        """Put a theme on the whole application; windows then restyle what they paint."""
        self.theme = theme
        if application.style().objectName() != "fusion":
            application.setStyle("Fusion")
        application.setPalette(self.palette())
        application.setStyleSheet(self.sheet())

    def palette(self) -> QPalette:
        palette = QPalette()
        for role, token in _ROLES:
            palette.setColor(role, self.colour(token))
        return palette

    def sheet(self) -> str:
        """The one style sheet."""
        values: dict[str, str | int] = dict(PALETTES[self.theme])
        values |= {f"f_{name}": self.px(size) for name, size in TYPE.items()}
        values |= {f"h_{name}": self.px(size) for name, size in HEIGHTS.items()}
        values |= {f"p{n}": self.px(n) for n in (2, 3, 4, 6, 8, 10, 11, 12, 14, 16)}
        values |= {"r_chip": self.px(4), "r_control": self.px(8), "r_card": self.px(12)}
        return _SHEET.substitute(values)


def load_fonts() -> None:
    """Register the shipped fonts with Qt (6 ms)."""
    for name in (
        resources.FONT_SANS,
        resources.FONT_SANS_BOLD,
        resources.FONT_MONO,
        resources.FONT_MONO_BOLD,
        resources.FONT_RARE,
    ):
        if QFontDatabase.addApplicationFont(str(resources.font_path(name))) < 0:
            raise FileNotFoundError(resources.font_path(name))


def set_style(widget: QWidget, **properties: str) -> None:
    """Give a widget the properties that the sheet selects by, also after it was shown."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def _drawn_icon(name: str, colour: str, size: int) -> QPixmap:
    svg = resources.icon_path(name).read_text("utf-8").replace("currentColor", colour)
    ratio = QApplication.primaryScreen().devicePixelRatio()
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    pixmap.setDevicePixelRatio(ratio)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


_SHEET: Final = Template("""
* { font-family: "Noto Sans SC", "Regulars Rare Han"; font-size: ${f_body}px; color: $text; outline: 0; }
QMainWindow, #root { background: $bg; }
QLabel { background: transparent; }
QLabel[role="caption"] { color: $muted; font-size: ${f_caption}px; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="text2"] { color: $text2; }
QLabel[role="strong"] { font-weight: 600; font-size: ${f_strong}px; }
QLabel[role="title"] { font-weight: 600; font-size: ${f_title}px; }
QLabel[role="h1"] { font-weight: 600; font-size: ${f_h1}px; }
QLabel[role="stat"] { font-weight: 600; font-size: ${f_stat}px; }
QLabel[role="pay"] { font-weight: 600; font-size: ${f_pay}px; color: $accent_text; }
QLabel[role="figure"] { font-weight: 600; font-size: ${f_amount}px; }
QLabel[role="onaccent"] { color: $on_accent; font-size: ${f_title}px; font-weight: 600; }
QLabel[tone="accent"] { color: $accent_text; }
QLabel[tone="danger"] { color: $danger; }
QLabel[tone="warn"] { color: $warn; }
QLabel[tone="gold"] { color: $gold; }
QLabel[tone="muted"] { color: $muted; }
QLabel[chip] { border-radius: ${r_chip}px; padding: ${p3}px ${p8}px; font-size: ${f_caption}px; font-weight: 600; }
QLabel[chip="accent"] { background: $accent_soft; color: $accent_text; }
QLabel[chip="gold"] { background: $gold_soft; color: $gold; }
QLabel[chip="warn"] { background: $warn_soft; color: $warn; }
QLabel[chip="danger"] { background: $danger_soft; color: $danger; }
QLabel[chip="info"] { background: $info_soft; color: $info; }
QLabel[chip="plain"] { background: $sunken; color: $text2; }
QLabel[chip="black"] { background: $black_card; color: $black_card_text; }
QLabel[chip="key"] { background: $sunken; color: $text2; border: 1px solid $border; border-bottom: 2px solid $border; padding: 0 ${p6}px; }
QLabel[chip="keyaccent"] { background: transparent; color: $on_accent; border: 1px solid $on_accent; padding: 0 ${p6}px; }
QFrame[role="card"], QWidget[role="card"] { background: $surface; border: 1px solid $border; border-radius: ${r_card}px; }
QFrame[role="well"] { background: $sunken; border: 1px solid $border; border-radius: ${r_control}px; }
QFrame[role="band"] { background: $warn_soft; border: 0; border-radius: ${r_control}px; }
QFrame[role="band"][tone="danger"] { background: $danger_soft; }
QFrame[role="band"][tone="accent"] { background: $accent_soft; }
QFrame[role="band"][tone="info"] { background: $info_soft; }
QFrame[role="rule"] { background: $border; max-height: 1px; min-height: 1px; border: 0; }
QFrame[role="strip"] { background: $text; border: 0; border-radius: ${r_control}px; }
QFrame[role="strip"] QLabel { color: $surface; }
QFrame[role="strip"][tone="danger"] { background: $danger; }
QFrame[role="strip"] QPushButton { background: transparent; color: $surface; border: 1px solid $surface; }
QFrame[role="strip"] QPushButton[role="icon"] { border: 1px solid transparent; padding: 0; }
QFrame[role="strip"] QPushButton[role="icon"]:hover { background: transparent; border: 1px solid $surface; }
QFrame[role="strip"] QPushButton:focus { border: 3px solid $surface; }
#topbar { background: $surface; border-bottom: 1px solid $border; }
#rail { background: $rail; }
#rail QPushButton { color: $rail_text; background: transparent; border: 2px solid transparent; border-radius: ${r_control}px; font-size: ${f_caption}px; font-weight: 400; padding: 0; }
#rail QPushButton:hover { color: $rail_active; border-color: $rail_text; }
#rail QPushButton:checked { background: rgba(255,255,255,0.13); color: $rail_active; font-weight: 600; }
#rail QPushButton:focus { border: 2px solid $rail_mark; }
QLineEdit { background: $surface; border: 1px solid $border_strong; border-radius: ${r_control}px; padding: 0 ${p12}px; min-height: ${h_control}px; selection-background-color: $accent; selection-color: $on_accent; placeholder-text-color: $muted; }
QLineEdit:focus { border: 2px solid $focus; padding: 0 ${p11}px; }
QLineEdit:disabled { background: $sunken; color: $muted; border-color: $border; }
QLineEdit[state="wrong"] { border: 2px solid $danger; padding: 0 ${p11}px; }
QLineEdit[role="search"] { padding: 0 ${p6}px; font-size: ${f_strong}px; min-height: ${h_search}px; }
QLineEdit[role="search"][state="used"] { color: $muted; }
QLineEdit[state="fixed"] { background: $sunken; color: $text2; border-color: $border; }
QLineEdit[role="amount"] { font-size: ${f_amount}px; font-weight: 600; min-height: ${h_amount}px; }
QLineEdit[role="pin"] { font-size: ${f_stat}px; font-weight: 600; min-height: ${h_search}px; }
QPushButton { background: $surface; border: 1px solid $border_strong; border-radius: ${r_control}px; padding: 0 ${p16}px; min-height: ${h_control}px; min-width: ${h_control}px; font-weight: 600; }
QPushButton:hover { background: $sunken; }
QPushButton:pressed { background: $border; }
QPushButton:focus { border: 2px solid $focus; }
QPushButton:disabled { color: $muted; background: $sunken; border-color: $border; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border: 2px solid $accent; min-height: ${h_primary}px; font-size: ${f_title}px; padding: 0 ${p16}px; }
QPushButton[role="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[role="primary"]:pressed { background: $accent_press; }
QPushButton[role="primary"]:focus { border: 3px solid $text; }
QPushButton[role="primary"]:disabled { background: $sunken; border-color: $border; color: $muted; }
QPushButton[role="segment"] { padding: 0 ${p8}px; min-height: ${h_segment}px; font-weight: 400; border: 1px solid $border; background: $sunken; color: $text2; }
QPushButton[role="segment"]:checked { background: $accent_soft; color: $accent_text; border: 2px solid $accent; font-weight: 600; }
QPushButton[role="segment"]:focus { border: 2px solid $focus; }
QPushButton[role="segment"]:checked:focus { border: 3px solid $focus; }
QPushButton[role="ghost"], QPushButton[role="icon"] { border: 1px solid transparent; background: transparent; padding: 0 ${p8}px; color: $text2; font-weight: 400; }
QPushButton[role="icon"] { padding: 0; }
QPushButton[role="ghost"]:hover, QPushButton[role="icon"]:hover { background: $sunken; }
QPushButton[role="ghost"]:focus, QPushButton[role="icon"]:focus { border: 2px solid $focus; }
QPushButton[role="link"] { border: 1px solid transparent; background: transparent; padding: 0 ${p8}px; color: $accent_text; font-weight: 600; }
QPushButton[role="link"]:hover { background: $accent_soft; }
QPushButton[role="link"]:focus { border: 2px solid $focus; }
QPushButton[role="chip"] { border: 1px solid transparent; background: $warn_soft; color: $warn; padding: ${p3}px ${p8}px; margin: ${p8}px 0; font-size: ${f_caption}px; border-radius: ${r_chip}px; min-height: ${p16}px; min-width: ${p16}px; }
QPushButton[role="chip"]:hover { border-color: $warn; }
QPushButton[role="chip"]:focus { border: 2px solid $focus; }
QPushButton[role="fkey"] { min-height: ${h_fkey}px; padding: 0; border: 1px solid $border; background: $surface; font-weight: 400; }
QPushButton[role="fkey"]:hover { background: $sunken; border-color: $border_strong; }
QPushButton[role="fkey"]:focus { border: 2px solid $focus; }
QCheckBox { spacing: ${p10}px; min-height: ${h_control}px; min-width: ${h_control}px; border: 2px solid transparent; border-radius: ${r_control}px; padding: 0 ${p6}px; }
QCheckBox:focus { border: 2px solid $focus; }
QCheckBox::indicator { width: ${p16}px; height: ${p16}px; border: 2px solid $border_strong; border-radius: ${p4}px; background: $surface; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QAbstractItemView { background: transparent; border: 0; }
QTableView { border: 2px solid transparent; border-radius: ${r_control}px; alternate-background-color: $sunken; gridline-color: transparent; selection-background-color: $accent_soft; selection-color: $text; }
QTableView::item { padding: 0 ${p8}px; }
QTableView::item:selected { background: $accent_soft; color: $text; }
QTableView:focus { border: 2px solid $focus; }
QHeaderView { background: transparent; }
QHeaderView::section { background: transparent; color: $muted; border: 0; border-bottom: 1px solid $border; padding: ${p6}px ${p11}px; font-size: ${f_caption}px; font-weight: 600; }
QScrollArea, QWidget[role="clear"], QFrame[role="clear"] { background: transparent; border: 0; }
QScrollBar:vertical { background: transparent; width: ${p10}px; margin: 0; }
QScrollBar::handle:vertical { background: $border_strong; border-radius: 4px; min-height: 32px; margin: 2px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QToolTip { background: $text; color: $surface; border: 0; padding: 6px; }
#fbar { background: $surface; border-top: 1px solid $border; }
""")  # noqa: E501 (a style rule reads best on its own line)
