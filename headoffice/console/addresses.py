"""Which page of the console has which address, and who is let in to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from starlette.responses import Response

from app.i18n import Words
from headoffice.console import (
    address_pages,
    adjust_pages,
    audit_pages,
    chain_pages,
    day_pages,
    deed_pages,
    entrance,
    erasure_pages,
    event_pages,
    factor_pages,
    invitations,
    member_pages,
    outbox_pages,
    people_pages,
    price_pages,
    programme_pages,
    proving,
    quarantine_pages,
    recount_pages,
    same_pages,
    shop_staff_pages,
    till_pages,
    trial_pages,
    z_pages,
)
from headoffice.console.desk import Asked, Desk
from headoffice.console.lists import LongList
from headoffice.console.staff import INVITATION, ROLES, Role

Act = Callable[[Desk, Asked], Response]
Early = Literal["code", "factor"]
"""What somebody who signed in still has to do: give a code, set up a second factor."""
EVERYBODY: Final = frozenset(ROLES)
OVERSEERS: Final[frozenset[Role]] = frozenset(("head_office", "auditor"))
HEAD_OFFICE: Final[frozenset[Role]] = frozenset(("head_office",))
_PRICES: Final = "/console/prices/{list}"
_DRAFT: Final = "/console/programme/drafts/{draft}"
_SHOP_PERSON: Final = f"{shop_staff_pages.PLACE}/{{person}}"
_CODE: Final[frozenset[Early]] = frozenset(("code",))
_FACTOR: Final[frozenset[Early]] = frozenset(("factor",))


class Page(NamedTuple):
    """An address. roles: who is let in; None: whoever comes. early: which of the steps of getting in may be
    before whoever is let in. guess: a wrong answer is counted for the address that it came from.
    takes_file: the form has a file."""

    method: str
    path: str
    act: Act
    roles: frozenset[Role] | None = EVERYBODY
    early: frozenset[Early] = frozenset()
    guess: bool = False
    takes_file: bool = False


def _tills_note(words: Words) -> str:
    return words.say(
        "A till that was silent for two leases is marked. What it can spend offline stays bounded."
    )


def _quarantine_note(words: Words) -> str:
    return words.say(
        "Head office has these events and could not apply them. Nothing of them is lost."
    )


def _conflicts_note(words: Words) -> str:
    return words.say(
        "Two tills wrote the same field and neither knew of the other. The later one stands; both are here."
    )


def _recount_note(words: Words) -> str:
    return words.say(
        "Head office works each sale of a member out again by the rules that it names. What differs is here; "
        "nothing was changed for it."
    )


def _same_note(words: Words) -> str:
    return words.say(
        "Two members with one phone, e-mail address or card, perhaps enrolled at two tills that could not ask "
        "each other. Families share a phone; nobody shares a card."
    )


def _days_note(words: Words) -> str:
    return words.say(
        "Each close of a day that came from a till. What is missing or was not counted is marked."
    )


def _roots_note(words: Words) -> str:
    return words.say(
        "Each night's hash goes over all lines of the audit so far. Kept elsewhere, it shows whether any of "
        "them was changed since: the command verify-audit takes it."
    )


def _erasures_note(words: Words) -> str:
    return words.say(
        "Whether every till that is not revoked has forgotten a person is looked at each night. The person's "
        "page names the tills that have not."
    )


def _listed(made: LongList, roles: frozenset[Role] = EVERYBODY) -> tuple[Page, ...]:
    """A list's page, its form to narrow it by where it has one, and its file."""
    return (
        Page("GET", made.path, made.show, roles),
        Page("POST", made.path, made.choose, roles),
        Page("GET", f"{made.path}.csv", made.file, roles),
    )


