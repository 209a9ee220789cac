"""Where proportional text breaks, and that no character is left blank."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from printing.pdf import open_canvas
from printing.writing import broken, width_of, write
from tests.printing.readers import pdf_fonts, pdf_lines


def test_words_break_at_blanks_and_no_line_is_too_wide() -> None:
    text = "Somebody was at the till's computer who had no business there."
    lines = broken(text, 10, 120)
    assert " ".join(lines) == text
    assert len(lines) > 2
    assert all(width_of(line, 10) <= 120 for line in lines)


def test_chinese_breaks_between_characters_and_never_before_a_closing_sign() -> None:
    text = "凭这把密钥，任何人都能证明（本机过去的）记录没有被改过、删过。"
    for width in range(25, 200, 3):
        lines = broken(text, 10, width)
        assert "".join(lines) == text
        assert not any(line[0] in "，（）、。" and line[0] != "（" for line in lines)
        assert not any(line[-1] == "（" for line in lines)


def test_a_word_that_is_too_wide_alone_is_cut_and_nothing_is_lost() -> None:
    word = "x" * 300
    lines = broken(f"a {word} b", 10, 100)
    assert "".join(lines).replace(" ", "") == f"a{word}b"
    assert all(width_of(line, 10) <= 100 for line in lines)


@pytest.mark.parametrize("seed", range(30))
def test_random_text_keeps_every_character_in_order(seed: int) -> None:
    pick = random.Random(seed)
    text = "".join(pick.choice("ab 中文，。（1%") for _ in range(80)).strip()
    lines = broken(text, 9, pick.uniform(20, 150))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_nothing_to_say_is_one_empty_line() -> None:
    assert broken("", 10, 100) == ("",)


def drawn(text: str) -> bytes:
    buffer = io.BytesIO()
    canvas = open_canvas(buffer, 400, 100, title="x")
    write(canvas, text, 10, 50, 12)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_rare_han_is_drawn_by_the_face_that_has_it_and_can_be_copied(tmp_path: Path) -> None:
    pdf = drawn("茶𬎆𠮷铺")
    assert any("RareHan" in font for font, _ in pdf_fonts(pdf, tmp_path))
    assert "".join(pdf_lines(pdf, tmp_path)).replace(" ", "") == "茶𬎆𠮷铺"


def test_a_character_that_no_face_has_is_spelled_out(tmp_path: Path) -> None:
    assert pdf_lines(drawn("\U0002ebf0野家"), tmp_path) == ["[U+2EBF0]野家"]
