"""Events that head office has and could not apply: the list, one of them made readable, and who looked at it;
and the values of profiles that were written over unseen."""

from __future__ import annotations

import json
from typing import Final

from starlette.responses import Response

from app.formats import number
from app.protocol import facts
from app.protocol.facts import NotReadable
from app.protocol.hlc import ms_of
from headoffice.console import wording
from headoffice.console.desk import Asked, Desk, NotFound, go_to
from headoffice.console.listing import Listing, Shown
from headoffice.console.staff import Staff

PLACE: Final = "/console/quarantine"
FILE_MOST: Final = 20_000
"""So many events of the quarantine are listed; the overview counts all."""
CONFLICTS_MOST: Final = 500
SHOWN_BYTES: Final = 16 * 1024
_PUT_SEEN: Final = """
INSERT INTO console_seen (tenant_id, dist_key, event_id, staff_id, at_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, event_id) DO NOTHING
"""


def quarantine(desk: Desk, asked: Asked) -> Listing:
    """Events that were acknowledged and kept, but not applied."""
    say = asked.words.say
    with desk.reading(asked) as snapshot:
        chain, rows, seen = snapshot.chain(), snapshot.quarantine(FILE_MOST), snapshot.seen()
    heads = (say("Event"), say("Made at, as its id claims"), say("Bytes"), say("Looked at by"))
    return Listing(
        "quarantine",
        heads,
        tuple(
            (
                Shown(event.hex(), f"{PLACE}/{event.hex()}"),
                Shown(_claimed(event, chain.offset_minutes)),
                Shown(number(size), number=size),
                Shown(seen[event][0]) if event in seen else Shown("–", tone="warn"),
            )
            for event, size in rows
        ),
    )


def event(desk: Desk, asked: Asked) -> Response:
    """One event, as readable as it can be made."""
    wanted = asked.id("event")
    with desk.reading(asked) as snapshot:
        body, seen, chain = snapshot.quarantined_event(wanted), snapshot.seen(), snapshot.chain()
    if body is None:
        raise NotFound
    desk.note(asked, "event_seen", detail=wanted.hex())
    by = seen.get(wanted)
    say = asked.words.say
    looked = by and say(
        "{initials} looked at it, {time}.", initials=by[0],
        time=wording.instant(by[1], chain.offset_minutes),
    )  # fmt: skip
    return desk.page(
        asked, "quarantined.html",
        id=wanted.hex(), size=len(body), why=_why(asked, body), text=readable(body[:SHOWN_BYTES]),
        cut=len(body) > SHOWN_BYTES, seen=looked or "", may_say=asked.person.role == "head_office",
    )  # fmt: skip


def say_seen(desk: Desk, asked: Asked) -> Response:
    """Somebody has looked at an event, and it is no longer counted as new."""
    wanted, now_ms, by = asked.id("event"), desk.office.now_ms(), asked.person.staff
    with desk.reading(asked) as snapshot:
        if snapshot.quarantined_event(wanted) is None:
            raise NotFound

    def act(staff: Staff) -> None:
        staff.run(_PUT_SEEN, wanted, by, now_ms)
        staff.note(now_ms, by, "event_done", detail=wanted.hex())

    desk.act(asked, act)
    return go_to(f"{PLACE}/{wanted.hex()}")


def conflicts(desk: Desk, asked: Asked) -> Listing:
    """Values of all members that were written over unseen, masked, the last first."""
    words, say = asked.words, asked.words.say
    with desk.reading(asked) as snapshot:
        chain = snapshot.chain()
        found = snapshot.all_conflicts(1 << 62, CONFLICTS_MOST)
    tills = desk.office.tills
    heads = (
        say("When"), say("Member"), say("Field"), say("Came"), say("By till"),
        say("Stood, unknown to its writer"), say("By till"),
    )  # fmt: skip

    def till(device: bytes) -> str:
        known = tills.get(device)
        return (
            known.name if known is not None and known.tenant == asked.tenant else device.hex()[:8]
        )

    def value(field: str, text: str | None) -> str:
        return wording.masked(field, text) if text else "–"

    rows = tuple(
        (
            Shown(wording.instant(ms_of(each.decides), chain.offset_minutes)),
            Shown(each.sent.member.hex()[:8], f"/console/members/{each.sent.member.hex()}"),
            Shown(wording.named(words, wording.FIELDS, each.sent.field)),
            Shown(value(each.sent.field, each.sent.value)),
            Shown(till(each.sent.device)),
            Shown(value(each.sent.field, each.conflict.value)),
            Shown(till(each.conflict.device)),
        )
        for each in found
        if each.conflict is not None
    )
    return Listing("conflicts", heads, rows)


def readable(body: bytes) -> str:
    """Bytes as text: JSON with its lines, other text as it is, and what is no text as \\x.."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        text = body.decode(errors="backslashreplace")
        return "".join(
            one if one.isprintable() or one == "\n" else f"\\x{ord(one):02x}" for one in text
        )


def _why(asked: Asked, body: bytes) -> str:
    say = asked.words.say
    try:
        facts.read(body)
    except NotReadable:
        return say("This version can't read it. A later one may; the bytes are kept.")
    return say("It can be read now, but another event with the same id came before it.")


def _claimed(event_id: bytes, offset_minutes: int) -> str:
    """When a UUIDv7 says that it was made; nothing for another id."""
    ms = int.from_bytes(event_id[:6])
    return wording.instant(ms, offset_minutes) if event_id[6] >> 4 == 7 and ms < 1 << 43 else "–"
