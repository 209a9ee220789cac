"""From the sale's queued job to paper and back: the simple print lane over a real connection."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from sqlcipher3.dbapi2 import Connection

from app import spool
from app.context import Context
from app.domain.documents import LineRequest, ReturnedLine
from app.domain.errors import Outage, Unavailable
from app.queries.counter import print_status, slip_preview
from app.settings import ReceiptSettings, save
from db import till
from printing.devices.address import TcpAddress
from printing.document import from_json
from printing.layout import lay_out
from tests.fakes import Shop
from tests.flows.test_counter_day import give_back, new_member, sale
from tests.printing.escpos_reader import EscPosReader
from tests.printing.software_printer import SoftwarePrinter
from ui.desk import Desk


def use_printer(ctx: Context, address: str) -> ReceiptSettings:
    receipt = replace(ctx.settings.receipt, printer=address)
    settings = replace(ctx.settings, receipt=receipt)
    save(ctx.folder, settings)
    ctx.keep_settings(settings)
    return receipt


def run_lane(ctx: Context) -> list[spool.Delivery]:
    """What the lanes of the window do, one after the other."""
    deliveries = []
    while (job := spool.claim(ctx)) is not None:
        delivery = spool.deliver(job, ctx.settings.receipt)
        spool.settle(ctx, delivery)
        deliveries.append(delivery)
        if delivery.problem:
            break
    return deliveries


def test_the_printed_lines_are_the_previewed_lines(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sold = sale(ctx, session, member, LineRequest(36800, name="乌龙茶 Oolong"))
    preview = slip_preview(ctx, sold.event_id)
    assert preview is not None
    with SoftwarePrinter() as printer:
        use_printer(ctx, str(TcpAddress("127.0.0.1", printer.port)))
        assert [d.outcome for d in run_lane(ctx)] == ["printed"]
        job = printer.job_after()
    reader = EscPosReader(job)
    printed = [
        each.text if each.kind == "text" else each.data
        for each in reader.read()
        if each.kind in ("text", "code128")
    ]
    while printed[-1] == "":  # paper fed on before the cut
        printed.pop()
    expected = lay_out(from_json(preview.encode()), 48).strings()
    assert printed == expected[: len(printed)]
    assert not any(expected[len(printed) :])
    assert print_status(ctx).waiting == 0


def test_a_dead_printer_leaves_the_sale_done_and_the_slip_waiting(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    use_printer(ctx, str(TcpAddress("127.0.0.1", port)))
    sold = sale(ctx, session, None, LineRequest(5000))
    assert [(d.outcome, d.problem) for d in run_lane(ctx)] == [("queued", "printer_gone")]
    assert (print_status(ctx).waiting, print_status(ctx).problem) == (1, "printer_gone")
    with SoftwarePrinter() as printer:
        use_printer(ctx, str(TcpAddress("127.0.0.1", printer.port)))
        assert [d.outcome for d in run_lane(ctx)] == ["printed"]
        assert sold.receipt_no.encode() in printer.job_after()


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("paper_out", "printer_paper_out"),
        ("cover_open", "printer_cover_open"),
        ("offline", "printer_offline"),
        ("mute", "printer_silent"),
    ],
)
def test_each_trouble_is_told_by_its_name_and_nothing_was_sent(
    shop: Shop, fault: str, problem: str
) -> None:
    ctx, session = shop.till.context, shop.start()
    with SoftwarePrinter() as printer:
        setattr(printer.faults, fault, True)
        use_printer(ctx, str(TcpAddress("127.0.0.1", printer.port)))
        sale(ctx, session, None, LineRequest(5000))
        assert [(d.outcome, d.problem) for d in run_lane(ctx)] == [("queued", problem)]
        setattr(printer.faults, fault, False)
        assert [d.outcome for d in run_lane(ctx)] == ["printed"]


def test_a_job_that_was_not_confirmed_is_doubtful_and_never_sent_again_by_itself(
    shop: Shop,
) -> None:
    ctx, session = shop.till.context, shop.start()
    with SoftwarePrinter() as printer:
        printer.faults.mute_barrier = True
        use_printer(ctx, str(TcpAddress("127.0.0.1", printer.port)))
        sold = sale(ctx, session, None, LineRequest(5000))
        assert [d.outcome for d in run_lane(ctx)] == ["uncertain"]
        printer.faults.mute_barrier = False
        assert run_lane(ctx) == []
    ((job_id, number),) = print_status(ctx).uncertain
    assert number == sold.receipt_no
    spool.confirm(ctx, job_id, printed=True)
    assert print_status(ctx).waiting == 0


def test_what_was_being_sent_when_the_till_stopped_is_doubtful_after_the_restart(
    shop: Shop,
) -> None:
    ctx, session = shop.till.context, shop.start()
    use_printer(ctx, "tcp://127.0.0.1:9")
    sale(ctx, session, None, LineRequest(5000))
    assert spool.claim(ctx) is not None
    ctx = shop.reopen().context
    assert spool.recover(ctx) == 1
    assert len(print_status(ctx).uncertain) == 1


def test_returns_and_voids_have_slips_with_minus_signs(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sold = sale(ctx, session, member, LineRequest(5000, 2, name="茶"))
    give_back(ctx, session, sold, ReturnedLine(0, 1))
    with ctx.read() as conn:
        (waiting,) = (job for job in till.waiting_jobs(conn) if job.kind == "return")
        slip = till.print_job(conn, waiting.id)
    assert slip is not None
    text = "\n".join(lay_out(from_json(slip.document.encode()), 48).strings())
    assert "50.00" in text.split("REFUND")[1].splitlines()[0]
    assert text.split("REFUND")[1].splitlines()[0].strip()[0] in "-−－"
    assert sold.receipt_no in text


def test_a_slip_in_two_languages_says_every_word_in_both(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sold = sale(ctx, session, member, LineRequest(600000))
    preview = slip_preview(ctx, sold.event_id)
    assert preview is not None
    for columns in (32, 48):
        lines = lay_out(from_json(preview.encode()), columns).strings()
        (head,) = (line for line in lines if "商品" in line)
        assert head.split() == ["商品", "Item", "数量", "Qty", "金额", "Amount"]
        text = " ".join("\n".join(lines).split())
        for words in ("录入金额 Amount", "金卡 Gold", "To the next tier Black", "距下一等级 黑金"):
            assert words in text, (columns, words)


def test_a_return_in_two_languages_gives_its_reason_and_its_signature_in_both(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    sold = sale(ctx, session, None, LineRequest(5000, 2, name="茶"))
    give_back(ctx, session, sold, ReturnedLine(0, 1))
    with ctx.read() as conn:
        (waiting,) = (job for job in till.waiting_jobs(conn) if job.kind == "return")
        slip = till.print_job(conn, waiting.id)
    assert slip is not None
    text = "\n".join(lay_out(from_json(slip.document.encode()), 32).strings())
    assert "商品有问题" in text
    assert "Reason Faulty goods" in text
    assert "顾客签名 Customer's signature" in text


def test_a_doubtful_slip_that_is_not_there_comes_as_a_marked_copy(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    use_printer(ctx, "tcp://127.0.0.1:9")
    sold = sale(ctx, session, None, LineRequest(5000))
    job = spool.claim(ctx)
    assert job is not None
    spool.settle(ctx, spool.Delivery(job.id, "uncertain"))
    spool.confirm(ctx, job.id, printed=False)
    copy = spool.claim(ctx)
    assert copy is not None
    assert "COPY 1" in copy.document
    assert sold.receipt_no in copy.document


def test_slips_of_a_till_without_a_printer_are_not_read_at_its_start(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, session = shop.till.context, shop.start()
    for _ in range(3):
        sale(ctx, session, None, LineRequest(5000))
    read = list[int]()
    whole = till.print_job

    def watched(conn: Connection, job_id: int) -> till.PrintJobRow | None:
        read.append(job_id)
        return whole(conn, job_id)

    monkeypatch.setattr(till, "print_job", watched)
    assert spool.recover(ctx) == 0
    assert read == []


def test_a_printer_set_later_does_not_print_what_was_sold_before(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    sale(ctx, session, None, LineRequest(5000))
    assert print_status(ctx).waiting == 0, "nothing waits for a printer that there isn't"
    desk = Desk(shop.till)
    receipt = replace(ctx.settings.receipt, printer="tcp://127.0.0.1:9")
    desk.save_settings(replace(ctx.settings, receipt=receipt))
    assert spool.claim(ctx) is None
    sale(ctx, session, None, LineRequest(6000))
    assert spool.claim(ctx) is not None


def test_an_address_that_no_printer_can_have_is_refused(shop: Shop) -> None:
    desk = Desk(shop.till)
    settings = shop.till.context.settings
    with pytest.raises(Unavailable) as unavailable:
        desk.save_settings(replace(settings, receipt=replace(settings.receipt, printer="no/such")))
    assert unavailable.value.code is Outage.PRINTER_ADDRESS_BAD


@pytest.mark.parametrize("address", ["file:/proc/", "file:/proc/slips", "file:/proc"])
def test_a_file_that_cannot_be_written_is_no_printer(address: str) -> None:
    """Rights alone don't say it: the superuser of this test has them all."""
    with pytest.raises(Unavailable) as unavailable:
        spool.check_printer(address)
    assert unavailable.value.code is Outage.PRINTER_FOLDER_GONE


def test_a_device_is_opened_and_its_folder_is_nobodys_business(tmp_path: Path) -> None:
    spool.check_printer("file:/dev/null")
    spool.check_printer(f"file:{tmp_path}/")
    spool.check_printer(f"file:{tmp_path}/slips.bin")
    spool.check_printer("tcp://127.0.0.1:9")
    spool.check_printer("")
    assert list(tmp_path.iterdir()) == []
