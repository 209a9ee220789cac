"""Words for every error code: what is so, then what to do (counter-flows.md section 4).

The only place where a code becomes a sentence, for the window and for the console alike. A code's sentence may
name facts that came with the error; where a fact is missing the plain sentence, its second one, is said. At a
terminal there are no keys to press: the codes whose next step is another one there have a third.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.domain.errors import Facts, Outage, Refusal
from app.formats import Formats, number
from app.i18n import Words, mark

Code = Refusal | Outage

PLAIN: Final[Mapping[Code, str]] = {
    Refusal.QUOTE_CHANGED: mark("The amounts have changed. Check them, then charge again."),
    Refusal.SALE_ABOVE_LIMIT: mark("This is over the till's limit. Check and enter it again."),
    Refusal.ITEM_UNKNOWN: mark("This barcode isn't known. F5 picks the item, Delete drops it."),
    Refusal.PRICES_FROM_ABOVE: mark(
        "Goods and prices come from head office. Ask for the change there."
    ),
    Refusal.SALE_EMPTY: mark("Enter an amount or scan an item."),
    Refusal.SALE_LINE_INVALID: mark("A line isn't recognised. Settle it, then charge."),
    Refusal.NOTHING_TO_PAY: mark("Nothing is to pay. Take no money."),
    Refusal.TENDER_MISMATCH: mark("The tenders don't add up to the amount to pay. Check them."),
    Refusal.CHANGE_ABOVE_LIMIT: mark("The change is over the till's limit. Check the cash."),
    Refusal.MEMBER_NEEDED: mark("Points need a member. Press F2 and find one first."),
    Refusal.REDEEM_OFF: mark("This programme doesn't take points as payment."),
    Refusal.REDEEM_NOT_MULTIPLE: mark("Points go in fixed steps. Enter a multiple."),
    Refusal.REDEEM_BELOW_MINIMUM: mark("That is below the smallest number of points. Enter more."),
    Refusal.REDEEM_ABOVE_AVAILABLE: mark("The member has fewer points. Press F6 for the most."),
    Refusal.POINTS_NO_RIGHT: mark("These points can't be used just now. Use fewer, or none."),
    Refusal.JOIN_CODE_WRONG: mark("Head office doesn't know this code. Ask for a new one."),
    Refusal.JOIN_NOT_SECURE: mark("Head office is reached by https:// alone. Check the address."),
    Refusal.ALREADY_JOINED: mark("This till belongs to a head office already."),
    Refusal.NOT_JOINED: mark("This till belongs to no head office. There is nobody to tell."),
    Refusal.TILL_REVOKED: mark(
        "Head office shut this till out. Members' data is deleted; call the person in charge."
    ),
    Refusal.MEMBERS_LOCKED: mark(
        "Head office wasn't reached for long: members are locked. Sell without; mend the line."
    ),
    Refusal.REDEEM_ABOVE_SHARE: mark("That is more than this sale takes. Press F6 for the most."),
    Refusal.DOCUMENT_UNKNOWN: mark("No receipt with this number. Check it, or find the member."),
    Refusal.RETURN_EMPTY: mark("Nothing is chosen. Enter a quantity on a line."),
    Refusal.RETURN_NO_SUCH_LINE: mark("This receipt has no such line. Choose one of the list."),
    Refusal.RETURN_NOTHING_LEFT: mark("Everything on this receipt was returned."),
    Refusal.RETURN_TOO_MANY: mark("Fewer are left on this line. Enter what is left."),
    Refusal.RETURN_ELSEWHERE: mark(
        "Another till is returning goods of this sale. Try again in a moment."
    ),
    Refusal.RETURN_NOT_RESERVED: mark(
        "Head office keeps these goods for somebody else. Scan the receipt again."
    ),
    Refusal.SALE_ELSEWHERE: mark("Another till sold this. Scan its own receipt."),
    Refusal.SALE_NOT_KNOWN: mark(
        "Head office has no such sale yet. Check the number, or ask the till that sold it."
    ),
    Refusal.SALE_AMBIGUOUS: mark(
        "More than one shop has this number. Return it at the till that sold it."
    ),
    Refusal.SALE_NOT_READABLE: mark(
        "This sale can't be read here. Return it at the till that sold it."
    ),
    Refusal.SALE_MEMBER_GONE: mark("Its member was forgotten. Return it at the till that sold it."),
    Refusal.WRITE_OFF_NEEDS_MANAGER: mark("Only a manager writes points off. Ask one."),
    Refusal.VOID_OTHER_SHIFT: mark("That sale is another shift's. Press F8 to return it."),
    Refusal.VOID_DAY_CLOSED: mark("That day is closed. Press F8 to return it."),
    Refusal.VOID_ALREADY: mark("This sale was voided already."),
    Refusal.VOID_LATER_RETURN: mark("Part of it was returned. Void the return first."),
    Refusal.REASON_NEEDED: mark("Choose a reason."),
    Refusal.ADJUST_ZERO: mark("Nothing would change. Enter a number of points."),
    Refusal.ADJUST_OWN_ACCOUNT: mark("You can't change your own points. Ask another person."),
    Refusal.ADJUST_NOT_ALLOWED: mark("You may not change points. Ask a supervisor."),
    Refusal.ADJUST_NEEDS_SECOND: mark("A second person must agree. Ask a supervisor."),
    Refusal.ADJUST_NOTE_SHORT: mark("Say what happened, in a sentence."),
    Refusal.ADJUST_OVER_DAY: mark("This person has agreed to enough today. Ask somebody else."),
    Refusal.ADJUST_ABOVE_DAY: mark("That is too much for one day. Enter fewer points."),
    Refusal.ADJUST_ALONE: mark("Nobody else here may agree. Add a second person first."),
    Refusal.ADJUST_BELOW_AVAILABLE: mark("The member has fewer points than that. Enter fewer."),
    Refusal.OPENING_INVALID: mark("This opening balance doesn't fit. Check points and dates."),
    Refusal.TIER_UNKNOWN: mark("The programme has no such tier. Choose one of the list."),
    Refusal.TIER_END_NEEDED: mark("A tier given by hand needs an end date. Enter one."),
    Refusal.CLOCK_BEHIND: mark("The clock is behind the last sale. Set it, then open."),
    Refusal.CLOCK_FAR_FROM_HEAD_OFFICE: mark("The clock is far from head office's. Set it first."),
    Refusal.BUSINESS_DATE_BACK: mark("That date is before the last one. Check the clock."),
    Refusal.BUSINESS_DATE_AHEAD: mark("That date is too far ahead. Check the clock, or ask."),
    Refusal.SHIFT_NEEDED: mark("Open a shift first."),
    Refusal.DAY_NOTHING_TO_CLOSE: mark("There is nothing to close: no shift since the last close."),
    Refusal.DAY_OPEN_ITEMS: mark("Something was opened meanwhile. Look at the list again."),
    Refusal.DAY_PROOF_OLD: mark("Much happened since the check. Close the day again."),
    Refusal.DAY_NOT_BEGUN: mark("That date has not begun yet. It can be closed once it has."),
    Refusal.SHIFT_OPEN: mark("A shift is open already. Go on with it."),
    Refusal.SHIFT_UNCLOSED: mark("An earlier shift isn't closed. Count it and close it first."),
    Refusal.SHIFT_COUNTED: mark("The drawer is counted. Close the shift, then open the next one."),
    Refusal.CASH_AMOUNT_NEEDED: mark("Enter an amount above zero."),
    Refusal.COUNT_INVALID: mark("This count doesn't fit the notes and coins. Check the pieces."),
    Refusal.PIN_WRONG: mark("Wrong PIN. Try again."),
    Refusal.PIN_BLOCKED: mark("Too many wrong PINs. A supervisor has to sign in first."),
    Refusal.PIN_WEAK: mark("This PIN is easy to guess. Choose six other digits."),
    Refusal.STAFF_UNKNOWN: mark("Nobody here has these initials. Try again."),
    Refusal.STAFF_INITIALS: mark("Initials are two to six letters or digits. Change them."),
    Refusal.STAFF_TAKEN: mark("Somebody has, or had, these initials or this badge. Take others."),
    Refusal.STAFF_BADGE: mark("A badge has four to 32 letters and digits. Scan it again."),
    Refusal.STAFF_BADGE_OVERLAPS: mark(
        "This number is a card's, an item's or a receipt's. Take another badge."
    ),
    Refusal.STAFF_RANK: mark("This role is above your own. Ask somebody of that role."),
    Refusal.STAFF_OWN: mark("Somebody else has to do this for you. Ask another manager."),
    Refusal.STAFF_PASSPHRASE: mark("Nobody else here may agree. Type the passphrase of this till."),
    Refusal.PIN_TO_CHOOSE: mark("This is a first code. Sign in with it, then choose your own PIN."),
    Refusal.STAFF_ABOVE: mark("Head office says who works here and as what. Ask head office."),
    Refusal.STAFF_LAST_MANAGER: mark("This is the last manager. Make somebody else manager first."),
    Refusal.PIN_LOCKED: mark("Too many wrong PINs. Wait a little, then try again."),
    Refusal.NOT_ALLOWED: mark("Your role doesn't do this. Ask a supervisor or the manager."),
    Refusal.APPROVAL_NEEDED: mark("A second person must agree. Scan a badge."),
    Refusal.OWN_CARD_ALONE: mark(
        "Nobody else here can agree. Sell without your own account (F11 bh)."
    ),
    Refusal.APPROVAL_OWN: mark("You can't approve your own action. Ask another supervisor."),
    Refusal.APPROVAL_EXPIRED: mark("The 60 seconds are over. Ask again."),
    Refusal.APPROVAL_RANK: mark("This person may not approve it. Ask a supervisor or the manager."),
    Refusal.UNMASK_LIMIT: mark("You saw enough in full this shift. Ask a supervisor."),
    Refusal.MEMBER_UNKNOWN: mark("No such member. Find them by phone or name."),
    Refusal.IDENTITY_UNPROVEN: mark("Ask the customer's name before points go out."),
    Refusal.NAME_NEEDED: mark("Enter a name."),
    Refusal.EMAIL_INVALID: mark("This isn't an e-mail address. Check it, or leave it empty."),
    Refusal.CONSENT_NEEDED: mark("Ask the customer about the service notice, then press Space."),
    Refusal.CARD_TAKEN: mark("This card belongs to another member. Take another card."),
    Refusal.CARD_NOT_OURS: mark(
        "This isn't a new card of this till. Scan one, or leave the field empty."
    ),
    Refusal.CARD_UNKNOWN: mark("This isn't one of our cards. Check it, or press F3 to enrol."),
    Refusal.CARD_LOST: mark("This card was reported lost. Find the member by phone."),
    Refusal.CARD_REPLACED: mark("This card was replaced. Scan the new one."),
    Refusal.CARDS_USED_UP: mark("The card numbers are used up. Tell the manager."),
    Refusal.CARD_NOT_DRAWN: mark(
        "This name has characters that the card can't show. Change the name."
    ),
    Refusal.PROFILE_CHANGED: mark("This profile changed meanwhile. Look again, then save."),
    Refusal.BIRTHDAY_INVALID: mark("There is no such day. Check the birthday."),
    Refusal.BIRTHDAY_AHEAD: mark("This birthday is still to come. Check the year."),
    Refusal.BIRTHDAY_LOCKED: mark("The birthday was used this year. A manager can change it."),
    Refusal.PHONE_INVALID: mark("This isn't a phone number. Check the digits."),
    Refusal.PROGRAMME_INVALID: mark("The programme can't be read. Tell the manager."),
    Refusal.PROGRAMME_START_TAKEN: mark(
        "A version that starts that day or later is published already. Choose a later day."
    ),
    Refusal.PROGRAMME_STARTS_IN_PAST: mark("A programme can't start in the past."),
    Refusal.PROGRAMME_STARTS_TOO_LATE: mark("A programme starts within a year. Check the year."),
    Outage.STORE_BUSY: mark("Another program is using the data. Wait a moment, try again."),
    Outage.STORE_FULL: mark("The disk is full; nothing was saved. Free some space, try again."),
    Outage.STORE_READ_ONLY: mark("The data folder can't be written. Check its rights."),
    Outage.STORE_DAMAGED: mark("The data file is damaged. Stop, and call the person in charge."),
    Outage.STORE_KEY_WRONG: mark(
        "This key is of other data. Bring this store's keyslots.json back."
    ),
    Outage.STORE_IN_USE: mark("The till is already running here. Use that window."),
    Outage.STORE_MISSING: mark("There is no data file in this folder. Check the folder."),
    Outage.STORE_EXISTS: mark("There is something in this folder already. Choose an empty one."),
    Outage.STORE_TOO_NEW: mark("The data comes from a newer version. Update this till."),
    Outage.STORE_FAILED: mark("The data couldn't be read or saved. Try again, or call for help."),
    Outage.JOURNAL_FILE_FAILED: mark("The second copy can't be written. Mend the disk, then sell."),
    Outage.JOURNAL_CONFLICT: mark(
        "Journal and data disagree. Stop, and call the person in charge."
    ),
    Outage.JOURNAL_GAP: mark("The journal has a gap. Stop, and call the person in charge."),
    Outage.KEYS_MISSING: mark("The key file is missing. Bring keyslots.json back."),
    Outage.KEYS_DAMAGED: mark("The key file is damaged. Bring a good copy back."),
    Outage.KEYS_NEWER: mark("The key file comes from a newer version. Update this till."),
    Outage.KEYS_COPIED: mark(
        "This data belongs to another computer. Bring it here with `regulars restore`."
    ),
    Outage.KEYSTORE_GONE: mark("The computer's key store doesn't answer. Enter the passphrase."),
    Outage.PASSPHRASE_WRONG: mark("Wrong passphrase. Try again."),
    Outage.PASSPHRASE_WAIT: mark("Too many tries. Wait a little, then try again."),
    Outage.PASSPHRASE_WEAK: mark("This passphrase is easy to guess. Use a longer one."),
    Outage.SETTINGS_BAD: mark("The settings file has a mistake. Mend it, then start again."),
    Outage.FOLD_DIFFERS: mark(
        "A balance doesn't match its ledger. Tell the manager to run verify."
    ),
    Outage.CHECK_SILENT: mark("The check stopped answering and was ended. Try again."),
    Outage.FILE_FAILED: mark("The file can't be written there. Check the folder and the disk."),
    Outage.BACKUP_FOLDER_GONE: mark(
        "The backup folder is away. Plug its disk in, or set another folder."
    ),
    Outage.BACKUP_FAILED: mark(
        "The backup couldn't be made. Check the room on the disk, then retry."
    ),
    Outage.BACKUP_NONE: mark("There is no backup yet. Back up now: F11, then Back up now."),
    Outage.BACKUP_STALE: mark("The last backup is older than a day. Back up now in F11."),
    Outage.BACKUP_UNSOUND: mark("No backup in this folder is whole. Choose another folder."),
    Outage.PRINTER_GONE: mark("The printer doesn't answer. Keep selling; it prints later."),
    Outage.PRINTER_SILENT: mark("The printer doesn't say how it is. Look at it; selling goes on."),
    Outage.PRINTER_OFFLINE: mark("The printer is off line. Keep selling; it prints once it is on."),
    Outage.PRINTER_PAPER_OUT: mark("Printer out of paper. Keep selling; it prints after a refill."),
    Outage.PRINTER_COVER_OPEN: mark("The printer's cover is open. Close it; selling goes on."),
    Outage.PRINTER_ERROR: mark("The printer reports a fault. Look at it; selling goes on."),
    Outage.PRINTER_ADDRESS_BAD: mark("The printer's address is wrong. Mend it in the settings."),
    Outage.PRINTER_FOLDER_GONE: mark(
        "The printer's folder isn't there. Make it, or mend the path."
    ),
    Outage.PRINTER_UNCERTAIN: mark("A slip may have printed. Look for it, then say so in F10."),
    Outage.NETWORK_GONE: mark("No network. Keep selling; it is sent later."),
    Outage.HEAD_OFFICE_GONE: mark("Head office doesn't answer. Check its address and the network."),
    Outage.HEAD_OFFICE_REFUSED: mark("Head office says no. Ask there, and try again."),
    Outage.RETURN_NEEDS_LINE: mark(
        "No answer from head office. Try again, or return it at the till that sold it."
    ),
}

_STEPS: Final = mark("Points go in steps of {unit_points}. Enter a multiple.")
_STEPS_BETWEEN: Final = mark("Points go in steps of {unit_points}. Enter {below} or {above}.")
_STEPS_TO: Final = mark("Points go in steps of {unit_points}. Enter {only}.")
_HUNDREDS_BETWEEN: Final = mark("Points go in hundreds. Enter {below} or {above}.")
_HUNDREDS_TO: Final = mark("Points go in hundreds. Enter {only}.")

WITH_FACTS: Final[Mapping[Code, str]] = {
    Refusal.DAY_NOT_BEGUN: mark(
        "This till already works for {date}. That date can be closed once it has begun; until then its"
        " shifts can be counted and ended, and others opened."
    ),
    Refusal.SALE_ABOVE_LIMIT: mark(
        "{amount_minor} is over this till's limit. Check and enter it again."
    ),
    Refusal.CHANGE_ABOVE_LIMIT: mark(
        "Change of {change_minor} is over this till's limit. Check the cash."
    ),
    Refusal.ITEM_UNKNOWN: mark("Barcode {code} isn't known. F5 picks the item, Delete drops it."),
    Refusal.PROGRAMME_START_TAKEN: mark(
        "Version {version} starts on {starts}: a later one starts after that."
    ),
    Refusal.PROGRAMME_STARTS_TOO_LATE: mark(
        "{last} is the last day that a programme can start on now. Check the year."
    ),
    Refusal.ADJUST_NOTE_SHORT: mark("Say in {least} characters or more what happened."),
    Refusal.ADJUST_OVER_DAY: mark(
        "{points} points today by one person's yes; the limit is {limit}. Ask somebody else."
    ),
    Refusal.ADJUST_ABOVE_DAY: mark(
        "{points} points today for one asker or member; the limit is {limit}. Enter fewer."
    ),
    Refusal.REDEEM_NOT_MULTIPLE: _STEPS,
    Refusal.REDEEM_BELOW_MINIMUM: mark("The least is {minimum} points. Enter more."),
    Refusal.REDEEM_ABOVE_AVAILABLE: mark("The member has {available} points to use. Enter fewer."),
    Refusal.REDEEM_ABOVE_SHARE: mark("This sale takes up to {most} points. Enter fewer."),
    Refusal.UNMASK_LIMIT: mark("You saw {limit} in full this shift. Ask a supervisor."),
    Refusal.CLOCK_BEHIND: mark(
        "The clock is {minutes} min behind the last sale. Set it, then open."
    ),
    Refusal.PIN_WRONG: mark("Wrong PIN. Tries left: {left}."),
    Refusal.PIN_LOCKED: mark("Too many wrong PINs. Try again in {minutes} min."),
    Outage.STORE_DAMAGED: mark("Entry {seq} of the data is damaged. Stop, and call for help."),
    Outage.JOURNAL_CONFLICT: mark("Journal and data differ at {seq}. Stop, and call for help."),
    Outage.JOURNAL_GAP: mark("Entry {seq} of the journal is missing. Stop, and call for help."),
    Outage.PASSPHRASE_WRONG: mark("Wrong passphrase. Try again in {wait_s} s."),
    Outage.PASSPHRASE_WAIT: mark("Too many tries. Try again in {wait_s} s."),
    Outage.SETTINGS_BAD: mark("Setting {key} has a mistake. Mend it, then start again."),
}


AT_TERMINAL: Final[Mapping[Code, str]] = {
    Refusal.NOT_ALLOWED: mark("Your role doesn't do this. Have a manager run it."),
    Refusal.APPROVAL_NEEDED: mark("A second person must agree. Do it at the till's window."),
    Refusal.PIN_BLOCKED: mark(
        "Too many wrong PINs. A supervisor has to sign in at the till first."
    ),
    Refusal.STAFF_UNKNOWN: mark("Nobody here has these initials. Check --who."),
    Refusal.DAY_OPEN_ITEMS: mark("Something is still open. Close the day at the till's window."),
    Outage.STORE_BUSY: mark("Another program is using the data. Wait a moment, run it again."),
    Outage.STORE_FULL: mark("The disk is full; nothing was saved. Free some space, run it again."),
    Outage.STORE_READ_ONLY: mark("The folder can't be written. Check its rights, run it again."),
    Outage.STORE_DAMAGED: mark(
        "The data file is damaged. Bring the till back with `regulars restore`."
    ),
    Outage.STORE_IN_USE: mark("The till is running on this folder. Close it, run it again."),
    Outage.STORE_MISSING: mark("There is no data file in this folder. Check the folder's name."),
    Outage.STORE_FAILED: mark("The data couldn't be read or saved. Check the disk, run it again."),
    Outage.JOURNAL_FILE_FAILED: mark("The second copy can't be written. Mend the disk first."),
    Outage.JOURNAL_CONFLICT: mark(
        "Journal and data disagree. Stop the till, and run `regulars verify`."
    ),
    Outage.JOURNAL_GAP: mark("The journal has a gap. Stop the till, and run `regulars verify`."),
    Outage.KEYS_MISSING: mark("The key file is missing. Bring keyslots.json back from a backup."),
    Outage.KEYS_DAMAGED: mark("The key file is damaged. Bring keyslots.json back from a backup."),
    Outage.KEYSTORE_GONE: mark(
        "The computer's key store doesn't answer. Give the passphrase when asked."
    ),
    Outage.PASSPHRASE_WRONG: mark("Wrong passphrase. Run it again with the right one."),
    Outage.PASSPHRASE_WAIT: mark("Too many tries. Wait a minute, then run it again."),
    Outage.FOLD_DIFFERS: mark("A balance doesn't match its ledger. Run `regulars verify`."),
    Outage.CHECK_SILENT: mark("The check stopped answering and was ended. Run it again."),
    Outage.BACKUP_NONE: mark("There is no backup yet. Run `regulars backup`."),
    Outage.BACKUP_STALE: mark("The last backup is older than a day. Run `regulars backup`."),
    Outage.SETTINGS_BAD: mark("The settings file has a mistake. Mend settings.toml first."),
}


def sentence(words: Words, formats: Formats, code: Code, facts: Facts) -> str:
    """The sentence of a code for the window, with its facts where they are all there."""
    rich = _steps(facts) if code is Refusal.REDEEM_NOT_MULTIPLE else WITH_FACTS.get(code)
    if rich is not None:
        values = {name: _written(formats, name, value) for name, value in facts.items()}
        try:
            rich.format(**values)
        except KeyError:
            pass
        else:
            return words.say(rich, **values)
    return words.say(PLAIN[code])


def _steps(facts: Facts) -> str:
    """S14: which numbers of points next to the typed one can be used, where any can."""
    hundreds = facts.get("unit_points") == 100
    if "below" in facts:
        return _HUNDREDS_BETWEEN if hundreds else _STEPS_BETWEEN
    if "only" in facts:
        return _HUNDREDS_TO if hundreds else _STEPS_TO
    return _STEPS


def sentence_at_terminal(words: Words, formats: Formats, code: Code, facts: Facts) -> str:
    """The sentence of a code for somebody who ran a command."""
    said = AT_TERMINAL.get(code)
    return words.say(said) if said is not None else sentence(words, formats, code, facts)


def _written(formats: Formats, name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return "" if value is None else str(value)
    return formats.money(value) if name.endswith("_minor") else number(value)
