"""What events add to the shop's figures: kept with each event, provable, and filled after a migration."""

from __future__ import annotations

import pytest

from app.domain.documents import ReturnedLine
from app.usecases.return_goods import ReturnGoods, preview_return, return_goods
from app.usecases.verify import verify
from app.usecases.verify_report import Fault
from db import figures
from tests.app.kiosk import Kiosk
from tests.app.test_verify import raw


def sums(kiosk: Kiosk) -> list[figures.FiguresRow]:
    with kiosk.ctx.read() as conn:
        return list(figures.all_rows(conn))


def shares(kiosk: Kiosk, part: str) -> list[tuple[str, int, int]]:
    with kiosk.ctx.read() as conn:
        return [(s.key, s.amount, s.extra) for s in figures.all_shares(conn) if s.part == part]


def test_a_sale_keeps_its_sums_its_tender_and_its_goods(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell(5000, quantity=3)
    row = sums(kiosk)[-1]
    assert (row.kind, row.gross_minor, row.paid_minor) == ("sale", 15000, 15000)
    assert row.points_issued == 150
    assert shares(kiosk, "tender") == [("cash", 15000, 0)]
    assert shares(kiosk, "category") == [("", 15000, 3)]


def test_partial_returns_take_out_exactly_what_the_sale_put_in(kiosk: Kiosk) -> None:
    sale = kiosk.quote_and_sell(3333, quantity=3, redeem=0).result
    for _ in range(3):
        kiosk.take_back(sale.event_id)
    rows = [row for row in sums(kiosk) if row.kind in ("sale", "return")]
    assert sum(row.paid_minor for row in rows) == 0
    assert sum(row.gross_minor for row in rows) == 0
    assert sum(row.points_issued for row in rows) == 0
    assert [sum(a for _, a, _ in shares(kiosk, "category"))] == [0]


@pytest.mark.parametrize(
    ("price", "pieces", "points"), [(1999, 7, 500), (1290, 3, 300), (533, 3, 0)]
)
def test_the_columns_of_each_partial_return_add_up(
    kiosk: Kiosk, price: int, pieces: int, points: int
) -> None:
    kiosk.quote_and_sell(600000)  # Gold: the member's price is no round one.
    sale = kiosk.quote_and_sell(price, quantity=pieces, redeem=points).result
    for _ in range(pieces):
        kiosk.take_back(sale.event_id)
    rows = [row for row in sums(kiosk) if row.kind in ("sale", "return")][1:]
    for row in rows:
        columns = row.gross_minor - row.discount_minor - row.points_value_minor
        assert columns == row.paid_minor, row
        with kiosk.ctx.read() as conn:
            goods = [
                each.amount
                for each in figures.all_shares(conn)
                if each.seq == row.seq and each.part == "category"
            ]
        assert sum(goods) == row.paid_minor + row.points_value_minor, row
    for name in ("gross_minor", "discount_minor", "points_value_minor", "paid_minor"):
        assert sum(getattr(row, name) for row in rows) == 0, name


def test_a_void_mirrors_what_it_undoes(kiosk: Kiosk) -> None:
    sale = kiosk.quote_and_sell(5000, quantity=2).result
    back = kiosk.take_back(sale.event_id).result
    kiosk.undo(back.event_id)
    kiosk.undo(sale.event_id)
    rows = [row for row in sums(kiosk) if row.kind != "enrol"]
    assert [row.undoes for row in rows] == [None, None, "return", "sale"]
    assert [row.paid_minor for row in rows] == [10000, -5000, 5000, -10000]
    assert [amount for _, amount, _ in shares(kiosk, "tender")] == [10000, -5000, 5000, -10000]


def test_points_spent_and_restored_are_redeemed_and_not_issued(kiosk: Kiosk) -> None:
    for _ in range(3):
        kiosk.quote_and_sell()
    spent = kiosk.quote_and_sell(redeem=500).result
    row = sums(kiosk)[-1]
    assert (row.points_redeemed, row.points_value_minor) == (500, 500)
    kiosk.undo(spent.event_id)
    assert sum(row.points_redeemed for row in sums(kiosk)) == 0


def test_a_return_of_several_lines_says_the_goods_of_each(kiosk: Kiosk) -> None:
    sale = kiosk.quote_and_sell(700, quantity=4).result
    lines = (ReturnedLine(0, 3),)
    shown = preview_return(kiosk.ctx, sale.event_id, lines)
    return_goods(
        kiosk.ctx,
        ReturnGoods(
            kiosk.ctx.ids(), kiosk.session, sale.event_id, lines, "faulty",
            shown.refund_minor, shown.balance_after,
        ),
    )  # fmt: skip
    assert shares(kiosk, "category") == [("", 2800, 4), ("", -2100, -3)]


CHANGES = (
    "UPDATE event_figures SET paid_minor = paid_minor + 1 WHERE seq = ?",
    "UPDATE event_figures SET business_date = business_date + 1 WHERE seq = ?",
    "UPDATE event_figures SET staff_id = NULL WHERE seq = ?",
    "DELETE FROM event_figures WHERE seq = ?",
    "UPDATE event_share SET amount = amount - 1 WHERE seq = ? AND n = 0",
    "UPDATE event_share SET key = 'card' WHERE seq = ? AND n = 0",
    "DELETE FROM event_share WHERE seq = ? AND n = 0",
)


@pytest.mark.parametrize("change", CHANGES)
def test_verify_names_a_changed_figure(kiosk: Kiosk, change: str) -> None:
    kiosk.busy_morning()
    seq = kiosk.quote_and_sell().result.seq
    assert verify(kiosk.ctx).total == 0
    with raw(kiosk) as conn:
        conn.execute(change, (seq,))
        assert conn.execute("SELECT changes()").fetchone() == (1,)
    kiosk.open()
    report = verify(kiosk.ctx)
    assert report.exit_code == Fault.PROJECTION
    assert {finding.seq for finding in report.findings} == {seq}


def test_a_store_from_before_the_figures_is_filled_when_it_opens(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    before = sums(kiosk)
    with raw(kiosk) as conn:
        # As the migrations leave it: tables without a row, and notes that they are to be filled.
        conn.execute("DELETE FROM event_share")
        conn.execute("DELETE FROM event_figures")
        conn.execute(
            "INSERT INTO meta (key, value) VALUES ('figures_filled', '0'), ('sums_due', '1')"
        )
    kiosk.open()
    assert sums(kiosk) == before
    assert verify(kiosk.ctx).total == 0


def test_a_filling_that_was_cut_off_goes_on_where_it_stopped(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    before = sums(kiosk)
    half = before[len(before) // 2].seq
    with raw(kiosk) as conn:
        conn.execute("DELETE FROM event_share WHERE seq > ?", (half,))
        conn.execute("DELETE FROM event_figures WHERE seq > ?", (half,))
        conn.execute("INSERT INTO meta (key, value) VALUES ('figures_filled', ?)", (str(half),))
    kiosk.open()
    assert sums(kiosk) == before
