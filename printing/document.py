"""A paper document as data: what a receipt says, in order, with roles instead of fonts.

Here live the frozen block types and their versioned JSON, which is stored with the sale so that a
reprint in two years gives the same lines. Words arrive finished: nothing here translates, formats
money or knows a member. Widths, sizes and line breaks are layout.py's business; bytes and pixels
are the renderers'.

Standard library and msgspec only: the till's window imports this module before its first paint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, get_args

import msgspec

VERSION = 1
CODE_LENGTH_MAX = 48  # characters; longer ones are unreadable on 80 mm paper
QR_BYTES_MAX = (
    300  # UTF-8 bytes; 69 modules at level M, so 4 dots a module still fit on 58 mm paper
)

Role = Literal["body", "small", "strong", "heading", "title", "total", "banner"]
Align = Literal["left", "center", "right"]
TextFit = Literal["wrap", "clip", "shrink"]
CellFit = Literal["wrap", "clip", "keep"]


class DocumentError(ValueError):
    """The plain form is not a document of this version; the message names the place and the
    fault.
    """


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. `shrink` steps the role's size down until it fits on one line, then wraps; a
    line feed breaks.
    """

    text: str
    role: Role = "body"
    align: Align = "left"
    fit: TextFit = "wrap"


@dataclass(frozen=True, slots=True)
class RowCell:
    """One column of a Row. `width` is in paper columns, 0 takes what the others leave. `keep`
    (money, quantities) is never broken: its column widens, or the row goes to two lines.
    """

    text: str
    width: int = 0
    align: Align = "left"
    fit: CellFit = "wrap"

    def __post_init__(self) -> None:
        if self.width < 0 or self.width == 1:
            raise ValueError("a cell is 0 or at least 2 columns wide: a Chinese character takes 2")


@dataclass(frozen=True, slots=True)
class Row:
    """Columns side by side: an item line or the heading above the item lines."""

    cells: tuple[RowCell, ...]
    role: Role = "body"

    def __post_init__(self) -> None:
        if not self.cells:
            raise ValueError("a row has at least one cell")


@dataclass(frozen=True, slots=True)
class Pair:
    """A label on the left and its value on the right; the value is never broken while it fits on
    a line.

    `second` is the label in the second language: beside the first where there is room, else on a
    line of its own.
    """

    label: str
    value: str
    second: str = ""
    role: Role = "body"


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""

    kind: Literal["single", "double"] = "single"


@dataclass(frozen=True, slots=True)
class Code1D:
    """A Code 128 bar code of printable ASCII, its text printed below."""

    data: str

    def __post_init__(self) -> None:
        if not (self.data.isascii() and self.data.isprintable()):
            raise ValueError("a bar code holds printable ASCII only")
        if not 1 <= len(self.data) <= CODE_LENGTH_MAX:
            raise ValueError(f"a bar code holds 1 to {CODE_LENGTH_MAX} characters")


@dataclass(frozen=True, slots=True)
class QR:
    """A QR code, UTF-8, error correction level M."""

    data: str

    def __post_init__(self) -> None:
        if not self.data.isprintable():
            raise ValueError("a QR code holds no control characters")
        if not 1 <= len(self.data.encode()) <= QR_BYTES_MAX:
            raise ValueError(f"a QR code holds 1 to {QR_BYTES_MAX} bytes of UTF-8")


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by the name of its content (hex SHA-256); the bitmap is handed to the layout
    beside the document.
    """

    digest: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A bar filled to value / maximum; both are integers of one unit. Over-full shows full,
    negative shows empty.
    """

    value: int
    maximum: int

    def __post_init__(self) -> None:
        if self.maximum <= 0:
            raise ValueError("the maximum of a progress bar is above zero")


@dataclass(frozen=True, slots=True)
class Sign:
    """Room for a signature under its label."""

    label: str


@dataclass(frozen=True, slots=True)
class Feed:
    """Blank lines."""

    lines: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.lines <= 20:
            raise ValueError("1 to 20 blank lines")


@dataclass(frozen=True, slots=True)
class Cut:
    """Feed to the knife and cut, as far as the printer can."""


Block = Text | Row | Pair | Rule | Code1D | QR | Image | Progress | Sign | Feed | Cut


