"""Every shipped font and icon that the product names is really there."""

from __future__ import annotations

import pytest

import resources


@pytest.mark.parametrize(
    "name",
    [
        resources.FONT_SANS,
        resources.FONT_SANS_BOLD,
        resources.FONT_MONO,
        resources.FONT_MONO_BOLD,
        resources.FONT_RARE,
    ],
)
def test_font_is_a_truetype_file(name: str) -> None:
    assert resources.font_path(name).read_bytes()[:4] == b"\x00\x01\x00\x00"


def test_each_font_has_its_licence_beside_it() -> None:
    folder = resources.font_path(resources.FONT_SANS).parent
    assert {p.name for p in folder.glob("*.txt")} == {
        "NotoSansSC-OFL.txt",
        "NotoSansMono-OFL.txt",
        "RegularsRareHan-LICENSE.txt",
    }
