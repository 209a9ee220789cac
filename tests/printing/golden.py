"""Ten golden receipts, as pictures in golden/. `python -m tests.printing.golden` draws them anew:
look at each one before it is committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from printing.document import Block, Cut, Doc, Pair, Rule, Text
from printing.layout import Page, lay_out
from printing.raster import png
from tests.printing.receipts import NUMBER, item, normal_receipt

FOLDER = Path(__file__).parent / "golden"


def _slip(kind: str, *blocks: Block) -> Doc:
    head = (
        Text("云杉茶饮 · 人民路店", "title"),
        Rule("double"),
        Pair(f"单号 {NUMBER}", "POS-01"),
        Rule(),
    )
    return Doc(kind, NUMBER, ("zh_CN", "en"), (*head, *blocks, Cut()))


def void_slip() -> Doc:
    return _slip(
        "void",
        item("珍珠奶茶", "-2", "-36.00"),
        Rule(),
        Pair("原单金额", "-￥36.00", "Voided sale"),
        Pair("已用积分抵扣", "￥3.00", "Kept for points already spent"),
        Pair("现金", "-￥33.00", "Cash"),
        Pair("作废金额", "-￥33.00", "VOIDED", "total"),
        Pair("退回积分", "-36", "Points taken back"),
    ).marked("作废 VOID")


def return_slip() -> Doc:
    return _slip(
        "return",
        Text("退货 RETURN", "heading"),
        Pair("原单", "01-000399-B2F8", "Sale returned"),
        item("柠檬水 Lemonade", "-1", "-128.00"),
        Rule(),
        Pair("退现金", "-￥128.00", "Cash refunded"),
        Pair("扣回积分", "-128", "Points taken back"),
        Pair("退还积分", "+500", "Points given back"),
    )


def long_names() -> Doc:
    return Doc(
        "sale",
        NUMBER,
        ("zh_CN", "en"),
        (
            Text("演示 DEMO", "banner"),
            Text("训练模式，不是真实交易 TRAINING, NOT A REAL SALE", "banner", fit="shrink"),
            Text("云杉茶饮国际贸易股份有限公司上海人民路旗舰店", "title"),
            Text(
                "The Spruce Tea International Trading Company, Renmin Road Flagship Store", "title"
            ),
            Rule(),
            item("超大杯珍珠奶茶加椰果加布丁加仙草少糖去冰外带两层杯套", "×12", "1,234,567.00"),
            item("Extraordinarily long product name that nobody would ever print", "×1", "8.00"),
            item("𠮷野家牛肉饭 😀", "×1", "38.00"),
            Pair("姓名", "欧阳·𬎆", "Name"),
            Pair("Name", "Łukasz Wiśniewski-Żółć"),
            Pair("应付", "￥1,234,613.00", "TOTAL TO BE PAID", "total"),
            Text(
                "本小票是退换货凭证，请妥善保管；如需发票请于当月内扫码自助开具，逾期不补。",
                "small",
            ),
            Cut(),
        ),
    )


def pages() -> Iterator[tuple[str, Page]]:
    """Name and page of each golden receipt."""
    for language in ("zh", "en", "both"):
        yield f"sale-{language}-80", lay_out(normal_receipt(language), 48)
        yield f"sale-{language}-58", lay_out(normal_receipt(language), 32)
    yield "copy-both-80", lay_out(normal_receipt().marked("补打 COPY 1"), 48)
    yield "void-58", lay_out(void_slip(), 32)
    yield "return-80", lay_out(return_slip(), 48)
    yield "long-names-58", lay_out(long_names(), 32)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, page in pages():
        (FOLDER / f"{name}.png").write_bytes(png(page))
