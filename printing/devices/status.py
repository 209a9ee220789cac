"""What a printer says about itself, bit by bit, with unknown kept apart from yes and no.

Bits are those of the real-time status replies (printing.md section 2, DLE EOT). Replies are told
from other bytes by their fixed bits; a byte that does not fit is no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from printing.devices.errors import Problem

REQUESTS = (1, 2, 4)  # printer, cause of being off-line, paper
BARRIER = b"\x1dr\x01"  # answered in order, so only when all before it was processed

Paper = Literal["ok", "near_end", "out"]


@dataclass(frozen=True, slots=True)
class Status:
    """None is unknown: the printer did not answer that question. It is never read as good or bad."""

    online: bool | None = None
    cover_open: bool | None = None
    error: bool | None = None
    paper: Paper | None = None

    @property
    def known(self) -> bool:
        return self != Status()

    @property
    def problem(self) -> Problem | None:
        """The cause that keeps it from printing, the one that a person can mend first; None if
        none is known.
        """
        if self.cover_open:
            return "cover_open"
        if self.paper == "out":
            return "paper_out"
        if self.error:
            return "error"
        return "offline" if self.online is False else None


def request(number: int) -> bytes:
    """DLE EOT n: answered at once, even when the printer is off-line."""
    return bytes((0x10, 0x04, number))


def is_status(reply: int) -> bool:
    """Whether a byte has the fixed bits of a DLE EOT reply."""
    return reply & 0x93 == 0x12


def is_barrier(reply: int) -> bool:
    """Whether a byte has the fixed bits of a GS r reply."""
    return reply & 0x90 == 0x00


def read_status(replies: Mapping[int, int]) -> Status:
    """The status from replies by request number; a missing or misshapen reply leaves its fields
    unknown.
    """
    good = {number: reply for number, reply in replies.items() if is_status(reply)}
    printer, cause, paper = (good.get(number) for number in REQUESTS)
    out = None if paper is None else bool(paper & 0x60)
    if cause is not None and cause & 0x20:
        out = True
    near_end = paper is not None and bool(paper & 0x0C)
    return Status(
        online=None if printer is None else not printer & 0x08,
        cover_open=None if cause is None else bool(cause & 0x04),
        error=None if cause is None else bool(cause & 0x40),
        paper="out" if out else None if out is None else "near_end" if near_end else "ok",
    )
