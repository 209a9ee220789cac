"""Head office's memory of who wants to hear of what and of which alarms stand; the writer's thread asks it.

Messages are written in the transaction of the change that they tell of (webhooks/outbox.py).
Sending is others'.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from headoffice.alarms import SETTLING_MS, Alarm, Alarms, Figures, changes, told
from headoffice.directory import Chain
from headoffice.store.plain import Plain
from headoffice.store.records import Records
from headoffice.webhooks.outbox import ALARMS, MAIL, Fact, Outbox, Webhook, facts_of

EVERY_MS = 5_000
"""So often alarms are looked at."""


class Telling:
    """`mails` says whether somebody wants mails about a chain, by its name."""

    def __init__(self, now_ms: Callable[[], int], mails: Callable[[str], bool]) -> None:
        self._now_ms, self._mails = now_ms, mails
        self.webhooks: Mapping[bytes, Webhook] = {}
        self.mailed: frozenset[bytes] = frozenset()
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something new to send, after its commit."""
        self._standing: dict[bytes, dict[tuple[str, str], Alarm]] = {}
        self._written = False
        self._began_ms = now_ms()
        self._looked_ms = 0

    def load(self, plain: Plain, chains: Collection[Chain]) -> None:
        """Read what the store has of these chains; of the others what is known stays."""
        told = {chain.tenant for chain in chains}
        hooks = {key: hook for key, hook in self.webhooks.items() if hook.tenant not in told}
        mailed = set(self.mailed - told)
        for chain in chains:
            with plain.of(chain.tenant):
                hooks |= {hook.id: hook for hook in Outbox(plain, chain.tenant).webhooks()}
                standing = Alarms(plain, chain.tenant).standing()
            self._standing[chain.tenant] = {(each.kind, each.subject): each for each in standing}
            if self._mails(chain.name):
                mailed.add(chain.tenant)
        self.webhooks, self.mailed = hooks, frozenset(mailed)
        self.wake()

    def put(self, hook: Webhook) -> None:
        """Know a webhook from now on; the store knows it already."""
        self.webhooks = {**self.webhooks, hook.id: hook}
        self.wake()

    def drop(self, hook_id: bytes) -> None:
        """Forget one."""
        self.webhooks = {key: hook for key, hook in self.webhooks.items() if key != hook_id}
        self.wake()

    def noticing(self, tenant: bytes, plain: Plain) -> Callable[[Records], None]:
        """What hears of each transaction of a chain before it ends."""

        def notice(records: Records) -> None:
            wanted = self._wanted(tenant)
            if wanted:
                self._tell(plain, tenant, wanted, facts_of(records))

        return notice

    def tell(self, plain: Plain, tenant: bytes, facts: Sequence[Fact]) -> None:
        """Write down for who wants to hear of it what the transaction does beside members."""
        self._tell(plain, tenant, self._wanted(tenant), facts)

    def committed(self) -> None:
        """A transaction has ended well."""
        if self._written:
            self._written = False
            self.wake()

    # Alarms

    def due(self) -> bool:
        """Whether it is time to look."""
        now_ms = self._now_ms()
        if abs(now_ms - self._looked_ms) < EVERY_MS:
            return False
        self._looked_ms = now_ms
        return True

    @property
    def settling(self) -> bool:
        """Whether this process has just begun."""
        return self._now_ms() - self._began_ms < SETTLING_MS

    def look(self, plain: Plain, store: Records, tenant: bytes, figures: Figures) -> None:
        """Raise what has begun, clear what is over."""
        now_ms, standing = self._now_ms(), self._standing.setdefault(tenant, {})
        raised, cleared = changes(figures, standing, now_ms)
        if not raised and not cleared:
            return
        facts = [told(alarm, "alarm.cleared") for alarm in cleared]
        facts += [told(alarm, "alarm.raised") for alarm in raised]
        wanted = dict(self._wanted(tenant))
        if tenant in self.mailed:
            wanted[MAIL] = ALARMS
        with store.writing():
            Alarms(plain, tenant).keep(raised, cleared, now_ms)
            self._tell(plain, tenant, wanted, facts)
        for alarm in cleared:
            del standing[alarm.kind, alarm.subject]
        standing.update({(alarm.kind, alarm.subject): alarm for alarm in raised})
        self.committed()

    # Inside

    def _wanted(self, tenant: bytes) -> dict[bytes, frozenset[str]]:
        return {hook.id: hook.kinds for hook in self.webhooks.values() if hook.tenant == tenant}

    def _tell(
        self,
        plain: Plain,
        tenant: bytes,
        wanted: Mapping[bytes, frozenset[str]],
        facts: Sequence[Fact],
    ) -> None:
        if Outbox(plain, tenant).tell(wanted, facts, self._now_ms()):
            self._written = True
