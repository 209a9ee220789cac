"""What leaves the house as a file or on paper: read, then recorded, then written; the counter sells meanwhile.

Reading and writing may take long and belong on the report lane; the event that says what leaves is recorded
before anything does, on the db lane as every write is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import shiboken6
from PySide6.QtWidgets import QWidget

from ui.lanes import Lanes

Read = TypeVar("Read")
Taken = TypeVar("Taken")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class TakingOut(Generic[Read, Taken, Outcome]):
    """Three steps, each with what the one before it gave. Every one may raise Refused or Unavailable."""

    read: Callable[[], Read]
    record: Callable[[Read], Taken]
    write: Callable[[Taken], Outcome]

    def start(
        self,
        widget: QWidget,
        lanes: Lanes,
        *,
        ok: Callable[[Outcome], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Go through them; then exactly one of `ok(outcome)` and `failed(error)` while `widget` lives. What was
        begun is finished also where its page goes meanwhile, as by a lock: the window goes from step to step.
        """
        window = widget.window()

        def refused(error: Exception) -> None:
            if shiboken6.isValid(widget):
                failed(error)

        def recorded(taken: Taken) -> None:
            lanes.run(widget, "report", partial(self.write, taken), ok=ok, failed=failed)

        def made(read: Read) -> None:
            lanes.run(window, "db", partial(self.record, read), ok=recorded, failed=refused)

        lanes.run(window, "report", self.read, ok=made, failed=refused)
