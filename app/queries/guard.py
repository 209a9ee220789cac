"""What the guard's rules need from the store: facts out of events, and the little that the counter reads before
it commits. The rules themselves are app/domain/fraud.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypedDict

import msgspec
from sqlcipher3.dbapi2 import Connection

from app import posting
from app.domain.business_day import BusinessDate
from app.domain.fraud.facts import Fact
from app.domain.fraud.limits import GuardLimits
from app.domain.fraud.verdicts import Stop, redeem_after_change, repeat_earn
from db import people, rows, till

SECOND_US: Final = 1_000_000
_RECENT: Final = 30
"""Documents of a member that are looked at: more than any sensible limit of a day's sales."""
_CHANGES: Final = 8
_DAYS_MORE: Final = 2
"""Business dates are looked at beyond the waiting time: one begins and ends at a cut-off hour, and a shift
keeps its own over midnight. Dates never go back along the journal, whatever the clock does."""

Plain = Mapping[str, Any]
PhoneMark = Callable[[str], str]
"""Member id as hex → an opaque mark of their phone, "" where nobody needs to know it."""
Sharing = Callable[[str], int]
"""Member id as hex → how many members have their phone now, 0 without one."""


def no_phone(member: str) -> str:
    """For a reader that has no profiles, such as head office: what needs phones stays silent."""
    del member
    return ""


def not_shared(member: str) -> int:
    """The same for counting members on a phone."""
    del member
    return 0


class _Moment(TypedDict):
    """What the clock of a till's stream needs of every event."""

    at: int
    shift: str | None


class _SaleFacts(TypedDict, total=False):
    """What a sale's event tells the rules: its lines and their trace are most of its bytes."""

    total: int
    earned: int
    spent: int
    attached: str
    approval: dict[str, Any] | None
    guard: dict[str, Any] | None


class _SaleEvent(_Moment):
    device: str
    seq: int
    kind: str
    bd: int
    staff: str | None
    member: str | None
    id: str
    doc: _SaleFacts


_moment: Final = msgspec.json.Decoder(_Moment).decode
_sale_event: Final = msgspec.json.Decoder(_SaleEvent).decode
_whole_event: Final = msgspec.json.Decoder(dict[str, Any]).decode


class SteadyClock:
    """Seconds that never go back within a till's stream.

    Within a shift only what goes forward counts, so a clock that is set back neither hides an act
    nor brings two of them together; a new shift begins at the clock's own time again.
    """

    def __init__(self) -> None:
        self._at_s = self._wall_s = 0
        self._shift: str | None = None

    def read(self, wall_s: int, shift: str) -> int:
        """The steady instant of the next event of the till."""
        if shift and shift != self._shift:
            self._at_s = max(self._at_s, wall_s)
            self._shift = shift
        else:
            self._at_s += max(0, wall_s - self._wall_s)
        self._wall_s = wall_s
        return self._at_s


