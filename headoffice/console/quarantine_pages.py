"""Events that head office has and could not apply: the list, one of them made readable, and who looked at it;
and the values of profiles that were written over unseen."""

from __future__ import annotations

import json
from typing import Final

from starlette.responses import Response

from app.formats import number
from app.i18n import Words
from app.protocol import facts
from app.protocol.facts import NotReadable
from app.protocol.hlc import ms_of
from headoffice.console import lists, wording
from headoffice.console.desk import Asked, Desk, NotFound, go_to
from headoffice.console.listing import Shown
from headoffice.console.lists import Field, Filters, Rows
from headoffice.console.staff import Staff

PLACE: Final = "/console/quarantine"
SHOWN_BYTES: Final = 16 * 1024
_PUT_SEEN: Final = """
INSERT INTO console_seen (tenant_id, dist_key, event_id, staff_id, at_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, event_id) DO NOTHING
"""


def heads(words: Words) -> tuple[str, ...]:
    """Of the list of events in quarantine."""
    say = words.say
    return say("Event"), say("Made at, as its id claims"), say("Bytes"), say("Looked at by")


def fields(_: Desk, asked: Asked) -> tuple[Field, ...]:
    """What events in quarantine are narrowed by: when they were made, as their ids claim."""
    return *lists.dates(asked.words), lists.looked_at(asked.words)


def rows(desk: Desk, asked: Asked, filters: Filters) -> Rows:
    """Events that were acknowledged and kept, but not applied."""
    wanted, dated = filters["seen"], bool(filters[lists.FIRST] or filters[lists.LAST])
    with desk.reading(asked) as snapshot:
        offset, seen = snapshot.chain().offset_minutes, snapshot.seen()
        for event, size in snapshot.quarantine(lists.READ):
            at_ms = _claimed_ms(event)
            if dated and (at_ms is None or not filters.has(at_ms, offset)):
                continue
            if wanted and (event in seen) != (wanted == "done"):
                continue
            yield (
                Shown(event.hex(), f"{PLACE}/{event.hex()}"),
                Shown("–" if at_ms is None else wording.instant(at_ms, offset)),
                Shown(number(size), number=size),
                Shown(seen[event][0]) if event in seen else Shown("–", tone="warn"),
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


def conflict_heads(words: Words) -> tuple[str, ...]:
    """Of the list of values that were written over."""
    say = words.say
    return (
        say("When"), say("Member"), say("Field"), say("Came"), say("By till"),
        say("Stood, unknown to its writer"), say("By till"),
    )  # fmt: skip


def conflict_fields(desk: Desk, asked: Asked) -> tuple[Field, ...]:
    """What they are narrowed by; the till is either of the two."""
    words = asked.words
    field = lists.choice(words, "field", words.say("Field"), wording.FIELDS)
    return *lists.dates(words), field, lists.till_choice(desk, asked)


def conflicts(desk: Desk, asked: Asked, filters: Filters) -> Rows:
    """Values of all members that were written over unseen, masked, the last first."""
    words, tills, device = asked.words, desk.office.tills, bytes.fromhex(filters["till"])

    def till(device: bytes) -> str:
        known = tills.get(device)
        return (
            known.name if known is not None and known.tenant == asked.tenant else device.hex()[:8]
        )

    def value(field: str, text: str | None) -> str:
        return wording.masked(field, text) if text else "–"

    with desk.reading(asked) as snapshot:
        offset = snapshot.chain().offset_minutes
        for each in snapshot.all_conflicts(1 << 62, lists.READ):
            sent, stood = each.sent, each.conflict
            if stood is None or not filters.has(ms_of(each.decides), offset):
                continue
            if filters["field"] not in ("", sent.field):
                continue
            if device and device not in (sent.device, stood.device):
                continue
            yield (
                Shown(wording.instant(ms_of(each.decides), offset)),
                Shown(sent.member.hex()[:8], f"/console/members/{sent.member.hex()}"),
                Shown(wording.named(words, wording.FIELDS, sent.field)),
                Shown(value(sent.field, sent.value)),
                Shown(till(sent.device)),
                Shown(value(sent.field, stood.value)),
                Shown(till(stood.device)),
            )


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


def _claimed_ms(event_id: bytes) -> int | None:
    """When a UUIDv7 says that it was made; nothing for another id."""
    ms = int.from_bytes(event_id[:6])
    return ms if event_id[6] >> 4 == 7 and ms < 1 << 43 else None
