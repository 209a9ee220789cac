"""What every use-case returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from app.context import NOTHING, Changes

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """The command is durable. `changes` tells screens what to refresh; `again` that this command had
    been done before and its first outcome is given; `warning` is an Outage code when something
    beside the command needs a hand (the journal file), "" otherwise."""

    result: Result
    changes: Changes = NOTHING
    again: bool = False
    warning: str = ""