@dataclass(frozen=True, slots=True)
class Doc:
    """One slip. `kind` is the document's kind (sale, return, void …), `number` the number printed
    on it and `languages` the languages of its words, first one first.
    """

    kind: str
    number: str
    languages: tuple[str, ...]
    blocks: tuple[Block, ...]

    def marked(self, banner: str) -> Doc:
        """The same slip under one more banner, such as the mark of a copy. Number and lines stay
        as they are.
        """
        return Doc(
            self.kind, self.number, self.languages, (Text(banner, role="banner"), *self.blocks)
        )


_TAGS: dict[type[Any], str] = {kind: kind.__name__.lower() for kind in get_args(Block)}
_KINDS: dict[str, type[Any]] = {tag: kind for kind, tag in _TAGS.items()}
_DOC_KEYS = {"version", "kind", "number", "languages", "blocks"}


def _defaults(kind: type[Any]) -> tuple[tuple[str, object], ...]:
    return tuple((field.name, field.default) for field in fields(kind))


_FIELDS = {kind: _defaults(kind) for kind in (*_TAGS, RowCell)}
_KEYS = {kind: {"block", *(name for name, _ in named)} for kind, named in _FIELDS.items()}
_CELL_KEYS = _KEYS[RowCell] - {"block"}


def _record(value: object, plain: dict[str, Any]) -> dict[str, Any]:
    """The fields of a block that differ from their defaults. A field without a default is always
    there.
    """
    for name, default in _FIELDS[type(value)]:
        held = getattr(value, name)
        if default is MISSING or held != default:
            plain[name] = held
    return plain


def _block_to_plain(block: Block) -> dict[str, Any]:
    plain = _record(block, {"block": _TAGS[type(block)]})
    if type(block) is Row:
        plain["cells"] = [_record(cell, {}) for cell in block.cells]
    return plain


def to_plain(doc: Doc) -> dict[str, Any]:
    """The document as JSON's own types; fields at their default are left out. `from_plain` gives
    it back exactly.
    """
    return {
        "version": VERSION,
        "kind": doc.kind,
        "number": doc.number,
        "languages": list(doc.languages),
        "blocks": [_block_to_plain(block) for block in doc.blocks],
    }


def _block_from_plain(index: int, plain: object) -> Block:
    where = f"blocks[{index}]"
    if not isinstance(plain, dict):
        raise DocumentError(f"{where}: not an object")
    kind = _KINDS.get(plain.get("block", ""))
    if kind is None:
        raise DocumentError(f"{where}.block: unknown block {plain.get('block')!r}")
    _refuse_unknown(plain, _KEYS[kind], where)
    if kind is Row and isinstance(plain.get("cells"), list):
        for place, cell in enumerate(plain["cells"]):
            if isinstance(cell, dict):
                _refuse_unknown(cell, _CELL_KEYS, f"{where}.cells[{place}]")
    try:
        block: Block = msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise DocumentError(f"{where}: {error}") from error
    return block


def _refuse_unknown(plain: Mapping[str, Any], known: set[str], where: str) -> None:
    if not plain.keys() <= known:
        raise DocumentError(f"{where}.{min(plain.keys() - known)}: unknown key")


def from_plain(plain: Mapping[str, Any]) -> Doc:
    """The document of a plain form. Raises DocumentError for another version, an unknown key or a
    wrong type.
    """
    version = plain.get("version")
    if version != VERSION:
        raise DocumentError(f"version: {version!r} is not {VERSION}")
    _refuse_unknown(plain, _DOC_KEYS, "document")
    blocks = plain.get("blocks")
    if not isinstance(blocks, list):
        raise DocumentError("blocks: not a list")
    try:
        return Doc(
            kind=msgspec.convert(plain.get("kind"), str),
            number=msgspec.convert(plain.get("number"), str),
            languages=msgspec.convert(plain.get("languages"), tuple[str, ...]),
            blocks=tuple(_block_from_plain(index, block) for index, block in enumerate(blocks)),
        )
    except msgspec.ValidationError as error:
        raise DocumentError(f"document: {error}") from error


def to_json(doc: Doc) -> bytes:
    """The bytes to store: UTF-8, no spaces, the same bytes for the same document."""
    return msgspec.json.encode(to_plain(doc))


def from_json(stored: bytes) -> Doc:
    """The document of stored bytes. Raises DocumentError when they are not a document of this
    version.
    """
    try:
        plain = msgspec.json.decode(stored)
    except msgspec.DecodeError as error:
        raise DocumentError(f"not JSON: {error}") from error
    if not isinstance(plain, dict):
        raise DocumentError("document: not an object")
    return from_plain(plain)
