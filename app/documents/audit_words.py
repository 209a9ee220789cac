"""What each kind of event is called, and the groups that the viewer filters by."""

from __future__ import annotations

from typing import Final

from app.i18n import Words, mark

KINDS: Final = {
    "sale": mark("Sale"),
    "return": mark("Return"),
    "void": mark("Void"),
    "adjust": mark("Points changed by hand"),
    "opening": mark("Opening balance"),
    "enrol": mark("Enrolled"),
    "profile": mark("Profile changed"),
    "consent": mark("Consent changed"),
    "reprint": mark("Printed again"),
    "shift_open": mark("Shift opened"),
    "shift_close": mark("Shift closed"),
    "sign_in": mark("Signed in"),
    "sign_out": mark("Signed out"),
    "pin_locked": mark("Locked after wrong PINs"),
    "not_approved": mark("Not agreed"),
    "setup": mark("Till set up"),
    "staff": mark("Staff changed"),
    "programme": mark("Rules published"),
    "cash": mark("Cash in or out"),
    "drawer": mark("Drawer opened"),
    "drawer_shut": mark("Drawer shut"),
    "count": mark("Cash counted"),
    "expire": mark("Points expired"),
    "unexpire": mark("Expiry undone"),
    "tier_review": mark("Tier reviewed"),
    "day_close": mark("Day closed"),
    "backup": mark("Backup made"),
    "restored": mark("Restored from a backup"),
    "catalogue": mark("Catalogue changed"),
    "look": mark("Looked at"),
    "export": mark("Exported"),
    "case": mark("Exception judged"),
    "checkpoint": mark("Checkpoint"),
    "joined": mark("Joined a head office"),
    "cards": mark("Card numbers from head office"),
    "hold_void": mark("Reserved points let go"),
    "grant_close": mark("Right to sell offline given back"),
    "rights_release": mark("Points set free for other tills"),
    "fence": mark("Begun anew with head office"),
}
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    mark("Everything"): (),
    mark("Documents"): ("sale", "return", "void", "reprint"),
    mark("Points"): ("adjust", "opening", "expire", "unexpire", "tier_review"),
    mark("About members"): ("enrol", "profile", "consent", "look"),
    mark("Cash"): ("cash", "drawer", "drawer_shut", "count", "shift_open", "shift_close"),
    mark("People"): ("sign_in", "sign_out", "pin_locked", "not_approved", "staff", "case"),
    mark("Till"): (
        "setup", "programme", "catalogue", "day_close", "backup", "restored", "export", "checkpoint",
        "joined", "cards", "hold_void", "grant_close", "rights_release", "fence",
    ),
}  # fmt: skip
"""The filter by kind, a few words instead of thirty."""


def kind_name(words: Words, kind: str) -> str:
    """What an event of a kind is called; a newer kind by its code."""
    return words.say(KINDS[kind]) if kind in KINDS else kind
