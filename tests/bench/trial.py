"""A trial of a draft on past weeks, as large as a busy chain's: how long, how much memory, how soon it stops.

python -m tests.bench.trial --sales 24000
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import threading
import time
from pathlib import Path
from typing import Any, Final

from app.domain.business_day import BusinessDate
from app.domain.documents import LineRequest, SaleRequest, Tender
from app.domain.documents_plain import sale_to_plain
from app.domain.entries import Entry
from app.domain.fold import fold
from app.domain.programme import Programme
from app.domain.programme_plain import programme_from_plain
from app.domain.sale import MemberContext, quote_sale, sale_document, sale_entries
from app.domain.state import EMPTY
from app.protocol.accounts import Account
from app.protocol.events import Event
from app.protocol.facts import plain_entry
from app.protocol.store import Member, StoredEvent
from headoffice import programmes
from headoffice.console.snapshot import Snapshot
from headoffice.console.trials import known_of
from headoffice.simulating import Trial, run
from headoffice.store.records import Records
from resources import programme_path
from tests.headoffice.http_office import TENANT, begin_chain, opened, place_of
from tests.long.scratch import scratch

EACH: Final = 12
"""Sales of a member."""
TOGETHER: Final = 200
WEEKS: Final = 8
DEMO: Final[Any] = json.loads(programme_path("demo.json").read_bytes())


def main() -> None:
    """Make a chain, try a draft on it, print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sales", type=int, default=24_000)
    for name, value in measured(parser.parse_args().sales).items():
        print(f"{name:32} {value:>12,}")


def measured(sales: int) -> dict[str, int]:
    """Figures of a trial over so many sales documents, and of one that is stopped half-way."""
    today = BusinessDate(20_780)
    with scratch(in_memory=True) as folder:
        # Apart, so that what it takes in memory is not the trial's.
        made = multiprocessing.get_context("fork").Process(
            target=_made, args=(folder, sales, today)
        )
        made.start()
        made.join()
        assert made.exitcode == 0
        draft = {**DEMO, "version": 1002, "starts": today.plus(1).iso()}
        draft["earning"] = {**DEMO["earning"], "base": {"points": 2, "per_minor": 100}}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began_s = time.process_time()
        whole = _tried(folder, programme_from_plain(draft), today)
        busy_ms = round((time.process_time() - began_s) * 1000)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert whole.left_out == 0
        assert whole.drafts.issued > whole.ours.issued
        stopped, stop_ms = _stopped(folder, programme_from_plain(draft), today, whole.members // 2)
    return {
        "events read": whole.events,
        "members": whole.members,
        "ms": whole.took_ms,
        "ms of the processor": busy_ms,
        "events a second": whole.events * 1000 // max(whole.took_ms, 1),
        "peak of memory, KiB": after,
        "more than before it, KiB": after - before,
        "members when stopped": stopped.members,
        "ms from stop to its end": stop_ms,
    }


def _made(folder: Path, sales: int, today: BusinessDate) -> None:
    """A chain that sold so much in these weeks."""
    begin_chain(folder)
    document = {**DEMO, "starts": today.plus(-100).iso()}
    with opened(folder) as (store, _):
        with store.writing():
            version = programmes.publish(store, document, today.plus(-101))
        _sell(store, version.programme, sales // EACH, today)


def _tried(folder: Path, draft: Programme, today: BusinessDate) -> Trial:
    start, trial = today.plus(-7 * WEEKS), Trial(WEEKS)
    with place_of(folder).reading(TENANT) as plain:
        run(trial, known_of(Snapshot(plain, TENANT), start), draft, start)
    return trial


def _stopped(folder: Path, draft: Programme, today: BusinessDate, at: int) -> tuple[Trial, int]:
    """Stopped once it has told so many members: how long it went on."""
    start, trial = today.plus(-7 * WEEKS), Trial(WEEKS)

    def work() -> None:
        with place_of(folder).reading(TENANT) as plain:
            run(trial, known_of(Snapshot(plain, TENANT), start), draft, start)

    thread = threading.Thread(target=work)
    thread.start()
    while trial.members < at and not trial.done:
        time.sleep(0.001)
    trial.stop, began = True, time.perf_counter()
    thread.join()
    return trial, round((time.perf_counter() - began) * 1000)


def _sell(store: Records, programme: Programme, members: int, today: BusinessDate) -> None:
    rng = random.Random(7)
    for first in range(0, members, TOGETHER):
        with store.writing():
            for _ in range(first, min(first + TOGETHER, members)):
                _member(store, programme, rng, today)


def _member(store: Records, programme: Programme, rng: random.Random, today: BusinessDate) -> None:
    """A member and their sales of the last weeks, as a till works them out."""
    member, state, entries = rng.randbytes(16), EMPTY, list[Entry]()
    for day in sorted(rng.randrange(7 * WEEKS) for _ in range(EACH)):
        on, event_id = today.plus(day - 7 * WEEKS), rng.randbytes(16)
        request = SaleRequest(
            (LineRequest(rng.randrange(500, 30_000)), LineRequest(rng.randrange(100, 5_000)))
        )
        quote = quote_sale(request, MemberContext(state), programme, on=on, minute=600)
        own = sale_entries(quote, event_id)
        pay = quote.draft.to_pay_minor
        document = sale_document(quote, own, (Tender("cash", pay, pay),))
        event = Event(
            event_id, event_id, b"d" * 16, 1, 1, "sale", 600 * 60_000_000, 0, int(on), None, None, member,
            programme.version, [plain_entry(each) for each in own], {"sale": sale_to_plain(document)},
        )  # fmt: skip
        store.put_event(StoredEvent(event_id, event.to_bytes(), "posted"))
        state = fold(state, own)
        entries += own
    accounts = {"points": Account(state.balance())}
    store.put_member(Member(member, "all", state=state, accounts=accounts), entries)


if __name__ == "__main__":
    main()