TILLS: Final = LongList(
    "/console/tills", "tills", lambda words: words.say("Stores and tills"), _tills_note,
    till_pages.heads, till_pages.rows, till_pages.fields,
)  # fmt: skip
QUARANTINE: Final = LongList(
    quarantine_pages.PLACE, "quarantine", lambda words: words.say("Quarantine"), _quarantine_note,
    quarantine_pages.heads, quarantine_pages.rows, quarantine_pages.fields,
)  # fmt: skip
CONFLICTS: Final = LongList(
    "/console/conflicts", "conflicts", lambda words: words.say("Written over unseen"), _conflicts_note,
    quarantine_pages.conflict_heads, quarantine_pages.conflicts, quarantine_pages.conflict_fields,
    same_pages.beside,
)  # fmt: skip
SAME: Final = LongList(
    same_pages.PLACE, "same", lambda words: words.say("Same person?"), _same_note,
    same_pages.heads, same_pages.rows, same_pages.fields,
)  # fmt: skip
RECOUNT: Final = LongList(
    recount_pages.PLACE, "recount", lambda words: words.say("Documents worked out again"), _recount_note,
    recount_pages.heads, recount_pages.rows, recount_pages.fields,
)  # fmt: skip
AUDIT: Final = LongList(
    audit_pages.PLACE, "audit", lambda words: words.say("Audit"),
    lambda words: words.say("Every sign-in and every look at a member is written down here and stays."),
    audit_pages.heads, audit_pages.rows, audit_pages.fields, audit_pages.beside,
)  # fmt: skip
ROOTS: Final = LongList(
    audit_pages.ROOTS, "audit-roots", lambda words: words.say("Hashes of the audit"), _roots_note,
    audit_pages.root_heads, audit_pages.roots,
)  # fmt: skip
ERASURES: Final = LongList(
    erasure_pages.PLACE, "erasures", lambda words: words.say("Who was erased"), _erasures_note,
    erasure_pages.heads, erasure_pages.rows, erasure_pages.fields,
)  # fmt: skip
DAYS: Final = LongList(
    "/console/days", "days", lambda words: words.say("Day closes"), _days_note,
    day_pages.day_heads, day_pages.days, day_pages.day_fields,
)  # fmt: skip
ALARMS: Final = LongList(
    "/console/alarms", "alarms", lambda words: words.say("Alarms"),
    lambda words: words.say("What stands now comes first, then what is over."),
    day_pages.alarm_heads, day_pages.alarms, day_pages.alarm_fields,
)  # fmt: skip
PAGES: Final = (
    Page("GET", entrance.SIGN_IN, entrance.show_sign_in, None),
    Page("POST", entrance.SIGN_IN, entrance.sign_in, None, guess=True),
    Page("POST", "/console/look", entrance.choose, None),
    Page("POST", "/console/sign-out", entrance.sign_out, early=_CODE | _FACTOR),
    Page("GET", INVITATION, invitations.show, None),
    Page("POST", INVITATION, invitations.accept, None),
    Page("GET", factor_pages.CODE, factor_pages.show_code, early=_CODE),
    Page("POST", factor_pages.CODE, factor_pages.give_code, early=_CODE, guess=True),
    Page("GET", factor_pages.FACTOR, factor_pages.show_factor, early=_FACTOR),
    Page("POST", factor_pages.FACTOR, factor_pages.set_up, early=_FACTOR, guess=True),
    Page("GET", proving.PLACE, proving.show),
    Page("POST", proving.PLACE, proving.prove, guess=True),
    Page("POST", "/console/factor/anew", factor_pages.set_anew, guess=True),
    Page("GET", people_pages.PLACE, people_pages.show_all, HEAD_OFFICE),
    Page("POST", people_pages.PLACE, people_pages.let_in, HEAD_OFFICE),
    Page("GET", "/console/staff.csv", chain_pages.list_file(people_pages.listing), HEAD_OFFICE),
    Page("POST", "/console/choices", people_pages.choose, HEAD_OFFICE),
    Page("GET", "/console/staff/{staff}", people_pages.show_one, HEAD_OFFICE),
    Page("POST", "/console/staff/{staff}/renew", people_pages.renew, HEAD_OFFICE),
    Page("POST", "/console/staff/{staff}/withdraw", people_pages.withdraw, HEAD_OFFICE),
    Page("POST", "/console/staff/{staff}/role", people_pages.set_role, HEAD_OFFICE),
    Page("POST", "/console/staff/{staff}/sessions", people_pages.end_sessions, HEAD_OFFICE),
    Page("POST", "/console/staff/{staff}/shut-out", people_pages.shut_out, HEAD_OFFICE),
    Page("GET", shop_staff_pages.PLACE, shop_staff_pages.show_all, OVERSEERS),
    Page("POST", shop_staff_pages.PLACE, shop_staff_pages.add, HEAD_OFFICE),
    Page(
        "GET",
        "/console/shop-staff.csv",
        chain_pages.list_file(shop_staff_pages.listing),
        OVERSEERS,
    ),
    Page("POST", "/console/shop-staff/take-over", shop_staff_pages.take_over, HEAD_OFFICE),
    Page("GET", _SHOP_PERSON, shop_staff_pages.show_one, OVERSEERS),
    Page("POST", _SHOP_PERSON, shop_staff_pages.change, HEAD_OFFICE),
    Page("POST", f"{_SHOP_PERSON}/let-go", shop_staff_pages.let_go, HEAD_OFFICE),
    Page("POST", f"{_SHOP_PERSON}/back", shop_staff_pages.take_back, HEAD_OFFICE),
    Page("POST", f"{_SHOP_PERSON}/code", shop_staff_pages.give_code, HEAD_OFFICE),
    Page("GET", entrance.HOME, chain_pages.overview),
    *_listed(TILLS),
    Page("GET", address_pages.PLACE, address_pages.show, HEAD_OFFICE),
    Page("POST", address_pages.PLACE, address_pages.tell, HEAD_OFFICE),
    Page("POST", f"{address_pages.PLACE}/keep", address_pages.keep, HEAD_OFFICE),
    Page("POST", f"{address_pages.PLACE}/back", address_pages.take_back, HEAD_OFFICE),
    Page("GET", outbox_pages.PLACE, outbox_pages.show, HEAD_OFFICE),
    Page("POST", outbox_pages.PLACE, outbox_pages.send, HEAD_OFFICE, takes_file=True),
    Page("POST", f"{outbox_pages.PLACE}/take", outbox_pages.take, HEAD_OFFICE, takes_file=True),
    Page("POST", f"{outbox_pages.PLACE}/drop", outbox_pages.drop, HEAD_OFFICE),
    *_listed(QUARANTINE, OVERSEERS),
    Page("GET", "/console/quarantine/{event}", quarantine_pages.event, OVERSEERS),
    Page("POST", "/console/quarantine/{event}", quarantine_pages.say_seen, HEAD_OFFICE),
    *_listed(CONFLICTS, OVERSEERS),
    *_listed(SAME, OVERSEERS),
    Page("GET", "/console/same/{member}/{other}", same_pages.one, OVERSEERS),
    Page("POST", "/console/same/{member}/{other}", same_pages.say_two, HEAD_OFFICE),
    *_listed(RECOUNT, OVERSEERS),
    Page("GET", "/console/recount/{event}", recount_pages.one, OVERSEERS),
    Page("POST", "/console/recount/{event}", recount_pages.say_seen, HEAD_OFFICE),
    Page("GET", recount_pages.ALL, recount_pages.ask_all, HEAD_OFFICE),
    Page("POST", recount_pages.ALL, recount_pages.say_all_seen, HEAD_OFFICE),
    Page("GET", recount_pages.SETTLEMENT, recount_pages.show_settlement, OVERSEERS),
    Page("POST", recount_pages.SETTLEMENT, recount_pages.ask_settlement, OVERSEERS),
    Page("GET", "/console/settlement.csv", chain_pages.list_file(recount_pages.settled), OVERSEERS),
    *_listed(AUDIT, OVERSEERS),
    *_listed(ROOTS, OVERSEERS),
    *_listed(ERASURES, OVERSEERS),
    Page("GET", programme_pages.PLACE, programme_pages.show, OVERSEERS),
    Page("POST", "/console/programme/choice", programme_pages.choose, HEAD_OFFICE),
    Page("POST", "/console/programme/choice/keep", programme_pages.keep_two, HEAD_OFFICE),
    Page("GET", "/console/programme/versions/{version}", programme_pages.version, OVERSEERS),
    Page("POST", "/console/programme/drafts", programme_pages.begin, HEAD_OFFICE),
    Page("GET", _DRAFT, programme_pages.draft, OVERSEERS),
    Page("POST", _DRAFT, programme_pages.save, HEAD_OFFICE),
    Page("POST", f"{_DRAFT}/drop", programme_pages.drop, HEAD_OFFICE),
    Page("POST", f"{_DRAFT}/publish", programme_pages.publish, HEAD_OFFICE),
    Page("GET", price_pages.PLACE, price_pages.show, OVERSEERS),
    Page("POST", price_pages.PLACE, price_pages.send, HEAD_OFFICE, takes_file=True),
    Page("GET", f"{_PRICES}.csv", price_pages.file, OVERSEERS),
    Page("GET", _PRICES, price_pages.one, OVERSEERS),
    Page("POST", f"{_PRICES}/publish", price_pages.publish, HEAD_OFFICE),
    Page("POST", f"{_PRICES}/drop", price_pages.drop, HEAD_OFFICE),
    Page("POST", f"{_DRAFT}/try", trial_pages.try_out, HEAD_OFFICE),
    Page("GET", f"{_DRAFT}/trial", trial_pages.trial, OVERSEERS),
    Page("GET", f"{_DRAFT}/trial.csv", trial_pages.trial_file, OVERSEERS),
    Page("POST", f"{_DRAFT}/stop", trial_pages.stop, HEAD_OFFICE),
    *_listed(DAYS),
    Page("GET", f"{z_pages.PLACE}/{{event}}.csv", z_pages.file),
    Page("GET", f"{z_pages.PLACE}/{{event}}", z_pages.show),
    Page("GET", f"{z_pages.PLACE}/{{event}}/late.csv", z_pages.late_file),
    *_listed(ALARMS),
    Page("GET", "/console/find", member_pages.show_find),
    Page("POST", "/console/find", member_pages.find),
    Page("POST", "/console/members.csv", member_pages.members_file, OVERSEERS),
    Page("GET", "/console/members/{member}", member_pages.member),
    Page("POST", "/console/members/{member}", member_pages.member_whole, member_pages.SEE_VALUES),
    Page("GET", "/console/members/{member}/ledger.csv", member_pages.ledger_file),
    Page("POST", "/console/members/{member}/ledger", member_pages.choose_ledger),
    Page("GET", "/console/members/{member}/events/{event}", event_pages.why),
    Page("POST", "/console/members/{member}/merge", deed_pages.preview, HEAD_OFFICE),
    Page("POST", "/console/members/{member}/merge/done", deed_pages.merge, HEAD_OFFICE),
    Page("POST", "/console/members/{member}/unmerge", deed_pages.unmerge, HEAD_OFFICE),
    Page("POST", "/console/members/{member}/adjust", adjust_pages.preview, HEAD_OFFICE),
    Page("POST", "/console/members/{member}/adjust/done", adjust_pages.adjust, HEAD_OFFICE),
    Page("GET", f"{adjust_pages.PLACE}/{{adjustment}}", adjust_pages.show, HEAD_OFFICE),
    Page("POST", f"{adjust_pages.PLACE}/{{adjustment}}", adjust_pages.agree, HEAD_OFFICE),
    Page("POST", f"{adjust_pages.PLACE}/{{adjustment}}/drop", adjust_pages.drop, HEAD_OFFICE),
    Page("GET", "/console/members/{member}/erase", deed_pages.ask_erase, HEAD_OFFICE),
    Page("POST", "/console/members/{member}/erase", deed_pages.erase, HEAD_OFFICE),
    Page("POST", "/console/members/{member}/keep", deed_pages.keep, HEAD_OFFICE),
    Page("POST", "/console/members/{member}/forgive", deed_pages.forgive, HEAD_OFFICE),
)
