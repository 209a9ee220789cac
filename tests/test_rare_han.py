"""The font of rare Han is what its recipe makes: the characters of the list, under a name of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fontTools.ttLib import TTFont

import resources

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "packaging" / "rare_han.py"
LISTED = (ROOT / "packaging" / "rare_han.txt").read_text(encoding="utf-8").split()
SHIPPED = resources.font_path(resources.FONT_RARE)


def listed() -> set[int]:
    return {ord(character) for character in "".join(LISTED)}


def name_table(path: Path) -> dict[int, str]:
    return {record.nameID: str(record) for record in TTFont(path)["name"].names}


def recipe(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(RECIPE), str(source), "--to", str(target)],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_the_shipped_font_has_the_characters_of_the_list_and_no_others() -> None:
    assert set(TTFont(SHIPPED).getBestCmap()) == listed()
    assert len("".join(LISTED)) == len(listed()) == 5293, "each once"


def test_every_one_of_them_is_drawn() -> None:
    font = TTFont(SHIPPED)
    glyphs, outlines = font.getBestCmap(), font["glyf"]
    assert [chr(code) for code, name in glyphs.items() if not outlines[name].numberOfContours] == []


def test_the_list_is_what_the_chinese_face_lacks() -> None:
    sans = set(TTFont(resources.font_path(resources.FONT_SANS)).getBestCmap())
    assert listed() & sans == set()
    assert ord("𠮷") in listed()


def test_its_name_is_its_own_and_the_reserved_ones_are_only_credited() -> None:
    names = name_table(SHIPPED)
    assert names.keys() == {0, 1, 2, 3, 4, 5, 6, 13}
    assert (names[1], names[6]) == ("Regulars Rare Han", "RegularsRareHan-Regular")
    assert [number for number, text in names.items() if "hana" in text.lower()] == [0, 13]
    assert (SHIPPED.parent / names[13].rpartition("see ")[2]).is_file()


def test_the_recipe_run_on_the_shipped_font_gives_the_same_bytes(tmp_path: Path) -> None:
    done = recipe(SHIPPED, tmp_path / "again.ttf")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.ttf").read_bytes() == SHIPPED.read_bytes()


def test_a_font_that_lacks_characters_of_the_list_is_refused_by_name(tmp_path: Path) -> None:
    done = recipe(resources.font_path(resources.FONT_MONO), tmp_path / "none.ttf")
    assert done.returncode == 1
    assert "lacks 5293 characters of the list: U+2000B" in done.stderr
    assert not (tmp_path / "none.ttf").exists()
