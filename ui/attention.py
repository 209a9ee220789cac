"""What needs a hand at this till, gathered from the store and from the open sale, for the chip in the
top bar and the list behind it (flow 19). Settling is the business of the places that a line opens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from app.domain.errors import Outage
from app.formats import disk_size
from app.i18n import mark
from ui.errors import sentence
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.widgets.basics import Text, nothing

if TYPE_CHECKING:
    from app.file_check import Looked
    from app.queries.attention import Need
    from ui.desk import Desk
    from ui.screens.counter import Counter

_INCIDENTS: Final = {
    "log_set_aside": mark("A damaged log was set aside; the journal file was used."),
    "events_replayed": mark("{count} entries were brought back from the journal file."),
    "journal_tail_cut": mark("A torn end of the journal file was cut off."),
    "journal_damaged": mark("The journal file is damaged in {places} places."),
    "journal_file_damaged": mark("An older journal file is damaged: {file}."),
    "journal_file_missing": mark("A journal file is missing."),
    "journal_backfilled": mark("{count} entries were written to the journal file again."),
    "journal_missing": mark("The journal file was missing and was written anew."),
    "keyslots_mended": mark("One of the two copies of the key file was written anew."),
    "setting_unknown": mark("The settings file has a key that isn't known: {key}. It isn't used."),
    "restored": mark("This till was brought back from backup {name}."),
    "restored_in_part": mark(
        "This till was brought back from backup {name}; {count} entries are missing."
    ),
    "witness_ahead": mark("The till's data are older than they were: an old copy was put back."),
    "witness_missing": mark("The side file head.rwf is missing."),
    "witness_damaged": mark("The side file head.rwf can't be read."),
    "fold_differs": mark("A balance doesn't match its ledger."),
    "share_differs": mark("Balances don't match their ledger: {count} differences."),
    "reports_not_made": mark("The reports of {date} could not be made."),
    "programme_unfit": mark(
        "Head office published version {version}, which can't be used here: {why}."
    ),
    "staff_unfit": mark("Head office's list of staff can't be used here: {why}."),
    "prices_unfit": mark("Head office's price list can't be used here: {why}."),
    "till_wiped": mark("Head office shut this till out: the data of its members was deleted."),
    "close_differs": mark("The till closed {date} itself over {count} differences (Z {number})."),
}
_WHY: Final = {
    "number": mark("its number is not its own"),
    "currency": mark("another currency"),
    "cut_off": mark("its days begin at another hour"),
    "faults": mark("a code that is used here for something else"),
    "unreadable": mark("the till's program is too old to read it"),
    "initials": mark("two people with the same initials"),
    "no_manager": mark("no manager would be left"),
    "strange": mark("initials or a role that this program does not know"),
}
_BACKUPS: Final = {
    Outage.BACKUP_NONE.value: mark("There is no backup yet."),
    Outage.BACKUP_STALE.value: mark("The last backup is older than a day."),
}
"""Without what to do: the next step stands beside it."""


@dataclass(frozen=True, slots=True)
class NeedLine:
    """One line of the list: since when, what is so, what to do next, and where that is done."""

    at: datetime
    what: Text
    step: Text
    settle: Callable[[], None]
    always: bool = False

    def since(self, kit: Kit, today: date) -> str:
        """The moment in words; what was never otherwise has none."""
        if self.always:
            return kit.words.say("always")
        return kit.formats.moment(self.at, today=today)


class Attention(QObject):
    """Signals:
    changed(count): so many things need a hand; slips that only wait have a chip of their own.
    """

    changed = Signal(int)

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        counter: Counter,
        *,
        open_paper: Callable[[], None],
        open_counter: Callable[[], None],
        back_up: Callable[[], None],
        open_health: Callable[[], None],
        choose_backup_folder: Callable[[], None],
    ) -> None:
        super().__init__(counter)
        self._kit, self._lanes, self._desk, self._counter = kit, lanes, desk, counter
        self._open_paper, self._open_counter, self._back_up = open_paper, open_counter, back_up
        self._open_health, self._choose_backup_folder = open_health, choose_backup_folder
        self._needs: tuple[Need, ...] = ()
        self._kept_at: datetime | None = None
        self._other_prices = False
        self._unknown_at: datetime | None = None
        self._backup_gone_at: datetime | None = None
        self._backup_folder: Latest[bool] = Latest(lanes, "backup", interrupt=lambda: None)
        self._looking = False
        self._repairs_said = False
        self._printer = ""
        self._printer_said: Text = nothing
        counter.cart_changed.connect(self._cart_changed)

    def refresh(self) -> None:
        """Ask the store anew."""
        self._lanes.run(
            self._counter, "db", self._desk.needs, ok=self._took, failed=self._counter.warn
        )

    def look_at_backup_folder(self) -> None:
        """Each minute, and after the settings were saved: is the disk of the backups still there? Where that
        takes long it is the backups' own lane that waits."""
        self._backup_folder.ask(
            self._counter,
            self._desk.backup_folder_gone,
            ok=self._backup_folder_seen,
            failed=self._counter.warn,
        )

    def _backup_folder_seen(self, gone: bool) -> None:
        if gone != (self._backup_gone_at is not None):
            self._backup_gone_at = self._desk.now() if gone else None
            self._tell()

    def look_into_files(self) -> None:
        """Each minute without a sale: a part of an older journal file is read, beside the counter's lane."""
        if self._looking or not self._counter.cart.is_empty or self._counter.sheets.top is not None:
            return
        self._looking = True
        self._lanes.run(
            self._counter,
            "report",
            self._desk.look_into_files,
            ok=self._looked,
            failed=self._unread,
        )

    def _looked(self, looked: Looked | None) -> None:
        self._looking = False
        if looked is not None:
            self._lanes.run(
                self._counter, "db", lambda: self._desk.note_files(looked),
                ok=lambda damaged: self.refresh() if damaged else None, failed=self._counter.warn,
            )  # fmt: skip

    def _unread(self, error: Exception) -> None:
        self._looking = False
        self._counter.warn(error)

    def tell_repairs(self, count: int) -> None:
        """What was mended at start is told to the first who signs in."""
        if not count or self._repairs_said:
            return
        self._repairs_said = True
        words = self._kit.words
        self._counter.strip.warn(
            lambda: words.count(
                "One thing was mended at start. Tell the manager.",
                "{count} things were mended at start. Tell the manager.",
                count,
                count=count,
            )
        )

    def tell_printer(self, problem: str) -> None:
        """What is wrong at the printer, said until it is another thing, or nothing ("")."""
        if problem == self._printer:
            return
        self._printer = problem
        self._counter.strip.withdraw(self._printer_said)
        if problem:
            self._printer_said = partial(sentence, self._kit, Outage(problem), {})
            self._counter.strip.warn(self._printer_said)

    def cart_was_kept(self, *, other_prices: bool) -> None:
        """The open sale comes from before a crash: to be looked at until it is charged or cleared."""
        self._kept_at, self._other_prices = self._desk.now(), other_prices
        self._counter.strip.warn(self._say_kept)
        self._tell()

    def _say_kept(self) -> str:
        words = self._kit.words
        if self._other_prices:
            return words.say("The open sale was kept; prices changed since. Check it, then go on.")
        return words.say("The open sale was kept. Check it, then go on.")

    def show(self) -> None:
        """F11 `zt`, or the chip: the list, oldest first."""
        from ui.dialogs.attention import AttentionList

        self._counter.sheets.open(AttentionList(self._kit, self.lines(), self._desk.date_now()))

    def lines(self) -> list[NeedLine]:
        """Everything, oldest first."""
        found = [self._line(need) for need in self._needs]
        words, counter = self._kit.words, self._counter
        if self._kept_at is not None:
            found.append(
                NeedLine(
                    self._kept_at,
                    lambda: words.say("The open sale was kept when the till stopped."),
                    lambda: words.say("Check it, then charge or clear it"),
                    partial(self._at_the_counter, counter.focus_amount),
                )
            )
        if self._backup_gone_at is not None:
            found.append(
                NeedLine(
                    self._backup_gone_at,
                    lambda: sentence(self._kit, Outage.BACKUP_FOLDER_GONE, {}),
                    lambda: words.say("Plug its disk in, or set another folder in the settings"),
                    self._choose_backup_folder,
                )
            )
        if self._unknown_at is not None:
            count = len(counter.cart.unknown_lines)
            found.append(
                NeedLine(
                    self._unknown_at,
                    lambda: words.count(
                        "One line isn't recognised.",
                        "{count} lines aren't recognised.",
                        count,
                        count=count,
                    ),
                    lambda: words.say("F5 picks the item, Delete drops it"),
                    partial(self._at_the_counter, counter.point_at_unknown),
                )
            )
        return sorted(found, key=lambda line: line.at)

    def _line(self, need: Need) -> NeedLine:
        words = self._kit.words
        if need.kind == "uncertain":
            return NeedLine(
                need.at,
                lambda: words.say("Slip {number} may have printed.", number=need.number),
                lambda: words.say("Look for it, then say"),
                self._open_paper,
            )
        if need.kind == "waiting":
            return NeedLine(
                need.at, partial(self._waiting, need), self._print_step, self._open_paper
            )
        if need.kind == "journal_file":
            return NeedLine(
                need.at,
                lambda: sentence(self._kit, Outage.JOURNAL_FILE_FAILED, {}),
                lambda: words.say("The next sale tries again"),
                partial(self._at_the_counter, self._counter.focus_amount),
            )
        if need.kind == "backup":
            return NeedLine(
                need.at,
                partial(words.say, _BACKUPS[need.code]),
                lambda: words.say("Enter makes one (F11 bf)"),
                self._back_up,
                need.always,
            )
        if need.kind == "disk":
            return NeedLine(
                need.at,
                partial(self._room, need),
                lambda: words.say("Free some space; selling goes on"),
                self._open_health,
            )
        if need.kind == "beside":
            return NeedLine(
                need.at,
                lambda: words.say("All backups lie on the till's own disk."),
                lambda: words.say("Enter: choose another folder"),
                self._choose_backup_folder,
                need.always,
            )
        return NeedLine(
            need.at,
            partial(self._incident, need),
            partial(self._incident_step, need),
            self._open_incidents,
        )

    def _at_the_counter(self, settle: Callable[[], None]) -> None:
        """Wherever the list was read: what the open sale needs is done there."""
        self._open_counter()
        settle()

    def _incident_step(self, need: Need) -> str:
        words = self._kit.words
        if need.code == "journal_file_damaged":
            return words.say("Restart the till: it writes the file anew")
        if need.code == "programme_unfit":
            return words.say("Tell head office; the till goes on by the rules that it has")
        if need.code == "staff_unfit":
            return words.say("Tell head office; the till goes on with the people whom it has")
        if need.code == "prices_unfit":
            return words.say("Tell head office; the till goes on with the prices that it has")
        if need.code == "till_wiped":
            return words.say("Call head office; sales that it lacks are kept here, sealed")
        if need.code == "reports_not_made":
            return words.say("Make them by hand in Reports, then mark it")
        return words.say("Tell the manager, then mark it")

    def _print_step(self) -> str:
        return self._kit.words.say("Look at the printer, then try again")

    def _room(self, need: Need) -> str:
        room = disk_size(int((need.facts or {})["free"]))
        return self._kit.words.say("The disk is nearly full: {room} left.", room=room)

    def _waiting(self, need: Need) -> str:
        said = self._kit.words.count(
            "1 slip waits.", "{count} slips wait.", need.count, count=need.count
        )
        return f"{said} {sentence(self._kit, Outage(need.code), {})}" if need.code else said

    def _incident(self, need: Need) -> str:
        message = _INCIDENTS.get(need.code)
        if message is None:
            return self._kit.words.say("The till noted {code}.", code=need.code)
        facts = dict(need.facts or {})
        if (why := _WHY.get(str(facts.get("why")))) is not None:
            facts["why"] = self._kit.words.say(why)
        return self._kit.words.say(message, **facts)

    def _open_incidents(self) -> None:
        from ui.dialogs.attention import Incidents

        incidents = [need for need in self._needs if need.kind == "incident"]
        noted = [self._line(need) for need in incidents]
        last = max((need.place for need in incidents), default=0)
        sheet = Incidents(self._kit, self._lanes, self._desk, noted, last, self._desk.date_now())
        sheet.seen.connect(self.refresh)
        self._counter.sheets.open(sheet)

    def _took(self, needs: tuple[Need, ...]) -> None:
        self._needs = needs
        self._tell()

    def _cart_changed(self) -> None:
        cart = self._counter.cart
        before = (self._kept_at, self._unknown_at)
        if cart.is_empty:
            self._kept_at = None
            self._counter.strip.withdraw(self._say_kept)
        if not cart.unknown_lines:
            self._unknown_at = None
        elif self._unknown_at is None:
            self._unknown_at = self._desk.now()
        if before != (self._kept_at, self._unknown_at):
            self._tell()

    def _tell(self) -> None:
        own = (self._kept_at, self._unknown_at, self._backup_gone_at)
        stored = sum(need.kind != "waiting" for need in self._needs)
        self.changed.emit(stored + sum(at is not None for at in own))
