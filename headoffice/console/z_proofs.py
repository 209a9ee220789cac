"""What head office can prove of a Z: its signature, its key, and that it has each event since the Z before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from app import statement
from app.i18n import Words
from app.protocol.events import Event, NotCanonical, chain, chain_start
from headoffice.closes import Close
from headoffice.console.listing import Shown
from headoffice.console.snapshot import Snapshot

EVENTS_MOST: Final = 50_000
"""A Z with more events behind it is not gone through on a page."""
_SETUP: Final = "setup"
_OWN_EPOCH: Final = 0
"""Of a till's own journal, which goes on through all epochs of its exchange."""
_STRANGE: Final = (KeyError, TypeError, ValueError, IndexError, AttributeError)
Finding = Literal["fits", "differs", "unknown"]


class Known(NamedTuple):
    """A Z with its event."""

    close: Close
    event: Event


class Proofs(NamedTuple):
    """What was found. key: whether it is the one of the Z before; events: whether those that head office
    has make the head that the Z names."""

    signature: Finding
    key: Finding
    events: Finding


def prove(snapshot: Snapshot, z: Known, before: Known | None) -> Proofs:
    """Check a Z by what its till sent."""
    setup = _setup(snapshot, z.close.device)
    key: Finding = "unknown"
    if before is not None:
        key = "fits" if before.event.doc.get("key") == z.event.doc.get("key") else "differs"
    try:
        return Proofs(_signature(z, setup), key, _events(snapshot, z, before, setup))
    except _STRANGE:
        return Proofs("differs", key, "unknown")


def told(words: Words, proofs: Proofs) -> Iterator[Shown]:
    """The findings in words."""
    say = words.say
    if proofs.signature == "fits":
        yield Shown(say("The signature fits the figures."), tone="good")
    elif proofs.signature == "differs":
        yield Shown(say("The signature does not fit the figures."), tone="warn")
    else:
        yield Shown(say("The signature can't be checked: the till's first event is not here."))
    if proofs.key == "fits":
        yield Shown(say("It is signed with the same key as the Z before it."), tone="good")
    elif proofs.key == "differs":
        yield Shown(say("It is signed with another key than the Z before it."), tone="warn")
    if proofs.events == "fits":
        text = say(
            "Head office has each event up to this Z: together they make the chain head that it names."
        )
        yield Shown(text, tone="good")
    elif proofs.events == "differs":
        text = say("The events that head office has do not make the chain head that this Z names.")
        yield Shown(text, tone="warn")
    else:
        yield Shown(say("Whether all events up to this Z are here was not worked out."))


# Inside ------------------------------------------------------------------------------------------


def _setup(snapshot: Snapshot, device: bytes) -> dict[str, Any] | None:
    """What a till called itself when it was set up, as its statements do."""
    for body in snapshot.bodies(device, 1, 0, 1):
        try:
            event = Event.from_bytes(body, epoch=1, seq=1)
        except NotCanonical:
            return None
        return event.doc if event.kind == _SETUP else None
    return None


def _signature(z: Known, setup: dict[str, Any] | None) -> Finding:
    if setup is None:
        return "unknown"
    doc = z.event.doc
    facts = {
        "format": statement.FORMAT,
        **{name: setup[name] for name in ("tenant", "device", "store", "till", "currency", "exponent")},
        **{name: value for name, value in doc.items() if name != "signature"},
    }  # fmt: skip
    if setup["device"] != z.close.device.hex():
        return "differs"
    try:
        statement.check(statement.to_file(facts, bytes.fromhex(doc["signature"])))
    except (statement.BadStatement, NotCanonical):
        return "differs"
    return "fits"


def _events(
    snapshot: Snapshot, z: Known, before: Known | None, setup: dict[str, Any] | None
) -> Finding:
    """The chain anew from the head that the Z before it names, or from the till's beginning. Not over the
    beginning of an epoch, where a till sends again what came before."""
    epoch, seq = z.close.epoch, z.close.seq
    events = int(z.event.doc["proof"]["events"])
    if epoch is None or seq is None:
        return "unknown"
    if before is None:
        if setup is None or epoch != 1 or seq != events + 1:
            return "unknown"
        first, head = 0, chain_start(bytes.fromhex(setup["tenant"]), z.close.device, _OWN_EPOCH)
    else:
        proof = before.event.doc["proof"]
        if before.close.epoch != epoch or before.close.seq is None:
            return "unknown"
        first, head = before.close.seq - 1, bytes.fromhex(proof["head"])
        if seq - before.close.seq != events - int(proof["events"]):
            return "differs"
    if seq - 1 - first > EVENTS_MOST:
        return "unknown"
    for body in snapshot.bodies(z.close.device, epoch, first, seq - 1):
        head = chain(head, body)
    return "fits" if head.hex() == z.event.doc["proof"]["head"] else "differs"
