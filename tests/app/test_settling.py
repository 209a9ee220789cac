"""A till with a past joins in portions, and a new one takes its members in: killed at any point, each goes on
at its place; the counter sells in between, and nothing is sent before all is in its place."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import struct
import time
from pathlib import Path

import pytest

from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.errors import Refusal, Refused
from app.domain.fold import fold
from app.domain.state import EMPTY
from app.protocol import wire
from app.protocol.accounts import Account
from app.protocol.card_leases import CardsRequest
from app.protocol.limits import Limits
from app.protocol.links import Link, Place, genesis, link, place
from app.protocol.pull import take_snapshot
from app.protocol.store import Member
from app.protocol.till_store import Control
from app.protocol.wire import Cell, SnapshotReply
from app.queries.exchange import Progress, standing
from app.queries.members import member_panel
from app.sync import exchange as exchange_module
from app.sync import settling
from app.sync.asking import Line
from app.sync.client import ANSWER_S
from app.sync.exchange import Exchange
from app.usecases.sell import sell
from app.usecases.verify import verify
from db import head_office, rows
from tests.app.chain import BUCKET, Chain, settle
from tests.app.joined import sell_to
from tests.app.kiosk import Kiosk, Template, kiosk, made_template, sale_command, template

__all__ = ["kiosk", "made_template", "template"]

KILLS = 5
FRAME_ROWS = 5
MEMBERS = 200


@pytest.fixture
def one_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A portion is one event, one member, one frame."""
    monkeypatch.setattr(settling, "PORTION_S", -1.0)
    monkeypatch.setattr(exchange_module, "FRAMES_MOST", 1)
    # What is fetched ahead is lost with the till: tests/headoffice/test_ahead.py.
    monkeypatch.setattr(exchange_module, "AHEAD_FROM", MEMBERS)


def control(at: Kiosk) -> Control:
    with at.ctx.write(at.ctx.ids()) as tx:
        assert tx.dealings is not None
        return tx.dealings.control()


def links(at: Kiosk) -> list[tuple[int, bytes]]:
    """The own events in head office's chain, which must be whole: (seq, id)."""
    stands = control(at)
    with at.ctx.read() as conn:
        found = [head_office.link(conn, stands.epoch, seq) for seq in range(1, 10_000)]
        made = list(rows.events_after(conn, stands.base))
    links = [Link(*each) for each in found if each is not None]
    before: Place = genesis(stands.tenant, stands.device, stands.epoch)
    for each, event in zip(links, made, strict=False):
        assert each == link(before, event.id, event.body)
        before = place(each)
    return [(each.seq, each.event) for each in links]


def asks_for_cards(request: wire.Request) -> bool:
    """Which tells nothing that has a place."""
    return isinstance(request, CardsRequest)


def test_old_events_are_placed_one_by_one_while_the_till_sells(
    kiosk: Kiosk, one_each: None
) -> None:
    kiosk.busy_morning()
    chain = Chain()
    exchange = chain.begin(kiosk)
    seen = list[Progress]()
    while True:
        stands = standing(kiosk.ctx)
        assert stands is not None
        if stands.progress is None:
            break
        assert stands.anew, "it holds no rights meanwhile"
        seen.append(stands.progress)
        sent = [each for each in map(wire.request_of, chain.heard) if not asks_for_cards(each)]
        assert sent == [], "nothing is told before all is in its place"
        if len(seen) % 3 == 0:
            kiosk.quote_and_sell()
        if len(seen) % 5 == 0:
            assert verify(kiosk.ctx).findings == []
        assert exchange.once() is not None
    placing = [each for each in seen if each.what == "placing"]
    assert [each.done for each in placing] == list(range(len(placing)))
    assert placing[-1].total > placing[0].total, "those that were made meanwhile too"
    telling = [each for each in seen if each.what == "telling"]
    assert telling == [Progress("telling", done, 2) for done in range(3)]
    assert len(links(kiosk)) == standing_top(kiosk)
    settle(exchange)
    shown = member_panel(kiosk.ctx, kiosk.member_id).points_balance
    assert chain.member(kiosk.member_id).state.balance(POINTS) == shown > 0
    assert "name" in chain.member(kiosk.member_id).cells


def standing_top(at: Kiosk) -> int:
    with at.ctx.read() as conn:
        head = rows.head(conn)
    assert head is not None
    return head[0]


def test_no_points_go_out_before_the_till_has_found_its_place(kiosk: Kiosk, one_each: None) -> None:
    kiosk.busy_morning()
    exchange = Chain().begin(kiosk)
    assert exchange.hold(kiosk.member_id, 200, kiosk.ctx.business_date()) is None
    with pytest.raises(Refused) as refused:
        sell_to(kiosk, kiosk.member_id, redeem=200)
    assert refused.value.code is Refusal.POINTS_NO_RIGHT
    sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, kiosk.member_id, 36800))


# Killed ------------------------------------------------------------------------------------------


