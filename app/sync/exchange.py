"""The exchange with head office: one question, its answer applied, and when to ask again (sync.md section 4).

Called from one thread of its own, so that nobody at the counter ever waits for the network. What is asked and
what an answer changes is app/protocol's; each is one transaction of the till's store.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpx

from app.arrivals import Arrival, arrivals_of
from app.context import Changes, Context, Tx
from app.dealings import Dealings, reading
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS
from app.log import log
from app.protocol import endpoints, wire
from app.protocol.replies import has_all
from app.protocol.till import Till
from app.protocol.till_store import Control
from app.protocol.wire import (
    FRAMES_MOST,
    HoldReply,
    Refusal,
    Reply,
    Request,
    SnapshotReply,
    SnapshotRequest,
    SyncReply,
    unpack_row,
)
from app.shut import note_heard
from app.sync.ahead import Ahead, coming
from app.sync.asking import Asking, Line, line_of
from app.sync.client import NoAnswer, Refused
from app.sync.leasing_cards import LeasingCards
from app.sync.new_address import NewAddress
from app.sync.outcome import HOLD_WITHIN_S, Heard
from app.sync.own_key import UNKNOWN_KEY, OwnKey
from app.sync.prices import Prices
from app.sync.program import saying_program
from app.sync.readying import Ended
from app.sync.references import take_references
from app.sync.settling import settle_portion
from app.sync.shelf import Shelf
from app.sync.telling_staff import TellingStaff
from app.usecases.wipe import is_wiped, wipe
from db import bulk, filling, head_office, people, till
from db.engine import Reader

POLL_S: Final = 30
"""Between two questions when there is nothing to tell."""
SOON_S: Final = 0.05
"""After an answer that leaves more to tell or to fetch: the counter's commands go in between."""
AT_ONCE_S: Final = 0.005
"""After frames of a snapshot: they are made ready for longer than they are written, with no command waiting."""
PORTION_S: Final = 0.06
"""So long may frames be written in one transaction while a shift is open, for a sale may wait for it."""
IDLE_PORTION_S: Final = 2.0
"""So long while none is: nobody can sell, and pages that members share are written once a transaction."""
AHEAD_FROM: Final = 16
"""With so many frames left, or more, another process begins to make them ready: it takes half a second."""
ENOUGH: Final = 32
"""So many frames, ready, are worth a transaction while nobody can sell: each commit waits for the disk."""
FRAMES_AT_ONCE: Final = 64
"""So many frames are written in one transaction at most."""
FRAMES_TOGETHER: Final = 8
"""So many frames are written before the till looks whether somebody waits, while nobody can sell."""
LOG_PAGES: Final = 65_536
"""A log of 256 MB is moved into the store: a page that many frames write goes there once."""
BACK_OFF_MOST_S: Final = 300
COMPARE_EVERY_S: Final = 24 * 3600
FIRST_COMPARE_S: Final = 3600
_WHYS: Final = {
    "clock": "clock",
    "locked": "locked",
    **dict.fromkeys(("bad_signature", "unknown_device", "unknown"), "unknown"),
}
"""What the screen hears of a no (app/sync/outcome.py)."""
_PATHS: Final = {
    wire.SyncRequest: endpoints.SYNC,
    wire.RebaseRequest: endpoints.REBASE,
    wire.SnapshotRequest: endpoints.SNAPSHOT,
    wire.HoldRequest: endpoints.HOLD,
}


