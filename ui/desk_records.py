"""Records between the desk and the screens that the product has no need for itself. No imports that
cost: screens load this before the first paint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.domain.business_day import BusinessDate
from app.formats import MoneySign
from app.i18n import Words
from app.queries.records import DayCloseView, ItemView, ShiftView, Tier
from app.settings import ShopTexts

ScanKind = Literal["staff", "receipt", "member", "item", "card_lost", "card_replaced", "unknown"]


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scanned code is; the field that belongs to `kind` is set."""

    code: str
    kind: ScanKind
    member_id: bytes | None = None
    event_id: bytes | None = None
    item: ItemView | None = None
    name: str = ""
    """The member's."""
    new_card: bool = False
    """An unknown code that is a card of our blocks which nobody has yet."""
    card_shaped: bool = False
    """An unknown code that may be a card: of ours, or of another till's blocks."""
    other_till: str = ""
    """The till that made a receipt which isn't stored here."""
    misread: bool = False
    """Shaped like a receipt number, but its check character is wrong."""

    @property
    def is_elsewhere(self) -> bool:
        """A whole receipt number that this till never gave out."""
        return self.kind == "receipt" and self.event_id is None and not self.misread


@dataclass(frozen=True, slots=True)
class TillView:
    """Who this till is and how its day stands."""

    store: str
    shop: ShopTexts
    till: str
    demo: bool
    training: bool
    sign: MoneySign
    offset_min: int
    today: BusinessDate
    """The business date that a sale gets now: the open shift's, or that of the next shift."""
    calendar: BusinessDate
    """The business date by the clock: another one than `today` when a shift was left open, and after the Z."""
    tiers: tuple[Tier, ...]
    shift: ShiftView | None
    last_close: DayCloseView | None
    """The newest Z of this till, None before the first."""
    repairs: tuple[str, ...]
    """Codes of what was mended at start."""

    def shop_name(self, language: str) -> str:
        """What the shop is called; the code of the store while nobody has named it."""
        names = (self.shop.name, self.shop.name_en)
        return next(filter(None, reversed(names) if language == "en" else names), self.store)

    def place(self, words: Words) -> str:
        """Shop and till, as the head of every page has them."""
        return words.say(
            "{store} · Till {till}", store=self.shop_name(words.language), till=self.till
        )

    def marked_place(self, words: Words) -> str:
        """The same where nothing else says that it is not real; the mark first, where a long name can't push
        it out."""
        place = self.place(words)
        if self.training:
            return words.say("TRAINING · {place}", place=place)
        return f"DEMO · {place}" if self.demo else place

    @property
    def worked_on(self) -> BusinessDate:
        """The date that figures of "today" are of, as on the home page: the clock's, or that of a shift that
        works for the next one. So after the Z it is the date just closed until a shift opens."""
        if self.shift is None:
            return self.calendar
        return max(self.calendar, self.shift.business_date)

    @property
    def shift_is_over(self) -> bool:
        """A shift of an earlier date is still open: it is counted and closed first."""
        return self.shift is not None and self.shift.business_date < self.calendar


@dataclass(frozen=True, slots=True)
class PhoneCheck:
    """A typed phone: `problem` is "", "short", "long" or "invalid"; who has the number already."""

    text: str
    problem: str
    digits: int
    expected: int
    members: int


"""Names are not shown: the cashier asks."""
