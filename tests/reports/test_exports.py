"""Reports out of the house: the same numbers on paper and in files, cells made safe, each an event."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import pytest

from app import posting
from app.context import Session
from app.documents.report import (
    WITHOUT_MEMBER,
    Figure,
    Line,
    Report,
    ReportCode,
    ReportFilter,
)
from app.documents.report_files import csv_bytes, safe_cell, xlsx_bytes
from app.documents.report_words import sheet_of
from app.domain.errors import Refused
from app.domain.member import mask_name
from app.usecases.export_report import (
    ExportReport,
    Form,
    export_report,
    naming_of,
    read_after_close,
    record_taken,
    save_taken,
)
from app.usecases.read_report import open_parts, open_report, report_of
from app.usecases.sign_in import SignIn, sign_in
from db import rows, till
from db.engine import Reader
from printing.document import from_json
from tests.fakes import PINS, Shop
from tests.printing.readers import pdf_lines
from tests.reports.days import Days

CODES: tuple[ReportCode, ...] = get_args(ReportCode)
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
def busy(shop: Shop) -> Shop:
    days = Days(shop, 5)
    days.live(1, 25)
    return shop


def whole(shop: Shop) -> ReportFilter:
    on = shop.till.context.business_date()
    return ReportFilter(on.plus(-3), on)


def signed_in(shop: Shop, who: str) -> Session:
    ctx = shop.till.context
    return sign_in(ctx, SignIn(ctx.ids(), who, PINS[who])).result


def export(
    shop: Shop, form: Form, *codes: ReportCode, language: str = "en", who: str = "zg"
) -> Path:
    ctx = shop.till.context
    command = ExportReport(
        ctx.ids(), signed_in(shop, who), codes or ("category",), whole(shop), form, language
    )
    path = export_report(ctx, command).result.path
    assert path is not None
    return path


def report(shop: Shop, code: ReportCode) -> Report:
    ctx = shop.till.context
    with ctx.read(Reader.REPORT) as conn:
        return report_of(ctx, conn, code, whole(shop))


def test_a_cashier_opens_no_report_and_exports_none(busy: Shop) -> None:
    ctx, cashier = busy.till.context, signed_in(busy, "lx")
    with pytest.raises(Refused, match="not_allowed"):
        open_report(ctx, cashier, "day", whole(busy))
    figure = report(busy, "day").total[0]
    assert figure.drill is not None
    with pytest.raises(Refused, match="not_allowed"):
        open_parts(ctx, cashier, figure.drill)
    with pytest.raises(Refused, match="not_allowed"):
        export(busy, "csv", who="lx")
    assert not (busy.till.folder / "reports").exists()


def test_names_behind_a_figure_are_whole_for_the_shop_and_masked_for_an_auditor(
    busy: Shop,
) -> None:
    ctx, manager = busy.till.context, signed_in(busy, "zg")
    drill = report(busy, "day").total[0].drill
    assert drill is not None
    whole_names = {part.member for part in open_parts(ctx, manager, drill).parts}
    with ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET role = 'auditor' WHERE initials = 'zg'")
    masked = {part.member for part in open_parts(ctx, manager, drill).parts}
    assert whole_names - {""} != set()
    assert masked == {mask_name(name) if name else "" for name in whole_names}
    assert not masked & (whole_names - {""})


def test_the_csv_has_the_numbers_of_the_report(busy: Shop) -> None:
    content = export(busy, "csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    made = report(busy, "category")
    found = {line[0]: line[1:] for line in lines[2 : 2 + len(made.lines)]}
    for line in made.lines:
        units, sold, *_ = line.figures
        cells = found[str(line.key) or "Amount entered"]
        assert cells[0] == str(units.value)
        assert sold.value is not None
        assert cells[1] == f"{sold.value // 100}.{sold.value % 100:02d}"


def test_the_spreadsheet_has_the_numbers_and_no_formula(busy: Shop) -> None:
    path = export(busy, "xlsx", "category", "tender")
    made = report(busy, "category")
    with zipfile.ZipFile(path) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
        assert not list(sheet.iter(f"{_SHEET}f"))
        cells = {cell.get("r"): cell.findtext(f"{_SHEET}v") for cell in sheet.iter(f"{_SHEET}c")}
        assert len([n for n in book.namelist() if n.startswith("xl/worksheets/sheet")]) == 2
    for at, line in enumerate(made.lines, 5):
        assert line.figures[1].value is not None
        assert round(float(cells[f"C{at}"] or "") * 100) == line.figures[1].value


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1", "\r=1"])
def test_a_cell_that_begins_like_a_formula_is_text(text: str, busy: Shop) -> None:
    assert safe_cell(text) == f"'{text}"
    ctx = busy.till.context
    made = replace(
        report(busy, "category"), lines=(Line("category", text, (Figure(1, "count"),) * 4),)
    )
    with ctx.read() as conn:
        sheet = sheet_of(made, naming_of(ctx, conn, made.filter, "en"))
    row = list(csv.reader(io.StringIO(csv_bytes([(made, sheet)], 2).decode("utf-8-sig"))))[2]
    assert row[0].startswith("'")
    with zipfile.ZipFile(io.BytesIO(xlsx_bytes([(made, sheet)], 2))) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_pdf_says_every_cell_of_every_report(busy: Shop, tmp_path: Path, language: str) -> None:
    path = export(busy, "pdf", *CODES, language=language)
    ctx = busy.till.context
    read = "".join("".join(pdf_lines(path.read_bytes(), tmp_path)).split())
    with ctx.read(Reader.REPORT) as conn:
        naming = naming_of(ctx, conn, whole(busy), language)
        for code in CODES:
            sheet = sheet_of(report_of(ctx, conn, code, whole(busy)), naming)
            heads = sheet.heads if sheet.rows else ()
            for cell in (sheet.title, *heads, *(c for row in sheet.rows for c in row)):
                assert "".join(cell.split()) in read, (code, cell)


def test_a_report_prints_on_the_receipt_printer(busy: Shop) -> None:
    ctx = busy.till.context
    command = ExportReport(
        ctx.ids(), signed_in(busy, "zg"), ("tender", "overview"), whole(busy), "print", "zh_CN"
    )
    assert export_report(ctx, command).result.path is None
    with ctx.read() as conn:
        job = till.print_job(conn, till.waiting_jobs(conn)[-1].id)
    assert job is not None
    doc = from_json(job.document.encode())
    assert job.kind == doc.kind == "report"
    assert "实收净额" in job.document


def test_an_export_is_an_event_and_a_repeat_is_not_another(busy: Shop) -> None:
    ctx = busy.till.context
    command = ExportReport(ctx.ids(), signed_in(busy, "zg"), ("day",), whole(busy), "csv", "en")
    first, second = export_report(ctx, command).result, export_report(ctx, command).result
    assert first == second
    with ctx.read() as conn:
        events = [posting.event_of(row) for row in rows.events_after(conn, 0)]
    exports = [event.doc for event in events if event.kind == posting.EXPORT]
    assert exports == [{"what": "report", "reports": ["day"], "form": "csv", "rows": first.rows}]


def test_after_a_close_the_reports_of_the_settings_are_saved(busy: Shop) -> None:
    ctx = busy.till.context
    on = ctx.business_date().plus(-1)
    assert read_after_close(ctx, on, ctx.ids()) is None
    chosen = replace(ctx.settings.reports, after_close="pdf", which="tender,overview")
    ctx.keep_settings(replace(ctx.settings, reports=chosen))
    made = read_after_close(ctx, on, ctx.ids())
    assert made is not None
    path = save_taken(ctx, record_taken(ctx, made)).path
    assert path is not None
    assert path.name == f"reports-01-{on.iso()}.pdf"
    shutil.rmtree(path.parent)


def test_the_numbers_of_a_seen_report_are_interruptible(busy: Shop) -> None:
    ctx = busy.till.context
    ctx.store.interrupt(Reader.REPORT)  # idle: nothing happens
    assert open_report(ctx, signed_in(busy, "zg"), "day", whole(busy)).lines


@pytest.mark.parametrize(("meta", "mark"), [("demo", "DEMO"), ("training", "TRAINING")])
def test_files_of_a_store_that_is_not_real_say_so(
    busy: Shop, tmp_path: Path, meta: str, mark: str
) -> None:
    real = export(busy, "csv").read_text("utf-8-sig")
    assert mark not in real
    ctx = busy.till.context
    with ctx.write_rows() as conn:
        rows.set_meta(conn, meta, "1")
    ctx.shop = None
    assert mark in export(busy, "csv").read_text("utf-8-sig").splitlines()[0]
    with zipfile.ZipFile(export(busy, "xlsx", "category", "tender")) as book:
        strings = book.read("xl/sharedStrings.xml").decode()
        assert strings.count(mark) >= 1
        sheets = [book.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2)]
        assert all('r="A3"' in sheet for sheet in sheets)
    lines = pdf_lines(export(busy, "pdf", *CODES).read_bytes(), tmp_path)
    assert "".join(lines).count(mark) >= len(CODES)


def test_a_part_of_the_figures_is_another_file_than_the_whole(busy: Shop) -> None:
    ctx, manager = busy.till.context, signed_in(busy, "zg")
    on = ctx.business_date()

    def name(asked: ReportFilter) -> str:
        command = ExportReport(ctx.ids(), manager, ("overview",), asked, "csv", "en")
        path = export_report(ctx, command).result.path
        assert path is not None
        return path.name

    names = [
        name(ReportFilter(on, on)),
        name(ReportFilter(on, on, staff_id=manager.staff_id)),
        name(ReportFilter(on, on, tier_rank=WITHOUT_MEMBER)),
        name(ReportFilter(on, on, tier_rank=10)),
        name(ReportFilter(on, on, against="week_before")),
        name(ReportFilter(on, on, till="02")),
    ]
    whole = f"overview-01-{on.iso()}"
    parts = ("", "-by-ZG", "-tier-none", "-tier-silver", "-against-week_before", "-till-02")
    assert names == [f"{whole}{part}.csv" for part in parts]


def test_a_file_that_says_something_else_stays_and_the_next_gets_a_number(busy: Shop) -> None:
    first = export(busy, "csv")
    kept = first.read_bytes()
    assert export(busy, "csv") == first, "the same again is the same file"
    first.write_bytes(kept + b"changed by hand")
    second = export(busy, "csv")
    assert second.name == f"{first.stem}-2.csv"
    assert second.read_bytes() == kept
    assert first.read_bytes() == kept + b"changed by hand"
    second.unlink()
    second.mkdir()
    assert export(busy, "csv").name == f"{first.stem}-3.csv"


def test_a_share_of_nothing_is_a_dash_and_no_number_in_a_file(shop: Shop) -> None:
    ctx = shop.till.context
    on = ctx.business_date()
    with ctx.read(Reader.REPORT) as conn:
        made = report_of(ctx, conn, "overview", ReportFilter(on, on))
        sheet = sheet_of(made, naming_of(ctx, conn, made.filter, "en"))
    shares = [n for n, line in enumerate(made.lines) if line.figures[0].unit == "share"]
    assert len(shares) == 3
    for n in shares:
        assert [figure.value for figure in made.lines[n].figures] == [None] * 3
        assert sheet.rows[n][1:] == ("–",) * 3
    rows_of_file = list(csv.reader(io.StringIO(csv_bytes([(made, sheet)], 2).decode("utf-8-sig"))))
    assert all(rows_of_file[2 + n][1:] == [""] * 3 for n in shares)
    with zipfile.ZipFile(io.BytesIO(xlsx_bytes([(made, sheet)], 2))) as book:
        assert "–" not in book.read("xl/worksheets/sheet1.xml").decode()
