"""What codes of the store are called on the console's pages, and how its values are written."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from app.documents.event_codes import COLUMNS, ROLES
from app.domain.business_day import NEVER, BusinessDate
from app.domain.member import MASKED_BIRTHDAY, mask_card, mask_email, mask_name, mask_phone
from app.i18n import Words, mark

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
STANDINGS: Final = {
    "live": mark("Live"),
    "lost": mark("Revoked"),
    "locked": mark("Locked"),
}
FIELDS: Final = {**COLUMNS, "card": mark("Card")}
ASSETS: Final = {
    "points": mark("Points"),
    "spend": mark("Qualifying spend"),
    "sales": mark("Kept sales"),
    "earned": mark("Taken back from the day's earning"),
    "tier": mark("Tier"),
}
KINDS: Final = {
    "earn": mark("Earned"),
    "redeem": mark("Redeemed"),
    "expire": mark("Expired"),
    "unexpire": mark("Expiry undone"),
    "adjust": mark("Adjusted"),
    "reverse": mark("Reversed"),
    "opening": mark("Opening balance"),
    "measure": mark("Counted"),
    "upgrade": mark("Tier up"),
    "review": mark("Tier review"),
    "manual": mark("Set by hand"),
}
EVENT_KINDS: Final = {
    "sale": mark("Sale"),
    "return": mark("Return"),
    "void": mark("Void"),
    "adjust": mark("Adjusted"),
    "expire": mark("Expired"),
    "unexpire": mark("Expiry undone"),
    "opening": mark("Opening balance"),
    "merge": mark("Merge"),
    "unmerge": mark("Merge taken back"),
    "forfeit": mark("Written off before an erasure"),
}
"""Kinds of events that have entries; another one is shown by its code."""
ACTS: Final = {
    "let_in": mark("Was invited to the console"),
    "late_outbox_begun": mark("Began to take a lost till's events from a file"),
    "late_outbox": mark("Took a lost till's events from a file"),
    "refused": mark("Sign-in refused"),
    "signed_in": mark("Signed in"),
    "signed_out": mark("Signed out"),
    "password_set": mark("Set a password"),
    "half_in": mark("Gave the right password"),
    "factor_set": mark("Set up a second factor"),
    "factor_dropped": mark("Ended a second factor, to set it up anew"),
    "recovery_used": mark("Used a recovery code"),
    "let_in_other": mark("Invited somebody to the console"),
    "invitation_withdrawn": mark("Withdrew an invitation"),
    "role_set": mark("Changed a role"),
    "sessions_ended": mark("Signed somebody out"),
    "shut_out": mark("Shut somebody out"),
    "proved": mark("Proved anew who they are"),
    "chosen": mark("Chose for the chain"),
    "event_seen": mark("Looked at an event in quarantine"),
    "event_done": mark("Said to have looked at an event in quarantine"),
    "recount_done": mark("Said to have looked at a document that differs"),
    "recount_many": mark("Said to have looked at many documents that differ"),
    "why_seen": mark("Looked at why"),
    "two_people": mark("Said of two members that they are two people"),
    "merged": mark("Merged another member into this one"),
    "unmerged": mark("Took a merge back"),
    "erased": mark("Erased a person"),
    "forfeited": mark("Wrote off what an erased person had left"),
    "erase_asked": mark("Asked to erase a person"),
    "choice_asked": mark("Asked to change a choice of the chain that takes two"),
    "agreed": mark("Agreed to what another one asked"),
    "withdrawn": mark("Took back what was asked"),
    "adjusted": mark("Changed a member's points by hand"),
    "adjust_asked": mark("Asked for a change of points that takes two"),
    "adjust_dropped": mark("Turned a change of points down"),
    "forgiven": mark("Wrote overspent points off"),
    "draft_begun": mark("Began a draft of the programme"),
    "draft_changed": mark("Changed a draft"),
    "draft_dropped": mark("Forgot a draft"),
    "tried": mark("Tried a draft on past weeks"),
    "published": mark("Published a version of the programme"),
    "prices_begun": mark("Sent a price list"),
    "prices_dropped": mark("Forgot a price list that was a draft"),
    "prices_published": mark("Published a price list"),
    "searched": mark("Searched"),
    "member_seen": mark("Looked at a member, masked"),
    "member_shown": mark("Saw a member's personal values"),
    "exported": mark("Exported a list"),
    "till_code": mark("Operator: made a code that lets a till in"),
    "till_let_in": mark("A till came in by its code"),
    "till_key": mark("A till changed its key"),
    "till_revoked": mark("Operator: revoked a till"),
    "restored": mark("Operator: put a backup back"),
    "chain_moves": mark("Operator: began to move the chain to PostgreSQL"),
    "chain_moved": mark("Operator: moved the chain to PostgreSQL"),
    "move_given_up": mark("Operator: gave a move to PostgreSQL up"),
    "address_told": mark("Told tills another address of head office"),
    "address_asked": mark("Asked to tell tills another address of head office"),
    "address_taken_back": mark("Took the address back that tills were told"),
    "offline_lease": mark("Operator: changed for how long tills show members without head office"),
    "card_lost": mark("Operator: reported a card lost"),
    "card_found": mark("Operator: a lost card was found"),
    "shop_person_added": mark("Added somebody to the stores"),
    "shop_person_changed": mark("Changed somebody of the stores"),
    "shop_person_let_go": mark("Let somebody of the stores go"),
    "shop_person_back": mark("Let somebody of the stores in again"),
    "shop_person_code": mark("Gave somebody of the stores a first code"),
    "shop_person_taken_over": mark("Took over a till's own person"),
    "api_key_made": mark("Key of the open API made"),
    "api_key_ended": mark("Key of the open API ended"),
    "api_enrolled": mark("Another system enrolled a member"),
    "api_changed": mark("Another system changed a member's fields"),
    "api_webhook_made": mark("Another system asked to be told of changes"),
    "api_webhook_secret": mark("Another system changed a webhook's secret"),
    "api_webhook_ended": mark("Another system is told of changes no more"),
    "api_points": mark("Another system moved a member's points"),
    "api_adjusted": mark("Another system changed a member's points by hand"),
}
REASONS: Final = {
    "customer": mark("Customer asks"),
    "mistake": mark("To put a mistake right"),
    "inquiry": mark("To look into a case"),
}
"""Why somebody sees personal values."""
DETAILS: Final = {
    **REASONS,
    **ROLES,
    "unknown": mark("Unknown initials"),
    "password": mark("Wrong password"),
    "code": mark("Wrong code"),
    "locked": mark("Shut after wrong tries"),
    "invited": mark("Was invited and has set no password"),
    "too_old": mark("One-time password too old"),
}
"""What the audit says beside an act."""


def named(words: Words, names: dict[str, str], code: str) -> str:
    """What a code is called; a strange one stays as it is."""
    return words.say(names[code]) if code in names else code


def masked(field: str, value: str) -> str:
    """A personal value as everybody may see it."""
    masks = {"name": mask_name, "phone": mask_phone, "email": mask_email, "card": mask_card}
    if field.startswith("consent:"):
        return value
    if field.startswith("birth"):
        return MASKED_BIRTHDAY
    mask = masks.get(field)
    shown = "****" if mask is None else mask(value)
    # A value too short to have a middle would be shown whole.
    return "****" if shown == value else shown


def instant(at_ms: int, offset_minutes: int) -> str:
    """An instant in the chain's local time, to the minute."""
    local = datetime.fromtimestamp(at_ms // 1000, UTC) + timedelta(minutes=offset_minutes)
    return local.strftime("%Y-%m-%d %H:%M")


def is_instant(text: str) -> bool:
    """Whether a text is such an instant: a page breaks none within its date."""
    return _INSTANT.fullmatch(text) is not None


def day(words: Words, on: BusinessDate | None) -> str:
    """A business date."""
    if on is None:
        return ""
    return words.say("does not expire") if on >= NEVER else on.iso()


def span(words: Words, seconds: int) -> str:
    """How long ago something was, in its largest unit."""
    minutes = max(seconds, 0) // 60
    if minutes < 1:
        return words.say("just now")
    if minutes < 60:
        return words.count("{n} minute ago", "{n} minutes ago", minutes, n=minutes)
    hours = minutes // 60
    if hours < 48:
        return words.count("{n} hour ago", "{n} hours ago", hours, n=hours)
    return words.count("{n} day ago", "{n} days ago", hours // 24, n=hours // 24)
