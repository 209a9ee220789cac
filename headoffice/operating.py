"""What an operator's commands do. Each opens the store for itself; a serving head office soon sees it."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from app.i18n import Words
from app.protocol.limits import Limits
from app.protocol.server import Server
from headoffice import letting_in
from headoffice.alone import alone
from headoffice.api.keys import ApiKeys, report_own_tills
from headoffice.at_store import (
    Cannot,
    StoreDesk,
    dsn_of,
    existing,
    make_folder,
    opened,
    told,
)
from headoffice.console.staff import ROLES, Staff, initials_of, new_invitation
from headoffice.directory import Chain, KnownTill, Shop
from headoffice.office import wall_ms
from headoffice.store import postgresql_opening

LEASE_HOURS_MOST: Final = 72
_DEVICE_LEAST: Final = 8
ROLE_NAMES: Final = tuple(role.replace("_", "-") for role in ROLES)


def new_chain(chosen: argparse.Namespace, words: Words) -> None:
    """Begin a chain with its stores."""
    limits = _limits(chosen, words)
    make_folder(chosen.data, words)
    with opened(chosen, words, new=True) as desk:
        if any(chain.name == chosen.name for chain in desk.directory.chains()):
            raise Cannot(words.say("There is a chain {name} already.", name=chosen.name))
        shops = chosen.shops or [chosen.name]
        names(words, chosen.name, chosen.bucket, *shops)
        if len(set(shops)) != len(shops):
            raise Cannot(words.say("Two stores have the same name."))
        begin(desk, Chain(uuid4().bytes, chosen.name, chosen.utc_offset, limits), chosen.budget,
               [(shop, chosen.bucket) for shop in shops])  # fmt: skip
    print(words.say("The chain {name} has begun.", name=chosen.name))


def new_store(chosen: argparse.Namespace, words: Words) -> None:
    """Add a store to a chain."""
    with opened(chosen, words) as desk:
        chain = chain_of(desk, chosen, words)
        names(words, chosen.name, chosen.bucket)
        if any(shop.name == chosen.name for shop in _shops(desk, chain)):
            raise Cannot(words.say("The chain has a store {name} already.", name=chosen.name))
        with desk.store(chain.tenant).writing():
            shop = Shop(chain.tenant, uuid4().bytes, chosen.name, chosen.bucket)
            desk.directory.put_shop(shop)
    print(words.say("The store {name} is there.", name=chosen.name))


def enrol_code(chosen: argparse.Namespace, words: Words) -> None:
    """Print a code, alone on its line for whoever pipes it, and what it is good for beside."""
    with opened(chosen, words) as desk:
        chain = chain_of(desk, chosen, words)
        names(words, chosen.till)
        shops = _shops(desk, chain)
        found = [shop for shop in shops if shop.name == chosen.shop]
        if not found:
            known = ", ".join(shop.name for shop in shops)
            raise Cannot(
                words.say("The chain has no such store. Its stores: {names}.", names=known)
            )
        with desk.store(chain.tenant).writing():
            code = letting_in.new_code(desk.directory, found[0], chosen.till, wall_ms())
            desk.note(chain.tenant, "till_code", f"{chosen.shop} / {chosen.till}")
    print(f"{code[:4]}-{code[4:]}")
    told = words.say(
        "For {till} of {store}, once, within ten minutes.", till=chosen.till, store=found[0].name
    )
    print(told, file=sys.stderr)


def new_staff(chosen: argparse.Namespace, words: Words) -> None:
    """Print an invitation to the console, alone on its line, and what it is good for beside."""
    with opened(chosen, words) as desk:
        chain = chain_of(desk, chosen, words)
        initials = initials_of(chosen.initials)
        if not initials.isalnum() or initials != chosen.initials.strip().upper():
            raise Cannot(words.say("Initials are 1 to 12 letters or digits."))
        role, made = ROLES[ROLE_NAMES.index(chosen.role)], new_invitation()
        with desk.store(chain.tenant).writing():
            staff = Staff(desk.database, chain.tenant)
            staff.invite(initials, role, made.digest, wall_ms())
    print(made.path(chain.tenant))
    told = words.say(
        "For {initials} of {chain}, once, within a day: behind head office's address it opens the "
        "page to set a password.",
        initials=initials, chain=chain.name,
    )  # fmt: skip
    print(told, file=sys.stderr)


def list_tills(chosen: argparse.Namespace, words: Words) -> None:
    """One line a till: device, chain, store, name, standing, when it was last heard."""
    with opened(chosen, words) as desk:
        chains = {chain.tenant: chain.name for chain in desk.directory.chains()}
        shops = {shop.id: shop.name for shop in desk.directory.shops()}
        tills = desk.directory.tills()
    for till in tills:
        heard = datetime.fromtimestamp(till.heard_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        line = (
            till.device.hex(),
            chains[till.tenant],
            shops[till.shop],
            till.name,
            till.standing,
            heard,
        )
        print("\t".join(line))


def revoke(chosen: argparse.Namespace, words: Words) -> None:
    """Shut a till out; what it might still have spent counts in W."""
    with opened(chosen, words) as desk:
        till = _till(desk, chosen.device, words)
        if till.standing == "lost":
            raise Cannot(words.say("This till was revoked before."))
        store = desk.store(till.tenant)
        with store.writing():
            amount = Server(store, Limits()).write_off(till.device)
            desk.note(till.tenant, "till_revoked", f"{till.name} {till.device.hex()[:8]}: {amount}")
    print(words.say("Revoked; {points} points were written off.", points=amount))


def restored(chosen: argparse.Namespace, words: Words) -> None:
    """Begin a new timeline: no till is promised anything until every live one has told what it had."""
    with told(chosen, words), alone(existing(chosen, words)), opened(chosen, words) as desk:
        moving = desk.database.moving()
        chains = [chain for chain in desk.directory.chains() if chain.tenant not in moving]
        for chain in chains:
            store = desk.store(chain.tenant)
            with store.writing():
                timeline = max(wall_ms(), store.tenant().timeline + 1)
                Server(store, chain.limits).restored(timeline)
                desk.note(chain.tenant, "restored", str(timeline))
                report_own_tills(ApiKeys(desk.database, chain.tenant), store)
    print(
        words.say(
            "A new timeline has begun. Offline rights come back once every till has synced, "
            "or is revoked."
        )
    )


def migrate(chosen: argparse.Namespace, words: Words) -> None:
    """Bring the database to the schema of this version; tills may go on meanwhile."""
    dsn = dsn_of(chosen.postgresql, words)
    if dsn is None:
        raise Cannot(words.say("Say which database: --postgresql DSN, as the owner of its tables."))
    with told(chosen, words):
        steps = postgresql_opening.migrate(dsn)
    print(words.count("{number} step was made.", "{number} steps were made.", steps, number=steps))


# Inside -------------------------------------------------------------------------------------------


def _limits(chosen: argparse.Namespace, words: Words) -> Limits:
    least = min(chosen.budget, chosen.grant, chosen.cap, chosen.lease_hours, chosen.grace_days)
    if least < 0 or max(chosen.budget, chosen.grant, chosen.cap) > 10**12:
        raise Cannot(words.say("Limits are whole numbers from 0 on."))
    if chosen.lease_hours > LEASE_HOURS_MOST:
        raise Cannot(words.say("A lease is 72 hours at most."))
    if chosen.grace_days * 24 < chosen.lease_hours:
        raise Cannot(words.say("The grace must be as long as the lease, or longer."))
    if abs(chosen.utc_offset) > 14 * 60:
        raise Cannot(words.say("No place is more than 14 hours from UTC."))
    return Limits(
        grant_most=chosen.grant,
        cap=chosen.cap,
        lease_ms=chosen.lease_hours * 3_600_000,
        grace_days=chosen.grace_days,
    )


def names(words: Words, *given: str) -> None:
    """Raises Cannot where one is no name."""
    for name in given:
        if not name.strip() or len(name) > 40 or not name.isprintable():
            raise Cannot(words.say("A name has 1 to 40 letters: {name}", name=repr(name)))


def begin(desk: StoreDesk, chain: Chain, budget: int, shops: list[tuple[str, str]]) -> None:
    """Begin a chain with these stores: (name, bucket)."""
    store = desk.store(chain.tenant)
    with store.writing():
        letting_in.new_chain(store, desk.directory, chain, budget=budget, now_ms=wall_ms())
        for name, bucket in shops:
            desk.directory.put_shop(Shop(chain.tenant, uuid4().bytes, name, bucket))


def chain_of(desk: StoreDesk, chosen: argparse.Namespace, words: Words) -> Chain:
    """The chain that is named, or the only one. Raises Cannot."""
    chains = desk.directory.chains()
    found = [chain for chain in chains if chosen.chain in (None, chain.name)]
    if len(found) != 1:
        names = ", ".join(chain.name for chain in chains)
        raise Cannot(words.say("Say which chain: --chain NAME. There are: {names}.", names=names))
    return found[0]


def _shops(desk: StoreDesk, chain: Chain) -> list[Shop]:
    return list(desk.directory.shops_of(chain.tenant))


def _till(desk: StoreDesk, device: str, words: Words) -> KnownTill:
    """The only till whose device begins so."""
    asked = device.lower()
    found = [till for till in desk.directory.tills() if till.device.hex().startswith(asked)]
    if len(asked) < _DEVICE_LEAST or len(found) != 1:
        raise Cannot(words.say("No till, or more than one, begins so. `tills` lists them."))
    return found[0]
