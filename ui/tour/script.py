"""The day that the tour drives: what is typed, what must come of it, and where a picture is taken.

Keys are those of counter-flows.md. Nothing here calls the product: it types, and looks at what is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtWidgets import QApplication, QWidget

from ui.dialogs.enrol import EnrolSheet
from ui.dialogs.find_action import FindAction
from ui.dialogs.pay import Pay
from ui.dialogs.return_goods import ReturnSheet
from ui.dialogs.void_sale import VoidSale
from ui.main_window import MainWindow
from ui.pages import PAGES, key_of
from ui.shell import Shell
from ui.tour.driver import Camera, Condition, Hands, Script
from ui.tour.office import TourOffice

KEYBOARD_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what the tour meets in the demo store. `rich_card` is of a member with points for an
    approval; `close_printer` takes the printer away, `open_printer` brings it back; `office` is a head office
    that the till may join."""

    passphrase: str
    initials: str
    pin: str
    last_four: str
    initial: str
    card: str
    badge: str
    badge_pin: str
    manager: str
    manager_badge: str
    manager_pin: str
    rich_card: str
    rich_member: bytes
    new_phone: str
    barcodes: tuple[str, ...]
    close_printer: Callable[[], None]
    open_printer: Callable[[], None]
    office: TourOffice


