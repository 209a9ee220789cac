"""What the slips of returns and voids say, from the real store: sums that add up, and who pays whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.context import Context, Session
from app.domain.documents import LineRequest, ReturnedLine
from app.queries.counter import slip_preview
from app.settings import Language, ReceiptSettings, ShopTexts
from app.usecases.return_goods import ReturnGoods, preview_return, return_goods
from app.usecases.sell import Sold
from app.usecases.void import Void, Voided, preview_void, void
from printing.document import Doc, Pair, Row, Text, from_json
from tests.fakes import Shop, demo_programme, make_shop
from tests.flows.test_counter_day import new_member, sale


def one_back(ctx: Context, session: Session, sold: Sold) -> bytes:
    """One piece of the first line comes back; the id of the return."""
    lines = (ReturnedLine(0, 1),)
    shown = preview_return(ctx, sold.event_id, lines)
    command = ReturnGoods(
        ctx.ids(), session, sold.event_id, lines, "faulty", shown.refund_minor, shown.balance_after
    )
    return return_goods(ctx, command).result.event_id


def undo(ctx: Context, session: Session, event_id: bytes) -> Voided:
    shown = preview_void(ctx, event_id)[0]
    return void(ctx, Void(ctx.ids(), session, event_id, "test", shown.balance_after)).result


def slip(ctx: Context, event_id: bytes) -> Doc:
    document = slip_preview(ctx, event_id)
    assert document is not None
    return from_json(document.encode())


def pairs(doc: Doc) -> list[tuple[str, str]]:
    """(label in the first language, value) of the slip's lines, in their order."""
    return [(block.label, block.value) for block in doc.blocks if isinstance(block, Pair)]


def minor(text: str) -> int:
    """`−¥11.26` or `-11.26` in fen."""
    digits = "".join(character for character in text if character.isdigit())
    return -int(digits) if text[0] in "-−" else int(digits)


def lines_minor(doc: Doc) -> int:
    """The sum of the amounts of the goods."""
    goods = [block for block in doc.blocks if isinstance(block, Row) and block.role == "body"]
    return sum(minor(row.cells[-1].text) for row in goods)


@pytest.mark.parametrize(
    ("price", "pieces", "points"), [(1290, 3, 300), (1999, 7, 500), (533, 3, 200), (50, 3, 0)]
)
def test_the_slips_of_partial_returns_add_up_each_and_together(
    shop: Shop, price: int, pieces: int, points: int
) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sale(ctx, session, member, LineRequest(600000))  # Gold: the member's price is no round one.
    line = LineRequest(price, pieces, name="杯子")
    sold = sale(ctx, session, member, line, redeem=points, kind="cash")
    goods = used = 0
    for _ in range(pieces):
        doc = slip(ctx, one_back(ctx, session, sold))
        said = dict(pairs(doc))
        returned = [minor(value) for label, value in said.items() if label.startswith("退还积分 ")]
        assert lines_minor(doc) + sum(returned) == minor(said["应退"]) == minor(said["现金"])
        goods, used = goods - lines_minor(doc), used + sum(returned)
    assert goods == sold.document.lines[0].payable_minor
    assert used == sold.document.points_value_minor


def test_a_copy_of_a_return_says_what_the_slip_said_whatever_came_after(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sale(ctx, session, member, LineRequest(600000))
    sold = sale(ctx, session, member, LineRequest(1290, 3, name="杯子"), redeem=300, kind="cash")
    returns = [one_back(ctx, session, sold) for _ in range(3)]
    before = [lines_minor(slip(ctx, each)) for each in returns]
    assert before[0] != before[2]
    for each in reversed(returns):
        undo(ctx, session, each)
    assert [lines_minor(slip(ctx, each)) for each in returns] == before


def test_voiding_a_return_says_what_the_customer_pays_and_by_what(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    sold = sale(ctx, session, None, LineRequest(3040), kind="cash")
    back = one_back(ctx, session, sold)
    assert preview_void(ctx, back)[0].refunds == (("cash", -3040),)
    voided = undo(ctx, session, back)
    assert voided.refunds == (("cash", -3040),)
    said = dict(pairs(slip(ctx, voided.event_id)))
    assert said["现金"] == "¥30.40"
    assert said["作废金额"] == "¥30.40"


def test_voiding_a_sale_says_what_is_given_back(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    sold = sale(ctx, session, None, LineRequest(3040), kind="cash")
    said = dict(pairs(slip(ctx, undo(ctx, session, sold.event_id).event_id)))
    assert said["现金"] == said["作废金额"] == "−¥30.40"


def test_a_void_that_keeps_money_for_points_already_spent_gives_back_the_rest(
    tmp_path: Path,
) -> None:
    returns = demo_programme()["returns"] | {"spent_policy": "deduct"}
    shop = make_shop(tmp_path / "deducting", demo_programme(returns=returns))
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sold = sale(ctx, session, member, LineRequest(30000), kind="cash")
    sale(ctx, session, member, LineRequest(10000), redeem=300)
    kept = preview_void(ctx, sold.event_id)[0].settlement.charged_minor
    assert kept > 0
    doc = slip(ctx, undo(ctx, session, sold.event_id).event_id)
    said = dict(pairs(doc))
    assert minor(said["原单金额"]) == -30000
    assert minor(said["已用积分扣款"]) == kept
    assert minor(said["现金"]) == minor(said["作废金额"]) == kept - 30000
    (largest,) = [pair for pair in doc.blocks if isinstance(pair, Pair) and pair.role == "total"]
    assert minor(largest.value) == kept - 30000
    shop.till.close()


def test_points_on_the_slip_of_a_voided_return_are_named_by_their_sign(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sale(ctx, session, member, LineRequest(100000))
    sold = sale(ctx, session, member, LineRequest(5000, 2), redeem=200)
    back = one_back(ctx, session, sold)
    said = dict(pairs(slip(ctx, back)))
    assert (said["收回积分"], said["退还积分"]) == ("−49", "+100")
    said = dict(pairs(slip(ctx, undo(ctx, session, back).event_id)))
    assert (said["本次积分"], said["积分抵扣"]) == ("+49", "−100")
    assert not {"收回积分", "退还积分"} & set(said)


TEXTS = ShopTexts(name="云杉茶饮", name_en="Spruce Tea", footer="欢迎再来", footer_en="Come again")


@pytest.mark.parametrize(
    ("language", "bilingual", "texts", "said"),
    [
        ("zh_CN", True, TEXTS, ["云杉茶饮", "Spruce Tea", "欢迎再来", "Come again"]),
        ("zh_CN", False, TEXTS, ["云杉茶饮", "欢迎再来"]),
        ("en", True, TEXTS, ["Spruce Tea", "云杉茶饮", "Come again", "欢迎再来"]),
        ("en", False, TEXTS, ["Spruce Tea", "Come again"]),
        ("en", False, ShopTexts(name="云杉茶饮"), ["云杉茶饮"]),
        ("zh_CN", False, ShopTexts(footer_en="Come again"), ["Come again"]),
    ],
)
def test_head_and_foot_are_in_the_language_of_the_slip(
    shop: Shop, language: Language, bilingual: bool, texts: ShopTexts, said: list[str]
) -> None:
    ctx, session = shop.till.context, shop.start()
    receipt = ReceiptSettings(bilingual=bilingual)
    ctx.keep_settings(replace(ctx.settings, language=language, receipt=receipt, shop=texts))
    doc = slip(ctx, sale(ctx, session, None, LineRequest(3040)).event_id)
    assert [block.text for block in doc.blocks if isinstance(block, Text)] == said
