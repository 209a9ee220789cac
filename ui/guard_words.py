"""What the guard's rules are called, and each case in one sentence with its figures."""

from __future__ import annotations

from typing import Final

from app.documents.event_codes import RULE_NAMES, code_name
from app.domain.fraud.facts import Case
from app.formats import number
from app.i18n import mark
from ui.kit import Kit

_UNDONE: Final = mark("{counted} voids and returns in {sales} sales, {times} times the usual")
_UNDONE_THREE: Final = mark(
    "{counted} voids and returns in three days and {sales} sales, {times} times the usual"
)
_UNDONE_NOBODY: Final = mark(
    "{counted} voids and returns without a member in {sales} sales, {times} times the usual"
)
SENTENCES: Final = {
    "F1.own_card": mark("Served an account of their own or of the household: {points} points"),
    "F1.same_phone": mark("Served an account with their own phone: {points} points"),
    "F2.minutes": mark(
        "The member earned again after {counted} min; below {limit} somebody agrees"
    ),
    "F2.per_day": mark("The member earned {counted} times in a day; from {limit} somebody agrees"),
    "F2.often": mark("The member earned {counted} times in a day; from {limit} it is flagged"),
    "F3.often": mark(
        "The member came after paying {counted} times in 30 days; the limit is {limit}"
    ),
    "F3.twice": mark("One receipt was claimed twice"),
    "F3.too_old": mark("A receipt was claimed after {counted} days; the limit is {limit}"),
    "F3.seller": mark("A receipt was claimed by the person who sold it"),
    "F3.per_shift": mark("{counted} claims for one member in a shift; the limit is {limit}"),
    "F4.day": _UNDONE,
    "F4.days": _UNDONE_THREE,
    "F4.day_without_member": _UNDONE_NOBODY,
    "F4.days_without_member": _UNDONE_NOBODY,
    "F5.no_reason": mark("Points were changed without a reason"),
    "F5.short_note": mark("Points were changed with a note of {counted} characters"),
    "F5.own_approval": mark("Points were changed without a second person"),
    "F5.per_day": mark("One person let {counted} points through in a day; the limit is {limit}"),
    "F5.asker_per_day": mark(
        "One person asked for {counted} points in a day; the limit is {limit}"
    ),
    "F5.member_per_day": mark(
        "One member's points changed by {counted} in a day; the limit is {limit}"
    ),
    "F6.often": mark("The drawer was opened {counted} times without a sale; the limit is {limit}"),
    "F6.moves": mark("Cash was paid in or out {counted} times in a shift; the limit is {limit}"),
    "F6.open": mark("The drawer stood open for {seconds} s; the limit is {limit}"),
    "F7.after_change": mark("{points} points were used {hours} h after a phone or card changed"),
    "F8.hour": mark("{counted} members were enrolled in an hour; the limit is {limit}"),
    "F8.phone": mark("{counted} members have the same phone; the limit is {limit}"),
    "F9.views": mark("{counted} members were looked at who bought nothing; the limit is {limit}"),
    "F9.burst": mark("{counted} phones or birthdays were unmasked in ten minutes"),
    "F9.unmask": mark("{counted} phones or birthdays were unmasked in a shift"),
    "F10.pair": mark("The same two people agreed {counted} times; the limit is {limit}"),
    "F10.absent": mark("Somebody agreed who last signed in {days} days before"),
    "F10.fresh": mark("Somebody agreed who was added or got a PIN or role the same day"),
    "F11.no_tender": mark("{loaded_minor} were loaded and {tendered_minor} were paid"),
    "F12.clock": mark("The clock was set back by {seconds} s in an open shift"),
    "F12.training": mark("A live document came {seconds} s after training"),
}


def rule_name(kit: Kit, rule: str) -> str:
    """What a rule is called."""
    return kit.words.say(RULE_NAMES[rule])


def case_sentence(kit: Kit, case: Case) -> str:
    """What was found, with its figures."""
    values = {
        name: kit.formats.money(value) if name.endswith("_minor") else number(value)
        for name, value in case.figures
    }
    tenths = dict(case.figures).get("tenths", 0)
    values["times"] = f"{tenths // 10}.{tenths % 10}" if tenths else "∞"
    return kit.words.say(SENTENCES[f"{case.rule}.{case.what}"], **values)


def stop_reason(kit: Kit, code: str) -> str:
    """Why the guard asks for a second person: the rules behind "F2.minutes+F7.after_change"."""
    return code_name(kit.words, "reason", code)
