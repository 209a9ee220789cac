"""What `make bench` measures of printing: receipts a second, each one different, from the stored
JSON to the last byte.
"""

from __future__ import annotations

from dataclasses import replace

from printing.document import Doc, from_json, to_json
from printing.escpos import PROFILE_80_MM, Profile, receipt_bytes
from printing.layout import lay_out
from tests.printing.receipts import item, normal_receipt


def numbered_receipt(number: int) -> Doc:
    """A normal receipt with lines, number and amounts of its own, so that no cache can answer for
    it.
    """
    doc = normal_receipt()
    lines = tuple(
        item(f"柠檬水 {number + n} Lemonade", f"×{n + 1}", f"{number % 997 + n}.00")
        for n in range(3)
    )
    return replace(doc, number=f"01-{number:06}", blocks=(*doc.blocks[:9], *lines, *doc.blocks[9:]))


def stored_receipts(count: int) -> list[bytes]:
    """As they lie in the print jobs."""
    return [to_json(numbered_receipt(number)) for number in range(count)]


def job_bytes(stored: bytes, profile: Profile = PROFILE_80_MM) -> bytes:
    """The whole way of one receipt at print time: stored JSON, document, layout, bytes for the
    printer.
    """
    return receipt_bytes(lay_out(from_json(stored), profile.columns), profile)
