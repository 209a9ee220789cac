"""Checkpoints of a till's journal as a file: what the till says of itself, and what head office signed.

One JSON object a line: `tenant`, `device` (hex), `epoch`, `seq`, `head` (hex), `by` (head office's signature in
hex, null until there is one). A line is a statement: after event `seq` the chain's hash was `head`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec


class BadCheckpoints(ValueError):
    """The text is not a file of checkpoints."""


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line."""

    tenant: str
    device: str
    epoch: int
    seq: int
    head: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint of one till; `signed` when head office stands for it."""

    seq: int
    head: bytes
    signed: bool


def to_text(checkpoints: Iterable[Checkpoint]) -> str:
    """The lines of a file."""
    return "".join(msgspec.json.encode(each).decode() + "\n" for each in checkpoints)


def anchors(text: str, *, tenant: bytes, device: bytes, epoch: int) -> tuple[Anchor, ...]:
    """What a file says of one till, by number. Raises BadCheckpoints."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=Checkpoint)
            head = bytes.fromhex(one.head)
        except (msgspec.MsgspecError, ValueError) as error:
            raise BadCheckpoints(f"line {number}: {error}") from error
        if (one.tenant, one.device, one.epoch) == (tenant.hex(), device.hex(), epoch):
            found.append(Anchor(one.seq, head, one.by is not None))
    return tuple(sorted(found, key=lambda each: (each.seq, each.signed)))
