"""What a void or a return does to a member's points and how money goes back, in words."""

from __future__ import annotations

from app.domain.business_day import NEVER
from app.domain.moves import EntryMove, LotMove
from ui.kit import Kit


def entry_said(kit: Kit, move: EntryMove) -> str:
    """One entry that a document posts: what it does, and to which lots."""
    words, formats = kit.words, kit.formats
    points = formats.points_change(move.entry.amount)
    if move.entry.kind == "expire":
        done = words.say("{points} expire again", points=points)
    elif move.entry.kind == "adjust":
        done = words.say("{points} settled", points=points)
    elif move.entry.amount < 0:
        done = words.say("{points} taken back", points=points)
    else:
        done = words.say("{points} returned", points=points)
    parts = [_lot_said(kit, lot) for lot in move.lots]
    if move.owed:
        owed = formats.points(abs(move.owed))
        parts.append(
            words.say("{points} owed", points=owed)
            if move.owed > 0
            else words.say("{points} less owed", points=owed)
        )
    return words.say("{done}: {lots}.", done=done, lots=", ".join(parts)) if parts else done


def _lot_said(kit: Kit, lot: LotMove) -> str:
    words, points = kit.words, kit.formats.points_change(lot.points)
    if lot.expires >= NEVER:
        return words.say("{points} in the lot that never expires", points=points)
    return words.say("{points} in the lot until {day}", points=points, day=lot.expires.iso())


def tender_name(kit: Kit, kind: str) -> str:
    """What a way of paying is called."""
    words = kit.words
    names = {"cash": words.say("Cash"), "qr": words.say("QR"), "card": words.say("Bank card")}
    return names.get(kind, kind)
