"""What operators see: figures for Prometheus, and a log of one JSON object a line.

Neither ever holds a personal field: of a request they know chain, device, rid, path, status and times; of an
error its kind and its places in the code, since a message may hold a name.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.protocol.facts import CONTROL
from headoffice.erasures import Waiting
from headoffice.flags import Unseen
from headoffice.quiet import Known

log: Final = logging.getLogger("headoffice")
log.addHandler(logging.NullHandler())

_LATENCY_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_GROUP: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
_SKEW_S: Final = (1, 5, 15, 60, 300, 3600, 86400)
_WEB_SERVER: Final = "uvicorn.error"
_KINDS_MOST: Final = 100
_OTHER: Final = "other"


class JsonLines(logging.Formatter):
    """One object a line: time, level, event, and the fields that the caller gave as `extra={"fields": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {"at": f"{at}.{int(record.msecs):03d}Z", "level": record.levelname.lower()}
        line["event"] = record.getMessage() if record.name == log.name else record.name
        if record.name == _WEB_SERVER:
            line["told"] = record.getMessage().strip()
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            line.update(bug(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False)


def bug(error: BaseException) -> dict[str, str]:
    """An error by its kind and places alone."""
    places = traceback.extract_tb(error.__traceback__)[-6:]
    where = " < ".join(f"{p.filename.rsplit('/', 1)[-1]}:{p.lineno}" for p in reversed(places))
    return {"error": type(error).__name__, "where": where}


def log_to_stderr() -> None:
    """Write our log, and what the server's library has to say, as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    # What asyncio logs has the texts of errors in it: of that the kind and places alone.
    for name in (log.name, _WEB_SERVER, "asyncio"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False


def note(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """One line; bytes are written in hex."""
    if log.isEnabledFor(level):
        plain = {name: v.hex() if isinstance(v, bytes) else v for name, v in fields.items()}
        log.log(level, event, extra={"fields": plain})


class Watch:
    """The figures of one head office."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()

        def of_chain(name: str, told: str) -> Gauge:
            return Gauge(f"regulars_{name}", told, ("chain",), registry=registry)

        self._requests = Counter(
            "regulars_requests",
            "Requests by path and status.",
            ("path", "status"),
            registry=registry,
        )
        self._latency = Histogram(
            "regulars_request_seconds", "From the head of a request to its reply.", ("path",),
            buckets=_LATENCY_S, registry=registry,
        )  # fmt: skip
        self._quiet = Counter(
            "regulars_quiet_polls", "Polls answered without the store.", registry=registry
        )
        self._group = Histogram(
            "regulars_group_requests", "Requests in one commit.", buckets=_GROUP, registry=registry
        )
        self._rolled_back = Counter(
            "regulars_groups_rolled_back", "Groups that were done one by one.", registry=registry
        )
        self._events = Counter(
            "regulars_events", "Events that came, by kind.", ("kind",), registry=registry
        )
        self._forks = Counter("regulars_forks", "Tills sent to rebase.", registry=registry)
        self._skew = Histogram(
            "regulars_clock_skew_seconds", "How far tills' clocks are off.", buckets=_SKEW_S,
            registry=registry,
        )  # fmt: skip
        self._store_errors = Counter(
            "regulars_store_errors", "Times that the store could not be used.", registry=registry
        )
        self._waiting = Gauge("regulars_waiting_jobs", "Jobs before the writer.", registry=registry)
        self._silent = of_chain(
            "oldest_silent_till_seconds", "Since the longest silent live till talked."
        )
        self._heads: dict[str, Mapping[str, int]] = {}
        self._head_moved = of_chain(
            "head_moved_timestamp_seconds", "When a feed of the chain was last seen to move."
        )
        self._quarantined = of_chain("quarantined_events", "Events kept and not applied.")
        self._undated = of_chain(
            "undated_events",
            "Events whose ids bear a time in no month that there is, by a wrong clock.",
        )
        self._night_done = of_chain(
            "night_done_timestamp_seconds", "When the last night's work was done."
        )
        self._night_took = of_chain(
            "night_duration_seconds", "From its beginning to its end, a halt in between included."
        )
        self._night_failures = Counter(
            "regulars_night_failures", "Times that a night's work failed; it is tried again.",
            ("chain",), registry=registry,
        )  # fmt: skip
        self._recount_failures = Counter(
            "regulars_recount_failures", "Times that working sales out again failed.", ("chain",),
            registry=registry,
        )  # fmt: skip
        self._flags = of_chain(
            "recount_flags", "Sales, returns and voids that differ and nobody has looked at."
        )
        self._over_returns = of_chain(
            "over_returned_sales", "Those of them of which more came back than was sold."
        )
        self._erasures = of_chain(
            "erasures_waiting", "People who were erased and whom some till has yet to forget."
        )
        self._erasures_late = of_chain(
            "erasures_late", "Those of them who were erased a month ago."
        )
        self._expiries = Counter(
            "regulars_expiries_booked", "Members for whom expiries were booked.", ("chain",),
            registry=registry,
        )  # fmt: skip
        self._figures = {
            "overdrawn": of_chain("overdrawn_points", "D: spend debt of all members."),
            "left": of_chain("left_points", "Sum of left of the open grants."),
            "budget": of_chain("budget_points", "R: the risk budget."),
            "lost": of_chain("lost_points", "F: spends whose authority was lost."),
            "written_off": of_chain("written_off_points", "W: written off."),
        }
        self._kinds: set[str] = {_OTHER}

    def request(self, path: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(path, str(status)).inc()
        self._latency.labels(path).observe(seconds)

    def quiet(self) -> None:
        """A poll was answered from memory."""
        self._quiet.inc()

    def group(self, requests: int, kinds: Mapping[str, int]) -> None:
        """So many requests were committed together, with so many events of each kind."""
        self._group.observe(requests)
        for kind, count in kinds.items():
            self._events.labels(self._kind(kind)).inc(count)

    def rolled_back(self) -> None:
        """A group failed."""
        self._rolled_back.inc()

    def fork(self) -> None:
        """A till's chain is not the one that is known."""
        self._forks.inc()

    def skew(self, apart_s: int) -> None:
        """A till's clock is so far off, either way."""
        self._skew.observe(abs(apart_s))

    def figures(self, known: Known, quarantined: int, now_ms: int) -> None:
        """A chain's figures as of the last commit. That its heads moved is seen by whichever process looks."""
        chain = known.tenant.id.hex()
        for field, gauge in self._figures.items():
            gauge.labels(chain).set(getattr(known.tenant, field))
        self._quarantined.labels(chain).set(quarantined)
        if self._heads.get(chain) != known.heads:
            self._heads[chain] = known.heads
            self._head_moved.labels(chain).set(now_ms // 1000)

    def undated(self, chain: bytes, events: int) -> None:
        """So many events lie in no month."""
        self._undated.labels(chain.hex()).set(events)

    def night(self, chain: bytes, done_ms: int, took_ms: int) -> None:
        """The last night's work that was done; its failures are counted from none on."""
        self._night_done.labels(chain.hex()).set(done_ms // 1000)
        self._night_took.labels(chain.hex()).set(took_ms / 1000)
        self._night_failures.labels(chain.hex())

    def night_failed(self, chain: bytes) -> None:
        """A portion of a night's work was rolled back."""
        self._night_failures.labels(chain.hex()).inc()

    def recount_failed(self, chain: bytes) -> None:
        """A portion of a chain's recounting was rolled back."""
        self._recount_failures.labels(chain.hex()).inc()

    def flags(self, chain: bytes, unseen: Unseen) -> None:
        """So many sales differ and were not looked at."""
        over_returned = unseen.over_returned.size
        self._flags.labels(chain.hex()).set(over_returned + unseen.others.size)
        self._over_returns.labels(chain.hex()).set(over_returned)

    def erasures(self, chain: bytes, waiting: Waiting) -> None:
        """So many people were erased and some till has yet to forget them."""
        self._erasures.labels(chain.hex()).set(waiting.people)
        self._erasures_late.labels(chain.hex()).set(waiting.late)

    def expiries(self, chain: bytes, members: int) -> None:
        """Expiries were booked for so many members."""
        self._expiries.labels(chain.hex()).inc(members)

    def store_failed(self, error: BaseException) -> None:
        """The store could not be used."""
        self._store_errors.inc()
        note("store_failed", level=logging.ERROR, **bug(error))

    def text(self, silent_s: Mapping[bytes, int], waiting: int) -> bytes:
        """All figures as Prometheus reads them. silent_s: of each chain its longest silent live till."""
        for chain, seconds in silent_s.items():
            self._silent.labels(chain.hex()).set(seconds)
        self._waiting.set(waiting)
        return generate_latest(self._registry)

    def _kind(self, kind: str) -> str:
        """A kind as a label: a till may write any, a figure may not grow without end."""
        if kind in self._kinds or kind in CONTROL:
            return kind
        if len(self._kinds) >= _KINDS_MOST or not kind.isidentifier() or len(kind) > 40:
            return _OTHER
        self._kinds.add(kind)
        return kind
