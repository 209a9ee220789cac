"""The part of fontTools.subset that packaging/rare_han.py uses."""

from collections.abc import Iterable

from fontTools.ttLib import TTFont

class Options:
    hinting: bool
    layout_features: list[str]
    name_IDs: list[int]
    glyph_names: bool
    notdef_outline: bool
    drop_tables: list[str]

class Subsetter:
    def __init__(self, options: Options | None = None) -> None: ...
    def populate(self, *, unicodes: Iterable[int] = ()) -> None: ...
    def subset(self, font: TTFont) -> None: ...
