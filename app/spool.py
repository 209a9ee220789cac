"""Print jobs to devices: a simple lane (the full spool of printing.md section 4 follows).

A job is a row written in its sale's transaction. The original bytes are put on the wire at most once: `claim`
commits SENDING before the first byte, and what is not confirmed afterwards is UNCERTAIN until a person says
whether it is on paper. `claim` and `settle` write rows (db lane), `deliver` talks to the device (print lane);
no sale ever waits for either.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from app.context import Context
from app.domain.errors import Outage, Unavailable
from app.folders import folder_problem
from app.posting import event_of
from app.protocol.events import micros
from app.settings import ReceiptSettings
from app.slips import slip_of
from db import rows, till
from printing.devices.address import Address, FileAddress, parse_address
from printing.devices.errors import (
    DeliveryUncertain,
    PrinterError,
    PrinterNotReady,
    PrinterSilent,
)
from printing.document import Doc, from_json

KICK_LIFE_S: Final = 5
Outcome = Literal["printed", "queued", "uncertain"]


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job: it is marked as being sent, on disk, before anything leaves."""

    id: int
    document: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a job went. `problem` is an Outage code, "" when all is well."""

    job_id: int
    outcome: Outcome
    problem: str = ""


def recover(ctx: Context) -> int:
    """At start: whatever was being sent when the till stopped may or may not be on paper."""
    found = 0
    with ctx.write_rows() as conn:
        while (job := till.first_waiting(conn, "sending")) is not None:
            till.set_job_state(conn, job.id, state="uncertain", problem=job.problem, attempt=False)
            found += 1
    return found


def claim(ctx: Context) -> Job | None:
    """The next job in order, marked SENDING; None when nothing waits or no printer is set."""
    if not ctx.settings.receipt.printer:
        return None
    with ctx.write_rows() as conn:
        job = till.first_waiting(conn, "queued")
        if job is None:
            return None
        till.set_job_state(conn, job.id, state="sending", problem=None, attempt=True)
    return Job(job.id, job.document)


def deliver(job: Job, receipt: ReceiptSettings) -> Delivery:
    """Render the job and send it once. Never raises for a device: the delivery says what was wrong."""
    try:
        send_now(from_json(job.document.encode()), receipt)
    except Unavailable as wrong:
        unsure = wrong.code is Outage.PRINTER_UNCERTAIN
        return Delivery(job.id, "uncertain" if unsure else "queued", wrong.code.value)
    return Delivery(job.id, "printed")


def send_now(doc: Doc, receipt: ReceiptSettings) -> None:
    """Send a document once, past the queue (print lane). Raises Unavailable(PRINTER_…)."""
    from printing.devices.send import send

    try:
        send(parse_address(receipt.printer), render(doc, receipt))
    except ValueError as error:
        raise Unavailable(Outage.PRINTER_ADDRESS_BAD) from error
    except DeliveryUncertain as error:
        raise Unavailable(Outage.PRINTER_UNCERTAIN) from error
    except PrinterNotReady as error:
        code = {
            "paper_out": Outage.PRINTER_PAPER_OUT,
            "cover_open": Outage.PRINTER_COVER_OPEN,
            "offline": Outage.PRINTER_OFFLINE,
        }.get(error.problem, Outage.PRINTER_ERROR)
        raise Unavailable(code) from error
    except PrinterSilent as error:
        raise Unavailable(Outage.PRINTER_SILENT) from error
    except PrinterError as error:
        raise Unavailable(Outage.PRINTER_GONE) from error


def kick(receipt: ReceiptSettings, *, asked_s: float) -> bool:
    """Open the drawer by one pulse (print lane). True when it left.

    Never queued and never sent again: whoever asked at `asked_s` (monotonic) stands at the till, and
    later than KICK_LIFE_S an opening would surprise somebody else (printing.md section 4).
    """
    from printing.devices.send import send
    from printing.escpos import DRAWER_PULSE

    if not receipt.printer or time.monotonic() - asked_s > KICK_LIFE_S:
        return False
    try:
        send(parse_address(receipt.printer), DRAWER_PULSE)
    except (ValueError, PrinterError):
        return False
    return True


def settle(ctx: Context, delivery: Delivery) -> None:
    """Write down how a job went."""
    with ctx.write_rows() as conn:
        till.set_job_state(
            conn,
            delivery.job_id,
            state=delivery.outcome,
            problem=delivery.problem or None,
            attempt=False,
        )


def confirm(ctx: Context, job_id: int, *, printed: bool) -> None:
    """A person has looked at the paper: it is there; or it is not, and a marked copy is queued."""
    with ctx.write_rows() as conn:
        state = "printed" if printed else "cancelled"
        till.set_job_state(conn, job_id, state=state, problem=None, attempt=False)
        job = till.print_job(conn, job_id)
        event = rows.event_by_seq(conn, job.seq) if job else None
        if printed or job is None or event is None:
            return
        copy_no = till.next_copy(conn, job.seq)
        slip = slip_of(ctx, conn, event_of(event), copy_no=copy_no)
        if slip is not None:
            till.insert_print_job(
                conn, seq=job.seq, kind=job.kind, copy_no=copy_no, document=slip,
                created_us=micros(ctx.clock()),
            )  # fmt: skip


def skip_waiting(ctx: Context) -> int:
    """A printer was set where there was none: what was sold before is not printed now, all at once.

    Each slip can still be had as a marked copy. Returns how many were skipped.
    """
    with ctx.write_rows() as conn:
        return till.cancel_queued(conn)


def check_address(text: str) -> Address | None:
    """What was typed as an address, None for no printer. Raises Unavailable(PRINTER_ADDRESS_BAD) for one that
    no printer can have."""
    if not text.strip():
        return None
    try:
        return parse_address(text)
    except ValueError as error:
        raise Unavailable(Outage.PRINTER_ADDRESS_BAD) from error


def check_printer(text: str) -> None:
    """Raises Unavailable: PRINTER_ADDRESS_BAD, PRINTER_FOLDER_GONE where its file can't be made or written on.
    Whether a printer answers there is not asked. A folder may take its time: not for the counter's lane."""
    address = check_address(text)
    if not isinstance(address, FileAddress):
        return
    if address.one_per_job:
        wrong = bool(folder_problem(str(address.path)))
    elif address.path.exists():
        wrong = not _can_be_opened(
            address.path
        )  # A device: its folder need not be ours to write into.
    else:
        wrong = bool(folder_problem(str(address.path.parent)))
    if wrong:
        raise Unavailable(Outage.PRINTER_FOLDER_GONE)


def _can_be_opened(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)))
    except OSError:
        return False
    return True


def render(doc: Doc, receipt: ReceiptSettings) -> bytes:
    """The bytes of a document for the printer of the settings."""
    from printing.escpos import Profile, receipt_bytes
    from printing.layout import COLUMNS_58_MM, COLUMNS_80_MM, lay_out

    columns = COLUMNS_58_MM if receipt.paper_mm == 58 else COLUMNS_80_MM
    profile = Profile(
        columns, encoding=receipt.profile, cutter="partial" if receipt.cutter else "none"
    )
    return receipt_bytes(lay_out(doc, columns), profile)
