"""The pages on which head office takes the events of a lost till from a file that somebody brought."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import Final, NamedTuple

from starlette.responses import Response

from app.domain.business_day import BusinessDate
from app.formats import number
from app.protocol.facts import NotReadable, read
from app.protocol.late import Late, names_of
from app.protocol.outbox_file import NotAnOutbox, Outbox
from headoffice.carried import ACT, NoSuchTill, checked
from headoffice.console import proving, uploading, wording
from headoffice.console.desk import Asked, Desk, go_to
from headoffice.console.snapshot import Snapshot
from headoffice.console.staff import Staff
from headoffice.directory import KnownTill

PLACE: Final = "/console/outbox"
BEGUN: Final = "late_outbox_begun"
PORTION: Final = 30
"""So many events are posted in one transaction, some 70 ms: a till that asks for a hold can wait for it."""


class Seen(NamedTuple):
    """What is in a file. known: of its events, those that head office has. strange: that this version can't
    read. first, last: business dates of the others. digest: of the whole file."""

    device: bytes
    till: str
    shop: str
    events: int
    known: int
    strange: int
    first: BusinessDate | None
    last: BusinessDate | None
    digest: str


def show(desk: Desk, asked: Asked) -> Response:
    """The form for a file; or what is in the one that was sent, before anything is done with it."""
    return _page(desk, asked, 200, "")


def send(desk: Desk, asked: Asked) -> Response:
    """Look into a file and keep it until its sender says what becomes of it."""
    if asked.file is None:
        raise uploading.BadUpload
    say, blob = asked.words.say, uploading.whole(asked.file)
    try:
        _, _, seen = _looked_into(desk, asked, blob)
    except _Unfit as error:
        return _page(desk, asked, 422, str(error))
    if not desk.uploads.put(asked.sender, asked.file, seen, desk.office.now_ms()):
        return _page(
            desk, asked, 503, say("Others are taking files in. Try again in some minutes.")
        )
    asked.file = None
    return _page(desk, asked, 200, "")  # Not by another request: that may reach another process.


def drop(desk: Desk, asked: Asked) -> Response:
    """Do nothing with the file."""
    desk.uploads.drop(asked.sender)
    return go_to(PLACE)


def take(desk: Desk, asked: Asked) -> Response:
    """Post what is new in it. A second time changes nothing, so what was cut off is done again."""
    unproved = proving.first(desk, asked, PLACE)
    if unproved is not None:
        return unproved
    kept, digest = desk.uploads.take(asked.sender), asked.form.get("digest", "")
    if asked.file is not None:
        blob = uploading.whole(asked.file)
        if sha256(blob).hexdigest() != digest:
            no = asked.words.say("This is not the file that was looked into. Look into it first.")
            return _page(desk, asked, 422, no)
    elif kept is not None:
        with kept.file:
            blob = uploading.whole(kept.file)
    else:
        return _once_more(desk, asked, digest)
    try:
        till, outbox, seen = _looked_into(desk, asked, blob)
    except _Unfit as error:
        return _page(desk, asked, 422, str(error))
    found = _post(desk, asked, till, outbox.events)
    return desk.page(
        asked, "outbox_done.html", seen=seen, known=number(found.events - found.new),
        posted=number(found.new - found.quarantined), aside=number(found.quarantined),
        any_aside=found.quarantined > 0,
    )  # fmt: skip


# Inside ------------------------------------------------------------------------------------------


class _Unfit(Exception):
    """Nothing is taken from this file. Said in the reader's language."""


def _looked_into(desk: Desk, asked: Asked, blob: bytes) -> tuple[KnownTill, Outbox, Seen]:
    """Whose file it is, what is in it, and how much of that is new. Raises _Unfit."""
    say = asked.words.say
    try:
        till, outbox = checked(blob, desk.office.tills_of(asked.tenant))
    except NoSuchTill as error:
        raise _Unfit(say("Head office knows no such till.")) from error
    except NotAnOutbox as error:
        raise _Unfit(say("This is no till's outbox, or it was changed.")) from error
    if till.standing != "lost":
        raise _Unfit(
            say("This till is not revoked: it tells its events itself, or revoke it first.")
        )
    with desk.reading(asked) as snapshot:
        return till, outbox, _seen(snapshot, till, outbox, blob)


def _once_more(desk: Desk, asked: Asked, digest: str) -> Response:
    """The file is not here: it is with another process, or its time is over. The same one is taken in without
    a further look, whichever process it reaches."""
    return desk.page(asked, "outbox_again.html", 409, here=PLACE, digest=digest)


def _seen(snapshot: Snapshot, till: KnownTill, outbox: Outbox, blob: bytes) -> Seen:
    names = [names_of(body, read) for body in outbox.events]
    here = snapshot.event_bodies([name for each in names for name in each])
    known = sum(
        any(here.get(name) == body for name in each)
        for each, body in zip(names, outbox.events, strict=True)
    )
    dates = list[BusinessDate]()
    for body in outbox.events:
        with suppress(NotReadable):
            dates.append(read(body).on)
    shop = next(each.name for each in snapshot.shops() if each.id == till.shop)
    return Seen(
        till.device, till.name, shop, len(outbox.events), known,
        len(outbox.events) - len(dates), min(dates, default=None), max(dates, default=None),
        sha256(blob).hexdigest(),
    )  # fmt: skip


def _post(desk: Desk, asked: Asked, till: KnownTill, events: Sequence[bytes]) -> Late:
    """Portion by portion, each a transaction of its own."""
    sums = Late(0, 0, 0)
    for at in range(0, max(len(events), 1), PORTION):
        found = desk.act(asked, partial(_portion, desk, asked, till, events, at, sums.new))
        sums = Late(*(old + new for old, new in zip(sums, found, strict=True)))
    return sums


def _portion(
    desk: Desk,
    asked: Asked,
    till: KnownTill,
    events: Sequence[bytes],
    at: int,
    new: int,
    staff: Staff,
) -> Late:
    """The events from `at` on, when `new` ones were before them."""
    server, now_ms = desk.office.chains[asked.tenant].server, desk.office.now_ms()
    last, short, by = at + PORTION >= len(events), till.device.hex()[:8], asked.person.staff
    if not at:
        staff.note(now_ms, by, BEGUN, detail=f"{short} {len(events)}")
    found = server.take_late(till.device, events[at : at + PORTION], now_ms, last=last)
    if last:
        staff.note(now_ms, by, ACT, detail=f"{short} {new + found.new}/{len(events)}")
        desk.office.recount(asked.tenant, till.device)
    return found


def _page(desk: Desk, asked: Asked, status: int, wrong: str) -> Response:
    kept = desk.uploads.of(asked.sender)
    seen = None if kept is None or wrong else kept.about
    return desk.page(
        asked, "outbox.html", status,
        wrong=wrong, seen=seen, megabytes=uploading.FILE_BYTES_MOST >> 20,
        first="" if seen is None else wording.day(asked.words, seen.first),
        last="" if seen is None else wording.day(asked.words, seen.last),
    )  # fmt: skip