class Steps:
    """The scenes of the day; each is a generator that yields what to wait for."""

    def __init__(
        self, window: Callable[[], MainWindow], cast: Cast, camera: Camera, hands: Hands
    ) -> None:
        self._window = window
        self.cast, self.camera, self.hands = cast, camera, hands
        self.shown_sale: bytes | None = None
        """The sale with points, whose receipt is worth showing."""

    @property
    def window(self) -> MainWindow:
        """The window that is shown; training has one of its own."""
        return self._window()

    @property
    def shell(self) -> Shell:
        """The signed-in part of the window."""
        assert self.window.shell is not None, "somebody has signed in"
        return self.window.shell

    # Small words ------------------------------------------------------------------------------

    def sheet_is(self, name: str) -> Condition:
        """The sheet on top is of this kind ("" none)."""

        def there() -> bool:
            top = self.shell.sheets.top
            return (type(top).__name__ if top is not None else "") == name

        return there

    def press(self, *keys: str) -> Condition:
        """Press keys by their X names."""
        return self.hands.press(*keys)

    def type(self, text: str) -> Condition:
        """Type as a person does."""
        return self.hands.type(text)

    def attached(self) -> bool:
        """A member is on the counter."""
        return self.shell.counter.attached is not None

    def quoted(self) -> bool:
        """The sums on the screen belong to the cart."""
        counter = self.shell.counter
        return counter.charging.quote is not None and not counter.cart.is_empty

    def empty(self) -> bool:
        """The cart is gone and no sheet is open: the next customer."""
        return self.shell.counter.cart.is_empty and self.shell.sheets.top is None

    def top(self) -> object:
        """The sheet on top."""
        return self.shell.sheets.top

    def focus_in(self, widget: Callable[[], QWidget]) -> Condition:
        """Keys now go to this widget or to something inside it."""

        def there() -> bool:
            here = QApplication.focusWidget()
            wanted = widget()
            return here is not None and (here is wanted or wanted.isAncestorOf(here))

        return there

    def has_keyboard(self, widget: QWidget) -> Condition:
        """What is typed on the screen arrives in this widget."""
        return lambda: self.window.isActiveWindow() and widget.hasFocus()

    def pause(self, polls: int = 12) -> Condition:
        """Let the screen settle: what a person would look at for a moment."""
        left = [polls]

        def over() -> bool:
            left[0] -= 1
            return left[0] <= 0

        return over

    def to_page(self, code: str) -> Script:
        """Go to a page of the rail by its chord, and wait until it is there."""
        wanted = [page.code for page in PAGES].index(code)
        yield self.press(key_of(code).lower())
        yield lambda: self.shell.pages.currentIndex() == wanted
        yield self.pause()

    # Scenes -----------------------------------------------------------------------------------

    def open_the_day(self) -> Script:
        """Passphrase, a wrong PIN, sign-in, shift."""
        camera, sign_in = self.camera, self.window.sign_in
        yield sign_in.passphrase.isVisible
        yield self.pause(30)  # The window manager gives the keyboard in its own time.
        yield self.has_keyboard(sign_in.passphrase)
        camera.step("the till asks for its passphrase", name="passphrase")
        for _ in range(KEYBOARD_TRIES):
            # Now and then it takes the keyboard away again from a window that has just come.
            yield self.hands.activate(self.window)
            yield self.has_keyboard(sign_in.passphrase)
            yield self.press("ctrl+a")
            yield self.type(self.cast.passphrase)
            yield self.pause(20)
            if sign_in.passphrase.text() == self.cast.passphrase:
                break
        yield self.press("Return")
        yield sign_in.who.isVisible
        yield lambda: self.window.desk is not None
        yield self.pause()
        camera.step("the encrypted store is open", name="sign_in")
        yield self.type(self.cast.initials)
        yield self.press("Return")
        yield sign_in.pin.isVisible
        yield self.type("111222")
        yield self.press("Return")
        yield sign_in.pin.hasSelectedText
        yield self.pause(30)
        camera.step("refused: a wrong PIN", name="wrong_pin")
        yield self.type(self.cast.pin)
        yield self.press("Return")
        yield lambda: self.window.shell is not None and self.shell.isVisible()
        yield self.sheet_is("OpenShift")
        yield self.pause()
        camera.step("signed in; no shift is open yet", name="open_shift")
        yield self.type("500")
        yield self.press("Return", "Return")
        yield self.sheet_is("")
        yield lambda: self.shell.counter.has_shift
        yield self.pause(30)
        camera.step("shift opened with a float of 500", name="counter_empty")

    def find(self) -> Script:
        """Last four, initials + last four, card; nobody."""
        camera, counter = self.camera, self.shell.counter
        yield self.type(self.cast.last_four)
        yield lambda: counter.finder.rows.rowCount() > 0
        yield self.pause()
        camera.step(f"found by the last four digits {self.cast.last_four}", name="find_last_four")
        yield self.press("Return")
        yield self.attached
        yield self.pause()
        camera.step("attached by Enter", name="member")
        yield self.press("Escape", "Escape", "F2")
        yield lambda: not self.attached()
        yield self.type(f"{self.cast.initial}{self.cast.last_four}")
        yield lambda: counter.finder.rows.rowCount() == 1
        yield self.pause()
        camera.step("found by initial and last four", name="find_initial_last_four")
        yield self.press("Return")
        yield self.attached
        yield self.press("Escape", "Escape", "F2")
        yield lambda: not self.attached()
        yield self.type("0000zz")
        yield self.pause(40)
        camera.step("no match, and what to do next", name="no_match")
        yield self.press("Escape")
        yield self.hands.scan(self.cast.card)
        yield self.attached
        yield self.pause()
        camera.step("found by scanning the card", name="card_scanned")

    def sell_with_points(self) -> Script:
        """Amount, points refused and taken, Pay, done; why."""
        camera, counter = self.camera, self.shell.counter
        charging = counter.charging
        yield self.type("368")
        yield self.quoted
        yield self.pause()
        camera.step("368 typed; the sums are live", name="amount")
        yield self.press("F6")
        yield self.focus_in(lambda: counter.sale.redeem)
        yield self.type("150")
        yield self.press("Return")
        yield self.pause(30)
        camera.step("refused: points go in steps", name="points_refused")
        yield self.press("ctrl+a")
        yield self.type("500")
        yield self.press("Return")
        yield lambda: charging.quote is not None and charging.quote.draft.points_spent == 500
        yield self.pause()
        camera.step("500 points pay ¥5.00", name="points_used")
        yield self.press("F12")
        yield self.sheet_is("Pay")
        pay = self.top()
        assert isinstance(pay, Pay)
        yield self.focus_in(lambda: pay.received)
        yield self.type("400")
        yield lambda: pay.given_minor == 40000
        yield self.pause()
        camera.step("Pay, with change", name="pay")
        yield self.press("Return")
        yield self.empty
        yield self.pause(30)
        camera.step("sold; the receipt is on its way", name="sold")
        assert charging.last_sale is not None
        self.shown_sale = charging.last_sale.event_id

    def explain(self) -> Script:
        """Why these points, lots, ledger."""
        camera = self.camera
        yield self.hands.scan(self.cast.card)
        yield self.attached
        yield self.press("ctrl+w")
        yield self.sheet_is("WhyPoints")
        yield self.pause()
        camera.step("why these points?", name="why_points")
        yield self.press("Escape")
        yield self.sheet_is("")
        yield from self.action("pc")
        yield self.sheet_is("Lots")
        yield self.pause()
        camera.step("lots with their expiry", name="lots")
        yield self.press("Escape")
        yield from self.action("ls")
        yield self.sheet_is("Ledger")
        yield self.pause()
        camera.step("the whole ledger", name="ledger")
        yield self.press("Escape")
        yield self.sheet_is("")

    def enrol(self) -> Script:
        """An unknown phone becomes a member."""
        camera, counter = self.camera, self.shell.counter
        yield self.press("Escape", "Escape", "F2")
        yield lambda: not self.attached()
        yield self.type(self.cast.new_phone)
        yield self.pause(40)
        camera.step("an unknown phone offers to enrol", name="unknown_phone")
        yield self.press("Return")
        yield self.sheet_is("EnrolSheet")
        yield self.type("单雄信")
        yield self.pause(40)
        camera.step("the reading of a polyphonic surname is right", name="enrol_name")
        sheet = self.top()
        assert isinstance(sheet, EnrolSheet)
        yield self.press("Return")
        yield self.focus_in(lambda: sheet.birthday)
        yield self.press("Return")
        yield self.focus_in(lambda: sheet.service)
        yield self.press("space")
        yield sheet.service.isChecked
        yield self.pause()
        camera.step("consent asked, marketing off", name="enrol_consent")
        yield self.press("Return")
        yield self.sheet_is("")
        yield self.attached
        yield self.pause()
        camera.step("enrolled and attached, with a card", name="enrolled")
        assert counter.attached is not None

    def buy_three_return_three(self) -> Script:
        """Three pieces by scanner; back one, one, and the last."""
        camera, counter = self.camera, self.shell.counter
        for code in (self.cast.barcodes[0],) * 3:
            yield self.hands.scan(code)
            yield self.pause(30)
        yield self.hands.scan("6900000000001")
        yield self.pause(30)
        camera.step("three scanned, one unknown code is a red line", name="items_unknown")
        yield self.press("F12")
        yield self.pause(30)
        camera.step("charging jumps to the line that isn't recognised", name="items_settle")
        yield self.press("Delete")
        yield self.quoted
        yield self.press("F12")
        yield self.sheet_is("Pay")
        yield self.press("Return")
        yield self.empty
        sold = counter.charging.last_sale
        assert sold is not None
        camera.step("three pieces sold")
        for time, name in enumerate(("one", "one more", "the last"), 1):
            yield from self.give_back(sold.receipt_no, time, name)
        yield self.hands.scan(sold.receipt_no)
        yield self.pause(40)
        camera.step("everything on that receipt was returned", name="return_nothing_left")
        yield self.press("Escape")
        yield self.pause()

    def give_back(self, receipt_no: str, time: int, name: str) -> Script:
        """One piece of a receipt: scanned, previewed, with a reason."""
        yield self.hands.scan(receipt_no)
        yield self.sheet_is("ReturnSheet")
        sheet = self.top()
        assert isinstance(sheet, ReturnSheet)
        yield self.focus_in(lambda: sheet.fields[0])
        yield self.type("1")
        yield lambda: sheet.quote is not None
        yield self.press("Return")
        yield self.focus_in(lambda: sheet.reason)
        yield self.press("Down")
        yield lambda: bool(sheet.reason.code)
        yield self.pause()
        self.camera.step(f"returning {name}: what goes back", name=f"return_{time}")
        yield self.press("Return")
        yield self.sheet_is("")
        yield self.pause(15)

    def void(self) -> Script:
        """A wrong sale, voided."""
        camera = self.camera
        yield self.press("F2", "F5")
        yield self.type("99")
        yield self.quoted
        yield self.press("F12")
        yield self.sheet_is("Pay")
        yield self.press("Return")
        yield self.empty
        yield from self.action("zf")
        yield self.sheet_is("VoidSale")
        sheet = self.top()
        assert isinstance(sheet, VoidSale)
        yield self.focus_in(lambda: sheet.reason)
        yield lambda: sheet.quote is not None
        yield self.press("Down")
        yield lambda: bool(sheet.reason.code)
        yield self.pause()
        camera.step("voiding the last sale", name="void")
        yield self.press("Return")
        yield self.sheet_is("")
        yield self.pause(30)
        camera.step("voided", name="voided")

    def printer_gone(self) -> Script:
        """The printer is taken away; the sale isn't."""
        self.cast.close_printer()
        yield self.press("F2", "F5")
        yield self.type("12.5")
        yield self.quoted
        yield self.press("F12")
        yield self.sheet_is("Pay")
        yield self.press("Return")
        yield self.empty
        yield self.pause(60)
        self.camera.step("printer gone: sold all the same, the slip waits", name="printer_gone")
        self.cast.open_printer()

    def keys_and_lock(self) -> Script:
        """Help, all actions, settings, lock with an open cart, another person by badge."""
        camera = self.camera
        yield self.press("F2", "F1")
        yield self.pause()
        camera.step("F1: the keys of this screen", name="help")
        yield self.press("Escape", "F11")
        yield self.pause()
        yield self.type("t")
        yield self.pause()
        camera.step("F11: every action by initials", name="actions")
        yield self.press("Escape", "Escape")
        yield self.sheet_is("")
        yield from self.to_page("settings")
        camera.step("settings", name="settings")
        yield from self.to_page("counter")
        yield self.hands.scan(self.cast.card)
        yield self.attached
        yield self.type("45")
        yield self.quoted
        yield self.press("ctrl+l")
        yield self.window.sign_in.who.isVisible
        yield self.pause()
        camera.step("locked; the sale is kept", name="locked")
        yield self.hands.scan(self.cast.badge)
        yield self.window.sign_in.pin.isVisible
        yield self.type(self.cast.badge_pin)
        yield self.press("Return")
        yield self.shell.isVisible
        yield self.quoted
        yield self.pause()
        camera.step("another person by badge, same cart", name="switched")
        yield self.press("ctrl+n")
        yield self.empty

    def action(self, initials: str) -> Script:
        """F11 and the pinyin initials of an action."""
        yield self.press("F11")
        yield self.sheet_is("FindAction")
        yield self.type(initials)
        found = self.top()
        assert isinstance(found, FindAction)
        yield lambda: found.field.text() == initials
        yield self.pause(10)
        yield self.press("Return")
