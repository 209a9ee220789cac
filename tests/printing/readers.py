"""Readers that are not ours: two of bar codes and QR codes, and poppler's for PDF."""

from __future__ import annotations

import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

import zxingcpp
from PIL import Image, ImageOps
from pyzbar.pyzbar import decode

_BORDER_DOTS = 40  # printing.md section 3


@dataclass(frozen=True)
class Seen:
    """What both readers saw: (kind, text), kind is `code128` or `qr`."""

    zxing: frozenset[tuple[str, str]]
    zbar: frozenset[tuple[str, str]]


def codes_on(image: Image.Image) -> Seen:
    """What each reader sees on a picture with a white border around it."""
    picture = ImageOps.expand(image.convert("L"), _BORDER_DOTS, 255)
    zxing = {
        (
            "qr"
            if found.format == zxingcpp.BarcodeFormat.QRCode
            else str(found.format).lower().replace(" ", ""),
            found.text,
        )
        for found in zxingcpp.read_barcodes(picture)
    }
    zbar = {
        ("qr" if found.type == "QRCODE" else found.type.lower(), found.data.decode())
        for found in decode(picture)
    }
    return Seen(frozenset(zxing), frozenset(zbar))


def _poppler(tool: str, pdf: bytes, folder: Path, *options: str) -> str:
    path = folder / "read.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(
        [tool, *options, str(path), *(["-"] if tool == "pdftotext" else [])],
        capture_output=True,
        check=True,
    )
    assert not done.stderr, done.stderr
    return done.stdout.decode()


def pdf_lines(pdf: bytes, folder: Path) -> list[str]:
    """The words of a PDF, line by line in the order in which they were drawn."""
    return (
        _poppler("pdftotext", pdf, folder, "-raw", "-enc", "UTF-8").replace("\f", "").splitlines()
    )


def pdf_fonts(pdf: bytes, folder: Path) -> list[tuple[str, str]]:
    """(name, embedded) of every font."""
    rows = _poppler("pdffonts", pdf, folder).splitlines()[2:]
    return [(row.split()[0], row[54:].split()[1]) for row in rows]


def pdf_sizes_mm(pdf: bytes, folder: Path) -> list[tuple[float, float]]:
    """Width and height of each page."""
    said = _poppler("pdfinfo", pdf, folder, "-f", "1", "-l", "9")
    rows = [
        line.split("size:")[1].split()
        for line in said.splitlines()
        if line.startswith("Page ") and "size:" in line
    ]
    return [(float(row[0]) * 25.4 / 72, float(row[2]) * 25.4 / 72) for row in rows]


def pdf_pictures(pdf: bytes, folder: Path, dpi: float) -> list[Image.Image]:
    """Each page as a grey picture."""
    path = folder / "draw.pdf"
    path.write_bytes(pdf)
    for old in folder.glob("drawn-*.png"):
        old.unlink()
    subprocess.run(
        ["pdftoppm", "-r", str(dpi), "-gray", "-png", str(path), str(folder / "drawn")], check=True
    )
    return [
        Image.open(io.BytesIO(drawn.read_bytes())).convert("L")
        for drawn in sorted(folder.glob("drawn-*.png"))
    ]


def tones(area: Image.Image) -> tuple[int, int]:
    """The darkest and the lightest grey."""
    used = [grey for grey, dots in enumerate(area.histogram()) if dots]
    return used[0], used[-1]
