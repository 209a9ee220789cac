"""An operator's commands about a chain's rules: publish a version of the programme, report a lost card, say how
long a till may be offline, settle points between stores. The console does the same for people; these are for
who has no browser there.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from datetime import UTC, datetime

from app.domain.business_day import BusinessDate, business_date_of
from app.domain.errors import Refusal, Refused
from app.domain.member import mask_card
from app.domain.programme_checks import ProgrammeError
from app.error_words import WITH_FACTS
from app.i18n import Words
from app.protocol.references import LEASE_DAYS_MOST, OFFLINE_LEASE, REFERENCE_BUCKET
from app.protocol.wire import ReferenceRow
from headoffice import lost_cards, programmes, settlement
from headoffice.addressing import is_address, tell
from headoffice.api.rules import cut_off_minute
from headoffice.at_store import Cannot, opened
from headoffice.console.listing import safe
from headoffice.operating import chain_of


def publish(chosen: argparse.Namespace, words: Words) -> None:
    """Publish a version of the programme from a file."""
    try:
        document = json.loads(chosen.file.read_bytes())
    except (OSError, ValueError) as error:
        raise Cannot(words.say("{file} can't be read.", file=chosen.file)) from error
    if chosen.starts is not None and isinstance(document, dict):
        document["starts"] = _date(chosen.starts, words).iso()
    with opened(chosen, words) as desk:
        chain = chain_of(desk, chosen, words)
        store = desk.store(chain.tenant)
        try:
            with store.writing():
                today = business_date_of(
                    datetime.now(UTC),
                    offset_minutes=chain.offset_minutes,
                    cut_off_minute=cut_off_minute(desk.database, chain.tenant),
                )
                made = programmes.publish(store, document, today)
                desk.note(chain.tenant, "published", str(made.version))
        except ProgrammeError as error:
            why = words.say(
                "The programme can't be published: {path} ({fault}).",
                path=error.path, fault=error.fault,
            )  # fmt: skip
            raise Cannot(why) from error
        except Refused as error:
            raise Cannot(_refused(error, words)) from error
    told = words.say(
        "Version {version} is in force from {date}; tills have it with their next poll.",
        version=made.version, date=made.programme.starts.iso(),
    )  # fmt: skip
    print(told)


def lost_card(chosen: argparse.Namespace, words: Words) -> None:
    """Report a card lost, or found again."""
    with opened(chosen, words) as desk:
        chain = chain_of(desk, chosen, words)
        store = desk.store(chain.tenant)
        change = lost_cards.take_off if chosen.found else lost_cards.report
        try:
            with store.writing():
                changed = change(store, chosen.number)
                if changed:
                    act = "card_found" if chosen.found else "card_lost"
                    desk.note(chain.tenant, act, mask_card(chosen.number))
        except lost_cards.NoNumber as error:
            raise Cannot(
                words.say("{number} is no card's number.", number=chosen.number)
            ) from error
        except lost_cards.TooMany as error:
            raise Cannot(words.say("The list of lost cards is full: take old ones off.")) from error
    if not changed:
        raise Cannot(words.say("Nothing to do: it is so already."))
    said = (
        words.say("Card {number} is good again.", number=chosen.number)
        if chosen.found
        else words.say(
            "Card {number} is refused from each till's next poll on.", number=chosen.number
        )
    )
    print(said)


def offline_lease(chosen: argparse.Namespace, words: Words) -> None:
    """Say after how many days without head office tills show no members."""
    if not 0 < chosen.days <= LEASE_DAYS_MOST:
        raise Cannot(words.say("The lease is 1 to {most} days.", most=LEASE_DAYS_MOST))
    with opened(chosen, words) as desk:
        tenant = chain_of(desk, chosen, words).tenant
        store = desk.store(tenant)
        with store.writing():
            known = store.reference(OFFLINE_LEASE)
            version = 1 if known is None else known.version + 1
            body = str(chosen.days).encode("ascii")
            store.put_reference(ReferenceRow(OFFLINE_LEASE, REFERENCE_BUCKET, 0, version, body))
            desk.note(tenant, "offline_lease", str(chosen.days))
    print(
        words.say(
            "A till that doesn't reach head office for {days} days shows no members until it does.",
            days=chosen.days,
        )
    )


def new_address(chosen: argparse.Namespace, words: Words) -> None:
    """Tell tills where head office is from now on."""
    address = chosen.address.rstrip("/")
    if not is_address(address):
        raise Cannot(words.say("This is no address for tills, like https://office.example:8440"))
    with opened(chosen, words) as desk:
        chain = chain_of(desk, chosen, words)
        store = desk.store(chain.tenant)
        with store.writing():
            tell(store, address)
            desk.note(chain.tenant, "address_told", address)
    print(
        words.say(
            "Tills hear of it with their next poll and go to {address} once it answers them.",
            address=address,
        )
    )


def settle(chosen: argparse.Namespace, words: Words) -> None:
    """Points by the store where they were earned and the one where they were spent, as CSV."""
    first, last = _date(chosen.first, words), _date(chosen.last, words)
    if first > last:
        raise Cannot(words.say("The first day comes after the last one."))
    with opened(chosen, words) as desk:
        chain = chain_of(desk, chosen, words)
        shops = {shop.id: shop.name for shop in desk.directory.shops_of(chain.tenant)}
        with desk.database.of(chain.tenant):
            found = settlement.report(desk.database, chain.tenant, first, last)
    out = csv.writer(sys.stdout)
    out.writerow(["earned_in", "spent_in", "points", "value_minor", "documents"])
    for each in found:
        names = [shops.get(shop, "") if shop else "" for shop in (each.earned, each.spent)]
        out.writerow([*map(safe, names), each.points, each.value_minor, each.documents])


def _date(text: str, words: Words) -> BusinessDate:
    try:
        return BusinessDate.from_iso(text)
    except ValueError as error:
        raise Cannot(words.say("{text} is no date like 2026-11-30.", text=text)) from error


def _refused(error: Refused, words: Words) -> str:
    if error.code is Refusal.PROGRAMME_STARTS_IN_PAST:
        return words.say("Its first date is over: {starts}.", starts=error.facts["starts"])
    return words.say(WITH_FACTS[error.code], **error.facts)
