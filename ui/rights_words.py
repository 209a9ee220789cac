"""What a right is called when somebody is asked for it, and what a role is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.approvals import Ask
from app.documents.event_codes import ROLES
from app.documents.z_slip import ITEM_WORDS
from app.domain.business_day import BusinessDate
from app.domain.rights import Right
from app.formats import number
from app.i18n import mark
from ui.kit import Kit

_WORDS: Final = {
    (Right.OWN_CARD, "sell"): mark("own or family card, {amount}"),
    (Right.OWN_CARD, "return"): mark("return {amount} on an own or family card"),
    (Right.OWN_CARD, "void"): mark("void {amount} on an own or family card"),
    (Right.RETURN_ABOVE, "return"): mark("return {amount}"),
    (Right.VOID_ABOVE, "void"): mark("void {amount}"),
    (Right.WRITE_OFF, "return"): mark("write points off, return {amount}"),
    (Right.WRITE_OFF, "void"): mark("write points off, void {amount}"),
    (Right.CASH_MOVE_ABOVE, "in"): mark("cash in, {amount}"),
    (Right.CASH_MOVE_ABOVE, "out"): mark("cash out, {amount}"),
    (Right.CASH_DIFFERENCE, "shift"): mark("cash of {date} differs by {amount}"),
    (Right.REDEEM_ABOVE, ""): mark("use {points}"),
    (Right.ADJUST, ""): mark("change points by {change}"),
    (Right.GUARD, ""): mark("more sales than usual, {points}"),
    (Right.CLOSE_OVER_OPEN, "day"): mark("close {date} over what is open"),
    (Right.CLOSE_OVER_OPEN, "shift"): mark("end a shift of {date} that nobody counted"),
    (Right.DATE_AHEAD, ""): mark("a date that is ahead, {date}"),
    (Right.CATALOGUE, "item"): mark("change an item"),
    (Right.CATALOGUE, "import"): mark("change the catalogue by a file"),
    (Right.RESTORE, "show_start_key"): mark("show the key for the safe"),
    (Right.RESTORE, "keep_start_key"): mark("remove the key for the safe"),
    (Right.STAFF, "add"): mark("a new person of equal rank"),
    (Right.STAFF, "pin"): mark("a PIN for a person of equal rank"),
    (Right.STAFF, "role"): mark("a role for a person of equal rank"),
    (Right.STAFF, "enable"): mark("let a person of equal rank in again"),
}
"""By the right and which of its acts it is."""
NEEDED: Final[Mapping[str, tuple[str, str]]] = {
    "supervisor": (
        mark("Supervisor needed: {what}. Scan a badge."),
        mark("Supervisor needed: {what}, {name}. Scan a badge."),
    ),
    "manager": (
        mark("Manager needed: {what}. Scan a badge."),
        mark("Manager needed: {what}, {name}. Scan a badge."),
    ),
    "head_office": (
        mark("Head office needed: {what}. Scan a badge."),
        mark("Head office needed: {what}, {name}. Scan a badge."),
    ),
}
"""Who is to come, by the least role that may agree; the second one with the member's name."""


def asked_for(kit: Kit, ask: Ask) -> str:
    """The act with its amount or date in a few words, as they stand inside a sentence."""
    formats, facts = kit.formats, dict(ask.facts)
    said = _WORDS[ask.right, ask.act]
    return kit.words.say(
        said,
        amount=formats.money(ask.amount),
        points=formats.points(ask.amount),
        change=formats.points_change(ask.amount),
        date=_date(facts["date"]) if "date" in facts else "",
    )


def facts_of(kit: Kit, ask: Ask) -> tuple[tuple[str, str], ...]:
    """Name and value of each thing that a yes covers beside the act, in the order of the request."""
    pairs = (_fact(kit, code, value) for code, value in ask.facts if value)
    return tuple(pair for pair in pairs if pair[0])


def _fact(kit: Kit, code: str, value: int | str) -> tuple[str, str]:
    """("", "") for what the act itself says, or what is compared alone."""
    words, formats = kit.words, kit.formats
    match code:
        case "last_close":
            return words.say("Last day closed"), _date(value)
        case "shift_of":
            return words.say("Shift of"), str(value)
        case "points_earned":
            return words.say("Points earned"), formats.points(int(value))
        case "points_spent":
            return words.say("Points used"), formats.points(int(value))
        case "written_off":
            return words.say("Written off"), formats.points(int(value))
        case "role":
            return words.say("Role"), role_name(kit, str(value))
        case "item":
            return words.say("Item"), str(value)
        case "items":
            return words.say("Items"), number(int(value))
        case _ if code in ITEM_WORDS:
            return words.say(ITEM_WORDS[code]), number(int(value))
        case _:
            return "", ""


def _date(value: int | str) -> str:
    return BusinessDate(int(value)).iso()


def role_name(kit: Kit, role: str) -> str:
    """What a role is called."""
    return kit.words.say(ROLES[role])
