"""Another member for an open sale (S7): never silently, always asked by doing the same once more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ui.kit import Kit
from ui.sounds import REFUSED
from ui.widgets.basics import Text, nothing

if TYPE_CHECKING:
    from ui.screens.counter import Counter

SWITCH_AFTER_S = 1.0
"""Another member's card within this time is a slip of the hand, later it is meant (S7)."""
PICK_AGAIN_AFTER_S = 0.5
"""The same for Enter or a click in the search results: the second half of a double click is none."""


@dataclass(frozen=True, slots=True)
class _Other:
    """Who was found for a sale that is somebody else's, how, and when (seconds of the clock)."""

    member_id: bytes
    name: str
    found_by: str
    at: float


class Switching:
    """Whose sale the counter's open sale is."""

    def __init__(self, counter: Counter, kit: Kit) -> None:
        self._counter, self._kit = counter, kit
        self._other: _Other | None = None
        self._asked: Text = nothing

    def forget(self) -> None:
        """Another member is attached: who was found for the sale of the one before is past."""
        self._other = None

    def card(self, member_id: bytes, name: str, at: float) -> None:
        """A card was scanned `at`; the second scan switches however long after the first."""
        other = self._other
        same = other is not None and other.member_id == member_id
        meant = other is not None and same and at - other.at >= SWITCH_AFTER_S
        found = _Other(member_id, name, "card", at if other is None or not same else other.at)
        self._take(found, meant=meant)

    def pick(self, member_id: bytes, name: str, found_by: str, at: float) -> bool:
        """A member was picked in the search; the second pick switches while the sentence stands.
        True once the sale is theirs."""
        other = self._other
        meant = (
            other is not None
            and other.member_id == member_id
            and self._counter.strip.says(self._asked)
            and at - other.at >= PICK_AGAIN_AFTER_S
        )
        return self._take(_Other(member_id, name, found_by, at), meant=meant)

    def refusal(self) -> str:
        """Why F11 can't switch now; empty when it can."""
        if self._other is not None:
            return ""
        return self._kit.words.say("Find the other member first (F2 or a card), then switch.")

    def switch(self) -> None:
        """F11: the sale becomes that of the member who was found last."""
        if self._other is not None:
            self._take(self._other, meant=True)

    def _take(self, found: _Other, *, meant: bool) -> bool:
        counter = self._counter
        current = counter.cart.member_id
        if counter.money_is_taken:
            if found.member_id == current:
                return True
            # Another member now is a claim, not a find.
            counter.sounds.play(REFUSED)
            counter.strip.refuse(self._say_too_late)
            return False
        if meant or current in (None, found.member_id) or counter.cart.is_empty:
            self._other = None
            if counter.strip.says(self._asked):
                counter.strip.drop_passing()
            counter.attach(found.member_id, found_by=found.found_by)
            return True
        self._other = found
        mine = counter.attached.name if counter.attached else ""
        self._asked = partial(self._sentence, mine, found.name, found.found_by)
        counter.sounds.play(REFUSED)
        counter.strip.refuse(self._asked)
        return False

    def _say_too_late(self) -> str:
        return self._kit.words.say("This sale is being charged. Find the member again after it.")

    def _sentence(self, mine: str, other: str, found_by: str) -> str:
        words = self._kit.words
        if found_by == "card":
            return words.say(
                "This sale is {name}'s. Scan again for {other}, or carry on.",
                name=mine,
                other=other,
            )
        return words.say(
            "This sale is {name}'s. Enter again takes {other}, or carry on.",
            name=mine,
            other=other,
        )
