"""What a right is called when somebody is asked for it, and what a role is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.approvals import Ask
from app.documents.event_codes import ROLES
from app.domain.rights import Right
from app.i18n import mark
from ui.kit import Kit

_MONEY: Final = {
    Right.OWN_CARD: mark("own or family card, {amount}"),
    Right.RETURN_ABOVE: mark("return {amount}"),
    Right.VOID_ABOVE: mark("void {amount}"),
    Right.CASH_MOVE_ABOVE: mark("cash in or out, {amount}"),
    Right.CASH_DIFFERENCE: mark("cash differs by {amount}"),
}
_POINTS: Final = {
    Right.REDEEM_ABOVE: mark("use {amount}"),
    Right.ADJUST: mark("change points by {amount}"),
    Right.GUARD: mark("more sales than usual, {amount}"),
}
_PLAIN: Final = {
    Right.REPLACE_CARD: mark("replace a card"),
    Right.CLOSE_OVER_OPEN: mark("close over what is open"),
    Right.DATE_AHEAD: mark("a date that is ahead"),
    Right.ERASE: mark("erase a member"),
    Right.BULK_EXPORT: mark("export many members"),
    Right.RULES: mark("change the rules"),
    Right.CATALOGUE: mark("change the catalogue"),
    Right.RESTORE: mark("restore a backup"),
    Right.REDEEM: mark("use points"),
    Right.RETURN: mark("return goods"),
    Right.VOID: mark("void a document"),
    Right.STAFF: mark("a person, PIN or role of equal rank"),
}
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
    """The act and its amount in a few words, as they stand inside a sentence."""
    formats, words = kit.formats, kit.words
    if ask.right in _MONEY:
        return words.say(_MONEY[ask.right], amount=formats.money(ask.amount))
    if ask.right is Right.ADJUST:
        return words.say(_POINTS[ask.right], amount=formats.points_change(ask.amount))
    if ask.right in _POINTS:
        return words.say(_POINTS[ask.right], amount=formats.points(ask.amount))
    return words.say(_PLAIN[ask.right])


def role_name(kit: Kit, role: str) -> str:
    """What a role is called."""
    return kit.words.say(ROLES[role])
