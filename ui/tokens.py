"""Colours, sizes and type of the counter as plain data (counter-ui.md section 4).

No Qt here, so that the contrast of every pair is checked without a window.
"""

from __future__ import annotations

from typing import Final, Literal

ThemeName = Literal["light", "dark", "contrast"]
THEMES: Final[tuple[ThemeName, ...]] = ("light", "dark", "contrast")

LIGHT: Final[dict[str, str]] = {
    "bg": "#F3F5F7",
    "surface": "#FFFFFF",
    "sunken": "#F7F9FA",
    "border": "#DFE5EA",
    "border_strong": "#7F8D99",
    "text": "#12202B",
    "text2": "#4A5B68",
    "muted": "#627280",
    "accent": "#0B766C",
    "accent_hover": "#096158",
    "accent_press": "#074E47",
    "on_accent": "#FFFFFF",
    "accent_soft": "#E0F2EF",
    "accent_text": "#0A655C",
    "focus": "#0B766C",
    "danger": "#C0322B",
    "danger_soft": "#FCEBEA",
    "warn": "#9A5B00",
    "warn_soft": "#FDF3DF",
    "gold": "#8A6100",
    "gold_soft": "#FBF1D8",
    "info": "#1F5FBF",
    "info_soft": "#E8F0FC",
    "rail": "#10262B",
    "rail_text": "#A8BFC2",
    "rail_active": "#FFFFFF",
    "rail_mark": "#7FE0D3",
    "black_card": "#20262B",
    "black_card_text": "#F2D58A",
    "scrim": "#12202B",
}
DARK: Final[dict[str, str]] = {
    "bg": "#0E1417",
    "surface": "#161E22",
    "sunken": "#1B252A",
    "border": "#2A363D",
    "border_strong": "#6F7F89",
    "text": "#EAF0F2",
    "text2": "#B3C0C8",
    "muted": "#93A2AC",
    "accent": "#2CB9A6",
    "accent_hover": "#4ACBB9",
    "accent_press": "#23998A",
    "on_accent": "#03201C",
    "accent_soft": "#12332F",
    "accent_text": "#5FD6C6",
    "focus": "#4ACBB9",
    "danger": "#FF7B72",
    "danger_soft": "#3A1D1C",
    "warn": "#F0B455",
    "warn_soft": "#37290F",
    "gold": "#E9C46A",
    "gold_soft": "#332A14",
    "info": "#7FB2FF",
    "info_soft": "#16263F",
    "rail": "#0A0F11",
    "rail_text": "#8FA5A9",
    "rail_active": "#FFFFFF",
    "rail_mark": "#7FE0D3",
    "black_card": "#F2D58A",
    "black_card_text": "#20262B",
    "scrim": "#000000",
}
CONTRAST: Final[dict[str, str]] = {
    "bg": "#000000",
    "surface": "#000000",
    "sunken": "#141414",
    "border": "#FFFFFF",
    "border_strong": "#FFFFFF",
    "text": "#FFFFFF",
    "text2": "#FFFFFF",
    "muted": "#E6E6E6",
    "accent": "#FFE100",
    "accent_hover": "#FFF07A",
    "accent_press": "#D9BF00",
    "on_accent": "#000000",
    "accent_soft": "#3A3300",
    "accent_text": "#FFE100",
    "focus": "#4DE8FF",
    "danger": "#FFB3AD",
    "danger_soft": "#3D0A07",
    "warn": "#FFD28A",
    "warn_soft": "#332200",
    "gold": "#FFE08A",
    "gold_soft": "#2E2500",
    "info": "#B3D4FF",
    "info_soft": "#0A1E3D",
    "rail": "#000000",
    "rail_text": "#FFFFFF",
    "rail_active": "#FFE100",
    "rail_mark": "#4DE8FF",
    "black_card": "#FFFFFF",
    "black_card_text": "#000000",
    "scrim": "#000000",
}
"""For eyes that need it: every text at 7:1 or more, every edge white."""
PALETTES: Final[dict[ThemeName, dict[str, str]]] = {
    "light": LIGHT,
    "dark": DARK,
    "contrast": CONTRAST,
}

TEXT_CONTRAST: Final = 4.5
MARK_CONTRAST: Final = 3.0
PAIRS: Final[tuple[tuple[str, str, float], ...]] = (
    *(("text", ground, 7.0) for ground in ("bg", "surface", "sunken", "accent_soft")),
    *(("text2", ground, TEXT_CONTRAST) for ground in ("bg", "surface", "sunken", "accent_soft")),
    *(("muted", ground, TEXT_CONTRAST) for ground in ("bg", "surface", "sunken")),
    *(("accent_text", ground, TEXT_CONTRAST) for ground in ("surface", "sunken", "accent_soft")),
    *(("on_accent", ground, TEXT_CONTRAST) for ground in ("accent", "accent_hover")),
    *(("danger", ground, TEXT_CONTRAST) for ground in ("surface", "sunken", "danger_soft")),
    *(("text", ground, 7.0) for ground in ("warn_soft", "danger_soft", "info_soft", "gold_soft")),
    ("warn", "surface", TEXT_CONTRAST),
    ("warn", "warn_soft", TEXT_CONTRAST),
    ("gold", "surface", TEXT_CONTRAST),
    ("gold", "gold_soft", TEXT_CONTRAST),
    ("info", "info_soft", TEXT_CONTRAST),
    ("info", "surface", TEXT_CONTRAST),
    ("rail_text", "rail", TEXT_CONTRAST),
    ("rail_active", "rail", TEXT_CONTRAST),
    ("rail_mark", "rail", MARK_CONTRAST),
    ("black_card_text", "black_card", TEXT_CONTRAST),
    ("surface", "text", TEXT_CONTRAST),
    *(("focus", ground, MARK_CONTRAST) for ground in ("surface", "bg", "sunken", "warn_soft")),
    *(("border_strong", ground, MARK_CONTRAST) for ground in ("surface", "sunken", "bg")),
)
"""(foreground, ground, least contrast): every pair that the screens use."""

TIER_TONES: Final[dict[str, tuple[str, str]]] = {
    "plain": ("sunken", "text2"),
    "silver": ("info_soft", "info"),
    "gold": ("gold_soft", "gold"),
    "black": ("black_card", "black_card_text"),
}
"""How a tier is coloured, by its rank from below: (ground, text)."""

SCALES_PERCENT: Final = (100, 115, 125, 150)
TYPE: Final = {
    "caption": 12,
    "body": 14,
    "strong": 15,
    "title": 18,
    "h1": 22,
    "stat": 24,
    "pay": 34,
    "amount": 40,
}
HEIGHTS: Final = {
    "control": 40,
    "search": 48,
    "amount": 64,
    "primary": 60,
    "segment": 44,
    "fkey": 44,
}
COMPACT_BELOW: Final = 860
"""Window height over scale below which the density is compact."""


def theme_of(name: str) -> ThemeName:
    """The theme of a name; the light one where there is none of it."""
    return next((theme for theme in THEMES if theme == name), "light")


def contrast(first: str, second: str) -> float:
    """The WCAG contrast ratio of two `#RRGGBB` colours, 1 to 21 (no money: a ratio of light)."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
