"""What somebody has to look at: raised once, cleared once, kept as rows, and told to who wants to hear of it.

The writer's thread looks every few seconds at figures that are in memory anyway, and writes only where
something has begun or is over. The console and the open API read the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from headoffice.directory import KnownTill
from headoffice.erasures import Waiting
from headoffice.flags import Pile, Unseen
from headoffice.quiet import Known
from headoffice.shared_values import Look
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain
from headoffice.webhooks.outbox import Fact

TILL_SILENT: Final = "till.silent"
QUARANTINE: Final = "quarantine"
LOST: Final = "lost"
BOUND: Final = "bound"
NIGHT_FAILED: Final = "night.failed"
SECOND_NEEDED: Final = "second.needed"
OVER_RETURN: Final = "return.over"
CARD_SHARED: Final = "card.shared"
ERASURE_LATE: Final = "erasure.late"
RECOUNT: Final = "recount"
KINDS: Final = (
    TILL_SILENT, QUARANTINE, LOST, BOUND, NIGHT_FAILED, SECOND_NEEDED, OVER_RETURN, RECOUNT,
    CARD_SHARED, ERASURE_LATE,
)  # fmt: skip
"""A till was silent for two leases; nobody has looked at events in quarantine; F grew; D and what is granted
come near R; a night's work failed; what somebody asked for waits for a second person; more came back of sales
than was sold; documents differ from what head office works out; two members have one card; a till
has not forgotten somebody who was erased a month ago."""
LEASES: Final = 2
SILENT_LEAST_MS: Final = 10 * 60_000
"""No till is called silent before: it talks every half minute, and a lease may be nothing at all."""
AGAIN_MS: Final = 60 * 60_000
NEAR_PERCENT: Final = 80
SETTLING_MS: Final = 10 * 60_000
"""So long after its start a head office has not heard of every till yet: none is called silent."""


class Alarm(NamedTuple):
    """Something to look at. subject: a till's device as hex, F's amount, what is asked for, or nothing. figure:
    seconds, events, points. cleared_ms: None while it stands."""

    kind: str
    subject: str
    figure: int
    raised_ms: int
    cleared_ms: int | None = None


_NEVER_MS: Final = 1 << 62
Standing = Mapping[tuple[str, str], Alarm]
_STANDING: Final = """
SELECT kind, subject, figure, raised_ms, cleared_ms FROM alarm
WHERE tenant_id = ? AND dist_key = ? AND cleared_ms IS NULL ORDER BY raised_ms, kind, subject
"""
_LAST: Final = """
SELECT kind, subject, figure, raised_ms, cleared_ms FROM alarm
WHERE tenant_id = ? AND dist_key = ? AND cleared_ms <= ?
    AND (cleared_ms < ? OR (kind, subject, raised_ms) > (?, ?, ?))
ORDER BY cleared_ms DESC, kind, subject, raised_ms LIMIT ?
"""
_RAISE: Final = """
INSERT INTO alarm (tenant_id, dist_key, kind, subject, raised_ms, figure) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, kind, subject, raised_ms) DO NOTHING
"""
_CLEAR: Final = """
UPDATE alarm SET cleared_ms = ?
WHERE tenant_id = ? AND dist_key = ? AND kind = ? AND subject = ? AND cleared_ms IS NULL
"""


class Alarms:
    """One chain's alarms, inside a transaction."""

    def __init__(self, plain: Plain, tenant: bytes) -> None:
        self._plain = plain
        self._own = (tenant, dist_key(tenant))

    def standing(self) -> list[Alarm]:
        """Those that nobody and nothing has cleared, the oldest first."""
        return [Alarm(*row) for row in self._plain.rows(_STANDING, self._own)]

    def over(self, behind: Alarm | None, most: int) -> list[Alarm]:
        """Those that are over, the last first, from the beginning or behind one of them."""
        begin = (
            (_NEVER_MS, _NEVER_MS, "", "", 0)
            if behind is None
            else (
                behind.cleared_ms,
                behind.cleared_ms,
                behind.kind,
                behind.subject,
                behind.raised_ms,
            )
        )
        return [Alarm(*row) for row in self._plain.rows(_LAST, (*self._own, *begin, most))]

    def keep(self, raised: list[Alarm], cleared: list[Alarm], now_ms: int) -> None:
        """Write down what is over and what has begun, in this order: one of both begins anew."""
        for alarm in cleared:
            self._plain.run(_CLEAR, (now_ms, *self._own, alarm.kind, alarm.subject))
        for alarm in raised:
            values = (alarm.kind, alarm.subject, alarm.raised_ms, alarm.figure)
            self._plain.run(_RAISE, (*self._own, *values))


