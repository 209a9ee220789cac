"""Plain files that the product ships: fonts, icons, locale catalogues, sample programme and data.

This module finds them; nothing else builds a path into this folder.
"""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).resolve().parent

FONT_SANS = "NotoSansSC_400Regular.ttf"
FONT_SANS_BOLD = "NotoSansSC_600SemiBold.ttf"
FONT_MONO = "NotoSansMono_400Regular.ttf"
FONT_MONO_BOLD = "NotoSansMono_700Bold.ttf"
FONT_RARE = "RegularsRareHan.ttf"
"""Rare Han that the Chinese faces lack, in one weight."""


def font_path(name: str) -> Path:
    """The file of a shipped font; `name` is one of the FONT_ constants."""
    return _ROOT / "fonts" / name


def icon_path(name: str) -> Path:
    """The SVG of a shipped icon, by its Lucide name without the ending."""
    return _ROOT / "icons" / f"{name}.svg"


def locale_dir() -> Path:
    """The folder that `gettext.translation` takes as localedir."""
    return _ROOT / "locale"


def programme_path(name: str) -> Path:
    """A shipped programme document or schema, by its file name."""
    return _ROOT / "programmes" / name


def demo_path(name: str) -> Path:
    """What the demo store is made of: `catalogue.json` and `names.json`."""
    return _ROOT / "demo" / name
