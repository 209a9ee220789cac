"""A till that is killed while it begins with a chain's members, frames fetched ahead: it begins again behind
what was committed, and ends with the rows of one that nobody killed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from app.protocol.wire import SnapshotReply, SnapshotRequest
from app.sync import ahead as ahead_module
from app.sync import exchange as exchange_module
from app.sync.ahead import Ahead
from app.sync.exchange import SOON_S, Exchange
from app.sync.join import join
from app.sync.readying import Readying
from app.usecases.tidy import ARRIVING
from tests.app.kiosk import Clock, Kiosk, Template, other_till
from tests.bench.office_rows import fill
from tests.headoffice.http_office import begin_chain, code_for, opened, wait_for
from tests.headoffice.serving_process import Process, process
from tests.headoffice.test_ahead import card, members, rows

MEMBERS, ROWS = 720, 3
FRAMES: Final = MEMBERS // ROWS
KILLS: Final = 5
AHEAD, AT_ONCE, ANSWER = 16, 12, 4
"""Frames, here: fetched ahead, of a transaction, of an answer. The product's are 64, 64 and 16."""


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[Path, Process]]:
    """A head office of its own, with a snapshot of many small frames."""
    folder = tmp_path / "office"
    folder.mkdir()
    begin_chain(folder)
    fill(folder, MEMBERS)
    with opened(folder) as (store, _), store.writing():
        begun = store.snapshots.begin("all", store.tenant().timeline, list(store.devices()))
        whole = False
        while not whole:
            begun, whole = store.snapshots.add("all", begun, ROWS)
    with process(folder) as found:
        yield folder, found


def begin(kiosk: Kiosk, folder: Path, url: str, name: str) -> None:
    """Join, with no shift open."""
    kiosk.clock.now = datetime.now(UTC)
    kiosk.end_shift()
    join(kiosk.ctx, url, code_for(folder, "North", name))


def go_on(kiosk: Kiosk) -> None:
    """Ask until all is there."""
    exchange = Exchange(kiosk.ctx)
    try:
        while True:
            kiosk.clock.now = datetime.now(UTC)
            heard = exchange.once()
            assert heard is not None
            assert not heard.why, heard.why
            if heard.again_s > SOON_S:
                return
    finally:
        exchange.close()


def live(folder: Path, template: Template, said: int) -> None:
    """The till's process: it goes on, and says what it does as it does it."""

    def say(**words: Any) -> None:
        os.write(said, json.dumps(words).encode() + b"\n")

    fetched, asked = Ahead._fetched, exchange_module._ask
    apply, made = Exchange._apply_ahead, Readying.__init__

    def told(reply: Any) -> Any:
        if isinstance(reply, SnapshotReply):
            say(fetched=[reply.frame, len(reply.frames)])
        return reply

    def heard(ahead: Ahead, request: SnapshotRequest) -> Any:
        return told(fetched(ahead, request))

    def answered(*asks: Any) -> Any:
        return told(asked(*asks))

    def applied(exchange: Exchange, ahead: Ahead) -> Any:
        say(writes=True)
        done = apply(exchange, ahead)
        say(written=len(done.changes.members))
        return done

    def began(readying: Readying) -> None:
        made(readying)
        say(pid=readying._process.pid)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ahead_module, "FRAMES_AHEAD", AHEAD)
        patch.setattr(ahead_module, "FRAMES_MOST", ANSWER)
        patch.setattr(exchange_module, "FRAMES_AT_ONCE", AT_ONCE)
        patch.setattr(exchange_module, "FRAMES_TOGETHER", ANSWER)
        patch.setattr(exchange_module, "ENOUGH", ANSWER)
        patch.setattr(Ahead, "_fetched", heard)
        patch.setattr(exchange_module, "_ask", answered)
        patch.setattr(Exchange, "_apply_ahead", applied)
        patch.setattr(Readying, "__init__", began)
        with contextlib.closing(Kiosk(folder, template, Clock(datetime.now(UTC)))) as kiosk:
            go_on(kiosk)
            say(whole=True)


def lived(folder: Path, template: Template, lines: int | None) -> list[dict[str, Any]]:
    """What a till's process said, until it was killed after so many lines; None: to its end."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.close(reads)
            live(folder, template, writes)
            code = 0
        finally:
            os._exit(code)
    os.close(writes)
    found = list[dict[str, Any]]()
    with os.fdopen(reads) as pipe:
        for line in pipe:
            found.append(json.loads(line))
            if len(found) == lines:
                os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (lines is not None)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    for each in found:
        if "pid" in each:
            wait_for(lambda pid=each["pid"]: not _runs(pid))  # type: ignore[misc]
    return found


def _runs(pid: int) -> bool:
    """Whether a process is there and not over."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_till_that_is_killed_as_it_begins_goes_on_and_ends_with_the_same_rows(
    kiosk: Kiosk, template: Template, serving: tuple[Path, Process], tmp_path: Path
) -> None:
    office, served = serving
    begin(kiosk, office, served.url, "till 1")
    own_card = card(kiosk)
    kiosk.close()
    seed = random.SystemRandom().randrange(1 << 32)
    chance, again, had = random.Random(seed), list[int](), set[int]()
    for kill in range(KILLS + 1):
        said = lived(kiosk.folder, template, chance.randrange(4, 22) if kill < KILLS else None)
        now = _frames_of(said)
        again.append(len(had & now))
        had |= now
    print(f"seed {seed}: frames that came again {again} of {FRAMES}")
    assert said[-1] == {"whole": True}
    # The answer in hand, and the frame that it asks for by itself when it begins again.
    assert max(again) <= ANSWER + 1, f"seed {seed}: {again}"
    assert had >= set(range(FRAMES)), "no frame was left out"
    assert not list((kiosk.folder / ARRIVING).glob("*"))
    kiosk.open()
    assert members(kiosk) == MEMBERS + 1
    with contextlib.closing(other_till(template, tmp_path / "other")) as other:
        begin(other, office, served.url, "till 2")
        go_on(other)
        own: set[bytes | str] = {kiosk.member_id, other.member_id, own_card, card(other)}
        assert rows(kiosk, own) == rows(other, own)


def _frames_of(said: list[dict[str, Any]]) -> set[int]:
    return {
        frame
        for first, count in [each["fetched"] for each in said if "fetched" in each]
        for frame in range(first, first + count)
    }
