"""printing.card: CR80 faces that can be read by people and by two readers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from printing.card import (
    CONTRAST_MIN,
    HEIGHT_MM,
    WIDTH_MM,
    Card,
    CardRefused,
    card_pdf,
    colours,
    contrast,
    grouped,
)
from tests.printing.readers import codes_on, pdf_fonts, pdf_lines, pdf_pictures, pdf_sizes_mm, tones

CARD = Card(
    shop="云杉茶饮",
    shop_second="SPRUCE TEA MEMBERSHIP",
    name="欧阳建华",
    name_second="OUYANG JIANHUA",
    number="622610000000",
    number_label="会员编号 MEMBER NO.",
    qr="622610000000",
    tier="金卡",
    tier_second="GOLD",
    colour="#B8860B",
    valid="有效期至 VALID THRU 12/2028",
    signature_label="持卡人签名 SIGNATURE",
    terms=("本卡限本人使用。", "遗失请致电 400-600-8888", "www.example.cn/member"),
    mark="演示 DEMO",
)
CARDS = [
    CARD,
    replace(
        CARD,
        name="Wolfeschlegelsteinhausenbergerdorff-Łukasiewicz Hubert",
        name_second="",
        colour="#C9CED6",
    ),
    replace(
        CARD, number="REG-0042-77XK", qr="https://example.cn/m/REG-0042-77XK", colour="#1F2430"
    ),
    replace(
        CARD,
        number="6226100000007",
        qr="x" * 84,
        colour="#2E8B57",
        signature_label="",
        terms=(),
        mark="",
    ),
    replace(CARD, number="ABCDEFGHIJKLMN", colour="#FFFFFF"),
]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.number + card.colour)
def test_both_readers_read_both_faces_at_300_dpi(card: Card, tmp_path: Path) -> None:
    front, back = pdf_pictures(card_pdf(card), tmp_path, dpi=300)
    for face, code in ((front, ("qr", card.qr)), (back, ("code128", card.number))):
        seen = codes_on(face)
        assert seen.zxing == seen.zbar == {code}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.number + card.colour)
def test_a_card_is_cr80_with_its_fonts_in_it(card: Card, tmp_path: Path) -> None:
    pdf = card_pdf(card)
    assert {embedded for _, embedded in pdf_fonts(pdf, tmp_path)} == {"yes"}
    sizes = pdf_sizes_mm(pdf, tmp_path)
    assert len(sizes) == 2
    for width, height in sizes:
        assert width == pytest.approx(WIDTH_MM, abs=0.1)
        assert height == pytest.approx(HEIGHT_MM, abs=0.1)


def test_every_word_of_a_card_can_be_read_as_text(tmp_path: Path) -> None:
    read = pdf_lines(card_pdf(CARD), tmp_path)
    for text in (
        *(
            CARD.shop,
            CARD.shop_second,
            CARD.name,
            CARD.name_second,
            CARD.tier,
            CARD.tier_second,
            CARD.valid,
        ),
        *("6226 1000 0000", CARD.number_label, CARD.signature_label, *CARD.terms, CARD.mark),
    ):
        assert text in "\n".join(read), text


def test_the_stripes_zone_has_no_ink_and_no_text_comes_near_the_edge(tmp_path: Path) -> None:
    front, back = pdf_pictures(card_pdf(replace(CARD, colour="#2E8B57")), tmp_path, dpi=254)
    assert tones(back.crop((0, 40, 856, 167))) == (255, 255)
    for face in (front, back):
        (ground, _) = tones(face.crop((3, 300, 4, 301)))
        for edge in ((0, 180, 30, 530), (0, 510, 200, 538)):
            dark, light = tones(face.crop(edge))
            assert max(abs(dark - ground), abs(light - ground)) < 40


def test_letters_can_be_read_on_any_colour() -> None:
    steps = range(0, 256, 51)
    for wish in (f"#{r:02x}{g:02x}{b:02x}" for r in steps for g in steps for b in steps):
        ground, letters = colours(wish)
        assert contrast(ground, letters) >= CONTRAST_MIN, wish


def test_contrast_is_measured_as_the_standard_says() -> None:
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)) == pytest.approx(1)
    # The white on gold that was too weak.
    assert contrast((184 / 255, 134 / 255, 11 / 255), (1, 1, 1)) == pytest.approx(3.2, abs=0.1)


def test_a_name_is_made_smaller_before_it_is_cut(tmp_path: Path) -> None:
    for name in (
        "欧",
        "欧阳建华" * 3,
        "Christopher Alexander Montgomery-Smith",
        "买买提·吐尔逊·阿不都热合曼",
    ):
        pdf = card_pdf(replace(CARD, name=name, name_second=""))
        read = " ".join(pdf_lines(pdf, tmp_path)[:12])
        assert name.replace(" ", "") in read.replace(" ", "")


def test_a_name_that_no_size_can_hold_ends_with_an_ellipsis(tmp_path: Path) -> None:
    read = pdf_lines(card_pdf(replace(CARD, name="吐尔逊" * 30, name_second="")), tmp_path)
    assert any(line.startswith("吐尔逊吐") and line.endswith("…") for line in read)


def test_a_name_of_rare_characters_is_on_the_card(tmp_path: Path) -> None:
    read = pdf_lines(card_pdf(replace(CARD, name="𠮷野𬎆", name_second="")), tmp_path)
    assert any("𠮷野𬎆" in line for line in read)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "\U0002ebf0野 \U0002ebf1"}, r"no font has . \(U\+2EBF0\), . \(U\+2EBF1\)"),
        ({"colour": "gold"}, "no colour"),
        ({"colour": "#667"}, "no colour"),
        ({"number": "会员"}, "printable ASCII"),
        ({"number": ""}, "printable ASCII"),
        ({"number": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, "too long for a bar code"),
        ({"qr": ""}, "QR code"),
        ({"qr": "x" * 85}, "QR code"),
    ],
)
def test_a_card_that_cannot_be_made_well_is_refused(change: dict[str, str], said: str) -> None:
    with pytest.raises(CardRefused, match=said):
        card_pdf(replace(CARD, **change))  # type: ignore[arg-type]  # texts only


def test_the_same_card_gives_the_same_bytes() -> None:
    assert card_pdf(CARD) == card_pdf(CARD)


def test_a_number_is_grouped_as_people_read_it() -> None:
    assert grouped("6226100000005") == "6226 1000 0000 5"
    assert grouped("REG-0042") == "REG-0042"
