"""The limits of the rules, as a programme's `guard` object holds them (security.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """Every limit is an integer; the text of each says which rule it belongs to. 0 turns a limit off."""

    earn_flag_per_day: int = 3
    """F2: from this many earning sales of a member in a day, flag."""
    earn_block_per_day: int = 5
    """F2: from this many, ask a second person."""
    earn_block_minutes: int = 30
    """F2: a second earning sale within these minutes asks a second person."""
    claim_days: int = 7
    """F3: a receipt may be claimed this many days after its sale."""
    claims_per_shift: int = 2
    """F3: claims for one member in a shift; one more asks a second person."""
    late_per_member: int = 3
    """F3: from this many late attachments and claims of one member in 30 days, flag."""
    undo_multiple: int = 3
    """F4: a cashier's share of voids and returns above this multiple of the store's median."""
    undo_least: int = 5
    """F4: and at least this many."""
    adjust_note_chars: int = 10
    """F5: the least length of an adjustment's note."""
    adjust_points_per_day: int = 2000
    """F5: points that one approver may let through, one asker ask for and one member gain or lose in a day."""
    drawer_per_shift: int = 3
    """F6: drawer openings without a sale, and as many pay-ins and pay-outs."""
    drawer_open_s: int = 60
    """F6: seconds that the drawer may stand open."""
    redeem_wait_hours: int = 24
    """F7: redeeming this soon after a change of phone or card, or a merge, asks a second person."""
    enrol_per_hour: int = 10
    """F8: enrolments of one person in an hour."""
    members_per_phone: int = 3
    """F8: from this many members on one phone, flag."""
    views_per_shift: int = 30
    """F9: profiles looked at without a sale to that member."""
    unmask_per_shift: int = 5
    """F9: phones and birthdays unmasked."""
    unmask_in_minutes: int = 3
    """F9: so many within ten minutes are a burst."""
    overrides_per_shift: int = 10
    """F10: approvals between the same two people."""
    overrides_multiple: int = 3
    """F10: or above this multiple of what is usual for two people in a shift."""
    overrides_least: int = 5
    """F10: and at least this many."""
    clock_back_s: int = 120
    """F12: seconds that the clock may go back in an open shift."""
    training_s: int = 60
    """F12: seconds after training in which a live document is flagged."""


DEFAULT_GUARD: Final = GuardLimits()
MOST_LIMIT: Final = 1_000_000
LIMIT_NAMES: Final[tuple[str, ...]] = tuple(field.name for field in fields(GuardLimits))
