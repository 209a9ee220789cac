"""Makes resources/fonts/RegularsRareHan.ttf from a font file: `python packaging/rare_han.py HanaMinB.ttf`.

HanaMinB is in Debian's package fonts-hanazono. Taken are the characters of rare_han.txt (which ones and why:
docs/decisions/paper.md) with their outlines alone: no hinting, no features, a name of its own as the font's
reserved names ask. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

ROOT: Final = Path(__file__).resolve().parents[1]
CHARACTERS: Final = ROOT / "packaging" / "rare_han.txt"
SHIPPED: Final = ROOT / "resources" / "fonts" / "RegularsRareHan.ttf"
NAMES: Final = {
    0: "Copyright 2008-2017 GlyphWiki Project. A subset of HanaMinB, renamed.",
    1: "Regulars Rare Han",
    2: "Regular",
    3: "Regulars Rare Han 1",
    4: "Regulars Rare Han",
    5: "Version 1.0",
    6: "RegularsRareHan-Regular",
    13: "Hanazono Font License, see RegularsRareHan-LICENSE.txt",
}
"""The name table by id, for Windows in English, which every system reads."""
DROPPED: Final = ("vhea", "vmtx", "BASE", "GDEF", "GSUB", "gasp", "FFTM", "prop")
STAMP: Final = 3_600_000_000
"""When the font says that it was made: the same at each run."""


def wanted() -> frozenset[int]:
    """The code points of the list."""
    return frozenset(map(ord, CHARACTERS.read_text(encoding="utf-8").replace("\n", "")))


def make(source: Path, target: Path) -> frozenset[int]:
    """Write the subset; returns what the source lacks of the list, and then nothing was written."""
    font = TTFont(source, recalcTimestamp=False)
    lacking = wanted() - set(font.getBestCmap())
    if lacking:
        return frozenset(lacking)
    options = Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = []
    options.glyph_names = False
    options.notdef_outline = True
    options.drop_tables += DROPPED
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted())
    subsetter.subset(font)
    font["name"].names = []
    for number, text in NAMES.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    font["head"].created = font["head"].modified = STAMP
    font.save(target)
    return frozenset()


def main() -> int:
    """Make the shipped font, or the one that --to names; returns the exit code."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    words.add_argument("source", type=Path, metavar="HanaMinB.ttf")
    words.add_argument("--to", type=Path, metavar="FILE", default=SHIPPED)
    chosen = words.parse_args()
    lacking = make(chosen.source, chosen.to)
    if lacking:
        some = " ".join(f"U+{code:04X}" for code in sorted(lacking)[:10])
        print(
            f"{chosen.source} lacks {len(lacking)} characters of the list: {some} …",
            file=sys.stderr,
        )
        return 1
    print(f"{chosen.to}: {len(wanted()):,} characters, {chosen.to.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
