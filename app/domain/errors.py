"""The three kinds of error and every code there is. Their words live in app/error_words.py."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

Fact = int | str | bool | None
Facts = Mapping[str, Fact]


class Refusal(StrEnum):
    """Why the rules say no. A user-interface test walks every one and demands words for it."""

    QUOTE_CHANGED = "quote_changed"
    # selling and redeeming
    SALE_ABOVE_LIMIT = "sale_above_limit"
    ITEM_UNKNOWN = "item_unknown"
    PRICES_FROM_ABOVE = "prices_from_above"
    SALE_EMPTY = "sale_empty"
    SALE_LINE_INVALID = "sale_line_invalid"
    TENDER_MISMATCH = "tender_mismatch"
    NOTHING_TO_PAY = "nothing_to_pay"
    CHANGE_ABOVE_LIMIT = "change_above_limit"
    MEMBER_NEEDED = "member_needed"
    REDEEM_OFF = "redeem_off"
    REDEEM_NOT_MULTIPLE = "redeem_not_multiple"
    REDEEM_BELOW_MINIMUM = "redeem_below_minimum"
    REDEEM_ABOVE_AVAILABLE = "redeem_above_available"
    REDEEM_ABOVE_SHARE = "redeem_above_share"
    POINTS_NO_RIGHT = "points_no_right"
    # returns and voids
    DOCUMENT_UNKNOWN = "document_unknown"
    RETURN_EMPTY = "return_empty"
    RETURN_NO_SUCH_LINE = "return_no_such_line"
    RETURN_NOTHING_LEFT = "return_nothing_left"
    RETURN_TOO_MANY = "return_too_many"
    RETURN_ELSEWHERE = "return_elsewhere"
    RETURN_NOT_RESERVED = "return_not_reserved"
    SALE_ELSEWHERE = "sale_elsewhere"
    SALE_NOT_KNOWN = "sale_not_known"
    SALE_AMBIGUOUS = "sale_ambiguous"
    SALE_NOT_READABLE = "sale_not_readable"
    SALE_MEMBER_GONE = "sale_member_gone"
    WRITE_OFF_NEEDS_MANAGER = "write_off_needs_manager"
    VOID_OTHER_SHIFT = "void_other_shift"
    VOID_DAY_CLOSED = "void_day_closed"
    VOID_ALREADY = "void_already"
    VOID_LATER_RETURN = "void_later_return"
    REASON_NEEDED = "reason_needed"
    # adjustments, openings, tiers
    ADJUST_ZERO = "adjust_zero"
    ADJUST_OWN_ACCOUNT = "adjust_own_account"
    ADJUST_NOT_ALLOWED = "adjust_not_allowed"
    ADJUST_NEEDS_SECOND = "adjust_needs_second"
    ADJUST_BELOW_AVAILABLE = "adjust_below_available"
    ADJUST_NOTE_SHORT = "adjust_note_short"
    ADJUST_OVER_DAY = "adjust_over_day"
    ADJUST_ABOVE_DAY = "adjust_above_day"
    ADJUST_ALONE = "adjust_alone"
    OPENING_INVALID = "opening_invalid"
    TIER_UNKNOWN = "tier_unknown"
    TIER_END_NEEDED = "tier_end_needed"
    # clock and shift
    CLOCK_BEHIND = "clock_behind"
    CLOCK_FAR_FROM_HEAD_OFFICE = "clock_far_from_head_office"
    BUSINESS_DATE_BACK = "business_date_back"
    BUSINESS_DATE_AHEAD = "business_date_ahead"
    SHIFT_NEEDED = "shift_needed"
    SHIFT_OPEN = "shift_open"
    SHIFT_UNCLOSED = "shift_unclosed"
    SHIFT_COUNTED = "shift_counted"
    DAY_NOTHING_TO_CLOSE = "day_nothing_to_close"
    DAY_OPEN_ITEMS = "day_open_items"
    DAY_NOT_BEGUN = "day_not_begun"
    DAY_PROOF_OLD = "day_proof_old"
    # the drawer
    CASH_AMOUNT_NEEDED = "cash_amount_needed"
    COUNT_INVALID = "count_invalid"
    # staff
    PIN_WRONG = "pin_wrong"
    PIN_LOCKED = "pin_locked"
    PIN_BLOCKED = "pin_blocked"
    PIN_WEAK = "pin_weak"
    PIN_TO_CHOOSE = "pin_to_choose"
    STAFF_UNKNOWN = "staff_unknown"
    STAFF_INITIALS = "staff_initials"
    STAFF_TAKEN = "staff_taken"
    STAFF_BADGE = "staff_badge"
    STAFF_BADGE_OVERLAPS = "staff_badge_overlaps"
    STAFF_RANK = "staff_rank"
    STAFF_OWN = "staff_own"
    STAFF_PASSPHRASE = "staff_passphrase"
    STAFF_LAST_MANAGER = "staff_last_manager"
    STAFF_ABOVE = "staff_above"
    # rights
    NOT_ALLOWED = "not_allowed"
    APPROVAL_NEEDED = "approval_needed"
    OWN_CARD_ALONE = "own_card_alone"
    APPROVAL_OWN = "approval_own"
    APPROVAL_EXPIRED = "approval_expired"
    APPROVAL_RANK = "approval_rank"
    # members
    UNMASK_LIMIT = "unmask_limit"
    MEMBER_UNKNOWN = "member_unknown"
    IDENTITY_UNPROVEN = "identity_unproven"
    NAME_NEEDED = "name_needed"
    EMAIL_INVALID = "email_invalid"
    CONSENT_NEEDED = "consent_needed"
    CARD_TAKEN = "card_taken"
    CARD_NOT_OURS = "card_not_ours"
    CARD_UNKNOWN = "card_unknown"
    CARD_LOST = "card_lost"
    CARD_REPLACED = "card_replaced"
    CARDS_USED_UP = "cards_used_up"
    CARD_NOT_DRAWN = "card_not_drawn"
    PROFILE_CHANGED = "profile_changed"
    BIRTHDAY_INVALID = "birthday_invalid"
    BIRTHDAY_AHEAD = "birthday_ahead"
    BIRTHDAY_LOCKED = "birthday_locked"
    PHONE_INVALID = "phone_invalid"
    # the programme
    PROGRAMME_INVALID = "programme_invalid"
    PROGRAMME_START_TAKEN = "programme_start_taken"
    # head office
    JOIN_CODE_WRONG = "join_code_wrong"
    JOIN_NOT_SECURE = "join_not_secure"
    ALREADY_JOINED = "already_joined"
    NOT_JOINED = "not_joined"
    TILL_REVOKED = "till_revoked"
    MEMBERS_LOCKED = "members_locked"
    PROGRAMME_STARTS_IN_PAST = "programme_starts_in_past"
    PROGRAMME_STARTS_TOO_LATE = "programme_starts_too_late"


class Outage(StrEnum):
    """What the surroundings could not do. A new cause is added here, so that one walk finds all."""

    STORE_BUSY = "store_busy"
    STORE_FULL = "store_full"
    STORE_READ_ONLY = "store_read_only"
    STORE_DAMAGED = "store_damaged"
    STORE_KEY_WRONG = "store_key_wrong"
    STORE_IN_USE = "store_in_use"
    STORE_MISSING = "store_missing"
    STORE_EXISTS = "store_exists"
    STORE_TOO_NEW = "store_too_new"
    STORE_FAILED = "store_failed"
    JOURNAL_FILE_FAILED = "journal_file_failed"
    JOURNAL_CONFLICT = "journal_conflict"
    JOURNAL_GAP = "journal_gap"
    KEYS_MISSING = "keys_missing"
    KEYS_DAMAGED = "keys_damaged"
    KEYS_NEWER = "keys_newer"
    KEYS_COPIED = "keys_copied"
    KEYSTORE_GONE = "keystore_gone"
    PASSPHRASE_WRONG = "passphrase_wrong"
    PASSPHRASE_WAIT = "passphrase_wait"
    PASSPHRASE_WEAK = "passphrase_weak"
    SETTINGS_BAD = "settings_bad"
    FOLD_DIFFERS = "fold_differs"
    CHECK_SILENT = "check_silent"
    FILE_FAILED = "file_failed"
    BACKUP_FOLDER_GONE = "backup_folder_gone"
    BACKUP_FAILED = "backup_failed"
    BACKUP_NONE = "backup_none"
    BACKUP_STALE = "backup_stale"
    BACKUP_UNSOUND = "backup_unsound"
    PRINTER_GONE = "printer_gone"
    PRINTER_SILENT = "printer_silent"
    PRINTER_OFFLINE = "printer_offline"
    PRINTER_PAPER_OUT = "printer_paper_out"
    PRINTER_COVER_OPEN = "printer_cover_open"
    PRINTER_ERROR = "printer_error"
    PRINTER_UNCERTAIN = "printer_uncertain"
    PRINTER_ADDRESS_BAD = "printer_address_bad"
    PRINTER_FOLDER_GONE = "printer_folder_gone"
    NETWORK_GONE = "network_gone"
    HEAD_OFFICE_GONE = "head_office_gone"
    HEAD_OFFICE_REFUSED = "head_office_refused"
    RETURN_NEEDS_LINE = "return_needs_line"


class Refused(Exception):
    """The rules say no: a code and plain facts for its words.

    `offer` carries what to show instead where there is such a thing: for quote_changed the new
    quote, for too many points the most that may be used.
    """

    def __init__(self, code: Refusal, facts: Facts | None = None, *, offer: object = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.facts: Facts = facts or {}
        self.offer = offer


class Unavailable(Exception):
    """Disk, printer, network or lock could not; retry after `retry_after_s` if that helps."""

    def __init__(
        self, code: Outage, facts: Facts | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(code.value)
        self.code = code
        self.facts: Facts = facts or {}
        self.retry_after_s = retry_after_s


class Cancelled(Exception):
    """The person changed their mind; nobody says anything."""
