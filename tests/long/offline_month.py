"""A till that sells 10,000 times in 30 days without a line, then catches up while it goes on selling: nothing
lost, nothing twice, every request and its memory bounded, and the counter hardly notices."""

from __future__ import annotations

import shutil
import threading
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from app.sync.exchange import Exchange
from tests.app.chain import Chain, settle
from tests.app.kiosk import Kiosk, make_template
from tests.app.offline_month import (
    WayBack,
    balances,
    bounded,
    catch_up,
    compare,
    sell_at,
    trade,
    usable,
)
from tests.bench.figures import percentile
from tests.long.scratch import scratch
from tests.sim.memory import MemoryStore

DAYS: Final = 30
SALES_A_DAY: Final = 334


def run(
    seed: int, seconds: float, *, days: int = DAYS, sales_a_day: int = SALES_A_DAY
) -> dict[str, Any]:
    """One month, and its way back twice: sale by sale with all of it compared, then with a counter that sells
    beside, for the times. `seconds` is not looked at."""
    del seconds
    with scratch(in_memory=False) as base:
        template = make_template(base / "template")
        kiosk = Kiosk(template.copy_to(base / "till"), template)
        chain = Chain()
        exchange = chain.let_in(kiosk)
        chain.lease(days + 1)
        settle(exchange)
        began = time.monotonic()
        members = trade(kiosk, chain, exchange, days=days, sales_a_day=sales_a_day)
        traded_s = time.monotonic() - began
        kiosk.close()
        times = _beside(kiosk, chain, base / "beside", members)
        kiosk.open()
        way, failed = None, list[str]()
        try:
            way = catch_up(kiosk, chain, chain.exchange(kiosk), members)
            bounded(way)
            usable(way)
        except AssertionError:
            failed.append(traceback.format_exc(limit=-1))
        kiosk.close()
    return {
        "seed": seed,
        "sales": days * sales_a_day,
        "trading_s": round(traded_s),
        **({} if way is None else _told(way)),
        **times,
        "failed": failed,
    }


def _told(way: WayBack) -> dict[str, Any]:
    return {
        "waiting": way.waiting,
        "requests": way.requests,
        "most_events": max(push.events for push in way.pushes),
        "most_event_bytes": max(push.event_bytes for push in way.pushes),
        "passing_kib": max(each.most for each in way.passing) // 1024,
        "answer_kib": max(each.answer_bytes for each in way.passing) // 1024,
        "kept_kib": way.kept // 1024,
        "sales_amid": len(way.sales),
    }


def _beside(kiosk: Kiosk, chain: Chain, folder: Path, members: list[bytes]) -> dict[str, Any]:
    """The same way back of a copy of both, with no more order than threads have: what a sale takes. Head
    office's half works in this process too, so that times are of both together."""
    other = Kiosk(Path(shutil.copytree(kiosk.folder, folder)), kiosk.template, kiosk.clock)
    again, store = Chain(), chain.server.store
    assert isinstance(store, MemoryStore)
    again.server = replace(again.server, store=store.copy())
    again.keys = {device: list(keys) for device, keys in chain.keys.items()}
    exchange = again.exchange(other)
    alone = [_sell_ms(other, members, n) for n in range(40)]
    beside, took_s = _catch_up(other, members, exchange)
    shown = balances(other, members)
    settle(exchange)
    compare(other, again, shown)
    other.close()
    return {
        "catching_up_s": round(took_s, 1),
        "sale_ms_p50_p99_before": [round(percentile(alone, each), 1) for each in (0.5, 0.99)],
        "sale_ms_p50_p99_meanwhile": [round(percentile(beside, each), 1) for each in (0.5, 0.99)],
        "sales_meanwhile": len(beside),
    }


def _sell_ms(kiosk: Kiosk, members: list[bytes], number: int) -> float:
    began = time.perf_counter()
    sell_at(kiosk, members[number % len(members)], 1000 + number)
    return (time.perf_counter() - began) * 1000


def _tell_all(exchange: Exchange) -> None:
    """As the till's own lane does, pauses included. What it could not tell is found by who compares."""
    while (heard := exchange.once()) is not None and not heard.why and heard.again_s <= 1:
        time.sleep(heard.again_s)


def _catch_up(kiosk: Kiosk, members: list[bytes], exchange: Exchange) -> tuple[list[float], float]:
    """Milliseconds of each sale beside the exchange, and its seconds."""
    began = time.monotonic()
    asking = threading.Thread(target=_tell_all, args=(exchange,))
    asking.start()
    took, number = list[float](), 0
    while asking.is_alive() or not took:
        took.append(_sell_ms(kiosk, members, number))
        number += 1
        time.sleep(0.05)  # the next customer
    return took, time.monotonic() - began
