"""printing.devices: what a print lane hears from a printer in each state, over real sockets and
files.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from printing.devices.address import FileAddress, TcpAddress, parse_address
from printing.devices.errors import (
    DeliveryUncertain,
    PrinterError,
    PrinterNotReady,
    PrinterSilent,
    PrinterUnreachable,
)
from printing.devices.send import send, status
from printing.devices.status import Status, read_status
from printing.devices.tcp import _ANSWER_S_MAX, _ask
from printing.escpos import PROFILE_80_MM, receipt_bytes
from printing.layout import lay_out
from tests.printing.receipts import normal_receipt
from tests.printing.software_printer import SoftwarePrinter

JOB = receipt_bytes(lay_out(normal_receipt(), 48), PROFILE_80_MM)
HANGS_S = 30
"""Later than this nothing was given up at all; how long it takes is not measured here."""


@pytest.fixture
def printer(monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftwarePrinter]:
    """Its answers are waited for as long as it takes, unless it is to give none: it shares the machine."""
    with SoftwarePrinter() as running:

        def ask(connection: socket.socket, timeout_s: float) -> Status:
            faults = running.faults
            silent = faults.mute or (faults.stalled and running.asked)
            answers = not silent and not faults.answers  # What they say instead is no answer.
            return _ask(connection, HANGS_S if answers else timeout_s)

        monkeypatch.setattr("printing.devices.tcp._ask", ask)
        yield running


def at(printer: SoftwarePrinter, *, answers: bool = True) -> TcpAddress:
    return TcpAddress("127.0.0.1", printer.port, answers=answers)


def test_a_ready_printer_gets_the_job_once_and_confirms_it(printer: SoftwarePrinter) -> None:
    assert send(at(printer), JOB) is True
    assert printer.job_after() == JOB
    assert printer.jobs == [JOB]
    assert printer.asked == [1, 2, 4]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("paper_out", "paper_out"),
        ("cover_open", "cover_open"),
        ("offline", "offline"),
        ("cutter_error", "error"),
    ],
)
def test_a_printer_that_cannot_print_says_why_and_gets_nothing(
    printer: SoftwarePrinter, fault: str, problem: str
) -> None:
    setattr(printer.faults, fault, True)
    with pytest.raises(PrinterNotReady) as caught:
        send(at(printer), JOB)
    assert caught.value.problem == problem
    setattr(printer.faults, fault, False)
    send(at(printer), JOB)
    assert printer.job_after() == JOB
    assert printer.jobs == [JOB]


def test_the_cause_is_known_after_one_unanswered_question_also_when_the_printer_is_mute(
    printer: SoftwarePrinter,
) -> None:
    printer.faults.mute = True
    began = time.monotonic()
    with pytest.raises(PrinterSilent):
        send(at(printer), JOB)
    assert _ANSWER_S_MAX == 1, "the cause is known within three seconds"
    assert time.monotonic() - began < HANGS_S
    assert printer.jobs == []


def test_a_printer_known_to_be_blind_gets_its_job_unasked_and_unconfirmed(
    printer: SoftwarePrinter,
) -> None:
    printer.faults.mute = True
    assert send(at(printer, answers=False), JOB) is False
    assert printer.job_after() == JOB
    assert printer.asked == []


def test_a_blind_printer_that_talks_unasked_still_gets_the_whole_job() -> None:
    job = JOB * 4000  # more than the buffers on the way hold
    with socket.create_server(("127.0.0.1", 0)) as listener:
        received = bytearray()

        def take() -> None:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionResetError):
                connection.sendall(b"\x14\x00\x00\x0f" * 8)
                while part := connection.recv(100_000):
                    received.extend(part)
                    time.sleep(0.002)

        thread = threading.Thread(target=take)
        thread.start()
        send(TcpAddress("127.0.0.1", listener.getsockname()[1], answers=False), job)
        thread.join(10)
        assert len(received) == len(job)


def test_nobody_at_the_address_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(PrinterUnreachable) as caught:
        send(TcpAddress("127.0.0.1", port), JOB)
    assert "refused" in str(caught.value)


def test_a_host_that_accepts_and_then_says_nothing_is_given_up_in_time() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        with socket.create_connection(address):
            began = time.monotonic()
            with pytest.raises((PrinterUnreachable, PrinterSilent)):
                send(TcpAddress(*address), JOB, timeout_s=0.3)
            assert time.monotonic() - began < HANGS_S


@pytest.mark.parametrize("after", [1, 500, len(JOB) - 1])
def test_a_connection_lost_in_the_middle_of_a_job_is_uncertain(
    printer: SoftwarePrinter, after: int
) -> None:
    printer.faults.reset_after = after
    with pytest.raises(DeliveryUncertain):
        send(at(printer), JOB * 50, timeout_s=1.0)


def test_a_job_that_was_taken_but_not_confirmed_is_uncertain(printer: SoftwarePrinter) -> None:
    printer.faults.mute_barrier = True
    with pytest.raises(DeliveryUncertain) as caught:
        send(at(printer), JOB, timeout_s=0.3)
    assert caught.value.problem is None


def test_paper_that_ends_in_the_middle_of_a_job_is_uncertain_and_named(
    printer: SoftwarePrinter,
) -> None:
    printer.faults.paper_out_after = 700
    with pytest.raises(DeliveryUncertain) as caught:
        send(at(printer), JOB, timeout_s=0.3)
    assert caught.value.problem == "paper_out"


def test_a_stalled_printer_is_uncertain_in_time_and_does_not_hang(printer: SoftwarePrinter) -> None:
    printer.faults.stalled = True
    began = time.monotonic()
    with pytest.raises(DeliveryUncertain):
        send(at(printer), b"x" * 30_000_000, timeout_s=0.5)
    assert time.monotonic() - began < HANGS_S


def test_status_keeps_unknown_apart_from_good_and_bad(printer: SoftwarePrinter) -> None:
    assert status(at(printer)) == Status(online=True, cover_open=False, error=False, paper="ok")
    printer.faults.paper_near_end = True
    assert status(at(printer)).paper == "near_end"
    printer.faults.mute = True
    silent = status(at(printer), timeout_s=0.3)
    assert silent == Status()
    assert not silent.known
    assert silent.problem is None


def test_a_reply_with_wrong_fixed_bits_is_no_answer(printer: SoftwarePrinter) -> None:
    assert read_status({1: 0x11, 2: 0xFF, 4: 0x00}) == Status()
    printer.faults.answers = {4: 0x13}
    assert status(at(printer), timeout_s=0.3).paper is None


def test_a_file_grows_by_each_job(tmp_path: Path) -> None:
    address = FileAddress(tmp_path / "lp0")
    assert send(address, b"one") is False
    send(address, b"two\n")
    assert address.path.read_bytes() == b"onetwo\n"
    assert status(address) == Status()


def test_a_folder_gets_one_file_for_each_job(tmp_path: Path) -> None:
    address = FileAddress(tmp_path, one_per_job=True)
    for job in (b"one", b"two"):
        send(address, job)
    (tmp_path / "job-000001.bin").unlink()
    send(address, b"three")
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"two", b"three"]


@pytest.mark.parametrize("place", ["missing/lp0", "missing/"])
def test_a_file_that_cannot_be_opened_is_unreachable(tmp_path: Path, place: str) -> None:
    with pytest.raises(PrinterUnreachable) as caught:
        send(parse_address(f"file:{tmp_path}/{place}"), JOB)
    assert "No such file" in caught.value.reason


def test_a_full_device_is_unreachable_when_it_took_nothing() -> None:
    with pytest.raises(PrinterUnreachable):
        send(FileAddress(Path("/dev/full")), JOB)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.168.1.50", TcpAddress("192.168.1.50", 9100)),
        ("tcp://printer.local:9101", TcpAddress("printer.local", 9101)),
        ("tcp://printer", TcpAddress("printer", 9100)),
        ("printer:9100", TcpAddress("printer", 9100)),
        (" tcp://[::1]:9100 ", TcpAddress("::1", 9100)),
        ("tcp://10.0.0.7:9100?blind", TcpAddress("10.0.0.7", 9100, answers=False)),
        ("file:/dev/usb/lp0", FileAddress(Path("/dev/usb/lp0"))),
        ("file:out/slips/", FileAddress(Path("out/slips"), one_per_job=True)),
    ],
)
def test_an_address_is_read_and_written(text: str, address: TcpAddress | FileAddress) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tcp://",
        "host:0",
        "host:99999",
        "host:x",
        "a b",
        "http://x",
        "file:",
        "file:/",
        "u@h",
        "h?blunt",
        "LPT1",
        "192.168.1.500",
        "192.168.1",
        "tcp://-a.b",
        "tcp://打印机",
        "tcp://[fe80]",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        parse_address(text)


def test_every_failure_names_the_address() -> None:
    assert issubclass(DeliveryUncertain, PrinterError)
    with pytest.raises(PrinterError, match=r"tcp://127\.0\.0\.1:1: "):
        send(TcpAddress("127.0.0.1", 1), JOB)
