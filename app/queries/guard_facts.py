"""Facts for the guard's rules (app/domain/fraud) out of events, for the till's own journal as for a chain's.

Kinds are named by their own words, as the rules name them: app.posting would take longer to import than what
runs in a process of its own takes to begin. A test holds them against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from app.domain.fraud.facts import Fact

SECOND_US: Final = 1_000_000

Plain = Mapping[str, Any]
PhoneMark = Callable[[str], str]
"""Member id as hex → an opaque mark of their phone, "" where nobody needs to know it."""
Sharing = Callable[[str], int]
"""Member id as hex → how many members have their phone now; 0 without one, or where they are too few."""


def no_phone(member: str) -> str:
    """For a reader that has no profiles, such as head office: what needs phones stays silent."""
    del member
    return ""


def not_shared(member: str) -> int:
    """The same for counting members on a phone."""
    del member
    return 0


class _Moment(msgspec.Struct, gc=False):
    """What the clock of a till's stream needs of every event."""

    at: int
    shift: str | None


class _Second(msgspec.Struct, gc=False):
    """The second person."""

    by: str | None
    right: str = ""


class _SaleFacts(msgspec.Struct, gc=False):
    """What a sale's event tells the rules: its lines and their trace are most of its bytes."""

    total: int
    earned: int
    spent: int
    attached: str = ""
    approval: _Second | None = None
    guard: _Second | None = None


class _SaleEvent(_Moment):
    device: str
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

    def of_bytes(self, seq: int, kind: str, body: bytes) -> Fact | None:
        """The same from an event's bytes, of which only what is looked at is decoded."""
        if kind == "sale":
            return self._sale(seq, _sale_event(body))
        if kind not in _READERS:
            moment = _moment(body)
            self._clock.read(moment.at // SECOND_US, moment.shift or "")
            return None
        return self.of(seq, _whole_event(body))

    def of(self, seq: int, event: Plain) -> Fact | None:
        """The fact of an event's number and decoded bytes, None for a kind that no rule looks at."""
        if event["kind"] == "sale":
            return self._sale(seq, msgspec.convert(event, _SaleEvent))
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
            event["device"], seq, kind, at_s, wall_s, event["bd"],
            values.pop("staff", event["staff"]) or "", shift, member,
            second["by"] if second else "", id=event["id"], phone=self._phone_of(member), **values,
        )  # fmt: skip

    def _sale(self, seq: int, event: _SaleEvent) -> Fact:
        """Most events are sales: no dict is made on the way."""
        shift, member, doc = event.shift or "", event.member or "", event.doc
        wall_s = event.at // SECOND_US
        at_s = self._clock.read(wall_s, shift)
        second = doc.approval or doc.guard
        what = "late" if doc.attached == "after" else ""
        if second and second.right == "own_card":
            what = what or "own_card"
        return Fact(
            event.device, seq, "sale", at_s, wall_s, event.bd, event.staff or "", shift,
            member, second.by or "" if second else "", doc.total, doc.earned, doc.spent, event.id,
            what=what, phone=self._phone_of(member),
        )  # fmt: skip


_Read = tuple[str, dict[str, Any]]


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
    # Whom the set-up of the till added, nobody did: there was nobody yet. Whom head office did, nobody here.
    by_somebody = event["staff"] or doc.get("proof") == "passphrase"
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
    "return": _undone,
    "void": _undone,
    "adjust": _adjust,
    "enrol": _as_it_is,
    "profile": _profile,
    "staff": _staff,
    "sign_in": _sign_in,
    "drawer": _as_it_is,
    "look": _look,
    "cash": _as_it_is,
    "count": _as_it_is,
    "claim": _claim,
    "top_up": _top_up,
    "card": _as_it_is,
    "merge": _as_it_is,
    "drawer_shut": _drawer_shut,
}
"""What each kind of event but a sale tells the rules; docs/decisions/the-shops-day.md has their facts. The last
five have no use-case yet."""
