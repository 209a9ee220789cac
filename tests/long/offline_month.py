"""A till that sells 10,000 times in 30 days without a line, then catches up while it goes on selling: nothing
lost, nothing twice, every request bounded, and the counter hardly notices."""

from __future__ import annotations

import resource
import threading
import time
from dataclasses import asdict
from typing import Any, Final

from app.queries.exchange import standing
from app.sync.exchange import Exchange
from tests.app.chain import Chain, settle
from tests.app.kiosk import Kiosk, make_template
from tests.app.offline_month import balances, bounded, compare, sell_at, told, trade
from tests.bench.figures import percentile
from tests.long.scratch import scratch

DAYS: Final = 30
SALES_A_DAY: Final = 334


def run(
    seed: int, seconds: float, *, days: int = DAYS, sales_a_day: int = SALES_A_DAY
) -> dict[str, Any]:
    """One month; `seconds` is not looked at. Head office's half works in this process too: times and memory
    are of both together."""
    del seconds
    failed: list[str] = []
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
        stands = standing(kiosk.ctx)
        assert stands is not None
        alone = [_sell_ms(kiosk, members, n) for n in range(40)]
        chain.heard.clear()
        memory_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        beside, took_s = _catch_up(kiosk, members, exchange)
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_kib
        month = told(chain, days * sales_a_day + len(alone) + len(beside), stands.waiting)
        shown = balances(kiosk, members)
        settle(exchange)
        try:
            bounded(month)
            compare(kiosk, chain, shown)
        except AssertionError as error:
            failed.append(str(error)[:300])
        kiosk.close()
    return {
        "seed": seed,
        **asdict(month),
        "trading_s": round(traded_s),
        "catching_up_s": round(took_s, 1),
        "memory_grown_mib": grown_kib // 1024,
        "sale_ms_p50_p99_before": [round(percentile(alone, each), 1) for each in (0.5, 0.99)],
        "sale_ms_p50_p99_meanwhile": [round(percentile(beside, each), 1) for each in (0.5, 0.99)],
        "sales_meanwhile": len(beside),
        "failed": failed,
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
