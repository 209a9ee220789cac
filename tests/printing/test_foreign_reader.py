"""The bytes of a receipt, taken apart by a reader of ESC/POS that we did not write."""

from __future__ import annotations

import pytest

from printing.escpos import PROFILE_58_MM, PROFILE_80_MM, Profile, receipt_bytes
from printing.layout import Bars, Line, Matrix, Page, lay_out
from printing.raster import element_bitmap
from tests.printing.foreign_reader import Read, read
from tests.printing.receipts import normal_receipt, random_receipt

WHITE_LIST = {
    "ESC @", "ESC R", "FS &", "FS .", "ESC E", "GS B", "GS !", "ESC a", "GS v 0", "GS H", "GS f", "GS h",
    "GS w", "GS k", "GS ( k", "GS V", "LF",
}  # fmt: skip


def wanted(page: Page) -> list[tuple[str, str | bytes]]:
    """What the layout says stands on the paper, in its order; blank lines and cuts apart."""
    found: list[tuple[str, str | bytes]] = []
    for element in page.elements:
        match element:
            case Line(raster=True):
                rows = element_bitmap(element, page.columns).rows
                found.append(("image", rows.replace(b"\x10\x14", b"\x10\x15")))
            case Line():
                found.append(("text", element.text.rstrip()))
            case Bars():
                found.append(("code128", element.data))
            case Matrix():
                found.append(("qr", element.data))
    return [each for each in found if each != ("text", "")]


def shown(things: list[Read]) -> list[tuple[str, str | bytes]]:
    found: list[tuple[str, str | bytes]] = []
    for thing in things:
        match thing.kind:
            case "image":
                found.append((thing.kind, thing.data))
            case "code128":
                found.append((thing.kind, bars(thing.data)))
            case "text" | "qr":
                code = "gb18030" if thing.kind == "text" else "utf-8"
                found.append((thing.kind, thing.data.decode(code).rstrip()))
    return [each for each in found if each != ("text", "")]


def bars(data: bytes) -> str:
    """The text of Code 128 as `GS k` is given it: {A, {B and {C choose a set, {{ is a brace."""
    text, at, pairs = "", 0, False
    while at < len(data):
        if data[at : at + 1] == b"{":
            chosen = data[at + 1 : at + 2]
            text += "{" if chosen == b"{" else ""
            pairs = chosen == b"C" if chosen != b"{" else pairs
            at += 2
            continue
        text += f"{data[at]:02d}" if pairs else chr(data[at])
        at += 1
    return text


@pytest.mark.parametrize("profile", [PROFILE_58_MM, PROFILE_80_MM], ids=("58mm", "80mm"))
@pytest.mark.parametrize("seed", range(100))
def test_a_random_receipt_is_read_back_line_by_line(seed: int, profile: Profile) -> None:
    page = lay_out(random_receipt(seed), profile.columns)
    things, names = read(receipt_bytes(page, profile))
    assert shown(things) == wanted(page)
    assert len(things) >= 6
    assert set(names) <= WHITE_LIST
    assert names.count("GS V") == (1 if profile.cutter == "partial" else 0)


def test_a_byte_that_went_wrong_is_seen() -> None:
    page = lay_out(normal_receipt("zh"), PROFILE_80_MM.columns)
    job = receipt_bytes(page, PROFILE_80_MM)
    assert shown(read(job)[0]) == wanted(page)
    for what, other in ((b"\n", b" "), ("会".encode("gb18030"), "汇".encode("gb18030"))):
        assert shown(read(job.replace(what, other, 1))[0]) != wanted(page)


def test_a_command_that_is_cut_off_is_no_job() -> None:
    job = receipt_bytes(lay_out(normal_receipt("zh"), 48), PROFILE_80_MM)
    with pytest.raises(AssertionError, match="in the middle"):
        read(job[:-1])