class Figures(NamedTuple):
    """What is looked at, of one chain. quarantined: events that nobody has looked at; silent_ms: of each live
    till; settling: the process has just begun; asked: what waits for a second person, by its kind and id;
    flagged: documents that differ and that nobody has looked at; shared: members that share a card; erased:
    people whom a till has yet to forget."""

    known: Known
    quarantined: int
    silent_ms: Mapping[bytes, int]
    lease_ms: int
    night_failed: bool
    settling: bool = False
    asked: Sequence[str] = ()
    flagged: Unseen = Unseen()
    shared: Look = Look()
    erased: Waiting = Waiting()


def silent_of(
    tills: Iterable[KnownTill], heard: Mapping[bytes, int], now_ms: int
) -> dict[bytes, int]:
    """How long each live till of a chain has been silent."""
    return {
        till.device: now_ms - heard.get(till.device, till.heard_ms)
        for till in tills
        if till.standing == "live"
    }


def silence_ms(lease_ms: int) -> int:
    """A live till that was silent for longer is alarmed and marked."""
    return max(LEASES * lease_ms, SILENT_LEAST_MS)


def changes(figures: Figures, standing: Standing, now_ms: int) -> tuple[list[Alarm], list[Alarm]]:
    """What has begun and what is over since `standing`."""
    due = {(kind, subject): figure for kind, subject, figure in _due(figures, standing)}
    again = {
        name for name in due if name in standing and _rings_again(figures, standing[name], now_ms)
    }
    raised = [
        Alarm(kind, subject, figure, now_ms)
        for (kind, subject), figure in due.items()
        if (kind, subject) not in standing or (kind, subject) in again
    ]
    over = [alarm for name, alarm in standing.items() if name not in due or name in again]
    # What was lost stays lost: a loss that grew is one more, the one before is never over.
    return raised, [alarm for alarm in over if alarm.kind != LOST]


def _piles(figures: Figures) -> dict[str, Pile]:
    return {OVER_RETURN: figures.flagged.over_returned, RECOUNT: figures.flagged.others}


def _rings_again(figures: Figures, alarm: Alarm, now_ms: int) -> bool:
    """One alarm stands for thousands of documents. Who has begun to look at them hears of those that came
    since, once an hour: else one that nobody ever gets to would keep all later ones quiet."""
    if now_ms - alarm.raised_ms < AGAIN_MS:
        return False
    if alarm.kind == CARD_SHARED:
        return figures.shared.newest_ms > alarm.raised_ms
    pile = _piles(figures).get(alarm.kind)
    looked_ms = figures.flagged.looked_ms
    return pile is not None and alarm.raised_ms < looked_ms < pile.newest_ms


def _due(figures: Figures, standing: Standing) -> Iterator[tuple[str, str, int]]:
    tenant = figures.known.tenant
    for device, silent_ms in figures.silent_ms.items():
        stands = (TILL_SILENT, device.hex()) in standing
        if silent_ms > silence_ms(figures.lease_ms) and (stands or not figures.settling):
            yield TILL_SILENT, device.hex(), silent_ms // 1000
    if figures.quarantined:
        yield QUARANTINE, "", figures.quarantined
    if tenant.lost:
        # It never falls: each time that it grows is an alarm of its own.
        yield LOST, str(tenant.lost), tenant.lost
    used = tenant.overdrawn + tenant.left
    if used * 100 > tenant.budget * NEAR_PERCENT:
        yield BOUND, "", used
    if figures.night_failed:
        yield NIGHT_FAILED, "", 1
    for subject in figures.asked:
        yield SECOND_NEEDED, subject, 1
    if figures.shared.cards:
        yield CARD_SHARED, "", figures.shared.cards
    if figures.erased.late:
        yield ERASURE_LATE, "", figures.erased.late
    for kind, pile in _piles(figures).items():
        if pile.size:
            yield kind, "", pile.size


def told(alarm: Alarm, kind: str) -> Fact:
    """An alarm as a message has it."""
    named = {"alarm": alarm.kind, "subject": alarm.subject, "figure": alarm.figure}
    return Fact(kind, None, {**named, "raised_ms": alarm.raised_ms})