class Told:
    """What children say, a number each time, and how many steps they may go: it outlives them."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe()
        self._waits, self._goes = os.pipe()

    def give(self, steps: int) -> None:
        os.write(self._goes, bytes(steps))

    def forget(self) -> None:
        """Steps that a dead child has not gone."""
        os.set_blocking(self._waits, False)
        with contextlib.suppress(BlockingIOError):
            os.read(self._waits, 4096)
        os.set_blocking(self._waits, True)

    def step(self) -> None:
        os.read(self._waits, 1)

    def say(self, number: int) -> None:
        os.write(self._in, struct.pack("<q", number))

    def hear(self) -> int:
        return int(struct.unpack("<q", os.read(self._out, 8))[0])

    def rest(self) -> list[int]:
        os.set_blocking(self._out, False)
        found = list[int]()
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.hear())
        os.set_blocking(self._out, True)
        return found


class Telling:
    """A line whose frames are told of."""

    def __init__(self, line: Line, told: Told) -> None:
        self._line, self._told = line, told

    def ask(
        self, path: str, rid: bytes, epoch: int, message: bytes, *, within_s: float = ANSWER_S
    ) -> bytes:
        self._told.step()
        body = self._line.ask(path, rid, epoch, message, within_s=within_s)
        reply = wire.reply_of(body)
        if isinstance(reply, SnapshotReply):
            self._told.say(reply.frame)
        return body

    def close(self) -> None:
        self._line.close()


def live(at: Kiosk, chain: Chain, told: Told, *, settles: bool = False) -> int:
    """Open the till in a child of its own and let it ask until it is at rest; its process. `settles`: a step is
    a portion of the joining, else an answer."""
    child = os.fork()
    if child:
        return child
    with contextlib.suppress(BaseException):
        at.open()

        def line(ctx: Context, row: head_office.HeadOfficeRow) -> Line:
            return Telling(chain._line(ctx, row), told)

        exchange = Exchange(at.ctx, rng=chain.rng, open_line=line)
        while True:
            if settles:
                told.step()
            heard = exchange.once()
            if settles:
                told.say(-1)
            if heard is None or heard.again_s > 1:
                os._exit(0)
    os._exit(1)  # Nothing of the parent's ends here.


def kill(child: int, rng: random.Random) -> None:
    time.sleep(rng.random() * 0.004)
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def test_a_till_that_is_killed_amid_its_joining_ends_as_one_that_was_not(
    kiosk: Kiosk, template: Template, tmp_path: Path, one_each: None
) -> None:
    kiosk.busy_morning()
    for _ in range(KILLS):
        kiosk.quote_and_sell()
    kiosk.close()
    rng, told, chain = random.Random(11), Told(), Chain()
    undisturbed = Kiosk(Path(shutil.copytree(kiosk.folder, tmp_path / "other")), template)
    settle(Chain().let_in(undisturbed))
    kiosk.open()
    chain.begin(kiosk).close()
    kiosk.close()
    for _ in range(KILLS):
        child = live(kiosk, chain, told, settles=True)
        steps = rng.randrange(1, 4)
        told.give(steps)
        for _ in range(steps - 1):
            told.hear()
        kill(child, rng)
        told.rest()
        told.forget()
        kiosk.open()
        assert verify(kiosk.ctx).findings == []
        assert control(kiosk).settling is not None, "it was killed amid it"
        links(kiosk)
        kiosk.close()
    kiosk.open()
    settle(chain.exchange(kiosk))
    with contextlib.closing(undisturbed):
        assert links(kiosk)[:-1] == links(undisturbed)[:-1] != []
        for at in (kiosk, undisturbed):
            assert verify(at.ctx).findings == []
            assert control(at).settling is None
        one, two = (
            member_panel(at.ctx, at.member_id).points_balance for at in (kiosk, undisturbed)
        )
        assert one == two == chain.member(kiosk.member_id).state.balance(POINTS) > 0


def with_members(limits: Limits) -> Chain:
    """A chain with members, and a snapshot of them in frames."""
    chain = Chain(limits=limits)
    on = BusinessDate(20_600)
    for number in range(MEMBERS):
        member = random.Random(number).randbytes(16)
        earned = Entry(EntryId(member[::-1], 0), POINTS, "earn", 1 + number, on, on, on.plus(365))
        cells = {"name": Cell(member, "name", f"Ada {number}", 7, b"d" * 16)}
        made = Member(
            member,
            BUCKET,
            state=fold(EMPTY, [earned]),
            accounts={POINTS: Account(1 + number)},
            cells=cells,
        )
        chain.server.store.put_member(made)
    take_snapshot(chain.server.store, BUCKET, 1, limits)
    return chain


def test_a_new_till_that_is_killed_over_and_over_fetches_no_frame_twice_but_the_one_in_its_hand(
    kiosk: Kiosk, one_each: None
) -> None:
    rng, told = random.Random(12), Told()
    chain = with_members(Limits(frame_rows=FRAME_ROWS))
    exchange = chain.let_in(kiosk)
    settle_events(kiosk, exchange)
    kiosk.close()
    fetched = list[int]()
    for _ in range(KILLS):
        child = live(kiosk, chain, told)
        steps = rng.randrange(2, 6)
        told.give(steps)
        fetched += [told.hear() for _ in range(steps - 1)]
        kill(child, rng)
        fetched += told.rest()
        told.forget()
        kiosk.open()
        stands = standing(kiosk.ctx)
        assert stands is not None
        assert stands.progress is not None
        assert stands.progress.what == "fetching"
        assert stands.progress.total == MEMBERS
        kiosk.close()
    child = live(kiosk, chain, told)
    told.give(10 * KILLS + MEMBERS)
    assert os.waitpid(child, 0)[1] == 0
    fetched += told.rest()
    frames = MEMBERS // FRAME_ROWS
    assert sorted(set(fetched)) == list(range(frames))
    assert len(fetched) - frames <= KILLS, "one a kill at most"
    kiosk.open()
    assert verify(kiosk.ctx).findings == []
    for number in range(MEMBERS):
        member = random.Random(number).randbytes(16)
        assert member_panel(kiosk.ctx, member).points_balance == 1 + number


def settle_events(at: Kiosk, exchange: Exchange) -> None:
    """What the till itself has is told; its next question is for a snapshot."""
    while control(at).acked < standing_top(at) or fields(at):
        assert exchange.once() is not None


def fields(at: Kiosk) -> int:
    stands = standing(at.ctx)
    assert stands is not None
    return stands.fields
