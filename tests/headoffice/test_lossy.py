"""The counter's own till and a real head office, with a line between them that fails in every way it can."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.entries import POINTS
from app.queries.exchange import standing
from app.queries.members import member_panel
from app.sync.exchange import Exchange
from tests.app.chain import settle
from tests.app.joined import GENEROUS, edit
from tests.app.kiosk import Kiosk, kiosk, made_template, make_template, template
from tests.headoffice import lossy_day
from tests.headoffice.http_office import Served, begin_chain, opened, served
from tests.headoffice.lossy import FAULTS, Lossy, lossy

__all__ = ["kiosk", "made_template", "template"]
STEPS = 60


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "office"
    folder.mkdir()
    begin_chain(folder, budget=10_000, limits=GENEROUS)
    with served(folder) as found:
        yield found


@pytest.fixture
def proxy(office: Served) -> Iterator[Lossy]:
    """Whole at first; a test names its faults."""
    with lossy(office.url, 1) as found:
        found.heal()
        yield found


@pytest.fixture
def till(kiosk: Kiosk) -> Kiosk:
    kiosk.clock.now = datetime.now(UTC)
    return kiosk


@pytest.fixture
def line(till: Kiosk, office: Served, proxy: Lossy) -> Iterator[Exchange]:
    exchange = lossy_day.let_in(till, office, proxy, "till 1")
    yield exchange
    exchange.close()


def points(office: Served, member: bytes) -> int:
    with opened(office.folder) as (store, _), store.reading():
        known = store.member(member)
        return 0 if known is None else known.state.balance(POINTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_the_line_loses_or_doubles_a_sale(
    till: Kiosk, office: Served, proxy: Lossy, line: Exchange, fault: str
) -> None:
    before = points(office, till.member_id)
    shown = member_panel(till.ctx, till.member_id).points_balance
    till.quote_and_sell()
    earned = member_panel(till.ctx, till.member_id).points_balance - shown
    proxy.next_faults.extend([fault, fault])
    for _ in range(2):
        line.once()
    settle(line)
    assert proxy.counts[fault] == 2
    assert points(office, till.member_id) == before + earned
    assert member_panel(till.ctx, till.member_id).points_balance == before + earned
    lossy_day.compare([till], [till.member_id], office)


def test_what_is_sold_and_edited_while_an_answer_is_on_its_way_stays_to_be_told(
    till: Kiosk, office: Served, proxy: Lossy, line: Exchange
) -> None:
    """A known failure elsewhere: the answer clears the flag of what it never heard of, or overwrites it."""
    till.quote_and_sell()
    edit(till, till.member_id, "First")
    reached, go_on = threading.Event(), threading.Event()

    def in_hand() -> None:
        reached.set()
        assert go_on.wait(20)

    proxy.before_reply = in_hand
    asking = threading.Thread(target=line.once)
    asking.start()
    assert reached.wait(20)
    till.quote_and_sell()
    edit(till, till.member_id, "Second")
    shown = member_panel(till.ctx, till.member_id).points_balance
    go_on.set()
    asking.join()
    stands = standing(till.ctx)
    assert stands is not None
    assert stands.waiting > 0
    assert stands.fields > 0
    panel = member_panel(till.ctx, till.member_id)
    assert (panel.name, panel.points_balance) == ("Second", shown)
    settle(line)
    assert points(office, till.member_id) == shown
    lossy_day.compare([till], [till.member_id], office)


def test_two_tills_trade_over_a_line_that_breaks_most_of_what_they_say(
    till: Kiosk, template: object, tmp_path: Path, office: Served
) -> None:
    made = make_template(tmp_path / "second", "02")
    second = Kiosk(made.folder, made)
    second.clock.now = till.clock.now
    with contextlib.closing(second), lossy(office.url, 5, chance=0.7) as proxy:
        counts = lossy_day.run([till, second], proxy, office, 5, steps=STEPS)
        print(dict(counts), dict(proxy.counts))
        assert not lossy_day.missing(counts, proxy)
