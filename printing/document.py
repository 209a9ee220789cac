"""A paper document as data: what a receipt says, in order, with roles instead of fonts.

Here live the frozen block types and their versioned JSON, which is stored with the sale so that a
reprint in two years gives the same lines. Words arrive finished: nothing here translates, formats
money or knows a member. Widths, sizes and line breaks are layout.py's business; bytes and pixels
are the renderers'.

Standard library and msgspec only: the till's window imports this module before its first paint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """The stored form is not a document of this version; the message names the place and the
    fault.
    """


class _Stored(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="block", tag=str.lower):
    """A block as the sale's transaction stores it: encoded by msgspec itself, because a receipt has
    some thirty and is made before the cashier sees "done". Fields at their default are left out;
    msgspec knows a default by identity, which holds for literals and for what it decoded itself.
    """


class Text(_Stored, frozen=True):
    """A paragraph. `shrink` steps the role's size down until it fits on one line, then wraps; a
    line feed breaks.
    """

    text: str
    role: Role = "body"
    align: Align = "left"
    fit: TextFit = "wrap"


class RowCell(msgspec.Struct, frozen=True, omit_defaults=True):
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


class Row(_Stored, frozen=True):
    """Columns side by side: an item line or the heading above the item lines."""

    cells: tuple[RowCell, ...]
    role: Role = "body"

    def __post_init__(self) -> None:
        if not self.cells:
            raise ValueError("a row has at least one cell")


class Pair(_Stored, frozen=True):
    """A label on the left and its value on the right; the value is never broken while it fits on
    a line.

    `second` is the label in the second language: beside the first where there is room, else on a
    line of its own.
    """

    label: str
    value: str
    second: str = ""
    role: Role = "body"


class Rule(_Stored, frozen=True):
    """A line across the paper."""

    kind: Literal["single", "double"] = "single"


class Code1D(_Stored, frozen=True):
    """A Code 128 bar code of printable ASCII, its text printed below."""

    data: str

    def __post_init__(self) -> None:
        if not (self.data.isascii() and self.data.isprintable()):
            raise ValueError("a bar code holds printable ASCII only")
        if not 1 <= len(self.data) <= CODE_LENGTH_MAX:
            raise ValueError(f"a bar code holds 1 to {CODE_LENGTH_MAX} characters")


class QR(_Stored, frozen=True):
    """A QR code, UTF-8, error correction level M."""

    data: str

    def __post_init__(self) -> None:
        if not self.data.isprintable():
            raise ValueError("a QR code holds no control characters")
        if not 1 <= len(self.data.encode()) <= QR_BYTES_MAX:
            raise ValueError(f"a QR code holds 1 to {QR_BYTES_MAX} bytes of UTF-8")


class Image(_Stored, frozen=True):
    """A picture by the name of its content (hex SHA-256); the bitmap is handed to the layout
    beside the document.
    """

    digest: str


class Progress(_Stored, frozen=True):
    """A bar filled to value / maximum; both are integers of one unit. Over-full shows full,
    negative shows empty.
    """

    value: int
    maximum: int

    def __post_init__(self) -> None:
        if self.maximum <= 0:
            raise ValueError("the maximum of a progress bar is above zero")


class Sign(_Stored, frozen=True):
    """Room for a signature under its label."""

    label: str


class Feed(_Stored, frozen=True):
    """Blank lines."""

    lines: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.lines <= 20:
            raise ValueError("1 to 20 blank lines")


class Cut(_Stored, frozen=True):
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


_KINDS: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in get_args(Block)}
_KEYS = {kind: {"block", *kind.__struct_fields__} for kind in _KINDS.values()}
_CELL_KEYS = set(RowCell.__struct_fields__)
_DOC_KEYS = {"version", "kind", "number", "languages", "blocks"}


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
    """The bytes to store: UTF-8, no spaces, the same bytes for the same document; fields at their
    default are left out. `from_json` gives the document back exactly.
    """
    return _encoder.encode(
        {
            "version": VERSION,
            "kind": doc.kind,
            "number": doc.number,
            "languages": doc.languages,
            "blocks": doc.blocks,
        }
    )


_encoder = msgspec.json.Encoder()


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
