"""A till that is struck at one system call by strace: killed there, or told that the disk failed (R2, R4).

The till is a forked child that opens its store first. Then strace takes hold of it, and it makes one sale
with its slip: cart, commit, journal file, paper, checkpoint, close. What it comes to stands in shared memory,
so that saying it is no call that could be struck.
"""

from __future__ import annotations

import mmap
import os
import re
import subprocess
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from app import spool
from app.context import Context
from app.domain.errors import Outage, Unavailable
from app.usecases.keep_cart import keep_cart
from app.usecases.sell import sell
from app.usecases.tidy import tidy
from app.usecases.verify import verify
from db import rows
from tests.app.kiosk import OPENING, Clock, Template, open_store, print_to, sale_command
from tests.faults.killed_till import amount, cart_of, check, check_paper, command_id

CALLS: Final = (
    "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "openat", "mkdir",
)  # fmt: skip
"""Everything by which a till changes what is on disk, or comes to it."""
NUMBER: Final = 1
HANG_S: Final = 30.0
CLEAR: Final = {
    Outage.STORE_FULL, Outage.STORE_FAILED, Outage.STORE_READ_ONLY, Outage.STORE_DAMAGED,
    Outage.JOURNAL_FILE_FAILED,
}  # fmt: skip
_ACKED, _WARNED, _STRUCK, _TEXT = 0, 1, 2, 8


@dataclass(slots=True)
class Outcome:
    """What became of one struck till."""

    struck: bool
    acked: bool
    warned: bool
    refused: str
    problems: list[str] = field(default_factory=list)


def strike(folder: Path, template: Template, call: str, number: int, how: str) -> Outcome:
    """One life that is struck at the `number`-th `call` of its sale; `how` is strace's word for it."""
    store = template.copy_to(folder / "store")
    print_to(store, folder / "paper")
    board = mmap.mmap(-1, 4096)
    ready, tell_ready = os.pipe()
    wait, tell_go = os.pipe()
    child = os.fork()
    if child == 0:
        _live(store, template, board, tell_ready, wait)
    os.close(tell_ready)
    os.close(wait)
    assert os.read(ready, 1) == b"!"
    log = folder / "calls"
    inject = f"inject={call}:{how}:when={number}"
    tracer = subprocess.Popen(
        ["strace", "-p", str(child), "-o", str(log), "-e", f"trace={call}", "-e", inject],
        stderr=subprocess.DEVNULL,
    )
    _wait_until_held(child, tracer)
    os.write(tell_go, b"!")
    os.waitpid(child, 0)
    tracer.wait(HANG_S)
    os.close(ready)
    os.close(tell_go)
    text = board[_TEXT:].rstrip(b"\0").decode(errors="replace")
    refused, _, problem = text.partition("\n")
    said = log.read_text()
    outcome = Outcome(
        "INJECTED" in said or "killed by SIGKILL" in said, bool(board[_ACKED]),
        bool(board[_WARNED]), refused, [problem] if problem else [],
    )  # fmt: skip
    outcome.problems += _look(store, template, outcome)
    return outcome


def shorten(folder: Path, template: Template, number: int) -> Outcome:
    """One life in which the system takes half of what the `number`-th os.write of the sale gives it: the rest
    has to be given again. SQLite's own writes are the library's; strace strikes those."""
    store = template.copy_to(folder / "store")
    print_to(store, folder / "paper")
    board = mmap.mmap(-1, 4096)
    ready, tell_ready = os.pipe()
    wait, tell_go = os.pipe()
    child = os.fork()
    if child == 0:
        _live(store, template, board, tell_ready, wait, lambda: _write_half(number, board))
    os.write(tell_go, b"!")
    os.waitpid(child, 0)
    for handle in (ready, tell_ready, wait, tell_go):
        os.close(handle)
    refused, _, problem = board[_TEXT:].rstrip(b"\0").decode(errors="replace").partition("\n")
    outcome = Outcome(
        bool(board[_STRUCK]), bool(board[_ACKED]), bool(board[_WARNED]), refused,
        [problem] if problem else [],
    )  # fmt: skip
    outcome.problems += _look(store, template, outcome)
    return outcome


