"""What screens ask of the product about the close of a day and backups, each step for the lane it belongs to.

`prove`, `read_reports` and `finish` go to the report lane, `back_up` to the backup lane; the rest is short and
goes to the db lane.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from app import backup
from app.apart import Apart
from app.backup import Backup, Stop
from app.build import Till
from app.context import Session
from app.domain.business_day import BusinessDate
from app.domain.errors import Unavailable
from app.percent import Percent, unheard
from app.queries.drawer import OpenDrawer, open_drawer
from app.usecases import after_day
from app.usecases.after_day import Followed
from app.usecases.back_up import (
    NoteBackup,
    backup_alarm,
    backup_due,
    check_may_back_up,
    make_backup,
    note_backup,
)
from app.usecases.close_day import (
    BeginClose,
    Closed,
    CloseDay,
    Closing,
    OpenItem,
    Proof,
    begin,
    close_day,
    closed_unseen,
    date_to_close,
    end_shift_unattended,
    open_items,
    prove,
)
from app.usecases.close_unattended import due_unattended
from app.usecases.export_report import Made, Taken
from app.usecases.owner_postings import (
    Outlook,
    Progress,
    candidates,
    outlook,
    post_batch,
)
from app.usecases.tidy import purge_slips, remove_old_cards


@dataclass(frozen=True, slots=True)
class DayView:
    """What there is to close. `on` None: nothing; `shift_open`: that date's shift is still open."""

    on: BusinessDate | None
    items: tuple[OpenItem, ...]
    due: Outlook | None
    drawer: OpenDrawer | None
    """The drawer of that shift, to be counted first."""
    beside: bool
    """Backups lie on the disk that they are to save from."""


class DayDesk:
    """The day of one till. Every method may raise Refused or Unavailable."""

    def __init__(self, till: Till) -> None:
        self._ctx = till.context
        self._stop = Stop()
        self._apart = Apart(self._ctx)

    def look(self) -> DayView:
        """What stands in the way of the next close."""
        ctx = self._ctx
        on, drawer = date_to_close(ctx), open_drawer(ctx)
        if on is None or drawer is None or drawer.business_date > on:
            drawer = None
        return DayView(
            on,
            open_items(ctx),
            None if on is None else outlook(ctx, on),
            drawer,
            backup.is_beside(ctx),
        )

    def begin(self, command: BeginClose) -> Closing:
        return begin(self._ctx, command)

    def post(self, progress: Progress) -> Progress:
        """One batch of expiries and reviews; the counter's commands come in between."""
        return post_batch(self._ctx, progress)

    def candidates(self, progress: Progress) -> int:
        """How many members the postings will look at."""
        return candidates(self._ctx, progress)

    def prove(self, told: Callable[[int], None] = unheard) -> Proof:
        """Check everything since the last close, in a process of its own: the counter goes on. `told` hears
        the percent that are done."""
        return prove(self._ctx, partial(self._apart.since, told=told))

    def back_up(self, told: Callable[[int], None] = unheard) -> Backup:
        """Make a backup and open it (backup lane: it may take a minute and writes nothing here)."""
        return make_backup(self._ctx, self._stop, Percent(told))

    def note(self, made: Backup, session: Session | None = None) -> Backup:
        return note_backup(self._ctx, NoteBackup(self._ctx.ids(), made, session)).result

    def close(self, command: CloseDay) -> Closed:
        return close_day(self._ctx, command).result

    def may_back_up(self, session: Session) -> None:
        """Raises Refused(NOT_ALLOWED)."""
        check_may_back_up(self._ctx, session, self._ctx.ids())

    def stop(self) -> None:
        """The window closes: a backup or a check that runs is called off. Callable from any thread."""
        self._stop()
        self._apart.stop()

    # What a till does by itself ---------------------------------------------------------------

    def purge_slips(self) -> None:
        """Slips and card pages past their time go."""
        purge_slips(self._ctx)
        remove_old_cards(self._ctx)

    def backup_due(self) -> bool:
        return backup_due(self._ctx)

    def backup_alarm(self) -> str:
        """The code of what is wrong with the backups, "" when nothing is."""
        return backup_alarm(self._ctx)

    def date_over(self) -> BusinessDate | None:
        """The next date that is over and not closed."""
        return due_unattended(self._ctx)

    def begin_alone(self, on: BusinessDate) -> Closing:
        """End what is open of a date without a count, and begin its close."""
        end_shift_unattended(self._ctx, on)
        return begin(self._ctx, BeginClose(self._ctx.ids(), None, on))

    def closed_unseen(self) -> tuple[Closed, ...]:
        """The closes that the till made by itself, each the first time that it is asked for."""
        return closed_unseen(self._ctx)

    # What follows a Z (see ui.follow_up) --------------------------------------------------------

    def read_reports(self, on: BusinessDate) -> Made | Unavailable | None:
        return after_day.read_reports(self._ctx, on)

    def record_reports(self, made: Made | Unavailable | None) -> Taken | Unavailable | None:
        return after_day.record_reports(self._ctx, made)

    def finish(self, on: BusinessDate, taken: Taken | Unavailable | None) -> Followed:
        return after_day.finish(self._ctx, on, taken, self._apart.share)

    def note_followed(self, followed: Followed) -> None:
        after_day.note(self._ctx, followed)
