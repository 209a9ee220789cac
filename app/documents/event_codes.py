"""What the codes in events are called: reasons, acts, ways, forms. One mapping a family; a test walks
every code that a use-case can write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.documents import day_slips, z_slip
from app.documents.report_words import TITLES
from app.domain.rights import Right
from app.i18n import Words, mark

ROLES: Final = {
    "cashier": mark("Cashier"),
    "supervisor": mark("Supervisor"),
    "manager": mark("Manager"),
    "head_office": mark("Head office"),
    "auditor": mark("Auditor"),
}
RULE_NAMES: Final = {
    "F1": mark("Own card"),
    "F2": mark("Earns too often"),
    "F3": mark("Claimed late"),
    "F4": mark("Voids and returns"),
    "F5": mark("Points by hand"),
    "F6": mark("Drawer"),
    "F7": mark("Used after a change"),
    "F8": mark("Enrolments"),
    "F9": mark("Looking at members"),
    "F10": mark("Approvals"),
    "F11": mark("Stored value"),
    "F12": mark("Clock and training"),
}
CASE_STATES: Final = {
    "new": mark("Not seen"),
    "seen": mark("Seen"),
    "explained": mark("Explained"),
}
CASE_REASONS: Final = {
    "checked": mark("Followed up"),
    "training": mark("Training"),
    "bad_batch": mark("Bad batch"),
    "campaign": mark("Campaign"),
    "customer_asked": mark("Customer's wish"),
    "device_fault": mark("Device fault"),
}
REASONS: Final = {
    **z_slip.REASON_WORDS,
    **day_slips.REASON_WORDS,
    **CASE_REASONS,
    "changed_mind": mark("Customer changed their mind"),
    "faulty": mark("Faulty goods"),
    "wrong_item": mark("Wrong item or amount"),
    "wrong_member": mark("Wrong member"),
    "test": mark("Entered by mistake"),
    "customer": mark("Customer asks"),
    "lost": mark("Slip lost"),
    "unreadable": mark("Unreadable"),
    "customer_asks": mark("Customer asks"),
    "call_back": mark("To call back"),
    "same_name": mark("Same name"),
    "goodwill": mark("Goodwill"),
    "missed_sale": mark("Points of a sale were missing"),
    "correction": mark("Correction of a mistake"),
}
RIGHTS: Final[Mapping[str, str]] = {
    Right.FIND: mark("find a member"),
    Right.ENROL: mark("enrol a member"),
    Right.SELL: mark("sell"),
    Right.OWN_CARD: mark("own or family card"),
    Right.GUARD: mark("go on where the guard asks"),
    Right.REDEEM: mark("use points"),
    Right.REDEEM_ABOVE: mark("use points above the limit"),
    Right.RETURN: mark("return goods"),
    Right.RETURN_ABOVE: mark("return above the limit"),
    Right.VOID: mark("void a document"),
    Right.VOID_ABOVE: mark("void above the limit"),
    Right.WRITE_OFF: mark("write off owed points"),
    Right.ADJUST: mark("change points by hand"),
    Right.UNMASK: mark("see a phone or birthday whole"),
    Right.REPRINT: mark("print again"),
    Right.REPLACE_CARD: mark("replace a card"),
    Right.DRAWER: mark("open the drawer without a sale"),
    Right.CASH_MOVE: mark("cash in or out"),
    Right.CASH_MOVE_ABOVE: mark("cash in or out above the limit"),
    Right.SHIFT: mark("open and close a shift"),
    Right.CASH_DIFFERENCE: mark("cash difference above the limit"),
    Right.CLOSE_DAY: mark("close the day"),
    Right.CLOSE_OVER_OPEN: mark("close over what is open"),
    Right.DATE_AHEAD: mark("a date that is ahead"),
    Right.CONSENT: mark("change a consent"),
    Right.EXPORT_MEMBER: mark("export a member"),
    Right.ERASE: mark("erase a member"),
    Right.BULK_EXPORT: mark("export many members"),
    Right.RULES: mark("change the rules"),
    Right.CATALOGUE: mark("change the catalogue"),
    Right.STAFF: mark("change the staff"),
    Right.REPORTS: mark("read reports"),
    Right.AUDIT: mark("read the journal"),
    Right.CASE: mark("judge an exception"),
    Right.BACKUP: mark("make a backup"),
    Right.RESTORE: mark("restore a backup"),
    Right.SETTINGS: mark("change the settings"),
}
ACTS: Final = {
    "add": mark("Added"),
    "disable": mark("Disabled"),
    "enable": mark("Enabled"),
    "pin": mark("New PIN"),
    "role": mark("New role"),
    "badge": mark("New badge"),
    "link": mark("Own account linked"),
    "name": mark("New name or initials"),
}
WHYS: Final = {
    "switch": mark("Somebody else came"),
    "lock": mark("Locked by hand"),
    "idle": mark("Locked when idle"),
    "close": mark("Program closed"),
}
WHATS: Final = {
    "report": mark("Report"),
    "member": mark("Member"),
    "audit": mark("Journal"),
    "catalogue": mark("Catalogue"),
    "start_key": mark("Key for the safe"),
    "support": mark("Support file"),
    "x": mark("X report"),
    "phone": mark("Phone"),
    "birthday": mark("Birthday"),
    "profile": mark("Profile"),
}
FORMS: Final = {
    "pdf": mark("PDF"),
    "xlsx": mark("Spreadsheet"),
    "csv": mark("CSV"),
    "print": mark("On paper"),
    "zip": mark("Archive"),
    "screen": mark("On the screen"),
}
COLUMNS: Final = {
    "name": mark("Name"),
    "phone": mark("Phone"),
    "email": mark("E-mail"),
    "name_py": mark("Reading of the name"),
    "birth_calendar": mark("Calendar of the birthday"),
    "birth_year": mark("Year of birth"),
    "birth_month": mark("Month of birth"),
    "birth_day": mark("Day of birth"),
    "note": mark("Note"),
    "alert": mark("Attention note"),
}
TENDERS: Final = {"cash": mark("Cash"), "qr": mark("QR wallet"), "card": mark("Bank card")}
PARTS: Final = {
    **TENDERS,
    "tender": mark("Tender"),
    "category": mark("Goods"),
    "tax": mark("Tax"),
}
PURPOSES: Final = {"service": mark("Service notice"), "marketing": mark("Offers")}
CHANNELS: Final = {
    "counter": mark("at the counter"),
    "any": mark("any channel"),
    "sms": mark("by text message"),
}
DIRECTIONS: Final = {"in": mark("Cash in"), "out": mark("Cash out")}
PROOFS: Final = {
    "name": mark("by name"),
    "card": mark("by card"),
    "passphrase": mark("by passphrase"),
    "head_office": mark("by head office"),
    "first_code": mark("by first code"),
}
ATTACHED: Final = {"after": mark("after the payment began")}
FAMILIES: Final[Mapping[str, Mapping[str, str]]] = {
    "reason": REASONS,
    "right": RIGHTS,
    "role": ROLES,
    "act": ACTS,
    "why": WHYS,
    "what": WHATS,
    "form": FORMS,
    "column": COLUMNS,
    "part": PARTS,
    "tender": TENDERS,
    "purpose": PURPOSES,
    "channel": CHANNELS,
    "direction": DIRECTIONS,
    "proof": PROOFS,
    "state": CASE_STATES,
    "rule": RULE_NAMES,
    "open": z_slip.ITEM_WORDS,
    "report": TITLES,
    "attached": ATTACHED,
}
"""Family → code → its marked words."""


def code_name(words: Words, family: str, code: str) -> str:
    """What a code is called. Reasons that the guard gives ("F2.minutes+F7.after_change") are its rules."""
    known = FAMILIES[family]
    if code in known:
        return words.say(known[code])
    rules = [part.partition(".")[0] for part in code.split("+")]
    named = [words.say(RULE_NAMES[rule]) for rule in rules if rule in RULE_NAMES]
    return " · ".join(named) or code
