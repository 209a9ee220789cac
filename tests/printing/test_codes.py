"""printing.codes: every code is read by two readers that are not ours."""

from __future__ import annotations

import random
import string

import pytest
from PIL import Image, ImageDraw

from printing.codes import code128_bars, code128_modules, code128_segments, qr_modules, qr_size
from printing.document import QR_BYTES_MAX
from tests.printing.readers import codes_on


def drawn_bars(data: str) -> Image.Image:
    widths = code128_bars(data)
    image = Image.new("L", (sum(widths) * 2, 60), 255)
    pen, left = ImageDraw.Draw(image), 0
    for place, width in enumerate(widths):
        if place % 2 == 0:
            pen.rectangle((left, 0, left + width * 2 - 1, 59), fill=0)
        left += width * 2
    return image


def drawn_modules(data: str) -> Image.Image:
    rows = qr_modules(data)
    image = Image.new("L", (len(rows), len(rows)), 255)
    image.putdata([0 if module else 255 for row in rows for module in row])
    return image.resize((image.width * 4, image.height * 4), Image.Resampling.NEAREST)


def random_data(seed: int) -> str:
    rng = random.Random(seed)
    parts = [
        rng.choice((string.digits, string.ascii_letters, string.printable[:95]))
        for _ in range(rng.randint(1, 4))
    ]
    said = "".join("".join(rng.choices(part, k=rng.randint(1, 9))) for part in parts)
    return said.strip() or "0"


@pytest.mark.parametrize("seed", range(60))
def test_both_readers_read_a_random_bar_code(seed: int) -> None:
    data = random_data(seed)
    assert sum(code128_bars(data)) == code128_modules(data)
    seen = codes_on(drawn_bars(data))
    assert seen.zxing == seen.zbar == {("code128", data)}


@pytest.mark.parametrize(
    "length", [1, 14, 15, 26, 27, 62, 84, 106, 122, 152, 180, 213, 251, 287, QR_BYTES_MAX]
)
def test_both_readers_read_a_qr_code_of_every_size(length: int) -> None:
    data = ("https://example.cn/r/" + "x7Kq-" * 60)[:length]
    assert qr_size(data) == len(qr_modules(data))
    seen = codes_on(drawn_modules(data))
    assert seen.zxing == seen.zbar == {("qr", data)}


def test_a_qr_code_in_chinese_is_utf_8() -> None:
    assert codes_on(drawn_modules("会员 6226")).zxing == {("qr", "会员 6226")}


@pytest.mark.parametrize(
    ("data", "segments"),
    [
        ("622610000000", (("C", "622610000000"),)),
        ("12345", (("C", "1234"), ("B", "5"))),
        ("A12345", (("B", "A1"), ("C", "2345"))),
        ("A1234B", (("B", "A1234B"),)),
        ("01-000417-X7KQ", (("B", "01-"), ("C", "000417"), ("B", "-X7KQ"))),
        ("ABC", (("B", "ABC"),)),
    ],
)
def test_digits_are_packed_in_pairs_where_that_is_shorter(
    data: str, segments: tuple[tuple[str, str], ...]
) -> None:
    assert code128_segments(data) == segments
