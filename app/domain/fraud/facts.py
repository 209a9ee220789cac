"""What the rules look at and what they find: small records, nothing personal. Nothing here decides anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

RuleCode = Literal["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12"]
RULES: Final[tuple[RuleCode, ...]] = get_args(RuleCode)
Action = Literal["report", "flag", "block"]
"""Shown in the report only; a case that somebody has to look at; stopped until a second person agrees."""


class Fact(NamedTuple):
    """One committed act, as small as the rules need it. Texts are "" where an act has none.

    Attributes:
        till, seq: the act's place: device id as hex and sequence number.
        kind: the event's kind, "staff" where a person was added or got a PIN or role (`refers` names
            them); and "link" (a person's own membership), "phone" (a member's number
            changed), "card" (replaced), "merge".
        at_s: seconds that never go back within a till's stream (app.queries.guard_facts, SteadyClock).
        wall_s: seconds since 1970 as the till's clock had them.
        day: business date, days since 1970-01-01.
        staff, shift, member: ids as hex.
        approver: the second person.
        amount: minor units (sale, return, void, top_up: the tenders' sum), points (adjust), days
            since the sale (claim), seconds (drawer_shut), members on the phone (enrol).
        earned, spent: points of a document; of a top_up the principal is in `earned`.
        refers: the document that is voided, returned or claimed.
        what: how the member came (sale: "late" after tender), the reason (adjust), what was looked
            at (look), the seller (claim), "training" (sign_in right after training); "own_card"
            where a second person let one's own account pass.
        note_chars: how long the note of an adjustment is.
        phone: an opaque mark, the same for the same number; made in memory, stored nowhere.
    """

    till: str
    seq: int
    kind: str
    at_s: int
    wall_s: int
    day: int
    staff: str = ""
    shift: str = ""
    member: str = ""
    approver: str = ""
    amount: int = 0
    earned: int = 0
    spent: int = 0
    id: str = ""
    refers: str = ""
    what: str = ""
    note_chars: int = 0
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Something that a rule found. The same `key` again replaces the earlier one: it has grown.

    Attributes:
        key: rule, what of it, till and the event that opened it; the `case` of a case event.
        what: which half of the rule, e.g. "per_day"; its words are the screen's.
        staff: who acted; "" when nobody was signed in.
        member: whose account, "" without one.
        seqs: (till, seq) of the events, oldest first; the last MOST_SEQS of them.
        figures: what was counted and what the limit is, for the sentence on screen.
    """

    key: str
    rule: RuleCode
    what: str
    action: Action
    till: str
    staff: str
    member: str
    day: int
    at_s: int
    seqs: tuple[tuple[str, int], ...]
    figures: tuple[tuple[str, int], ...]


MOST_SEQS: Final = 60


def case_of(
    rule: RuleCode,
    what: str,
    fact: Fact,
    *,
    action: Action = "flag",
    seqs: tuple[tuple[str, int], ...] = (),
    opened: tuple[str, int] | None = None,
    **figures: int,
) -> Case:
    """A case that `fact` completes; `opened` is the event that opened it where that was another."""
    places = seqs or ((fact.till, fact.seq),)
    till, seq = opened or places[-1]
    return Case(
        f"{rule}.{what}.{till[:12]}.{seq}",
        rule,
        what,
        action,
        fact.till,
        fact.staff,
        fact.member,
        fact.day,
        fact.at_s,
        places[-MOST_SEQS:],
        tuple(figures.items()),
    )
