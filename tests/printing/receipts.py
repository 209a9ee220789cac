"""Receipts for the tests: one shop's normal slip in three languages, and random ones from a seed."""

from __future__ import annotations

import random
from typing import Literal

from printing.document import (
    QR,
    Align,
    Block,
    CellFit,
    Code1D,
    Cut,
    Doc,
    Feed,
    Pair,
    Progress,
    Role,
    Row,
    RowCell,
    Rule,
    Sign,
    Text,
)

Language = Literal["zh", "en", "both"]
QR_LINK = "https://example.cn/r/01-000417-X7KQ?s=8f3a2b"
NUMBER = "01-000417-X7KQ"


class _Words:
    """The words of one language or of both: first language, second language."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def one(self, zh: str, en: str) -> str:
        return {"zh": zh, "en": en, "both": f"{zh} {en}"}[self._language]

    def pair(self, zh: str, en: str, value: str, role: Role = "body") -> Pair:
        if self._language == "both":
            return Pair(zh, value, en, role)
        return Pair(zh if self._language == "zh" else en, value, "", role)


def item(name: str, quantity: str, amount: str, role: Role = "body") -> Row:
    return Row(
        (RowCell(name), RowCell(quantity, 5, "right", "keep"), RowCell(amount, 9, "right", "keep")),
        role,
    )


def _shop(words: _Words, language: Language) -> list[Block]:
    title = "Spruce Tea · Renmin Road" if language == "en" else "云杉茶饮 · 人民路店"
    address = (
        "88 Renmin Road, Huangpu, Shanghai" if language == "en" else "上海市黄浦区人民路 88 号"
    )
    blocks: list[Block] = [Text(title, "title")]
    if language == "both":
        blocks.append(Text("Spruce Tea · Renmin Road", align="center"))
    return [
        *blocks,
        Text(address, align="center"),
        Text(words.one("电话", "Tel.") + " 021-6666 8888", align="center"),
        Rule("double"),
        Pair(f"{words.one('单号', 'No.')} {NUMBER}", "POS-01"),
        Pair("2026-11-21 21:05", words.one("收银", "Cashier") + " LW"),
        Rule(),
    ]


def _items(words: _Words, language: Language) -> list[Block]:
    tea = {
        "zh": "珍珠奶茶（大杯·少糖·去冰·加椰果）",
        "en": "Bubble tea, large, less sugar, coconut jelly",
    }
    tea["both"] = "珍珠奶茶（大杯·少糖）Bubble Tea Large"
    return [
        item(
            words.one("品名", "Item"),
            "Qty" if language == "en" else "数量",
            "金额" if language != "en" else "Amount",
            "strong",
        ),
        item(tea[language], "×2", "36.00"),
        item("Café Latté" if language == "en" else "Café Latté 拿铁", "×1", "28.00"),
        item(words.one("柠檬水", "Lemonade"), "×10", "1,280.00"),
        item(words.one("会员赠饮", "Member gift"), "×1", "0.00"),
        Rule(),
        words.pair("小计", "Subtotal", "￥1,344.00"),
        words.pair("会员折扣 金卡", "Gold discount", "-￥67.20"),
        words.pair("积分抵扣 500", "500 points used", "-￥5.00"),
        words.pair("应付", "TOTAL", "¥1,271.80", "total"),
        words.pair("现金", "Cash", "￥1,300.00"),
        words.pair("找零", "Change", "￥28.20"),
        Rule(),
    ]


def _member(words: _Words, language: Language) -> list[Block]:
    return [
        Text(words.one("会员信息", "MEMBER"), "heading"),
        words.pair("卡号", "Card", "6226 **** **** 8888"),
        words.pair("姓名", "Name", "Ouyang J*" if language == "en" else "欧阳*华"),
        words.pair("本次积分", "Earned", "+1,271"),
        words.pair("抵扣积分", "Redeemed", "-500"),
        words.pair("当前积分", "Balance", "12,880", "strong"),
        words.pair("即将到期 12-31", "Expiring 12-31", "300"),
        words.pair("升级进度 → 铂金", "To Platinum", "12,880/20,000"),
        Progress(12_880, 20_000),
        Rule(),
    ]


def normal_receipt(language: Language = "both") -> Doc:
    """The slip that speed and looks are judged by: some 40 blocks with a bar code and a QR code."""
    words = _Words(language)
    blocks = (
        *_shop(words, language),
        *_items(words, language),
        *_member(words, language),
        Code1D(NUMBER),
        Feed(),
        Text(words.one("扫码查积分", "Scan for your points"), align="center"),
        QR(QR_LINK),
        Sign(words.one("储值消费签名", "Signature")),
        Text(
            words.one("凭此小票 7 日内可退换。", "Returns within 7 days with this slip."),
            "small",
            "center",
        ),
        Text(words.one("谢谢惠顾，欢迎再次光临！", "Thank you, see you soon!"), align="center"),
        Cut(),
    )
    tongues = {"zh": ("zh_CN",), "en": ("en",), "both": ("zh_CN", "en")}
    return Doc("sale", NUMBER, tongues[language], blocks)


_ZH = (
    "珍珠奶茶",
    "人民路店",
    "会员折扣",
    "欧阳建华",
    "当前积分，",
    "凭此小票 7 日内可退换。",
    "（大杯·少糖）",
    "满 100 元减 20 元",
    "有效期至 2026年12月31日",
    "上海市黄浦区人民路 88 号",
    "①★■→℃",
    "《会员章程》",
    "“金卡”",
    "…",
    "100％",
)
_EN = (
    "Bubble Tea",
    "Subtotal",
    "Member gift",
    "Café Latté",
    "Thank you for shopping with us",
    "12-31",
    "1,280.00",
    "¥88",
    "x2",
    "https://example.cn/a/very/long/path?x=1&y=2",
    "Tel. 021-6666 8888",
    "don’t",
    "A/B",
    "-5%",
    "€3.50",
)
_RARE = (
    "𠮷野家",
    "㐀",
    "𬎆",
    "Łódź",
    "Ångström",
    "한국",
    "ありがとう",
    "😀",
    "\ue000",
    "é",
    "¥",
    "−1",
    "ﬁ",
    "\u200bzero",
    "𰻞面",
)


def random_receipt(seed: int) -> Doc:
    """A slip of random blocks and words: Chinese, English, mixed, and now and then characters
    that few printers have.
    """
    rng = random.Random(seed)
    words = {0: _ZH, 1: _EN, 2: _ZH + _EN}[seed % 3]

    def phrase(most: int = 5) -> str:
        pool = words + _RARE if rng.random() < 0.15 else words
        return rng.choice(("", " ")).join(rng.choice(pool) for _ in range(rng.randint(1, most)))

    def amount() -> str:
        whole, part = rng.randint(0, 10 ** rng.randint(2, 9)), rng.randint(0, 99)
        return rng.choice(("", "-")) + rng.choice(("￥", "¥", "")) + f"{whole:,}.{part:02}"

    def role() -> Role:
        roles: tuple[Role, ...] = ("body", "small", "strong", "heading", "title", "total", "banner")
        return rng.choice(roles)

    def block() -> Block:
        aligns: tuple[Align, ...] = ("left", "center", "right")
        match rng.randint(0, 9):
            case 0 | 1:
                return Text(
                    phrase(), role(), rng.choice(aligns), rng.choice(("wrap", "clip", "shrink"))
                )
            case 2 | 3:
                return Pair(
                    phrase(3),
                    amount(),
                    rng.choice(("", phrase(2))),
                    rng.choice(("body", "strong", "total")),
                )
            case 4 | 5 | 6:
                return item(phrase(), f"×{rng.randint(1, 999)}", amount())
            case 7:
                return Rule(rng.choice(("single", "double")))
            case 8:
                return Progress(rng.randint(-5, 120), 100)
            case _:
                return rng.choice(
                    (Feed(rng.randint(1, 3)), Sign(phrase(2)), Code1D(f"T{rng.randint(0, 10**9)}"))
                )

    blocks = tuple(block() for _ in range(rng.randint(5, 30)))
    return Doc(
        "sale", f"R{seed}", ("zh_CN", "en"), (*blocks, QR(f"https://example.cn/r/{seed}"), Cut())
    )


def random_row(seed: int) -> Row:
    """A row of one to five cells of any width, alignment and fit, some of them empty."""
    rng = random.Random(seed)
    aligns: tuple[Align, ...] = ("left", "right", "center")
    fits: tuple[CellFit, ...] = ("wrap", "clip", "keep")
    pool = (*_ZH, *_EN, *_RARE, "")
    return Row(
        tuple(
            RowCell(
                rng.choice(("", " ")).join(rng.choices(pool, k=rng.randint(0, 3))),
                rng.choice((0, 0, 2, 5, 9, 20)),
                rng.choice(aligns),
                rng.choice(fits),
            )
            for _ in range(rng.randint(1, 5))
        )
    )
