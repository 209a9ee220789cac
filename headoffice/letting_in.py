"""How chains and stores begin, how a till gets in by a one-time code, changes its key, and is shut out.

Each function works inside one transaction of a chain's store, but `enrol`, which makes its own: a wrong try
has to be counted though nothing else is kept.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from app.protocol.endpoints import (
    CODE_LENGTH,
    CODE_LETTERS,
    OTHER_CHAIN,
    Enrol,
    Enrolled,
    Rotate,
    code_of,
)
from app.protocol.references import REFERENCE_BUCKET
from app.protocol.store import Tenant
from headoffice.directory import Chain, Directory, EnrolCode, KnownTill, Shop
from headoffice.nights import first_night
from headoffice.office import Office, Open
from headoffice.store.records import Records

CODE_GOOD_MS: Final = 10 * 60_000
TRIES_MOST: Final = 5
_HALF: Final = CODE_LENGTH // 2

WRONG_CODE: Final = "code"
SLOT_TAKEN: Final = "slot_taken"
DEVICE_TAKEN: Final = "device_taken"


def new_chain(
    store: Records, directory: Directory, chain: Chain, *, budget: int, now_ms: int
) -> None:
    """Begin a chain with risk budget R."""
    store.put_tenant(Tenant(chain.tenant, now_ms, budget, now_ms))
    directory.put_chain(chain)
    directory.put_night(first_night(chain, now_ms))


def new_code(directory: Directory, shop: Shop, till: str, now_ms: int) -> str:
    """A code of 40 random bits that lets one device in as this till of this store, for ten minutes. Where a
    till stands there, that one may come back by it with another key."""
    directory.drop_codes(shop.tenant, now_ms)
    stands = next(_standing(directory.tills_of(shop.tenant), shop.id, till), None)
    made_for = (None, None) if stands is None else (stands.device, b"")
    while True:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        if directory.code(shop.tenant, code[:_HALF]) is None:
            break
    until_ms = now_ms + CODE_GOOD_MS
    directory.put_code(
        EnrolCode(shop.tenant, code[:_HALF], _digest(code), shop.id, till, until_ms, 0, *made_for)
    )
    return code


class LetIn(NamedTuple):
    """A till that was let in, and what it hears."""

    till: KnownTill
    answer: Enrolled


def enrol(office: Office, request: Enrol) -> LetIn | str:
    """Let a till in whose signature proved its key, or say why not: WRONG_CODE, OTHER_CHAIN, SLOT_TAKEN,
    DEVICE_TAKEN."""
    code = code_of(request.code)
    found = [] if code is None else office.directory.codes(code[:_HALF])
    for each in found:
        chain = office.chains.get(each.tenant)
        if chain is None:
            continue
        with chain.store.writing():
            # Another process may have taken it or counted a try since it was found.
            kept = office.directory.code(each.tenant, each.half)
            if kept is None:
                continue
            answer = _enrol_by(office, chain, kept, request, _digest(code or ""))
            if isinstance(answer, str):
                office.directory.put_code(kept._replace(tries=kept.tries + 1))
        if answer != WRONG_CODE:
            return answer
    return WRONG_CODE


def _enrol_by(
    office: Office, chain: Open, kept: EnrolCode, request: Enrol, digest: bytes
) -> LetIn | str:
    right = hmac.compare_digest(kept.sha256, digest)
    if kept.tries >= TRIES_MOST or office.now_ms() >= kept.until_ms or not right:
        return WRONG_CODE
    if kept.public_key and (kept.device, kept.public_key) != (request.device, request.public_key):
        return WRONG_CODE
    if request.tenant not in (b"", kept.tenant):
        return OTHER_CHAIN
    shop = office.shops[kept.shop]
    if not _may_be(office, chain, kept, request):
        return DEVICE_TAKEN
    tills = office.directory.tills_of(kept.tenant)
    if any(till.device != request.device for till in _standing(tills, kept.shop, kept.name)):
        return SLOT_TAKEN
    _let_in(chain, shop, request)
    till = _known(kept, request, tills, office.now_ms())
    if kept.public_key != request.public_key:  # else the same answer is asked for again
        told = f"{shop.name} / {kept.name} {request.device.hex()[:8]}"
        office.staff(kept.tenant).note(office.now_ms(), None, "till_let_in", detail=told)
    office.directory.put_till(till)
    office.directory.put_code(kept._replace(device=request.device, public_key=request.public_key))
    return LetIn(till, _enrolled(office, chain, shop, kept, request))


def _known(kept: EnrolCode, request: Enrol, tills: Iterable[KnownTill], now_ms: int) -> KnownTill:
    """The till that comes by a code. Of one that comes back by its own key stays known what was."""
    before = next((each for each in tills if each.device == request.device), None)
    key, former, key_ms = request.public_key, None, now_ms
    if before is not None and before.public_key == key:
        former, key_ms = before.former_key, before.key_ms
    elif before is not None:
        former = before.public_key
    return KnownTill(
        kept.tenant, request.device, kept.shop, kept.name, key, None, now_ms,
        former_key=former, key_ms=key_ms,
    )  # fmt: skip


def _may_be(office: Office, chain: Open, kept: EnrolCode, request: Enrol) -> bool:
    """Whether this device may come by this code. Device ids are no secret, they stand in every member's row:
    so one that is known comes by a code of its own place alone, and a live one with another key only by a code
    that was made while it stood there, as after a joining that was cut off before the till had heard of it."""
    known, elsewhere = chain.store.device(request.device), office.till(request.device)
    if known is None:
        return elsewhere is None or elsewhere.tenant == kept.tenant
    tills = office.directory.tills_of(kept.tenant)
    before = next((till for till in tills if till.device == request.device), None)
    # A device without a till is head office's own: the open API's.
    if before is None or known.standing == "lost":
        return False
    if (before.shop, before.name) != (kept.shop, kept.name):
        return False
    made_for_it = kept.device == request.device and kept.public_key == b""
    same_key = request.public_key in (before.public_key, before.next_key)
    return same_key or known.standing == "locked" or made_for_it


def _standing(tills: Iterable[KnownTill], shop: bytes, name: str) -> Iterator[KnownTill]:
    """Who stands at a place: to be revoked before another one comes, so that what it may spend is known."""
    return (
        till for till in tills if (till.shop, till.name) == (shop, name) and till.standing != "lost"
    )


def _let_in(chain: Open, shop: Shop, request: Enrol) -> None:
    """A till that had dealings with this head office, of which a restored store knows nothing, has yet to tell
    what it had."""
    device = chain.store.device(request.device)
    if device is None:
        forgotten = request.timeline != 0
        buckets = (shop.bucket, REFERENCE_BUCKET)
        chain.server.enrol(request.device, shop.bucket, *buckets, forgotten=forgotten)
    elif device.standing == "locked":
        chain.server.unlock(request.device)


def _enrolled(office: Office, chain: Open, shop: Shop, kept: EnrolCode, request: Enrol) -> Enrolled:
    device = chain.store.device(request.device)
    assert device is not None, "it was let in just now"
    return Enrolled(
        rid=request.rid,
        tenant=kept.tenant,
        chain=chain.chain.name,
        store=shop.name,
        till=kept.name,
        home=device.home,
        buckets=device.buckets,
        timeline=chain.store.tenant().timeline,
        epoch=device.place.epoch,
        server_key=office.key.public,
    )


def enrolled(office: Office, till: KnownTill) -> None:
    """Know the till from now on, after the commit."""
    office.put_till(till)
    office.quiet.forget(till.device)
    office.hearing.hear(till.device)


def rotate(office: Office, till: KnownTill, request: Rotate, *, by_next: bool) -> KnownTill | None:
    """Know the key that a till changes to, beside the one that signed this; a key that is known already changes
    nothing. None: the key that signed is no more the till's, as another process has heard meanwhile."""
    tills = office.directory.tills_of(till.tenant)
    kept = next(each for each in tills if each.device == till.device)
    signed_by = till.next_key if by_next else till.public_key
    if signed_by not in (kept.public_key, kept.next_key):
        return None
    after = kept if signed_by == kept.public_key else kept.by_next()
    if request.public_key not in (after.public_key, after.next_key):
        after = after._replace(next_key=request.public_key, key_ms=office.now_ms())
        told = f"{office.shops[till.shop].name} / {till.name} {till.device.hex()[:8]}"
        office.staff(till.tenant).note(office.now_ms(), None, "till_key", detail=told)
    office.directory.put_till(after)
    return after


def _digest(code: str) -> bytes:
    return sha256(code.encode()).digest()
