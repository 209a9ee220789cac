"""What a print lane calls: send a job to an address, or ask how the printer is. One call is one
attempt; the states of a job, its tries and its copies are the caller's.
"""

from __future__ import annotations

from printing.devices.address import Address, FileAddress, TcpAddress
from printing.devices.file import file_send
from printing.devices.status import Status
from printing.devices.tcp import tcp_send, tcp_status

TIMEOUT_S = 5.0


def send(address: Address, job: bytes, *, timeout_s: float = TIMEOUT_S) -> bool:
    """Sends a job's bytes once. True when the printer confirmed that it processed them all, False
    when it is one that cannot (a file, a blind printer).

    Raises PrinterUnreachable, PrinterSilent or PrinterNotReady when nothing was sent: trying
    again is safe. Raises DeliveryUncertain when some bytes have left: a further print is a marked
    copy.
    """
    match address:
        case TcpAddress():
            return tcp_send(address, job, timeout_s)
        case FileAddress():
            file_send(address, job)
            return False


def status(address: Address, *, timeout_s: float = TIMEOUT_S) -> Status:
    """What the printer says about itself; all unknown for a file. Raises PrinterUnreachable."""
    match address:
        case TcpAddress():
            return tcp_status(address, timeout_s)
        case FileAddress():
            return Status()
