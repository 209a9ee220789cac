"""Two real tills trade and talk to a real head office through a proxy that breaks most of what they say; then
the line heals, and everything is compared: nothing lost, nothing twice, balances equal."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from dataclasses import replace
from typing import Final

from app.domain.entries import POINTS
from app.domain.errors import Refused
from app.queries.exchange import standing
from app.queries.members import member_panel
from app.sync.exchange import Exchange
from app.sync.join import join
from app.usecases.enrol import ProfileInput
from app.usecases.sell import sell
from app.usecases.verify import verify
from tests.app.chain import settle
from tests.app.joined import edit
from tests.app.kiosk import Kiosk, sale_command
from tests.headoffice.http_office import Served, code_for, opened
from tests.headoffice.lossy import FAULTS, Lossy

SPENT: Final = 200
"""Points that a member spends at a time: the least that the programme lets them."""
HAPPENS: Final = (
    "sale", "enrol", "edit", "spend by hold", "spend offline", "spend refused", "answered",
    "no answer: gone",
)  # fmt: skip
"""What a day must have seen."""


def let_in(till: Kiosk, office: Served, proxy: Lossy, name: str) -> Exchange:
    """The till joins through the proxy, and settles."""
    join(till.ctx, proxy.url, code_for(office.folder, "North", name))
    exchange = Exchange(till.ctx)
    settle(exchange)
    return exchange


def run(tills: list[Kiosk], proxy: Lossy, office: Served, seed: int, *, steps: int) -> Counter[str]:
    """Let the tills in over a whole line, and live a day over a broken one."""
    proxy.broken = False
    with contextlib.ExitStack() as stack:
        pairs = []
        for number, till in enumerate(tills, 1):
            pairs.append((till, let_in(till, office, proxy, f"till {number}")))
            stack.callback(pairs[-1][1].close)
        proxy.broken = True
        return live(pairs, proxy, office, seed, steps=steps)


def live(
    tills: list[tuple[Kiosk, Exchange]], proxy: Lossy, office: Served, seed: int, *, steps: int
) -> Counter[str]:
    """So many steps at tills drawn at random, more until everything has happened once, then the healing; counts
    of what happened and was compared."""
    rng = random.Random(seed)
    members = [tills[0][0].member_id]
    counts: Counter[str] = Counter()
    for number in range(steps * 5):
        if number >= steps and not missing(counts, proxy):
            break
        till, exchange = rng.choice(tills)
        counts[_act(till, exchange, members, number, rng)] += 1
        for _ in range(rng.randint(0, 3)):
            heard = exchange.once()
            assert heard is not None
            counts["answered" if not heard.why else f"no answer: {heard.why}"] += 1
    proxy.heal()
    exchanges = [exchange for _, exchange in tills]
    settle(*exchanges)
    counts.update(compare([till for till, _ in tills], members, office))
    return counts


def missing(counts: Counter[str], proxy: Lossy) -> list[str]:
    """What has not happened yet."""
    return [fault for fault in FAULTS if not proxy.counts[fault]] + [
        what for what in HAPPENS if not counts[what]
    ]


def _act(
    till: Kiosk, exchange: Exchange, members: list[bytes], number: int, rng: random.Random
) -> str:
    known = [each for each in members if _knows(till, each)]
    what = rng.choices(["sale", "spend", "enrol", "edit"], [6, 4, 1, 1])[0]
    member = rng.choice(known or members[:1])
    if what == "enrol" or not known:
        found = till.enrol(ProfileInput(f"Guest {number}", f"139{number:08d}")).result
        members.append(found.member_id)
        return "enrol"
    if what == "edit":
        edit(till, member, f"Name {number}")
        return what
    if what == "spend":
        return _spend(till, exchange, member)
    sell(till.ctx, sale_command(till.ctx, till.session, member, 30_000 + number))
    return what


def _spend(till: Kiosk, exchange: Exchange, member: bytes) -> str:
    on = till.ctx.business_date()
    hold = exchange.hold(member, SPENT, on)
    try:
        command = sale_command(till.ctx, till.session, member, 30_000, redeem=SPENT)
        sell(till.ctx, replace(command, hold=hold))
    except Refused:
        if hold is not None:
            exchange.let_go(hold, on)
        return "spend refused"
    return "spend by hold" if hold is not None else "spend offline"


def _knows(till: Kiosk, member: bytes) -> bool:
    try:
        return bool(member_panel(till.ctx, member).name)
    except Refused:
        return False


def compare(tills: list[Kiosk], members: list[bytes], office: Served) -> Counter[str]:
    """Each event of each till is at head office once, as it was written; each member is the same everywhere."""
    counts: Counter[str] = Counter()
    with opened(office.folder) as (store, _), store.reading():
        tenant = store.tenant()
        assert tenant.lost == 0, "no spend lost its authority"
        assert tenant.overdrawn + tenant.left <= tenant.budget + tenant.written_off
        for till in tills:
            device = store.device(till.ctx.till.device)
            assert device is not None
            assert device.place.epoch == 1, "no fault of a line is taken for another till"
            journal = till.events()
            assert device.place.seq == len(journal)
            for record in journal:
                link = store.link(device.id, 1, record.seq)
                assert link is not None
                kept = store.event(link.event)
                assert kept is not None
                assert (kept.body, kept.standing) == (record.body, "posted")
                counts["events compared"] += 1
            assert not list(store.open_holds(device.id)), "a hold is open for ever"
        for member in members:
            known = store.member(member)
            assert known is not None
            names = [entry.id for entry in store.ledger(member)]
            assert len(names) == len(set(names)), "an entry is there twice"
            for till in tills:
                panel = member_panel(till.ctx, member)
                assert panel.points_balance == known.state.balance(POINTS)
                assert panel.name == known.cells["name"].value
            counts["members compared"] += 1
    for till in tills:
        stands = standing(till.ctx)
        assert stands is not None
        assert (stands.waiting, stands.fields) == (0, 0)
        assert verify(till.ctx).findings == []
    return counts
