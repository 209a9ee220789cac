"""printing.document: what is stored with a sale comes back exactly, and nothing else is taken."""

from __future__ import annotations

from typing import Any

import pytest

from printing.document import (
    QR,
    Code1D,
    Cut,
    Doc,
    DocumentError,
    Feed,
    Image,
    Pair,
    Progress,
    Row,
    RowCell,
    Rule,
    Sign,
    Text,
    from_json,
    from_plain,
    to_json,
)
from tests.printing.receipts import normal_receipt, random_receipt

EVERY_BLOCK = (
    Text("甲", "title", "right", "shrink"),
    Row((RowCell("a"), RowCell("b", 5, "right", "keep")), "strong"),
    Pair("l", "v", "s", "total"),
    Rule("double"),
    Code1D("AB-12"),
    QR("https://example.cn"),
    Image("00" * 32),
    Progress(3, 9),
    Sign("Sign"),
    Feed(2),
    Cut(),
)


def test_every_block_survives_json_exactly() -> None:
    doc = Doc("sale", "1", ("zh_CN",), EVERY_BLOCK)
    assert from_json(to_json(doc)) == doc


@pytest.mark.parametrize("seed", range(30))
def test_a_random_receipt_survives_json_and_its_bytes_are_stable(seed: int) -> None:
    doc = random_receipt(seed)
    stored = to_json(doc)
    assert from_json(stored) == doc
    assert to_json(from_json(stored)) == stored


def test_the_stored_form_of_version_1_never_changes() -> None:
    doc = Doc("sale", "01-7", ("zh_CN", "en"), EVERY_BLOCK)
    assert to_json(doc).decode() == (
        '{"version":1,"kind":"sale","number":"01-7","languages":["zh_CN","en"],"blocks":['
        '{"block":"text","text":"甲","role":"title","align":"right","fit":"shrink"},'
        '{"block":"row","cells":[{"text":"a"},{"text":"b","width":5,"align":"right","fit":"keep"}],"role":"strong"},'
        '{"block":"pair","label":"l","value":"v","second":"s","role":"total"},{"block":"rule","kind":"double"},'
        '{"block":"code1d","data":"AB-12"},{"block":"qr","data":"https://example.cn"},'
        '{"block":"image","digest":"' + "00" * 32 + '"},{"block":"progress","value":3,"maximum":9},'
        '{"block":"sign","label":"Sign"},{"block":"feed","lines":2},{"block":"cut"}]}'
    )


def _plain(**change: Any) -> dict[str, Any]:
    return {"version": 1, "kind": "sale", "number": "1", "languages": [], "blocks": []} | change


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (_plain(version=2), "version: 2 is not 1"),
        (_plain(colour="red"), "document.colour: unknown key"),
        (_plain(kind=3), "document: Expected `str`, got `int`"),
        (_plain(blocks={}), "blocks: not a list"),
        (_plain(blocks=["text"]), "blocks[0]: not an object"),
        (
            _plain(blocks=[{"block": "cut"}, {"block": "video"}]),
            "blocks[1].block: unknown block 'video'",
        ),
        (
            _plain(blocks=[{"block": "text", "text": "a", "colour": 1}]),
            "blocks[0].colour: unknown key",
        ),
        (
            _plain(blocks=[{"block": "row", "cells": [{"text": "a", "x": 1}]}]),
            "blocks[0].cells[0].x: unknown key",
        ),
        (
            _plain(blocks=[{"block": "row", "cells": [{"text": "a", "block": "x"}]}]),
            "cells[0].block: unknown key",
        ),
        (
            _plain(blocks=[{"block": "text", "text": 5}]),
            "blocks[0]: Expected `str`, got `int` - at `$.text`",
        ),
        (_plain(blocks=[{"block": "text"}]), "blocks[0]: Object missing required field `text`"),
        (
            _plain(blocks=[{"block": "text", "text": "a", "role": "loud"}]),
            "blocks[0]: Invalid enum value 'loud'",
        ),
        (
            _plain(blocks=[{"block": "row", "cells": [{"text": "a", "width": 1}]}]),
            "at least 2 columns",
        ),
        (_plain(blocks=[{"block": "progress", "value": 1, "maximum": 0}]), "above zero"),
    ],
)
def test_what_is_not_a_document_is_refused_with_its_place(plain: dict[str, Any], said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        from_plain(plain)
    assert said in str(caught.value)


@pytest.mark.parametrize("stored", [b"", b"[]", b"{", b"\xff"])
def test_bytes_that_are_not_json_are_refused(stored: bytes) -> None:
    with pytest.raises(DocumentError):
        from_json(stored)


@pytest.mark.parametrize("data", ["", "中", "a\n", "x" * 49])
def test_a_bar_code_refuses_what_code_128_or_the_paper_cannot_hold(data: str) -> None:
    with pytest.raises(ValueError, match="bar code"):
        Code1D(data)


def test_a_qr_code_refuses_more_than_the_paper_can_hold() -> None:
    assert QR("会" * 100).data
    with pytest.raises(ValueError, match="QR"):
        QR("会" * 101)


def test_a_qr_code_refuses_control_characters() -> None:
    with pytest.raises(ValueError, match="control"):
        QR("https://example.cn\x10\x14")


def test_a_copy_is_the_same_slip_under_a_banner() -> None:
    doc = normal_receipt()
    copy = doc.marked("补打 COPY 1")
    assert copy.blocks[0] == Text("补打 COPY 1", "banner")
    assert copy.blocks[1:] == doc.blocks
    assert (copy.number, copy.kind) == (doc.number, doc.kind)
