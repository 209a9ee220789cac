"""Head office at work: the store, its chains, and what of them is kept in memory between requests.

The writer's thread opens the store and is the only one that touches it (writer.py). Whoever serves requests
reads what is in memory: tills with their keys, heads, figures. What head office decides is app/protocol's.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from app.protocol import card_leases, facts
from app.protocol.card_leases import Block, CardsRequest
from app.protocol.chains import Reader
from app.protocol.facts import Facts, NotReadable
from app.protocol.references import REFERENCE_BUCKET, is_visited, visited_bucket
from app.protocol.server import Server
from app.protocol.shop_staff import StaffRequest
from app.protocol.store import Tenant
from app.protocol.wire import (
    LookRequest,
    Refusal,
    Reply,
    Request,
    SyncReply,
    SyncRequest,
)
from headoffice import audit, looked, shared_values, waiting
from headoffice.alarms import Figures, silent_of
from headoffice.api.keys import ApiKey, ApiKeys
from headoffice.api.rules import cut_off_minute
from headoffice.card_leases import CardLeases
from headoffice.console.staff import Staff
from headoffice.counting import Counted, count
from headoffice.directory import Chain, Directory, KnownTill, Shop
from headoffice.hearing import Hearing
from headoffice.keys import ServerKey
from headoffice.nights import Duty, Nights
from headoffice.quiet import Known, QuietPolls
from headoffice.recounting import Recounting
from headoffice.shop_staff import ShopStaff
from headoffice.store.errors import BUSY_ERRORS
from headoffice.store.plain import News, Place, Plain
from headoffice.store.records import Records
from headoffice.telling import Telling
from headoffice.watching import Watch, bug, note

STORE_FILE: Final = "office.db"
HEARD_EVERY_MS: Final = 5 * 60_000
"""So often it is written down when tills talked that had nothing to say."""
MONTHS_EVERY_MS: Final = 60 * 60_000
"""So often the months that come are looked at: they are made three ahead."""
HEARD_AT_ONCE: Final = 500
"""So many tills are written down in one transaction: others wait for it."""
PAUSE_S: Final = 0.25
PAUSE_MOST_S: Final = 8.0
"""Between tries to reach a lost database: twice as long each time, and never for all processes at once."""
UNREADABLE: Final = "unreadable"
Clock = Callable[[], int]


def wall_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Open:
    """A chain whose store is open. `kinds`: of the events that the group under way has read. `rules_head`: the
    head of the reference data when its programme was looked at; -1: never."""

    chain: Chain
    store: Records
    server: Server
    kinds: Counter[str] = field(default_factory=Counter)
    rules_head: int = -1


class Office:
    """Implements writer.Desk. `now_ms` is the wall clock, `read` reads an event's facts."""

    def __init__(
        self,
        place: Place,
        key: ServerKey,
        watch: Watch,
        *,
        now_ms: Clock = wall_ms,
        read: Reader = facts.read,
        mails: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.key = key
        self.now_ms = now_ms
        self.quiet = QuietPolls()
        self.tills: Mapping[bytes, KnownTill] = {}
        self.shops: Mapping[bytes, Shop] = {}
        self.hearing = Hearing(now_ms)
        self.heard = self.hearing.heard
        self.known: dict[bytes, Known] = {}
        self.moving: frozenset[bytes] = frozenset()
        self.chains: dict[bytes, Open] = {}
        self.api_keys: Mapping[str, ApiKey] = {}
        self.telling = Telling(now_ms, mails)
        self.place = place
        self._watch = watch
        self._read = read
        self._rng = random.SystemRandom()
        self._again_s = self._pause_s = 0.0
        self._written_ms = self._months_ms = 0
        self._used: dict[tuple[bytes, str], int] = {}
        self._counted: dict[bytes, Counted] = {}
        self._ending: dict[bytes, tuple[Tenant | None, dict[str, int]]] = {}
        self._uncounted = set[bytes]()

    # What requests ask of memory

    def till(self, device: bytes) -> KnownTill | None:
        """A till that was let in, live or not."""
        return self.tills.get(device)

    def tills_of(self, tenant: bytes) -> Sequence[KnownTill]:
        """A chain's tills."""
        return [till for till in self.tills.values() if till.tenant == tenant]

    def answer_quietly(self, till: KnownTill, request: SyncRequest) -> SyncReply | None:
        """The answer to a poll that needs no store."""
        known = self.known.get(till.tenant)
        if known is None or till.standing != "live":
            return None
        return self.quiet.answer(request, known, self.now_ms())

    def use_key(self, key: ApiKey) -> None:
        """Somebody got in with a key of the open API."""
        self._used[key.tenant, key.id] = self.now_ms()

    # What the writer does

    def open(self) -> None:
        self._open()
        self._reload()

    def broken(self, error: Exception) -> None:
        note("writer_broken", level=logging.ERROR, **bug(error))

    def close(self) -> None:
        try:
            self._write_heard()
        except BUSY_ERRORS as error:
            self._watch.store_failed(error)
        self._database.close()

    @contextmanager
    def writing(self, tenant: bytes, requests: Sequence[Request]) -> Iterator[None]:
        chain = self.chains[tenant]
        chain.kinds.clear()
        self._ending.pop(tenant, None)
        with chain.store.writing(requests):
            yield

    def committed(self, tenant: bytes, jobs: int) -> None:
        self._watch.group(jobs, self.chains[tenant].kinds)
        known, ending = self.known.get(tenant), self._ending.pop(tenant, None)
        if known is None or ending is None or REFERENCE_BUCKET in ending[1]:
            self._take_committed(tenant)
            return
        self.telling.committed()
        if any(is_visited(name) and not known.heads.get(name) for name in ending[1]):
            # Tills got a bucket more of which their last answers do not tell.
            self.quiet.forget_all()
        self.known[tenant] = Known(ending[0] or known.tenant, {**known.heads, **ending[1]})
        self._watch.figures(self.known[tenant], self._counted[tenant].quarantined, self.now_ms())
        self._uncounted.add(tenant)

    def _take_committed(self, tenant: bytes) -> None:
        self.telling.committed()
        try:
            self._take_figures(tenant)
        except BUSY_ERRORS as error:
            # What was committed is; until the store can be read again no poll is answered from memory.
            self.known.pop(tenant, None)
            self._watch.store_failed(error)

    def rolled_back(self, tenant: bytes) -> None:
        self._watch.rolled_back()

    def look(self) -> None:
        try:
            if self.away and not self._reopen():
                return
            news = self._database.news()
            if news or not self._loaded:
                self._hear_news(news)
            self._database.tidy()
            for tenant in tuple(self._uncounted):
                self._count(tenant)
            if self.now_ms() - self._written_ms >= HEARD_EVERY_MS:
                self._write_heard()
            if self.telling.due():
                self._look_at_alarms()
            if self.now_ms() - self._months_ms >= MONTHS_EVERY_MS:
                self._look_at_months()
        except BUSY_ERRORS as error:
            self._watch.store_failed(error)

    def turn(self, waits: Callable[[], bool]) -> bool:
        if self.away:
            return False
        tenant = self._nights.turn(self._duties, self.now_ms(), waits)
        if tenant is None:
            tenant = self._recounting.turn(self._duties, self.now_ms(), waits)
        if tenant is None:
            return False
        self._take_committed(tenant)
        return True

    def serve(self, request: Request, till: KnownTill, *, by_next: bool) -> Reply:
        """Answer a request, inside the transaction. `by_next`: the key that the till changes to signed it."""
        chain = self.chains[till.tenant]
        if by_next and till.next_key is not None:
            self.directory.put_till(till.by_next())
        if isinstance(request, LookRequest):
            return looked.answer(self._database, chain.server, request, self.now_ms(), self._rng)
        return chain.server.handle(request, self.now_ms(), self._rng)

    def served(self, request: Request, till: KnownTill, reply: Reply, *, by_next: bool) -> None:
        """Take into memory what a request has changed, after the commit."""
        if by_next and till.next_key is not None:
            self.put_till(till.by_next())
        if isinstance(reply, Refusal) and reply.why == "locked":
            self.put_till(self.tills[till.device]._replace(standing="locked"))
        if isinstance(request, SyncRequest) and isinstance(reply, SyncReply):
            self.quiet.remember(request, reply)
            if request.events:
                self._recounting.due(till.tenant, till.device)
        else:
            self.quiet.forget(till.device)

    def recount(self, tenant: bytes, device: bytes) -> None:
        """A device of head office's own has written something."""
        self._recounting.due(tenant, device)

    def put_till(self, till: KnownTill) -> None:
        """Know a till from now on; the store knows it already."""
        self.tills = {**self.tills, till.device: till}

    @property
    def away(self) -> bool:
        """Whether the database can't be reached."""
        return not self._database.alive

    # Inside

    def _reopen(self) -> bool:
        """Reach a lost database again; what is in memory is then read anew. False: it is too early for another
        try. Raises what is in its way."""
        now_s = time.monotonic()
        if now_s < self._again_s:
            return False
        self._pause_s = min(max(2 * self._pause_s, PAUSE_S), PAUSE_MOST_S)
        self._again_s = now_s + self._rng.uniform(0.5, 1) * self._pause_s
        self._database.close()
        self._open()
        self._pause_s = 0.0
        note("store_back")
        return True

    def _open(self) -> None:
        self._database = self.place.open()
        self._loaded = False
        self.directory = Directory(self._database)
        self._nights = Nights(self.directory, self._watch, self._put_root)
        self._recounting = Recounting(self._database, self._watch)

    def _put_root(self, tenant: bytes, night: int, now_ms: int) -> audit.Root:
        """In the transaction that ends a night: how far the audit goes, for whoever keeps it elsewhere."""
        root = audit.put_root(self._database, tenant, night, now_ms)
        self.telling.tell(self._database, tenant, [root.told()])
        return root

    def _hear_news(self, news: Mapping[bytes, News]) -> None:
        """Read anew what others have written: of a chain whose members and documents alone were, its heads."""
        if not self._loaded or not news.keys() <= self.chains.keys():
            self._reload()
            return
        for tenant, each in news.items():
            if each.kept:
                self._reread(tenant)
            self.quiet.forget_chain(tenant, self.tills)
            self._take_figures(tenant)
        self._database.heard(news)

    def _reread(self, tenant: bytes) -> None:
        """Read what is kept in memory of one chain."""
        with self._database.of(tenant):
            (chain,) = self.directory.chains_of(tenant)
            shops, tills = self.directory.shops_of(tenant), self.directory.tills_of(tenant)
            keys = ApiKeys(self._database, tenant).all()
        self.shops = {**self.shops, **{shop.id: shop for shop in shops}}
        if self.chains[tenant].chain != chain:
            self.chains[tenant] = self._opened(chain)
        self.tills = {**self.tills, **{till.device: till for till in tills}}
        for till in tills:
            self.heard[till.device] = max(self.heard.get(till.device, 0), till.heard_ms)
        self.api_keys = {**self.api_keys, **{key.id: key for key in keys}}
        opened = self.chains[tenant]
        self._duties[tenant] = Duty(opened.chain, opened.store, self._buckets(tenant))
        self._nights.read(tenant)
        self.telling.load(self._database, [chain])
        self._recounting.read((tenant, device) for device in {each.device for each in tills})
        self._recounting.read((tenant, device) for device in {each.device for each in keys})

    def _reload(self) -> None:
        """Read all that is kept in memory."""
        news = self._database.news()
        self.quiet.forget_all()
        self.moving = self._database.moving()
        chains = {chain.tenant: chain for chain in self.directory.chains()}
        self.chains = {tenant: self._opened(chain) for tenant, chain in chains.items()}
        self.shops = {shop.id: shop for shop in self.directory.shops()}
        self.tills = {till.device: till for till in self.directory.tills()}
        for device, till in self.tills.items():
            self.heard[device] = max(self.heard.get(device, 0), till.heard_ms)
        self.api_keys = {key.id: key for tenant in chains for key in self._keys(tenant)}
        self._duties = {
            tenant: Duty(opened.chain, opened.store, self._buckets(tenant))
            for tenant, opened in self.chains.items()
            if tenant not in self.moving
        }
        self._nights.read()
        self._recounting.read((till.tenant, till.device) for till in self.tills.values())
        self.telling.load(self._database, chains.values())
        self._recounting.read((key.tenant, key.device) for key in self.api_keys.values())
        for tenant in chains:
            self._take_figures(tenant)
        # What was asked before all of it is known after it: a reading that failed is done anew.
        self._database.heard(news)
        self._loaded = True

    def _opened(self, chain: Chain) -> Open:
        store = self._database.store(chain.tenant)
        tell = self.telling.noticing(chain.tenant, self._database)

        def notice(records: Records) -> None:
            tell(records)
            self._ending[chain.tenant] = records.changed_figures()

        store.noticing = notice
        kinds = Counter[str]()

        def read(body: bytes) -> Facts:
            try:
                found = self._read(body)
            except NotReadable:
                kinds[UNREADABLE] += 1
                raise
            kinds[found.kind] += 1
            return found

        def sales_of(number: str) -> Sequence[bytes]:
            return self._recounting.sales_of(store, chain.tenant, number, self.now_ms())

        def take_staff(request: StaffRequest) -> None:
            people = ShopStaff(Staff(self._database, chain.tenant), self.tills_of(chain.tenant))
            people.take_told(store, request, self.now_ms())

        def lease_cards(request: CardsRequest, recovering: bool) -> tuple[Block, ...] | None:
            leases = CardLeases(self._database, chain.tenant)
            timeline = None if recovering else store.tenant().timeline
            return card_leases.answer(leases, request, timeline, self.now_ms())

        server = Server(
            store, chain.limits, read, people=partial(looked.people, self._database, chain.tenant),
            where=partial(looked.where, self._database, chain.tenant), receipts=sales_of,
            staff=take_staff, cards=lease_cards,
            fields=partial(shared_values.note, self._database, store, self.now_ms),
        )  # fmt: skip
        return Open(chain, store, server, kinds)

    def _take_figures(self, tenant: bytes) -> None:
        store = self.chains[tenant].store
        with store.reading():
            known = Known(
                store.tenant(), {name: store.head(name) for name in self._buckets(tenant)}
            )
            if self.chains[tenant].rules_head != known.heads[REFERENCE_BUCKET]:
                self._take_day(self.chains[tenant], known.heads[REFERENCE_BUCKET])
        self.known[tenant] = known
        self._count(tenant)

    def _take_day(self, opened: Open, head: int) -> None:
        """When business days begin is the programme's to say; it was looked up at this head of its feed."""
        cut_off = cut_off_minute(self._database, opened.chain.tenant)
        offset_ms = (opened.chain.offset_minutes - cut_off) * 60_000
        opened.server, opened.rules_head = replace(opened.server, offset_ms=offset_ms), head

    def _count(self, tenant: bytes) -> None:
        """What is counted row by row: not after each commit, but when the writer looks around."""
        self._uncounted.discard(tenant)
        if tenant not in self.known:
            return
        with self._database.of(tenant):
            found = count(self._database, self.directory, tenant, self.now_ms())
        self._counted[tenant] = found
        self._watch.flags(tenant, found.flagged)
        self._watch.erasures(tenant, found.erased)
        self._watch.figures(self.known[tenant], found.quarantined, self.now_ms())

    def _look_at_alarms(self) -> None:
        tills: dict[bytes, list[KnownTill]] = {tenant: [] for tenant in self.chains}
        for till in self.tills.values():
            tills.setdefault(till.tenant, []).append(till)
        for tenant, opened in self.chains.items():
            known = self.known.get(tenant)
            if known is None or tenant in self.moving:
                continue
            silent = silent_of(tills[tenant], self.heard, self.now_ms())
            found, store = self._counted[tenant], opened.store
            shared = shared_values.settled(
                self._database, store, tenant, found.shared, self.now_ms()
            )
            self._counted[tenant] = found._replace(shared=shared)
            figures = Figures(
                known, found.unseen, silent, opened.chain.limits.lease_ms,
                tenant in self._nights.failing, self.telling.settling,
                waiting.still(found.asked, self.now_ms()), found.flagged, shared, found.erased,
            )  # fmt: skip
            self.telling.look(self._database, opened.store, tenant, figures)

    def _look_at_months(self) -> None:
        self._months_ms = self.now_ms()
        made = self._database.make_months()
        if made:
            note("months_made", months=made)
        for tenant in self.chains:
            with self._database.of(tenant):
                self._watch.undated(tenant, self._database.undated())

    def staff(self, tenant: bytes) -> Staff:
        """Who may sign in to a chain's console, in the transaction that is under way."""
        return Staff(self._database, tenant)

    @property
    def plain(self) -> Plain:
        """The database in the transaction that is under way, for rows that the exchange knows nothing of."""
        return self._database

    def _keys(self, tenant: bytes) -> list[ApiKey]:
        with self._database.of(tenant):
            return ApiKeys(self._database, tenant).all()

    def _buckets(self, tenant: bytes) -> list[str]:
        own = {shop.bucket for shop in self.shops.values() if shop.tenant == tenant}
        visited = set(map(visited_bucket, own)) if len(own) > 1 else set()
        return sorted(own | visited | {REFERENCE_BUCKET})

    def silent_s(self) -> Mapping[bytes, int]:
        """Of each chain how long its longest silent live till has been so, in seconds."""
        now_ms, oldest = self.now_ms(), dict.fromkeys(self.chains, 0)
        for till in self.tills.values():
            if till.standing == "live" and till.tenant not in self.moving:
                silent = (now_ms - self.heard.get(till.device, till.heard_ms)) // 1000
                oldest[till.tenant] = max(oldest.get(till.tenant, 0), silent)
        return oldest

    def _write_heard(self) -> None:
        """Write down when tills talked and keys were used, of each chain at once."""
        self._written_ms = self.now_ms()
        used, self._used = self._used, {}
        own: dict[bytes, list[bytes]] = {tenant: [] for tenant in self.chains}
        for device in self.hearing.unwritten():
            till = self.tills.get(device)
            if till is not None and till.tenant in own:
                own[till.tenant].append(device)
        keys = Counter(tenant for tenant, _ in tuple(used))
        for tenant, chain in self.chains.items():
            if tenant in self.moving:
                continue
            for first in range(0, len(own[tenant]), HEARD_AT_ONCE):
                with chain.store.writing():
                    for device in own[tenant][first : first + HEARD_AT_ONCE]:
                        self.hearing.write(self._database, tenant, device)
            if keys[tenant]:
                with chain.store.writing():
                    for owner, key in tuple(used):
                        if owner == tenant:
                            ApiKeys(self._database, tenant).used(key, used[tenant, key])
