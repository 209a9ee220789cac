"""A file that somebody sends to the console: read with bounds as it comes, kept for a while outside of folders.

It lies in a temporary file that has no name, so nothing of it is left when the process ends, however it ends.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import BinaryIO, Final, Generic, TypeVar

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

FILE_BYTES_MOST: Final = 32 * 1024 * 1024
"""Some 50,000 events, which is weeks of a till that was cut off; more is for the command."""
FIELDS_BYTES_MOST: Final = 4 * 1024
READ_S: Final = 300
"""So long a file may take to come."""
KEPT_MS: Final = 15 * 60_000
"""So long it waits for whoever sent it to say what becomes of it."""
KEPT_MOST: Final = 4
MEDIA: Final = "multipart/form-data"
About = TypeVar("About")


class BadUpload(Exception):
    """What came is no form with a file."""


class TooLarge(Exception):
    """The file has more than FILE_BYTES_MOST bytes."""


def is_one(request: Request) -> bool:
    """Whether what comes says that it has a file."""
    return request.headers.get("content-type", "").partition(";")[0].strip() == MEDIA


async def read(request: Request) -> tuple[dict[str, str], BinaryIO]:
    """The fields of a form and its one file. Raises BadUpload, TooLarge."""
    parser = MultiPartParser(
        request.headers, _bounded(request), max_files=1, max_fields=4, max_part_size=1024
    )
    try:
        async with asyncio.timeout(READ_S):
            found = await parser.parse()
    except (TimeoutError, ClientDisconnect, MultiPartException) as error:
        raise BadUpload from error
    fields = {name: each for name, each in found.multi_items() if isinstance(each, str)}
    files = [each for _, each in found.multi_items() if isinstance(each, UploadFile)]
    if len(files) != 1:
        raise BadUpload
    return fields, files[0].file


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    came = 0
    async for part in request.stream():
        came += len(part)
        if came > FILE_BYTES_MOST + FIELDS_BYTES_MOST:
            raise TooLarge
        yield part


@dataclass(frozen=True, slots=True, eq=False)
class Kept(Generic[About]):
    """A file that waits, and what was seen in it. sender: the digest of a session."""

    sender: bytes
    file: BinaryIO
    until_ms: int
    about: About


class Uploads(Generic[About]):
    """The files that wait, one of a session at most. May be used by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[bytes, Kept[About]] = {}

    def put(self, sender: bytes, file: BinaryIO, about: About, now_ms: int) -> bool:
        """Keep a file in the place of the sender's last one. False: too many of others wait."""
        self.drop(sender)
        with self._lock:
            if len(self._of) >= KEPT_MOST:
                return False
            self._of[sender] = Kept(sender, file, now_ms + KEPT_MS, about)
            return True

    def of(self, sender: bytes) -> Kept[About] | None:
        """The sender's file."""
        return self._of.get(sender)

    def take(self, sender: bytes) -> Kept[About] | None:
        """The sender's file, which is the caller's to close from now on."""
        with self._lock:
            return self._of.pop(sender, None)

    def drop(self, sender: bytes) -> None:
        """Forget the sender's file."""
        kept = self.take(sender)
        if kept is not None:
            kept.file.close()

    def close(self) -> None:
        """Forget all files."""
        for sender in tuple(self._of):
            self.drop(sender)

    def tidy(self, now_ms: int) -> None:
        """Forget the files whose time is over."""
        for sender, kept in tuple(self._of.items()):
            if kept.until_ms <= now_ms:
                self.drop(sender)


def whole(file: BinaryIO) -> bytes:
    """All of a file."""
    file.seek(0)
    return file.read()