class Exchange:
    """A till's exchange. One thread at a time asks; holds may be asked beside it by another."""

    def __init__(
        self,
        ctx: Context,
        *,
        rng: random.Random | None = None,
        open_line: Callable[[Context, head_office.HeadOfficeRow], Line] | None = None,
    ) -> None:
        self._ctx = ctx
        self._rng = rng or random.SystemRandom()
        self._open_line = open_line or line_of
        self._line: Line | None = None
        self._line_by = ("", b"")
        """Address and key of the line."""
        self._key = OwnKey(ctx, self._rng)
        self._holds = Asking(ctx, open_line=self._open_line)
        self._staff = TellingStaff(ctx, rng=self._rng, open_line=self._open_line)
        self._moving = NewAddress()
        self._prices = Prices(ctx)
        self._cards = LeasingCards(ctx, rng=self._rng, open_line=self._open_line)
        self._in_flight = b""
        """The question whose answer is awaited. Nothing else stays in memory: an answer has whole members."""
        self._failures = 0
        self._ahead: Ahead | None = None
        self._shelf = Shelf(ctx)
        self._alone = False
        """No other process could be begun, or none lasted: frames are made ready here."""
        self._frames = 1
        """So many frames are taken in at once: as many as a portion has time for."""
        # Not at once: a start has enough to do.
        self._compared_s = self._now_s() + FIRST_COMPARE_S - COMPARE_EVERY_S

    def close(self) -> None:
        """Let the lines go."""
        self._let_ahead_go()
        self._holds.close()
        self._staff.close()
        self._cards.close()
        self._let_line_go()

    def stop(self) -> None:
        """Let go of whoever waits for frames, once the lines are shut. From any thread."""
        ahead = self._ahead
        if ahead is not None:
            ahead.close()

    def once(self) -> Heard | None:
        """Ask once and apply the answer; None for a till of its own. Raises Unavailable."""
        self._cards.once()
        self._staff.once()
        self._prices.once()
        digests = self._digests() if self._is_due() else {}
        with self._ctx.write(self._ctx.ids()) as tx:
            row, dealings = head_office.head_office(tx.conn), tx.dealings
            if row is None or dealings is None:
                return None
            control = dealings.control()
            if not control.revoked and settle_portion(tx.conn, dealings):
                return Heard(AT_ONCE_S, "", Changes(kinds=frozenset({"exchange"})))
            elsewhere = "" if control.revoked else self._moving.due(tx.conn, row)
            asked = self._key.signing(tx.conn, row)
            new_key = None if elsewhere else self._key.due(tx.conn, row, control)
            talking = Till(dealings)
            request = talking.request(
                self._rng, written=dealings.top(), digests=digests, frames=self._frames
            )
            self._in_flight = talking.in_flight
        if control.revoked:
            return self._shut_out()
        if self._ahead is not None and isinstance(request, SnapshotRequest):
            return self._apply_ahead(self._ahead)
        if elsewhere:
            return self._ask_elsewhere(elsewhere, asked, control)
        if new_key is not None and self._key.offer(self._line_of, row, new_key, control.epoch):
            return Heard(SOON_S)
        try:
            reply = _ask(self._line_of(asked), saying_program(request), control.epoch)
            self._moving.answered()
            self._key.answered(row, asked.seed)
        except NoAnswer as error:
            self._moving.no_answer()
            return self._failed("unknown" if self._key.strange(error) else "gone", error.why)
        except Refused as error:
            self._moving.answered()
            if error.problem.code == UNKNOWN_KEY and self._key.refused(row):
                return Heard(SOON_S)
            return self._said_no(error.problem)
        except wire.NotAMessage as error:
            return self._failed("refused", f"an answer that can't be read: {error}")
        if digests and isinstance(reply, SyncReply):
            self._compared_s = self._now_s()
        heard = self._apply(reply)
        self._fetch_ahead(asked, reply)
        return heard

    def _line_of(self, row: head_office.HeadOfficeRow) -> Line:
        """The line, by this address and key. Raises NoAnswer."""
        if self._line is None or self._line_by != (row.address, row.seed):
            self._let_line_go()
            self._line, self._line_by = self._open_line(self._ctx, row), (row.address, row.seed)
        return self._line

    def _let_line_go(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _ask_elsewhere(
        self, address: str, row: head_office.HeadOfficeRow, control: Control
    ) -> Heard:
        """Ask at another address of head office, on a line of its own, a question that tells nothing: whoever
        answers by its key and has all that it had is head office. If nobody does, the address that stands is
        asked again at once."""
        self._moving.put_off()  # Whatever happens there, the address that stands is asked next.
        line = None
        with self._ctx.read() as conn:
            dealings = reading(conn)
            nothing = Till(dealings).ask_nothing(self._rng, written=dealings.top())
        try:
            if nothing is None:
                raise NoAnswer("this till finds its place anew")
            line = line_of(self._ctx, row._replace(address=address))
            if not has_all(nothing, _ask(line, nothing, control.epoch)):
                raise NoAnswer("an older copy of its store")
        except (NoAnswer, Refused, wire.NotAMessage, httpx.InvalidURL) as error:
            log.info("head office's other address: %s", error)
            return Heard(SOON_S)
        finally:
            if line is not None:
                line.close()
        with self._ctx.write_rows() as conn:
            self._moving.go(conn, row, address)
        log.info("head office is at its other address")
        return Heard(AT_ONCE_S)

    def _apply(self, reply: Reply) -> Heard:
        arrived = self._arrived(reply)
        with self._ctx.write(self._ctx.ids()) as tx:
            began_s = time.monotonic()
            dealings, talking = self._talk(tx)
            dealings.expect(arrived)
            talking.receive(reply, self._now_ms(), self._today(), self._rng)
            answered = not isinstance(reply, Refusal) or reply.why == "no_snapshot"
            took = self._end(tx, dealings, answered=answered)
            control = dealings.control()
            more = (
                control.acked < dealings.top()
                or bool(dealings.dirty(1))
                or bool(control.nonce)
                or any(bucket not in control.cursors for bucket in control.buckets)
            )
            portion_s = _portion_s(tx)
        self._forget(dealings, programmes=took)
        self._failures = 0
        if control.revoked:
            return self._shut_out()
        touched = frozenset(dealings.touched)
        if control.begun is None:
            self._shelf.let_go(None)
        if isinstance(reply, SnapshotReply):
            self._took(len(reply.frames), time.monotonic() - began_s, portion_s)
            return Heard(AT_ONCE_S, "", Changes(touched, frozenset({"member", "exchange"})))
        if isinstance(reply, Refusal):
            log.warning("head office refuses: %s", reply.why)
            why = "" if reply.why == "no_snapshot" else _WHYS.get(reply.why, "refused")
            return Heard(BACK_OFF_MOST_S if why else SOON_S, why)
        if isinstance(reply, SyncReply):
            more = more or reply.more
            if reply.upgrade or reply.differs or reply.clock_skew:
                log.warning(
                    "head office: upgrade %s, rows differ in %s, clock %s",
                    reply.upgrade, reply.differs, reply.clock_skew,
                )  # fmt: skip
        kinds = frozenset({"member", "exchange"}) if touched else frozenset({"exchange"})
        return Heard(SOON_S if more else POLL_S, "", Changes(touched, kinds))

    def _apply_ahead(self, ahead: Ahead) -> Heard:
        """Write frames that are ready, each as an answer of its own, in one transaction: until somebody waits
        for it, or it has been long enough."""
        with self._ctx.read() as conn:
            in_shift = till.open_shift(conn) is not None
        ahead.wait(1 if in_shift else ENOUGH)
        taken, awaited, ended, last = 0, False, False, None
        with without_collecting(), self._ctx.write(self._ctx.ids()) as tx:
            in_shift = till.open_shift(tx.conn) is not None
            if in_shift:
                bulk.enlarge_cache(tx.conn)  # rows of many members are all over the indexes
            until_s = time.monotonic() + _portion_s(tx)
            dealings, talking = self._talk(tx)
            if not in_shift:
                filling.begin(tx.conn, coming(dealings.control().begun))
            while request := self._next_frames(talking, dealings):
                reply = self._ready(request, dealings, ahead, in_shift=in_shift)
                if reply is None:
                    ended = True
                    break
                talking.receive(reply, self._now_ms(), self._today(), self._rng)
                dealings.show(more=True)
                last = request
                taken += len(reply.frames)
                awaited = self._ctx.turn.awaited or self._ctx.store.awaited
                if awaited or taken >= FRAMES_AT_ONCE or time.monotonic() >= until_s:
                    break
            self._end(tx, dealings, answered=taken > 0)
            whole = dealings.control().begun is None
        self._forget(dealings, programmes=False)
        if whole or last is not None:
            self._shelf.let_go(None if whole else last)
        if whole or (ended and not taken):
            # All is here, or the rest won't come: the next question is asked as ever, and its answer says why.
            self._alone = self._alone or ahead.useless
            self._let_ahead_go()
            with self._ctx.write_rows() as conn:
                bulk.usual_cache(conn)
        if not awaited:
            self._move_log(0 if in_shift or whole else LOG_PAGES)
        kinds = frozenset({"member", "exchange"})
        return Heard(AT_ONCE_S, "", Changes(frozenset(dealings.touched), kinds))

    def _next_frames(self, talking: Till, dealings: Dealings) -> SnapshotRequest | None:
        """The frames that are to be asked for now; None where something else is, a sale that has to be told."""
        request = talking.request(self._rng, written=dealings.top())
        return request if isinstance(request, SnapshotRequest) else None

    def _ready(
        self, request: SnapshotRequest, dealings: Dealings, ahead: Ahead, *, in_shift: bool
    ) -> SnapshotReply | None:
        """Those frames, if they are here."""
        found = ahead.take(request, 1 if in_shift else FRAMES_TOGETHER)
        if found is None:
            return None
        reply, made = found
        dealings.expect_frames(made)
        return reply

    def _fetch_ahead(self, row: head_office.HeadOfficeRow, reply: Reply) -> None:
        """Where a snapshot has many more frames, fetch them from now on while others are written."""
        if not isinstance(reply, SnapshotReply) or self._alone:
            return
        with self._ctx.read() as conn:
            control = reading(conn).control()
        begun = control.begun
        if begun is None or begun.of - begun.frame < AHEAD_FROM:
            return
        request = SnapshotRequest(
            bytes(16), control.device, control.timeline, begun.bucket, begun.snapshot, begun.frame
        )
        try:
            line = self._open_line(self._ctx, row)
            self._ahead = Ahead(line, request, control.epoch, self._shelf)
        except (Ended, NoAnswer) as error:
            self._alone = True
            log.warning("frames are made ready here: %s", error)

    def _let_ahead_go(self) -> None:
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None

    def _talk(self, tx: Tx) -> tuple[Dealings, Till]:
        dealings = tx.dealings
        assert dealings is not None
        return dealings, Till(dealings, self._in_flight)

    def _end(self, tx: Tx, dealings: Dealings, *, answered: bool) -> bool:
        """What follows on an answer in its transaction. True: there is another version of the programme."""
        dealings.show()
        if dealings.control().begun is None:
            filling.end(tx.conn)
        if dealings.control().nonce:
            # Another till may give numbers out of the same blocks: the next ones are of a new one.
            people.end_card_blocks(tx.conn)
        took = take_references(tx, dealings.references)
        dealings.references.clear()
        if answered:
            head_office.put_heard(tx.conn, self._now_ms() * 1000)
            note_heard(tx.conn, tx.now())
        return took

    def _forget(self, dealings: Dealings, *, programmes: bool) -> None:
        if dealings.forgotten:
            self._ctx.forget_cells(dealings.forgotten)
        if programmes:
            self._ctx.forget_references()

    def _arrived(self, reply: Reply) -> Mapping[bytes, tuple[wire.MemberRow, Arrival]]:
        """Rows of members whom an answer brings for the first time, made before the counter has to wait."""
        if not isinstance(reply, SyncReply | SnapshotReply) or not reply.rows:
            return {}
        with self._ctx.read() as conn:
            return arrivals_of(conn, list(map(unpack_row, reply.rows)))

    def _shut_out(self) -> Heard:
        """Head office has shut this till out. What it says is signed (app/sync/client.py)."""
        self._let_ahead_go()  # members are in its frames
        if is_wiped(self._ctx):
            return Heard(BACK_OFF_MOST_S, "revoked")
        log.warning("head office has shut this till out")
        self._ctx.forget_references()
        wipe(self._ctx)
        return Heard(BACK_OFF_MOST_S, "revoked", Changes(kinds=frozenset({"member", "exchange"})))

    # Holds

    def hold(self, member: bytes, points: int, on: BusinessDate) -> bytes | None:
        """Ask head office to reserve points for a sale: the hold's id; None: the till's own rights must do.

        One that is not answered in time is voided: it may have been granted all the same."""
        with self._ctx.write(self._ctx.ids()) as tx:
            row, dealings = head_office.head_office(tx.conn), tx.dealings
            if row is None or dealings is None:
                return None
            request = Till(dealings).ask_hold(member, POINTS, points, on, self._rng)
        if request is None:
            return None
        reply = self._holds.ask(row, endpoints.HOLD, request, HOLD_WITHIN_S)
        with self._ctx.write(self._ctx.ids()) as tx:
            assert tx.dealings is not None
            talking = Till(tx.dealings)
            if isinstance(reply, HoldReply):
                talking.receive(reply, self._now_ms(), on, self._rng)
                return request.hold if reply.granted else None
            talking.void_hold(request.hold, on, self._rng)
        return None

    def let_go(self, hold: bytes, on: BusinessDate) -> None:
        """End a hold that no sale used."""
        with self._ctx.write(self._ctx.ids()) as tx:
            if tx.dealings is None:
                return
            standing = {each.id: each.standing for each in tx.dealings.control().holds}
            if standing.get(hold) in ("asked", "open"):
                Till(tx.dealings).void_hold(hold, on, self._rng)

    # Inside

    def _took(self, frames: int, took_s: float, portion_s: float) -> None:
        """Ask for as many frames next time as fit in a portion by this measure, twice as many at most."""
        fit = int(frames * portion_s / max(took_s, 1e-3))
        self._frames = max(1, min(fit, 2 * frames, FRAMES_MOST))
        self._move_log(0)

    def _move_log(self, from_pages: int) -> None:
        """Move a log of so many pages into the store: nothing else does while so many rows come."""
        store = self._ctx.store
        if not from_pages or store.log_pages() >= from_pages:
            store.checkpoint_passive()

    def _is_due(self) -> bool:
        return self._now_s() - self._compared_s >= COMPARE_EVERY_S

    def _digests(self) -> dict[str, int]:
        """Of all rows that are here: beside the counter, not in its turn. Only this thread writes them."""
        with self._ctx.read(Reader.REPORT) as conn:
            joined = head_office.control(conn) is not None
            return Till(reading(conn)).digests() if joined else {}

    def _failed(self, why: str, told: str) -> Heard:
        log.info("head office: %s", told)
        self._let_line_go()
        self._failures += 1
        most = min(BACK_OFF_MOST_S, 2 ** min(self._failures, 16))
        return Heard(1 + self._rng.random() * most, why)

    def _said_no(self, problem: endpoints.Problem) -> Heard:
        log.warning("head office says no: %s", problem.code)
        heard = self._failed(_WHYS.get(problem.code, "refused"), problem.code)
        if problem.code in ("busy", "too_many", "replayed"):
            return Heard(float(problem.retry_after_s or 1), "")
        return heard

    def _now_ms(self) -> int:
        return int(self._ctx.clock().timestamp() * 1000)

    def _now_s(self) -> float:
        return self._ctx.clock().timestamp()

    def _today(self) -> BusinessDate:
        return self._ctx.business_date()


@contextmanager
def without_collecting() -> Iterator[None]:
    """Rows have no cycles, and looking for them among so many takes a quarter of the time of writing them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _portion_s(tx: Tx) -> float:
    return IDLE_PORTION_S if till.open_shift(tx.conn) is None else PORTION_S


def _ask(line: Line, request: Request, epoch: int) -> Reply:
    body = line.ask(_PATHS[type(request)], request.rid, epoch, wire.to_bytes(request))
    return wire.reply_of(body)
