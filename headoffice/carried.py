"""A lost till's events that a person brings in a file: whose it is, and `regulars-headoffice take-outbox`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Final

from app.i18n import Words
from app.protocol.limits import Limits
from app.protocol.outbox_file import FILE_BYTES_MOST, NotAnOutbox, Outbox, device_of, opened
from app.protocol.server import Server
from headoffice import at_store
from headoffice.at_store import Cannot, StoreDesk
from headoffice.directory import KnownTill
from headoffice.keys import verifier
from headoffice.office import wall_ms

ACT: Final = "late_outbox"


class NoSuchTill(Exception):
    """It is the outbox of a till that is none of these."""


def checked(blob: bytes, tills: Iterable[KnownTill]) -> tuple[KnownTill, Outbox]:
    """Whose file it is, by its signature. Raises NoSuchTill, NotAnOutbox."""
    device = device_of(blob)
    till = next((each for each in tills if each.device == device), None)
    if till is None:
        raise NoSuchTill
    outbox = opened(blob, lambda signature, signed: _signed(till, signature, signed))
    if outbox.tenant != till.tenant:
        raise NoSuchTill
    return till, outbox


def take_outbox(chosen: argparse.Namespace, words: Words) -> None:
    """Take a revoked till's outbox; a second time changes nothing. No event is refused: what can't be posted
    waits in quarantine."""
    with at_store.opened(chosen, words) as desk:
        till, outbox = _checked(chosen, desk, words)
        if till.standing != "lost":
            raise Cannot(
                words.say(
                    "This till is not revoked: it tells its events itself, or revoke it first."
                )
            )
        store = desk.store(till.tenant)
        offset_ms = _offset_ms(desk, till)
        with store.writing():
            server = Server(store, Limits(), offset_ms=offset_ms)
            found = server.take_late(till.device, outbox.events, wall_ms())
            desk.note(till.tenant, ACT, f"{till.device.hex()[:8]} {found.new}/{found.events}")
    print(
        words.say(
            "{events} events of {till}: {new} were new, {aside} of them wait in quarantine.",
            events=found.events, till=till.name, new=found.new, aside=found.quarantined,
        )
    )  # fmt: skip


def _checked(chosen: argparse.Namespace, desk: StoreDesk, words: Words) -> tuple[KnownTill, Outbox]:
    try:
        if chosen.file.stat().st_size > FILE_BYTES_MOST:
            raise NotAnOutbox("too large")
        return checked(chosen.file.read_bytes(), desk.directory.tills())
    except NoSuchTill as error:
        raise Cannot(words.say("Head office knows no such till.")) from error
    except OSError as error:
        raise Cannot(words.say("{file} can't be read.", file=chosen.file)) from error
    except NotAnOutbox as error:
        raise Cannot(
            words.say("{file} is no till's outbox, or was changed.", file=chosen.file)
        ) from error


def _signed(till: KnownTill, signature: bytes, signed: bytes) -> bool:
    keys = (till.public_key, till.next_key, till.former_key)
    checks = [verifier(key) for key in keys if key is not None]
    return any(check(signature, signed) for check in checks if check is not None)


def _offset_ms(desk: StoreDesk, till: KnownTill) -> int:
    chain = next(each for each in desk.directory.chains() if each.tenant == till.tenant)
    return chain.offset_minutes * 60_000
