"""A printer that is a file: a device file or a log of jobs that grows, or a folder with one file
for each job.
"""

from __future__ import annotations

import os
from pathlib import Path

from printing.devices.address import FileAddress
from printing.devices.errors import DeliveryUncertain, PrinterUnreachable

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would turn every line feed into two bytes


def file_send(address: FileAddress, job: bytes) -> None:
    """Writes a job. Raises PrinterUnreachable when nothing was written, DeliveryUncertain when a
    part may be.
    """
    written = 0
    try:
        descriptor = (
            _open_numbered(address.path) if address.one_per_job else _open_end(address.path)
        )
        try:
            while written < len(job):
                written += os.write(descriptor, job[written:])
        finally:
            os.close(descriptor)
    except OSError as error:
        reason = error.strerror or str(error)
        if written:
            raise DeliveryUncertain(str(address), reason) from error
        raise PrinterUnreachable(str(address), reason) from error


def _open_end(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _BINARY, 0o600)


def _open_numbered(folder: Path) -> int:
    """A new file job-000001.bin, job-000002.bin …; two tills that write to one folder never share
    a number.
    """
    number = len(os.listdir(folder)) + 1
    while True:
        try:
            path = folder / f"job-{number:06}.bin"
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        except FileExistsError:
            number += 1
