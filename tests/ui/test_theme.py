"""Tokens, contrast, scale, icons and fonts."""

from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QFontDatabase, QFontMetrics, QPalette, QRawFont, QTextLayout
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

import resources
from ui import theme
from ui.theme import Look
from ui.tokens import PAIRS, PALETTES, SCALES_PERCENT, THEMES, ThemeName, contrast


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS)
def test_every_pair_has_enough_contrast(
    name: ThemeName, front: str, ground: str, least: float
) -> None:
    colours = PALETTES[name]
    assert contrast(colours[front], colours[ground]) >= least


@pytest.mark.parametrize("name", THEMES)
def test_every_theme_has_the_same_tokens(name: ThemeName) -> None:
    assert PALETTES[name].keys() == PALETTES["light"].keys()


@pytest.mark.parametrize(
    ("front", "ground"), [(front, ground) for front, ground, least in PAIRS if least >= 4.5]
)
def test_the_third_theme_has_every_text_at_seven_to_one(front: str, ground: str) -> None:
    assert contrast(PALETTES["contrast"][front], PALETTES["contrast"][ground]) >= 7


def test_contrast_is_the_wcag_ratio() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("percent", "pixels"), list(zip(SCALES_PERCENT, (40, 46, 50, 60), strict=True))
)
def test_a_control_scales(percent: int, pixels: int) -> None:
    assert Look("light", scale_percent=percent).px(40) == pixels


def test_a_hairline_never_vanishes() -> None:
    assert Look("light").px(0) == 1


@pytest.mark.parametrize("name", THEMES)
def test_the_sheet_uses_only_token_colours(name: ThemeName) -> None:
    used = set(re.findall(r"#[0-9A-Fa-f]{6}", Look(name).sheet()))
    assert used <= set(PALETTES[name].values())


def test_the_sheet_and_the_palette_reach_the_application(qapp: QApplication) -> None:
    look = Look("dark")
    look.wear(qapp, "dark")
    assert qapp.palette().color(QPalette.ColorRole.Window) == look.colour("bg")
    assert qapp.styleSheet() == look.sheet()
    qapp.setStyleSheet("")


def test_an_icon_takes_the_colour_of_its_token(qapp: QApplication) -> None:
    for name in THEMES:
        look = Look(name)
        image = look.pixmap("minus", "danger", 24).toImage()
        colours = {
            image.pixelColor(x, y).name()
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() == 255
        }
        assert colours == {look.hex("danger").lower()}


def test_icons_are_drawn_once(qapp: QApplication) -> None:
    look = Look("light")
    assert look.icon("lock") is look.icon("lock")


def test_the_shipped_fonts_are_registered_and_cover_rare_names(qapp: QApplication) -> None:
    assert {theme.FAMILY, theme.MONO_FAMILY} <= set(QFontDatabase.families())
    raw = QRawFont.fromFont(Look("light").font(14))
    assert [c for c in "陈喆堃龘䶮珺翀骉㛃¥" if not raw.supportsCharacter(ord(c))] == []


def test_digits_are_equally_wide(qapp: QApplication) -> None:
    metrics = QFontMetrics(Look("light").font(40, bold=True))
    assert len({metrics.horizontalAdvance(d) for d in "0123456789"}) == 1


def test_a_missing_font_is_named(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "FONT_SANS", "NoSuch.ttf")
    with pytest.raises(FileNotFoundError, match=r"NoSuch\.ttf"):
        theme.load_fonts()


@pytest.mark.parametrize(
    ("rank", "tones"),
    [(0, "text2"), (1, "info"), (2, "gold"), (3, "black_card_text")],
)
def test_four_tiers_get_four_tones(rank: int, tones: str) -> None:
    assert Look("light").tier_tones(rank, 4)[1] == tones


def test_rare_characters_of_names_are_drawn_by_the_shipped_face(qtbot: QtBot) -> None:
    theme.load_fonts()
    label = QLabel("欧阳𠮷𬎆")
    qtbot.addWidget(label)
    label.setStyleSheet(Look("light").sheet())
    label.ensurePolished()
    for font in (Look("light").font(16), label.font()):
        layout = QTextLayout(label.text(), font)
        layout.beginLayout()
        layout.createLine()
        layout.endLayout()
        runs = layout.glyphRuns()
        assert {run.rawFont().familyName() for run in runs} == {theme.FAMILY, theme.RARE_FAMILY}
        assert all(glyph for run in runs for glyph in run.glyphIndexes())
