"""Reasons as segments, none chosen: the person at the till has to say one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from app.documents.day_slips import REASON_WORDS
from app.documents.explain import ADJUST_REASONS
from app.i18n import mark
from ui.guard_words import stop_reason
from ui.kit import Kit
from ui.widgets.segments import Segment, Segments

_REASONS: Final = {
    **REASON_WORDS,
    **ADJUST_REASONS,
    "changed_mind": mark("Changed mind"),
    "faulty": mark("Faulty"),
    "wrong_item": mark("Wrong item"),
    "wrong_member": mark("Wrong member"),
    "test": mark("Mistake"),
    "customer": mark("Customer asks"),
    "customer_asks": mark("Customer asks"),
    "call_back": mark("To call back"),
    "same_name": mark("Same name"),
    "lost": mark("Slip lost"),
    "unreadable": mark("Unreadable"),
    "other": mark("Other"),
}


def reasons(kit: Kit, codes: Sequence[str]) -> Segments:
    """A group of reasons, none chosen: its code is "" until one is."""
    words = kit.words
    return Segments(
        kit,
        lambda: words.say("Reason"),
        [Segment(code, partial(words.say, _REASONS[code])) for code in codes],
        open_=True,
    )


def reason_name(kit: Kit, code: str) -> str:
    """What a reason is called; one that the guard itself gives by the names of its rules."""
    return kit.words.say(_REASONS[code]) if code in _REASONS else stop_reason(kit, code)
