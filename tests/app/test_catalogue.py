"""A catalogue from a file: every fault is told, a second run changes nothing, past sales stay."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from app import posting
from app.catalogue_file import RowFault, read_catalogue
from app.context import Session
from app.domain.documents import LineRequest, SaleRequest
from app.domain.errors import Refused
from app.numbers import card_number
from app.queries.audit import audit_facts
from app.queries.catalogue import catalogue
from app.queries.counter import find_items, item_by_code, quote, sale_of
from app.queries.event_facts import Fact
from app.usecases.catalogue import (
    ImportCatalogue,
    Imported,
    SaveItem,
    import_catalogue,
    save_item,
)
from app.usecases.export_catalogue import ExportCatalogue, export_catalogue
from app.usecases.reprint import Reprint, reprint
from app.usecases.sell import Payment, Sell, sell
from app.usecases.sign_in import SignIn, new_verifier, sign_in
from db import rows, till
from tests.costs import full
from tests.fakes import PASSPHRASE, PINS, Shop

HEAD = "code,name,name_en,category,price,per,tax,tax_included,barcodes,withdrawn\n"
TWO = HEAD + (
    "A1,龙井,Longjing,tea,88.50,1,13,yes,6900000000111 6900000000112,\n"
    "A2,散装茶,Loose tea,tea,30,500,9,no,,\n"
)


def session(shop: Shop, who: str = "zg") -> Session:
    ctx = shop.till.context
    return sign_in(ctx, SignIn(ctx.ids(), who, PINS[who])).result


def take(shop: Shop, text: str | bytes, *, who: str = "zg", dry_run: bool = False) -> Imported:
    ctx = shop.till.context
    content = text.encode() if isinstance(text, str) else text
    return import_catalogue(
        ctx, ImportCatalogue(ctx.ids(), session(shop, who), content, dry_run)
    ).result


def events(shop: Shop) -> list[dict[str, object]]:
    with shop.till.context.read() as conn:
        found = [posting.event_of(row) for row in rows.events_after(conn, 0)]
    return [event.doc for event in found if event.kind == posting.CATALOGUE]


def test_items_of_a_file_can_be_sold_by_each_barcode(shop: Shop) -> None:
    assert take(shop, TWO) == Imported(2, 0, 0, 0, ())
    item = item_by_code(shop.till.context, "6900000000112")
    assert (item.code, item.price_minor, item.tax_bp, item.tax_included) == ("A1", 8850, 1300, True)
    loose = item_by_code(shop.till.context, "A2")
    assert (loose.price_minor, loose.per_quantity, loose.tax_included) == (3000, 500, False)
    for typed in ("lj", "longjing", "6900000000112"):
        assert [found.code for found in find_items(shop.till.context, typed)] == ["A1"], typed


def test_a_second_run_changes_nothing_and_is_no_event(shop: Shop) -> None:
    take(shop, TWO)
    assert take(shop, TWO) == Imported(0, 0, 0, 2, ())
    assert len(events(shop)) == 1


def test_a_dry_run_says_what_would_be_and_does_nothing(shop: Shop) -> None:
    assert take(shop, TWO, dry_run=True).added == 2
    assert events(shop) == []
    with pytest.raises(Refused, match="item_unknown"):
        item_by_code(shop.till.context, "A1")


def test_a_changed_and_a_withdrawn_item_are_told_apart(shop: Shop) -> None:
    take(shop, TWO)
    later = TWO.replace("88.50", "90").replace("30,500,9,no,,", "30,500,9,no,,yes")
    assert take(shop, later) == Imported(0, 1, 1, 0, ())
    assert item_by_code(shop.till.context, "A1").price_minor == 9000
    with pytest.raises(Refused, match="item_unknown"):
        item_by_code(shop.till.context, "A2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_read_as_spreadsheets_save_it(shop: Shop, encoding: str) -> None:
    assert take(shop, TWO.encode(encoding)).added == 2
    assert item_by_code(shop.till.context, "A1").name == "龙井"


FAULTS = {
    "code,name\nA1,x\n": RowFault(1, "price", "missing"),
    "code,name,price,colour\nA1,x,1,red\n": RowFault(1, "colour", "unknown_column"),
    "code,name,price\nA1,,1\n": RowFault(2, "name", "missing"),
    "code,name,price\nA1,x,free\n": RowFault(2, "price", "invalid"),
    "code,name,price\nA1,x,1.005\n": RowFault(2, "price", "invalid"),
    "code,name,price\nA1,x,-1\n": RowFault(2, "price", "invalid"),
    "code,name,price\nA1,x,NaN\n": RowFault(2, "price", "invalid"),
    "code,name,price,tax\nA1,x,1,101\n": RowFault(2, "tax", "invalid"),
    "code,name,price,per\nA1,x,1,0\n": RowFault(2, "per", "invalid"),
    "code,name,price\nA1,x,1\nA1,y,2\n": RowFault(3, "code", "twice"),
    "code,name,price,barcodes\nA1,x,1,9\nA2,y,2,9\n": RowFault(3, "barcodes", "twice"),
    "code,name,price,withdrawn\nA1,x,1,perhaps\n": RowFault(2, "withdrawn", "invalid"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_told_by_line_and_column(text: str) -> None:
    assert read_catalogue(text.encode(), 2).faults == (FAULTS[text],)


def test_one_fault_keeps_the_whole_file_out(shop: Shop) -> None:
    found = take(shop, TWO + "A3,z,,tea,x,1,0,yes,,\n")
    assert found.faults == (RowFault(4, "price", "invalid"),)
    assert events(shop) == []
    with pytest.raises(Refused, match="item_unknown"):
        item_by_code(shop.till.context, "A1")


def test_a_barcode_of_an_item_outside_the_file_is_taken(shop: Shop) -> None:
    text = "code,name,price,barcodes\nA9,x,1,6901234567892\n"
    assert take(shop, text).faults == (RowFault(2, "barcodes", "taken"),)


def test_only_a_manager_imports(shop: Shop) -> None:
    for who in ("lx", "wm"):
        for dry_run in (True, False):
            with pytest.raises(Refused, match="not_allowed"):
                take(shop, TWO, who=who, dry_run=dry_run)


def test_the_program_imports_a_file(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text(TWO, "utf-8")
    ctx = shop.till.context
    with pytest.MonkeyPatch.context() as patch, ctx.write_rows() as conn:
        full(patch)
        paid = new_verifier(ctx.data_key, PINS["zg"])
        conn.execute("UPDATE staff SET pin_salt = ?, pin_hash = ? WHERE initials = 'zg'", paid)
    shop.till.close()

    def program(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ui", "--language", "en", "catalogue", "import", str(file), "--store",
             str(shop.till.folder), "--who", "zg", *more],
            check=False, capture_output=True, text=True, timeout=60,
            env={**os.environ, "REGULARS_PASSPHRASE": PASSPHRASE, "REGULARS_PIN": PINS["zg"],
                 "DBUS_SESSION_BUS_ADDRESS": ""},
        )  # fmt: skip

    dry = program("--dry-run")
    assert (dry.returncode, "2 would be new" in dry.stdout) == (0, True), dry.stderr
    assert "2 are new" in program().stdout
    assert "2 are as they were" in program().stdout
    file.write_text(TWO.replace("88.50", "x"), "utf-8")
    wrong = program()
    assert (wrong.returncode, "Line 2: Price can't be read." in wrong.stdout) == (4, True)
    shop.open()


# One item, and a file out ---------------------------------------------------------------------------

ONE = {
    "code": "A1", "name": "龙井", "name_en": "Longjing", "category": "tea", "price": "88.50",
    "per": "1", "tax": "13", "tax_included": "yes", "barcodes": "6900000000111", "withdrawn": "",
}  # fmt: skip


def put(shop: Shop, *, new: bool = False, who: str = "zg", **texts: str) -> Imported:
    ctx = shop.till.context
    command = SaveItem(ctx.ids(), session(shop, who), ONE | texts, new)
    return save_item(ctx, command).result


def test_an_item_is_added_and_changed_each_as_one_event_with_before_and_after(shop: Shop) -> None:
    assert put(shop, new=True) == Imported(1, 0, 0, 0, ())
    assert put(shop, price="90") == Imported(0, 1, 0, 0, ())
    added, changed = events(shop)
    assert added["was"] is None
    assert changed["was"] == added["item"]
    assert changed["item"] == {**cast("dict[str, object]", added["item"]), "price_minor": 9000}
    assert item_by_code(shop.till.context, "6900000000111").price_minor == 9000


def test_a_save_that_changes_nothing_is_no_event(shop: Shop) -> None:
    put(shop, new=True)
    assert put(shop) == Imported(0, 0, 0, 1, ())
    assert len(events(shop)) == 1


def test_a_save_that_is_sent_twice_is_done_once(shop: Shop) -> None:
    ctx = shop.till.context
    command = SaveItem(ctx.ids(), session(shop), ONE, new=True)
    first, second = save_item(ctx, command), save_item(ctx, command)
    assert (first.result, second.again) == (second.result, True)
    assert len(events(shop)) == 1


def test_a_withdrawn_item_is_brought_back(shop: Shop) -> None:
    put(shop, new=True)
    assert put(shop, withdrawn="yes").withdrawn == 1
    with pytest.raises(Refused, match="item_unknown"):
        item_by_code(shop.till.context, "A1")
    assert put(shop).changed == 1
    assert item_by_code(shop.till.context, "A1").name == "龙井"


def test_a_new_item_does_not_take_the_code_of_another(shop: Shop) -> None:
    put(shop, new=True)
    assert put(shop, new=True, name="x").faults == (RowFault(0, "code", "taken"),)
    assert item_by_code(shop.till.context, "A1").name == "龙井"


def test_a_code_that_is_a_barcode_of_another_item_is_taken_and_the_other_way_round(
    shop: Shop,
) -> None:
    put(shop, new=True)
    assert put(shop, new=True, code="6900000000111", barcodes="").faults == (
        RowFault(0, "code", "taken"),
    )
    assert put(shop, new=True, code="B1", barcodes="A1").faults == (
        RowFault(0, "barcodes", "taken"),
    )


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("B100001", id="a badge"),
        pytest.param(card_number("8800", 77), id="a card that nobody has yet"),
        pytest.param("01-000012-ABCDE", id="a receipt"),
    ],
)
def test_an_item_has_no_number_of_badges_cards_or_receipts(shop: Shop, number: str) -> None:
    put(shop, new=True)
    assert put(shop, new=True, code=number, barcodes="").faults == (
        RowFault(0, "code", "overlaps"),
    )
    assert put(shop, barcodes=number).faults == (RowFault(0, "barcodes", "overlaps"),)


def test_an_item_that_has_the_number_of_a_badge_from_before_can_still_be_withdrawn(
    shop: Shop,
) -> None:
    put(shop, new=True)
    with shop.till.context.write_rows() as conn:
        conn.execute("UPDATE staff SET badge = 'A1' WHERE initials = 'wm'")
    assert put(shop, withdrawn="yes").withdrawn == 1


def test_an_item_that_is_not_there_is_not_changed(shop: Shop) -> None:
    with pytest.raises(Refused, match="item_unknown"):
        put(shop)


def test_only_a_manager_saves_an_item_or_takes_the_catalogue_out(shop: Shop) -> None:
    ctx = shop.till.context
    for who in ("lx", "wm"):
        with pytest.raises(Refused, match="not_allowed"):
            put(shop, new=True, who=who)
        with pytest.raises(Refused, match="not_allowed"):
            export_catalogue(ctx, ExportCatalogue(ctx.ids(), session(shop, who)))
        with pytest.raises(Refused, match="not_allowed"):
            catalogue(ctx, session(shop, who), "")


def test_what_was_sold_keeps_its_name_and_price(shop: Shop) -> None:
    put(shop, new=True)
    ctx, seller = shop.till.context, shop.start()
    request = SaleRequest((LineRequest(8850, item="A1", name="龙井", tax_rate_bp=1300),))
    shown = quote(ctx, None, request)
    payment = Payment("cash", shown.draft.to_pay_minor)
    sold = sell(ctx, Sell(ctx.ids(), seller, None, request, payment, shown.key)).result
    put(shop, name="碧螺春", price="1", tax="0", withdrawn="yes")
    reprint(ctx, Reprint(ctx.ids(), seller, sold.event_id, "other"))
    with ctx.read() as conn:
        sale, _ = sale_of(conn, sold.event_id)
        papers = [str(row[0]) for row in conn.execute("SELECT document FROM print_job")]
    assert sale.lines[0].request == request.lines[0]
    assert len(papers) == 2
    assert [("龙井" in paper, "碧螺春" in paper) for paper in papers] == [(True, False)] * 2


def test_the_catalogue_that_is_taken_out_changes_nothing_when_it_comes_back(shop: Shop) -> None:
    take(shop, TWO)
    put(shop, new=True, code="=1+1", name="'@x", name_en='-"a", b', category="'quoted'", tax="6.5",
        barcodes="", price="0.07", per="500")  # fmt: skip
    put(shop, new=True, code="-7", name="''twice", barcodes="+9 8", withdrawn="yes")
    ctx = shop.till.context
    command = ExportCatalogue(ctx.ids(), session(shop))
    path = export_catalogue(ctx, command).result
    assert export_catalogue(ctx, command).result == path
    count = len(catalogue(ctx, session(shop), "").items)
    assert take(shop, path.read_bytes()) == Imported(0, 0, 0, count, ())
    assert count > 4


def test_no_cell_of_the_file_is_a_formula(shop: Shop) -> None:
    put(shop, new=True, name="=HYPERLINK(1)", name_en="@a", category="+1", barcodes="-5")
    ctx = shop.till.context
    path = export_catalogue(ctx, ExportCatalogue(ctx.ids(), session(shop))).result
    written = path.read_text("utf-8-sig").splitlines()
    cells = [cell for row in csv.reader(written) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    assert "'=HYPERLINK(1)" in cells


def test_taking_the_catalogue_out_is_an_event(shop: Shop) -> None:
    ctx = shop.till.context
    export_catalogue(ctx, ExportCatalogue(ctx.ids(), session(shop)))
    with ctx.read() as conn:
        found = [
            posting.event_of(row)
            for row in rows.events_after(conn, 0)
            if row.kind == posting.EXPORT
        ]
    assert [event.doc["what"] for event in found] == ["catalogue"]


def test_the_journal_shows_an_item_before_and_after(shop: Shop) -> None:
    put(shop, new=True)
    put(shop, price="90")
    ctx = shop.till.context
    with ctx.read() as conn:
        kept = [row for row in rows.events_after(conn, 0) if row.kind == posting.CATALOGUE]
    newest = kept[-1]
    facts = audit_facts(ctx, session(shop), newest.seq)
    assert Fact("item.price_minor", 8850, 9000) in facts
    assert not [fact for fact in facts if fact.name.startswith(("was", "item.name"))]


def test_the_same_import_sent_twice_gives_the_first_outcome(shop: Shop) -> None:
    ctx = shop.till.context
    command = ImportCatalogue(ctx.ids(), session(shop), TWO.encode())
    assert import_catalogue(ctx, command).result == import_catalogue(ctx, command).result
    assert len(events(shop)) == 1


def test_a_file_may_move_a_barcode_from_one_of_its_items_to_another(shop: Shop) -> None:
    take(shop, TWO)
    moved = TWO.replace(" 6900000000112,", ",").replace("no,,", "no,6900000000112,")
    assert take(shop, moved) == Imported(0, 2, 0, 0, ())
    assert item_by_code(shop.till.context, "6900000000112").code == "A2"


@pytest.mark.parametrize("text", ["wu long", "wulong", "WU LONG CHA"])
def test_an_item_is_found_by_its_syllables_with_and_without_blanks(shop: Shop, text: str) -> None:
    with shop.till.context.read() as conn:
        for found in (till.find_items(conn, text, 9), till.catalogue(conn, text, 9)):
            assert [item.name for item in found] == ["乌龙茶"]
