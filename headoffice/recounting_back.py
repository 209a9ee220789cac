"""A till's returns and voids, worked out again from the document that they are of (recount_back.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from app.domain.documents import SaleDocument
from app.domain.documents_plain import return_from_plain, sale_from_plain
from app.domain.programme import Programme
from app.domain.recount import Difference
from app.domain.recount_back import recount_return, recount_void
from app.protocol.events import Event, NotCanonical
from app.protocol.facts import Facts
from app.protocol.sales import sale_facts
from app.protocol.store import Store

RETURN: Final = "return"
VOID: Final = "void"
_NO_DOCUMENT: Final = (Difference("no_document", 0, 0),)


def doubts(
    store: Store, event: Event, read: Facts, programme_of: Callable[[int], Programme | None]
) -> Sequence[Difference]:
    """What is to be asked about a member's return or void. Raises what a strange document raises."""
    if event.kind == VOID:
        original = sale_facts(store, bytes.fromhex(event.doc["refers_to"]))
        if original is None:
            return _NO_DOCUMENT
        entries = [posting.entry for posting in original.postings]
        return recount_void(entries, [each.entry for each in read.postings], read.on)
    sale = None if read.sale is None else _sale(store, read.sale)
    if read.sale is None or sale is None:
        return _NO_DOCUMENT
    programme = programme_of(event.programme or 0)
    if programme is None:
        return (Difference("unknown_version", event.programme or 0, 0),)
    document = return_from_plain(event.doc["return"])
    told = tuple((each.line, each.quantity, each.taken, each.restored) for each in read.returned)
    entries = [posting.entry for posting in read.postings]
    found: Sequence[Difference] = ()
    for kept in _kept_before(store, sale, read.sale, event):
        found = recount_return(sale, kept, document, told, entries, programme)
        if not found:
            return ()
    return found


def _kept_before(
    store: Store, sale: SaleDocument, sale_id: bytes, event: Event
) -> list[tuple[int, ...]]:
    """The units of each line that were kept before a return: as the till alone knew it, and as all together.

    Two tills that returned without a line to each other didn't know of one another; what is too much by that
    is the owner's correction (app/protocol/sales.py), not a mistake of a till.
    """
    all_of_it = [line.request.quantity for line in sale.lines]
    own = list(all_of_it)
    for each in store.returns(sale_id):
        if each.event == event.id:
            break
        for part in each.parts:
            all_of_it[part.line] -= part.quantity
            if _device(store, each.event) == event.device:
                own[part.line] -= part.quantity
    return [tuple(own), tuple(all_of_it)]


def _sale(store: Store, sale: bytes) -> SaleDocument | None:
    """A sale that has come; None: it has not, or is none."""
    event = _event(store, sale)
    return None if event is None else sale_from_plain(event.doc["sale"])


def _device(store: Store, event: bytes) -> bytes | None:
    known = _event(store, event)
    return None if known is None else known.device


def _event(store: Store, event: bytes) -> Event | None:
    known = store.event(event)
    if known is None or known.standing == "quarantined":
        return None
    try:
        return Event.from_bytes(known.body, epoch=1, seq=1)
    except NotCanonical:
        return None
