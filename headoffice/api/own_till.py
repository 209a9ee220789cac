"""The device that a system's writes come from: a till of head office's own, without a counter.

Its events stand in a chain like any till's, and go through the same half of the protocol, inside the writer's
transaction: so journal, folds, rights, feeds and the bound hold for them with no second way. Nothing of it can
be rolled back or forked: its chain has no other copy than the store's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry
from app.ids import Uuid7
from app.protocol.card_leases import of_one
from app.protocol.events import Event
from app.protocol.facts import HOLD_VOID, Authority, Facts, plain_entry, plain_sync, read
from app.protocol.hlc import stamp
from app.protocol.ids import random_id
from app.protocol.open_members import survivor
from app.protocol.store import Device, Member
from app.protocol.wire import Cell, HoldReply, HoldRequest, SyncReply, SyncRequest
from headoffice.api.keys import ApiKey
from headoffice.api.problems import Problem
from headoffice.card_leases import CardLeases
from headoffice.console.snapshot import Snapshot
from headoffice.office import Office
from headoffice.store.plain import Plain

_rng: Final = random.SystemRandom()


class OwnTill:
    """A key's device, inside one writing transaction."""

    def __init__(self, office: Office, key: ApiKey) -> None:
        self._office, self._key = office, key
        self.chain = office.chains[key.tenant]
        self.store = self.chain.store
        self.now_ms = office.now_ms()
        self._ids = Uuid7(lambda: self.now_ms * 1000)

    @property
    def plain(self) -> Plain:
        """The database, for rows that the exchange knows nothing of."""
        return self._office.plain

    @property
    def device(self) -> Device:
        """Where its chain stands."""
        known = self.store.device(self._key.device)
        assert known is not None, "a key is made with its device"
        return known

    @property
    def system(self) -> str:
        """The name of the system."""
        return self._key.name

    @property
    def today(self) -> BusinessDate:
        """The chain's date."""
        return self.chain.server.today(self.now_ms)

    def new_id(self) -> bytes:
        """An id for an event, a member or a hold."""
        return self._ids()

    def note(self, act: str, member: bytes | None = None, detail: str = "") -> None:
        """A line of the audit: which key did what. `detail` is a code or a count, never a personal value."""
        told = f"{self._key.name} {self._key.id} {detail}".rstrip()
        self._office.staff(self._key.tenant).note(
            self.now_ms, None, act, member=member, detail=told
        )

    # Members

    def member(self, member_id: bytes) -> Member:
        """The member, or who they were merged into. Raises Problem: not_found, erased."""
        return living(self.store.member(survivor(self.store, member_id)))

    def account(self, member_id: bytes) -> Member:
        """The same, of somebody who was erased, too: points of theirs still go back, for nothing may block the
        customer's right to return (domain.md section 3). Raises Problem: not_found."""
        return known_of(self.store.member(survivor(self.store, member_id)))

    def has(self, field: str, value: str) -> bool:
        """Whether a member has this phone or card already, one that was enrolled a moment ago too."""
        ids = {cell.sent.member for cell in self.store.new_cells() if cell.sent.value == value}
        ids.update(Snapshot(self.plain, self._key.tenant).having(field, value))
        found = map(self.store.member, sorted(ids))
        return any(each is not None and is_known_by(each, field, value) for each in found)

    def leased(self, card: str) -> bool:
        """Whether a till of the chain may give this card number out."""
        return CardLeases(self.plain, self._key.tenant).overlaps(of_one(card))

    def home(self, bucket: str) -> None:
        """Members that are new from now on belong to a store's bucket."""
        if self.device.home != bucket:
            self.store.put_device(self.device._replace(home=bucket))

    def cells(self, member: bytes, fields: dict[str, str | None]) -> list[Cell]:
        """Profile fields as this device writes them now; those that stand as they are left out."""
        known = self.store.member(member)
        stood = {} if known is None else known.cells
        made = []
        for name, value in fields.items():
            before = stood.get(name)
            if (before.value if before else None) != value:
                over = before.hlc if before else 0
                hlc = stamp(over, self.now_ms)
                made.append(Cell(member, name, value, hlc, self._key.device, over))
        return made

    def sales_of(self, receipt: str) -> Sequence[bytes]:
        """The sales of a receipt's number, those that came a moment ago too."""
        return self.chain.server.receipts(receipt)

    # Events

    def hold(self, hold: bytes, member: bytes, points: int, on: BusinessDate) -> bool:
        """Reserve points; False: they are not free, and nothing was written."""
        return self._hold(hold, on, member=member, asset=POINTS, amount=points)

    def hold_lines(
        self, hold: bytes, sale: bytes, lines: tuple[tuple[int, int], ...], on: BusinessDate
    ) -> bool:
        """Reserve lines of a sale for a return."""
        return self._hold(hold, on, sale=sale, lines=lines)

    def void(self, hold: bytes) -> None:
        """End a hold unused."""
        self.record(Facts(self.new_id(), HOLD_VOID, None, self.today, hold=hold))

    def _hold(
        self,
        hold: bytes,
        on: BusinessDate,
        *,
        member: bytes | None = None,
        asset: str = "",
        amount: int = 0,
        sale: bytes | None = None,
        lines: tuple[tuple[int, int], ...] = (),
    ) -> bool:
        device = self.device
        request = HoldRequest(
            random_id(_rng), device.id, device.place.epoch, self.store.tenant().timeline, hold, member,
            asset, amount, on, sale, lines,
        )  # fmt: skip
        reply = self.chain.server.handle(request, self.now_ms, _rng)
        assert isinstance(reply, HoldReply), "head office's own device is let in"
        return reply.granted

    def record(
        self,
        facts: Facts,
        doc: dict[str, Any] | None = None,
        *,
        entries: Sequence[Entry] = (),
        authority: Authority | None = None,
        programme: int | None = None,
        cells: Sequence[Cell] = (),
    ) -> None:
        """Write an event and profile cells; `authority` is that of the entry that spends points."""
        body = Event(
            id=facts.id,
            command_id=self.new_id(),
            device=self._key.device,
            epoch=self.device.place.epoch,
            seq=self.device.place.seq + 1,
            kind=facts.kind,
            at_us=self.now_ms * 1000,
            offset_min=self.chain.chain.offset_minutes,
            business_date=int(facts.on),
            staff_id=None,
            shift_id=None,
            member_id=facts.member,
            programme=programme,
            entries=[
                plain_entry(entry, authority if entry.kind == "redeem" else None)
                for entry in entries
            ],
            doc={"system": self._key.name, **(doc or {})},
            sync=plain_sync(facts),
        ).to_bytes()
        read(
            body
        )  # One that head office can't read is a mistake of ours, and is not to be quarantined.
        self._push((body,), cells)

    def write(self, cells: Sequence[Cell]) -> None:
        """Write profile cells that no event goes with."""
        self._push((), cells)

    def _push(self, bodies: tuple[bytes, ...], cells: Sequence[Cell]) -> None:
        device = self.device
        request = SyncRequest(
            rid=random_id(_rng),
            device=device.id,
            timeline=self.store.tenant().timeline,
            acked=device.place,
            top=device.place.seq + len(bodies),
            events=bodies,
            cells=tuple(cells),
            cursors={},
            wants_grant=False,
        )
        reply = self.chain.server.handle(request, self.now_ms, _rng)
        assert isinstance(reply, SyncReply), "its chain has no other copy"
        assert reply.have.seq == request.top, "what it sends is taken"
        self._office.recount(self._key.tenant, device.id)


def is_known_by(known: Member, field: str, value: str) -> bool:
    """Whether this value of a field stands today, of somebody who is not another one by now."""
    cell = known.cells.get(field)
    return cell is not None and cell.value == value and not known.erased and known.alias is None


def living(known: Member | None) -> Member:
    """The member, if there is one. Raises Problem: not_found, erased."""
    found = known_of(known)
    if found.erased:
        raise Problem("erased")
    return found


def known_of(known: Member | None) -> Member:
    """The member, erased or not. Raises Problem: not_found."""
    if known is None:
        raise Problem("not_found")
    return known
