"""The window: opens the till, asks who works here, and shows the shell. It keeps language and theme,
locks when idle, routes scans, and closes lanes and store. It makes no store itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QWidget

from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.formats import Formats
from app.queries.records import StaffView
from app.settings import Settings
from ui.crash import CrashNotice
from ui.desk_records import TillView
from ui.errors import CRASHED, sentence, why_shut, words_of
from ui.garbage import GuiGarbage
from ui.idle import Idle
from ui.keyboard import Scanner
from ui.kit import Kit, say_again, style_again
from ui.lanes import Lanes
from ui.screens.sign_in import SignIn
from ui.tokens import THEMES, ThemeName
from ui.widgets.basics import nothing

if TYPE_CHECKING:
    from pathlib import Path

    from app.commands.set_up import Answers
    from app.context import Session
    from app.usecases.sign_in import SignOutWhy
    from ui.cart import Cart
    from ui.desk import Desk
    from ui.screens.restore_page import Prepare, RestorePage
    from ui.shell import Shell

LOCK_AGAIN_MS: Final = 200
"""How soon a lock that fell into a write is tried again."""
FRAME: Final = 6
"""Pixels of red around the window in training."""
_MENDED_BY_BACKUP: Final = frozenset(
    {
        Outage.STORE_DAMAGED,
        Outage.STORE_FAILED,
        Outage.STORE_MISSING,
        Outage.KEYS_COPIED,
        Outage.KEYS_MISSING,
        Outage.KEYS_DAMAGED,
        Outage.JOURNAL_CONFLICT,
        Outage.JOURNAL_GAP,
        Outage.STORE_KEY_WRONG,
    }
)
"""What keeps a till shut for good: here a backup helps. Elsewhere the sentence says what to do."""
_ACTIVITY: Final = (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress)


class MainWindow(QMainWindow):
    """Signals:
    ready(): someone signed in and the counter is shown.
    store_wanted(folder, passphrase): another store instead of this one; None the live one again.
    restored(folder): a till was brought back there; it is the live one from now on.
    """

    ready = Signal()
    restored = Signal(object)
    store_wanted = Signal(object, object)

    def __init__(
        self,
        kit: Kit,
        settings: Settings,
        open_desk: Callable[[str | None, Callable[[int], None]], Desk],
        *,
        set_up: tuple[Path, Callable[[Answers], Desk]] | None = None,
        restore: tuple[Path, Prepare] | None = None,
        clock: Callable[[], float] = time.monotonic,
        after_training: bool = False,
    ) -> None:
        super().__init__()
        self._after_training = after_training
        self._kit, self._settings, self._open_desk, self._clock = kit, settings, open_desk, clock
        self._set_up, self._restore_to = set_up, restore
        self._restoring: RestorePage | None = None
        self.desk: Desk | None = None
        self.shell: Shell | None = None
        self._till: TillView | None = None
        self._painted = False
        self._waiting_who = ""
        self._key_is_new = False
        self.crash = CrashNotice(self)
        self.crash.noticed.connect(self._crashed)
        self._garbage = GuiGarbage(self)
        self.lanes = Lanes(self.crash.report)
        self.pages = QStackedWidget()
        self.sign_in = SignIn(kit)
        self.pages.addWidget(self.sign_in)
        self.setCentralWidget(self.pages)
        self.retranslate()
        self.sign_in.who_given.connect(self._who_given)
        self.sign_in.pin_given.connect(self._pin_given)
        self.sign_in.passphrase_given.connect(self._open)
        self.sign_in.again_wanted.connect(partial(self._open, None))
        self.sign_in.restore_wanted.connect(partial(self._bring_back, self.sign_in))
        self.sign_in.forgotten.connect(self._reset_pin)
        self.scanner = Scanner(
            self,
            prefix=settings.scanner.prefix,
            gap_most_ms=settings.scanner.gap_ms,
            clock=clock,
        )
        self.scanner.scanned.connect(self._scanned)
        self.idle = Idle(self, clock, lock_s=settings.counter.idle_lock_s)
        self.idle.quiet.connect(self._back_to_search)
        self.idle.quiet.connect(self._garbage.all)
        self.idle.lock_due.connect(partial(self.lock, "idle"))
        self.idle.log_out_due.connect(self.log_out)
        self._lock_again = QTimer(self)
        self._lock_again.setSingleShot(True)
        self._lock_again.setInterval(LOCK_AGAIN_MS)
        self._lock_again.timeout.connect(self._take_up_lock)
        self._lock_wanted: SignOutWhy = "lock"
        self._log_out_wanted = False
        application = QApplication.instance()
        assert isinstance(application, QApplication), "a window needs its application"
        application.focusChanged.connect(self._keep_focus)
        application.installEventFilter(self.scanner)
        application.installEventFilter(self)

    # Opening ----------------------------------------------------------------------------------

    def _open(self, passphrase: str | None) -> None:
        """Open the till on the db lane: this is where the store's libraries are imported."""
        words = self._kit.words
        self.sign_in.wait(lambda: words.say("Opening the till…") if passphrase else "")
        told = self.lanes.teller(self, self._upgrading)
        self.lanes.run(
            self,
            "db",
            lambda: self._open_desk(passphrase, told),
            ok=self._opened,
            failed=self._not_opened,
        )

    def _upgrading(self, percent: int) -> None:
        words = self._kit.words
        self.sign_in.wait(
            lambda: words.say("Updating the data, {percent} %. Leave the till on.", percent=percent)
        )

    def _opened(self, desk: Desk) -> None:
        self.desk = desk
        self._ask(desk.till, self._use_till)
        self.lanes.run(self, "search", desk.warm_up, ok=lambda _: None, failed=self.sign_in_refused)

    def _use_till(self, till: TillView) -> None:
        self._till = till
        if till.training:
            self._show_training()
        else:
            self.sign_in.offer_reset()  # Training has no passphrase that anybody knows.
        self.sign_in.show_place(till.marked_place(self._kit.words))
        self.sign_in.wait(nothing)
        if self.sign_in.who.isHidden():
            self.sign_in.ask_who()
        if self._waiting_who:
            self._who_given(self._waiting_who)

    def _show_training(self) -> None:
        """A red frame, and the word in the title: no picture of it looks like the real counter."""
        edge = self._kit.look.px(FRAME)
        self.setContentsMargins(edge, edge, edge, edge)
        self.retranslate()
        self.update()

    def _not_opened(self, error: Exception) -> None:
        code = error.code if isinstance(error, Unavailable) else None
        if code is Outage.STORE_MISSING and self._set_up is not None:
            self._first_start(*self._set_up)
            return
        if code is Outage.KEYSTORE_GONE and self.sign_in.passphrase.isHidden():
            self.sign_in.ask_passphrase()
        else:
            self._refuse_to_open(error)

    def _refuse_to_open(self, error: Exception) -> None:
        code = error.code if isinstance(error, Unavailable) else None
        wait_s = error.retry_after_s if isinstance(error, Unavailable) else None
        if wait_s and code in (Outage.PASSPHRASE_WRONG, Outage.PASSPHRASE_WAIT):
            self.sign_in.refuse_for(
                wait_s, lambda left_s: sentence(self._kit, code, {"wait_s": left_s})
            )
        else:
            restore = self._restore_to is not None and code in _MENDED_BY_BACKUP
            self.sign_in.stay_shut(lambda: why_shut(self._kit, error), restore=restore)

    def _first_start(self, folder: Path, make: Callable[[Answers], Desk]) -> None:
        """Nothing here yet: the assistant asks, makes the store, and its owner goes on to the counter."""
        from ui.screens.first_start import FirstStart

        page = FirstStart(self._kit, self.lanes, folder, make)
        page.language_chosen.connect(self.switch_language)

        def made(desk: Desk, who: str, pin: str) -> None:
            self._opened(desk)
            self.pages.setCurrentWidget(self.sign_in)
            self.pages.removeWidget(page)
            page.deleteLater()
            self._key_is_new = True
            self._pin_given(who, pin)

        page.made.connect(made)
        page.restore_wanted.connect(partial(self._bring_back, page))
        self.pages.addWidget(page)
        self.pages.setCurrentWidget(page)
        page.begin()

    def _bring_back(self, before: QWidget) -> None:
        """The guided restore; leaving it goes back to where it was asked for."""
        from ui.screens.restore_page import RestorePage

        assert self._restore_to is not None, "it is offered only then"
        page = self._restoring = RestorePage(self._kit, self.lanes, *self._restore_to)

        def left() -> None:
            self._restoring = None
            self.pages.setCurrentWidget(before)
            self.pages.removeWidget(page)
            page.deleteLater()

        page.left.connect(left)
        page.restored.connect(self.restored)
        self.pages.addWidget(page)
        self.pages.setCurrentWidget(page)
        page.begin()

    @property
    def is_training(self) -> bool:
        """Whether its store is the one to practise in."""
        return self._till is not None and self._till.training

    # Signing in -------------------------------------------------------------------------------

    def _who_given(self, who: str, *, scanned: bool = False) -> None:
        if self.desk is None:
            self._waiting_who = who  # Typed before the till was open: asked as soon as it is.
            return
        self._waiting_who = ""
        desk, words = self.desk, self._kit.words

        def found(staff: StaffView | None) -> None:
            if staff is None:
                self.sign_in.refuse(
                    lambda: words.say("Nobody here has these initials. Try again."),
                    again=not scanned,
                )
            else:
                self.sign_in.ask_pin(staff, who)

        self._ask(lambda: desk.find_staff(who), found)

    def _pin_given(self, who: str, pin: str) -> None:
        assert self.desk is not None, "a PIN is asked for after the till is open"
        desk, words = self.desk, self._kit.words
        command_id = desk.new_command()
        after_training = self._after_training
        self.sign_in.wait(lambda: words.say("Checking…"))
        self._ask(
            lambda: desk.sign_in(command_id, who, pin, after_training=after_training),
            lambda result: self._signed_in(*result),
        )

    def _reset_pin(self, *, first: bool = False) -> None:
        """F11 before a sign-in: a manager who knows the passphrase gets a new PIN; `first`: whoever typed a
        first code."""
        from ui.dialogs.staff import FirstPin, ForgottenPin

        assert self.desk is not None, "it is offered once the till is open"
        around = (self._kit, self.lanes, self.desk)
        sheet = FirstPin(*around, *self.sign_in.given) if first else ForgottenPin(*around)
        sheet.changed.connect(self._pin_is_new)
        self.sign_in.sheets.open(sheet)

    def _pin_is_new(self, said: str) -> None:
        self.sign_in.ask_who()
        self.sign_in.wait(lambda: said)

    def _signed_in(self, session: Session, staff: StaffView) -> None:
        self._after_training = False
        self.sign_in.ask_who()
        shell = self._shell()
        self.pages.setCurrentWidget(shell)
        shell.begin(session, staff)
        if self._key_is_new:
            self._key_is_new = False
            shell.audit.start_key()  # Once, at set-up; F11 has it until it is in the safe.
        self.idle.touch()
        self.ready.emit()

    def _shell(self) -> Shell:
        """Built at the first sign-in; a lock and a switch keep it, cart, focus and text."""
        if self.shell is not None:
            return self.shell
        from ui.shell import Shell

        assert self.desk is not None, "who signed in was looked up in the open till"
        assert self._till is not None, "who signed in was looked up in the open till"
        till = self._till
        zone = timezone(timedelta(minutes=till.offset_min))
        kit = Kit(
            self._kit.look,
            self._kit.words,
            Formats(self._kit.words, till.sign, zone),
            till.training,
        )
        shell = Shell(kit, self.lanes, self.desk, till, clock=self._clock)
        shell.language_wanted.connect(self.switch_language)
        shell.theme_wanted.connect(self.switch_theme)
        shell.lock_wanted.connect(partial(self.lock))
        shell.store_wanted.connect(self.store_wanted)
        shell.settings_saved.connect(self._settings_saved)
        self.pages.addWidget(shell)
        self.shell = shell
        self._ask(self.desk.cart_again, self._restore)
        shell.paper.start()
        return shell

    def _restore(self, again: tuple[Cart, bool] | None) -> None:
        if again is not None and self.shell is not None:
            cart, changed = again
            self.shell.counter.restore(cart)
            self.shell.attention.cart_was_kept(other_prices=changed)

    def sign_in_refused(self, error: Exception) -> None:
        """Say it where the person is looking."""
        self.sign_in.refuse(lambda: words_of(self._kit, error))
        if isinstance(error, Refused) and error.code is Refusal.PIN_TO_CHOOSE:
            self._reset_pin(first=True)
        if self.shell is not None:
            self.shell.strip.refuse(lambda: words_of(self._kit, error))

    def lock(self, why: SignOutWhy = "lock") -> None:
        """The person is signed out; ask who works here. Everything behind stays as it is."""
        if self.shell is None or self.pages.currentWidget() is not self.shell:
            return
        self.shell.withdraw_request()
        if self.shell.sheets.busy:
            self._lock_wanted = why  # Something is being written: as soon as it is.
            self._lock_again.start()
            return
        self.shell.sign_out(why)
        assert self._till is not None
        self.shell.counter.keep_now()
        empty = self.shell.counter.cart.is_empty
        self.sign_in.show_place(self._till.marked_place(self._kit.words), kept=not empty)
        self.pages.setCurrentWidget(self.sign_in)
        self.sign_in.ask_who()
        if self._log_out_wanted:
            self.log_out()

    def _take_up_lock(self) -> None:
        self.lock(self._lock_wanted)

    def log_out(self) -> None:
        """Nobody was here for a quarter of an hour: of what the last person had open only the cart is
        left. Whoever comes next starts at the counter."""
        if self.shell is None:
            return
        self._log_out_wanted = self.pages.currentWidget() is self.shell
        if self._log_out_wanted:
            self.lock("idle")
            return
        self.shell.clear_desk()
        words = self._kit.words
        self.sign_in.ask_who()
        self.sign_in.wait(lambda: words.say("Logged out after 15 minutes without a key."))

    # Language and theme -----------------------------------------------------------------------

    def switch_language(self, language: str = "") -> None:
        words = self._kit.words
        words.switch(language or ("en" if words.language == "zh_CN" else "zh_CN"))
        say_again(self)

    def retranslate(self) -> None:
        training = " · TRAINING 练习" if self.is_training else ""
        self.setWindowTitle(self._kit.words.say("Regulars") + training)

    def switch_theme(self, theme: ThemeName | None = None) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        look = self._kit.look
        look.wear(application, theme or THEMES[(THEMES.index(look.theme) + 1) % len(THEMES)])
        style_again(self)

    def _settings_saved(self, settings: Settings) -> None:
        if settings.language != self._kit.words.language:
            self.switch_language(settings.language)
        if settings.theme != self._kit.look.theme:
            self.switch_theme(settings.theme)
        self.idle.lock_s = settings.counter.idle_lock_s

    # Keys, scans, quiet -----------------------------------------------------------------------

    def _scanned(self, code: str) -> None:
        if self.shell is not None and self.pages.currentWidget() is self.shell:
            self.shell.scan(code)
        elif self.sign_in.takes_badge:
            self._who_given(code, scanned=True)

    def _keep_focus(self, before: QWidget | None, now: QWidget | None) -> None:
        """What can't be seen takes no keyboard, whatever comes there late: behind the lock a PIN would go
        into it, in a Pay that something lies over Enter would take money."""
        shell, locked = self.shell, self.pages.currentWidget() is not self.shell
        if now is None or shell is None or not shell.isAncestorOf(now):
            return
        top = shell.sheets.top_over(now)
        if not locked and top is None:
            return
        asked = before
        if asked is None or not asked.isVisible():
            asked = top.first_focus() if top is not None and not locked else self.sign_in.field
        asked.setFocus(Qt.FocusReason.OtherFocusReason)

    def _back_to_search(self) -> None:
        """Twenty quiet seconds on an empty cart: the next customer starts in the search box."""
        shell = self.shell
        if shell is not None and shell.counter.cart.is_empty and shell.sheets.top is None:
            shell.counter.focus_search()

    def _crashed(self, code: str) -> None:
        words = self._kit.words
        if self.shell is not None:
            self.shell.strip.warn(lambda: words.say(CRASHED, code=code))
        else:
            self.sign_in.refuse(lambda: words.say(CRASHED, code=code))

    def _ask(self, function: Callable[[], object], ok: Callable[..., None]) -> None:
        self.lanes.run(self, "db", function, ok=ok, failed=self.sign_in_refused)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _ACTIVITY and self.shell is not None and isinstance(watched, QWidget):
            self.idle.touch()
            self._log_out_wanted = False
            if self._lock_wanted == "idle":
                self._lock_again.stop()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        shown = self.shell is not None and self.pages.currentWidget() is self.shell
        if event.key() == Qt.Key.Key_Escape and shown and not event.isAutoRepeat():
            assert self.shell is not None
            self.shell.step_back()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.shell is not None:
            self.shell.top_bar.show_away(not self.isActiveWindow())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._till is not None and self._till.training:
            painter = QPainter(self)
            painter.fillRect(self.rect(), self._kit.look.colour("danger"))
            painter.end()
        if not self._painted:
            self._painted = True
            # After this paint, not during it: the store's libraries are imported on the lane.
            QTimer.singleShot(0, self, partial(self._open, None))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep the cart, let the lanes finish, close the store."""
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.disconnect(self._keep_focus)
            application.removeEventFilter(self.scanner)
            application.removeEventFilter(self)
        desk, self.desk = self.desk, None
        if desk is not None:
            desk.day.stop()
            desk.exchange.stop()
            desk.guard.stop()
            if self.shell is not None:
                self.shell.counter.keep_now()
                self.shell.sign_out("close")
            self.lanes.run(self, "db", desk.close, ok=lambda _: None, failed=lambda _: None)
        if self._restoring is not None:
            self._restoring.give_up()
        self.lanes.close()
        self._garbage.stop()
        super().closeEvent(event)
