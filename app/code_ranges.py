"""Whose a number that is scanned may be: a badge, a receipt, a card or an item, never two of them.

A scan is read in that order (counter-flows.md section 2, "Scans"), so a number of two kinds would hide one of
them. Every use-case that gives a number away asks here first. Not here: what a scan does.
"""

from __future__ import annotations

from typing import Literal

from app.intake import plain_text
from app.numbers import card_number, is_card_number, looks_like_receipt
from db import people, staff_rows, till
from db.connection import Connection

NumberKind = Literal["badge", "receipt", "card", "item"]
CardFault = Literal["", "short", "taken", "foreign"]


def plain_card(typed: str) -> str:
    """A card number as it is kept: people type and print it in groups."""
    return plain_text(typed).replace(" ", "")


def kinds_of(conn: Connection, number: str) -> frozenset[NumberKind]:
    """Every kind that this number is of already, or that keeps its range for itself."""
    found: set[NumberKind] = set()
    if staff_rows.staff_using(conn, initials="", badge=number):
        found.add("badge")
    if looks_like_receipt(number):
        found.add("receipt")
    if _is_of_block(conn, number) or people.credential(conn, "card", number) is not None:
        found.add("card")
    if till.owner_of_code(conn, number) or till.item_by_own_code(conn, number):
        found.add("item")
    return frozenset(found)


def card_fault(conn: Connection, number: str) -> CardFault:
    """Why this number can't be a new member's card: "" when it can, being of one of this till's blocks and
    nobody's; "short" while more digits could make it one."""
    if people.credential(conn, "card", number) is not None:
        return "taken"
    if _is_of_block(conn, number):
        return "" if kinds_of(conn, number) == {"card"} else "foreign"
    return "short" if _begins_block(conn, number) else "foreign"


def card_digits(conn: Connection) -> int:
    """How many digits this till's cards have, 0 without a block."""
    return max(map(_length, people.card_blocks(conn)), default=0)


def _is_of_block(conn: Connection, number: str) -> bool:
    """Prefix, length and check digit are those of a block, and the running number isn't past its end."""
    if not (number.isascii() and is_card_number(number)):
        return False
    return any(
        number.startswith(block.prefix)
        and len(number) == _length(block)
        and int(number[len(block.prefix) : -1]) <= block.last
        for block in people.card_blocks(conn)
    )


def _begins_block(conn: Connection, number: str) -> bool:
    return any(
        len(number) < _length(block)
        and (number + block.prefix[len(number) :]).startswith(block.prefix)
        and (number.isascii() and number.isdigit())
        for block in people.card_blocks(conn)
    )


def _length(block: people.CardBlock) -> int:
    """Digits of its numbers, of one that is used up too: behind its last number there may be one more."""
    return len(card_number(block.prefix, min(block.next, block.last)))