def _write_half(number: int, board: mmap.mmap) -> None:
    sound, left = os.write, [number]

    def write(fd: int, blob: bytes | memoryview, /) -> int:
        left[0] -= 1
        view = memoryview(blob)
        if left[0] or len(view) < 2:
            return sound(fd, view)
        board[_STRUCK] = 1
        return sound(fd, view[: len(view) // 2])

    vars(os)["write"] = write


def _wait_until_held(child: int, tracer: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + HANG_S
    while time.monotonic() < give_up and tracer.poll() is None:
        status = Path(f"/proc/{child}/status").read_text()
        if re.search(r"TracerPid:\t[1-9]", status):
            return
        time.sleep(0.002)
    raise AssertionError("strace did not get hold of the till")


def rehearse(folder: Path, template: Template) -> None:
    """The same sale with nothing struck, in this process: what Python reads when it first needs it (modules,
    codecs) is read here once, and is no call of the tills that are forked."""
    store = template.copy_to(folder / "store")
    print_to(store, folder / "paper")
    till = open_store(store, template, Clock(OPENING + timedelta(days=1)))
    _sell_and_print(till.context, template, mmap.mmap(-1, 4096))
    till.close()


# The child ----------------------------------------------------------------------------------------


def _live(
    store: Path,
    template: Template,
    board: mmap.mmap,
    tell_ready: int,
    wait: int,
    begin: Callable[[], None] = lambda: None,
) -> None:
    try:
        till = open_store(store, template, Clock(OPENING + timedelta(days=1)))
        os.write(tell_ready, b"!")
        os.read(wait, 1)
        begin()
        try:
            _sell_and_print(till.context, template, board)
        finally:
            till.close()
    except Unavailable as error:
        _note(board, str(error.code))
    except BaseException:
        _note(board, "\n" + traceback.format_exc()[-3000:])
    finally:
        os._exit(0)


def _sell_and_print(ctx: Context, template: Template, board: mmap.mmap) -> None:
    keep_cart(ctx, cart_of(NUMBER))
    command = sale_command(
        ctx, template.session, template.member_id, amount(NUMBER), command_id=command_id(NUMBER)
    )
    done = sell(ctx, command)
    board[_WARNED] = bool(done.warning)
    board[_ACKED] = 1
    while (job := spool.claim(ctx)) is not None:
        spool.settle(ctx, spool.deliver(job, ctx.settings.receipt))
    tidy(ctx)


def _note(board: mmap.mmap, text: str) -> None:
    plain = text.encode()[: len(board) - _TEXT]
    board[_TEXT : _TEXT + len(plain)] = plain


# What must hold -----------------------------------------------------------------------------------


def _look(store: Path, template: Template, outcome: Outcome) -> list[str]:
    """Start again as after a crash: everything acknowledged is there once, and selling goes on."""
    if outcome.refused and outcome.refused not in CLEAR:
        return [f"refused with {outcome.refused}"]
    till = open_store(store, template, Clock(OPENING + timedelta(days=1, hours=1)))
    ctx = till.context
    try:
        acked = {NUMBER} if outcome.acked else set()
        problems = check(ctx, acked)
        behind = [code for code, _ in till.findings.found if code == "journal_backfilled"]
        if outcome.acked and not outcome.warned and behind:
            problems.append("said to be done without a warning, and in one copy only")
        problems += [f"verify: {finding.what}" for finding in verify(ctx).findings]
        spool.recover(ctx)
        problems += check_paper(ctx, acked)
        with ctx.read() as conn:
            committed = rows.event_by_command(conn, command_id(NUMBER)) is not None
        again = sell(
            ctx,
            sale_command(
                ctx, template.session, template.member_id, amount(NUMBER),
                command_id=command_id(NUMBER),
            ),
        )  # fmt: skip
        if (again.again, again.warning) != (committed, ""):
            problems.append(f"again {again.again}, committed {committed}, {again.warning}")
        return problems + check(ctx, {NUMBER})
    finally:
        till.close()