class Facts:
    """Turns one till's events, in their order, into facts."""

    def __init__(self, phone_of: PhoneMark = no_phone, sharing: Sharing = not_shared) -> None:
        self._phone_of, self._sharing = phone_of, sharing
        self._clock = SteadyClock()

    def of_bytes(self, kind: str, body: bytes) -> Fact | None:
        """The same from an event's bytes, of which only what is looked at is decoded."""
        if kind not in _READERS:
            moment = _moment(body)
            self._clock.read(moment["at"] // SECOND_US, moment["shift"] or "")
            return None
        return self.of(_sale_event(body) if kind == posting.SALE else _whole_event(body))

    def of(self, event: Plain) -> Fact | None:
        """The fact of a decoded event (app.protocol.events), None for a kind that no rule looks at."""
        shift = event["shift"] or ""
        wall_s = event["at"] // SECOND_US
        at_s = self._clock.read(wall_s, shift)
        more = _READERS.get(event["kind"])
        if more is None:
            return None
        doc: Plain = event["doc"]
        kind, values = more(event, doc)
        if not kind:
            return None
        member = values.pop("member", event["member"]) or ""
        if kind == "enrol":
            values["amount"] = self._sharing(member)
        second = doc.get("approval") or doc.get("guard")
        if second and second.get("right") == "own_card":
            values["what"] = values.get("what") or "own_card"
        return Fact(
            event["device"], event["seq"], kind, at_s, wall_s, event["bd"],
            values.pop("staff", event["staff"]) or "", shift, member,
            second["by"] if second else "", id=event["id"], phone=self._phone_of(member), **values,
        )  # fmt: skip


_Read = tuple[str, dict[str, Any]]


def _sale(event: Plain, doc: Plain) -> _Read:
    late = "late" if doc.get("attached") == "after" else ""
    return "sale", {
        "amount": doc["total"], "earned": doc["earned"], "spent": doc["spent"], "what": late,
    }  # fmt: skip


def _undone(event: Plain, doc: Plain) -> _Read:
    return event["kind"], {
        "amount": doc["total"], "earned": doc["earned"], "spent": doc["spent"],
        "refers": doc["refers_to"],
    }  # fmt: skip


def _claim(event: Plain, doc: Plain) -> _Read:
    days = event["bd"] - doc["sale_date"]
    return "claim", {
        "refers": doc["sale"], "what": doc["seller"], "amount": days, "earned": doc["earned"],
    }  # fmt: skip


def _adjust(event: Plain, doc: Plain) -> _Read:
    return "adjust", {
        "amount": doc["points"], "what": doc["reason"], "note_chars": doc["note_chars"],
    }  # fmt: skip


def _top_up(event: Plain, doc: Plain) -> _Read:
    tendered = sum(minor for _, minor in doc["tenders"])
    return "top_up", {"earned": doc["principal"], "amount": tendered}


def _profile(event: Plain, doc: Plain) -> _Read:
    return ("phone" if "phone" in doc["changed"] else ""), {}


def _staff(event: Plain, doc: Plain) -> _Read:
    act = doc.get("act")
    if act == "link":
        return "link", {"staff": doc["staff"], "member": doc["member"]}
    # Whom the set-up of the till added, nobody did: there was nobody yet.
    by_somebody = event["staff"] or doc.get("proof")
    made = act in ("add", "enable", "pin", "role") and by_somebody
    return ("staff" if made else ""), {"refers": doc["staff"]}


def _sign_in(event: Plain, doc: Plain) -> _Read:
    staff = doc.get("staff") or event["staff"]
    return "sign_in", {"staff": staff, "what": "training" if doc.get("after_training") else ""}


def _look(event: Plain, doc: Plain) -> _Read:
    return "look", {"what": doc["what"]}


def _drawer_shut(event: Plain, doc: Plain) -> _Read:
    return "drawer_shut", {"amount": doc["open_s"]}


def _as_it_is(event: Plain, doc: Plain) -> _Read:
    return event["kind"], {}


_READERS: Final[Mapping[str, Callable[[Plain, Plain], _Read]]] = {
    posting.SALE: _sale,
    posting.RETURN: _undone,
    posting.VOID: _undone,
    posting.ADJUST: _adjust,
    posting.ENROL: _as_it_is,
    posting.PROFILE: _profile,
    posting.STAFF: _staff,
    posting.SIGN_IN: _sign_in,
    posting.DRAWER: _as_it_is,
    posting.LOOK: _look,
    posting.CASH: _as_it_is,
    posting.COUNT: _as_it_is,
    "claim": _claim,
    "top_up": _top_up,
    "card": _as_it_is,
    "merge": _as_it_is,
    "drawer_shut": _drawer_shut,
}
"""What each kind of event tells the rules; docs/decisions/the-shops-day.md has their facts. The kinds without
a name in app.posting have no use-case yet."""


# Before the commit ------------------------------------------------------------------------------


def sale_stops(
    conn: Connection,
    limits: GuardLimits,
    member_id: bytes,
    *,
    on: BusinessDate,
    now_s: int,
    earned: int,
    spent: int,
) -> tuple[Stop, ...]:
    """What speaks against a member's sale going through on one person's word (F2, F7). Two small
    indexed reads at most."""
    stops = []
    if earned > 0 and (limits.earn_block_per_day or limits.earn_block_minutes):
        stops.append(repeat_earn(_earns_of(conn, member_id, on), now_s, limits))
    if spent > 0 and limits.redeem_wait_hours:
        days = limits.redeem_wait_hours // 24 + _DAYS_MORE
        since = till.opened_before(conn, on.plus(-days))
        stops.append(redeem_after_change(_changed_s(conn, member_id, since), now_s, limits))
    return tuple(stop for stop in stops if stop is not None)


def _earns_of(conn: Connection, member_id: bytes, on: BusinessDate) -> list[int]:
    """The instants of a member's standing sales of a business date that earned."""
    since = till.opened_before(conn, on)
    recent = rows.documents_of_member(conn, member_id, _RECENT, after=since)
    today = [row for row in recent if row.business_date == on]
    voided = {row.refers_to for row in today if row.kind == posting.VOID}
    return [
        row.at_us // SECOND_US
        for row in today
        if row.kind == posting.SALE and row.points_earned > 0 and row.event_id not in voided
    ]


def _changed_s(conn: Connection, member_id: bytes, since: int) -> int | None:
    """When the member's phone was changed last, after event `since`. Every change of a profile says its
    consents again, so their rows, which are indexed by member, lead to the events."""
    for seq in people.newest_consent_seqs(conn, member_id, _CHANGES, after=since):
        row = rows.event_by_seq(conn, seq)
        assert row is not None, "a consent row has its event"
        if row.kind == posting.PROFILE:
            event = posting.event_of(row)
            if "phone" in event.doc["changed"]:
                return event.at_us // SECOND_US
    return None
