"""The steps of a day close, one after another on the lanes they belong to, while the counter goes on.

The close sheet watches them; the till at night runs them with nobody there. What is decided, and by whom, is
not here: the use-cases say no, and a person signs in the sheet.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtWidgets import QWidget

from app.domain.errors import Unavailable
from app.percent import Percent
from ui.lanes import Lanes

if TYPE_CHECKING:
    from app.backup import Backup
    from app.usecases.close_day import Closed, Closing, Proof
    from app.usecases.owner_postings import Progress
    from ui.desk_day import DayDesk

Step = Literal["post", "prove", "backup", "sign"]
STEPS: Final[tuple[Step, ...]] = ("post", "prove", "backup", "sign")


class DayRun:
    """One run. `told(step)` says what begins, `percent(step, n)` how far it has come; then exactly one of
    `done(closed)` and `failed(error)`.

    After `failed` at the last step the run is kept: `sign` goes on with another closing.

    Attributes:
        proof, posted, made: what the steps gave; `made` None where no backup could be made.
    """

    def __init__(
        self,
        widget: QWidget,
        lanes: Lanes,
        day: DayDesk,
        *,
        told: Callable[[Step], None],
        percent: Callable[[Step, int], None],
        done: Callable[[Closed], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._widget, self._lanes, self._day = widget, lanes, day
        self._told, self._percent, self._done, self._failed = told, percent, done, failed
        self._closing: Closing | None = None
        self._whole = 0
        self.proof: Proof | None = None
        self.posted: Progress | None = None
        self.made: Backup | None = None

    def start(self, closing: Closing) -> None:
        """From the first step, also once more: what an earlier go found is forgotten."""
        from app.usecases.owner_postings import Progress

        self._closing = closing
        self.proof = self.posted = self.made = None
        self._told("post")
        begun = Progress(closing.command.on, closing.since)

        def counted(whole: int) -> None:
            self._whole = whole
            self._post(begun)

        self._lanes.run(
            self._widget, "db", lambda: self._day.candidates(begun), ok=counted, failed=self._failed
        )

    def sign(self, closing: Closing) -> None:
        """The last step, with what somebody has signed for since."""
        from app.usecases.close_day import CloseDay

        assert self.proof is not None, "the steps before were done"
        self._closing = closing
        self._told("sign")
        command = CloseDay(closing, self.proof, self.posted, self.made)
        self._lanes.run(
            self._widget, "db", lambda: self._day.close(command), ok=self._done, failed=self._failed
        )

    def _post(self, progress: Progress) -> None:
        # Batch by batch: whatever the counter asks for meanwhile comes in between.
        Percent(partial(self._percent, "post"))(progress.looked, self._whole)
        if progress.finished:
            self.posted = progress
            self._told("prove")
            tell = self._lanes.teller(self._widget, partial(self._percent, "prove"))
            self._lanes.run(
                self._widget, "report", lambda: self._day.prove(tell),
                ok=self._proven, failed=self._failed,
            )  # fmt: skip
            return
        self._lanes.run(
            self._widget, "db", lambda: self._day.post(progress), ok=self._post, failed=self._failed
        )

    def _proven(self, proof: Proof) -> None:
        self.proof = proof
        self._told("backup")
        tell = self._lanes.teller(self._widget, partial(self._percent, "backup"))
        self._lanes.run(
            self._widget, "backup", lambda: self._day.back_up(tell),
            ok=self._note, failed=self._not_backed_up,
        )  # fmt: skip

    def _note(self, made: Backup) -> None:
        self._lanes.run(
            self._widget, "db", lambda: self._day.note(made), ok=self._noted, failed=self._failed
        )

    def _noted(self, made: Backup) -> None:
        self.made = made
        assert self._closing is not None
        self.sign(self._closing)

    def _not_backed_up(self, error: Exception) -> None:
        if not isinstance(error, Unavailable):
            self._failed(error)
            return
        assert self._closing is not None
        self.sign(self._closing)  # attended: refused until somebody signs for it
