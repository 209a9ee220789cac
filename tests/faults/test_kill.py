"""R1: kill -9 at a random moment of a running sale. Nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest

from tests.app.kiosk import Template, print_to
from tests.faults.killed_till import Board, Memory, Stage, live

PARTS = 10
KILLS = 50
"""In each part: 500 in all."""
START_MOST_S = 30.0
"""A guard against a start that hangs: how long one takes is not measured beside other programs."""
HANG_S = 30.0


class Till:
    """A store that is started, killed and started again, with all that was said about it."""

    def __init__(self, folder: Path, template: Template, *, ack_first: bool = False) -> None:
        self.folder = template.copy_to(folder / "store")
        self.template = template
        self.board = Board()
        self.memory = Memory()
        self.ack_first = ack_first
        print_to(self.folder, folder / "paper")

    def run_and_kill(self, target: Stage, chance: random.Random) -> Stage:
        """One life, ended at a random moment of a stage; says at which stage it ended."""
        heard, said = os.pipe()
        gc.freeze()  # or the child's first collection copies the whole of the parent's memory
        child = os.fork()
        if child == 0:
            os.close(heard)
            self._live(said, chance.randrange(1 << 30))
        gc.unfreeze()
        os.close(said)
        self._wait_for(target, self.board.sale + chance.randrange(3), child)
        time.sleep(chance.random() * (0.012 if target is Stage.STARTING else 0.001))
        os.kill(child, signal.SIGKILL)
        ended_at = self.board.stage
        _, status = os.waitpid(child, 0)
        with os.fdopen(heard, "rb") as pipe:
            self.memory.take(pipe.read())
        assert status == signal.SIGKILL, f"the till ended by itself: {self.memory.problems}"
        return ended_at

    def _live(self, said: int, seed: int) -> None:
        try:
            live(
                self.folder, self.template, self.board, self.memory, said,
                seed=seed, ack_first=self.ack_first,
            )  # fmt: skip
        except BaseException as error:
            problem = "".join(traceback.format_exception(error))
            os.write(said, json.dumps({"problems": [problem], "start_s": 0}).encode())
        finally:
            os._exit(1)

    def _wait_for(self, target: Stage, sale: int, child: int) -> None:
        """Until the till is at the stage; in the sale or a later one, so that it sells in between."""
        self.board.put(Stage.STARTING)
        give_up = time.monotonic() + HANG_S
        while time.monotonic() < give_up:
            now = self.board.stage
            if now is target and (now is Stage.STARTING or self.board.sale > sale):
                return
            for _ in range(50):
                if self.board.stage is not now:
                    break
                time.sleep(0.0002)
            else:
                if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                    return
        raise AssertionError(f"the till did not come to {target.name} in {HANG_S} s")


@pytest.mark.parametrize("part", range(PARTS))
def test_a_killed_till_has_lost_and_doubled_nothing(
    template: Template, tmp_path: Path, part: int
) -> None:
    chance = random.Random(part)
    till = Till(tmp_path, template)
    ended: Counter[Stage] = Counter()
    for _ in range(KILLS):
        # Where it was killed least so far: the till may have moved on by the time the kill lands.
        target = min(Stage, key=lambda stage: (ended[stage], chance.random()))
        ended[till.run_and_kill(target, chance)] += 1
    till.run_and_kill(Stage.IDLE, chance)  # a last life, to check what the last kill left
    assert till.memory.problems == []
    assert till.memory.slowest_start_s < START_MOST_S
    assert len(till.memory.acked) > KILLS
    missed = [stage.name for stage in Stage if ended[stage] == 0]
    assert missed == [], f"killed at {ended}"


def test_a_till_that_says_done_before_the_commit_is_found_to_lose_sales(
    template: Template, tmp_path: Path
) -> None:
    """The red twin: the same kills and the same check, one line of the till moved."""
    chance = random.Random(1)
    till = Till(tmp_path, template, ack_first=True)
    for _ in range(10):
        till.run_and_kill(Stage.TRANSACTION, chance)
    assert any(problem.startswith("lost sale") for problem in till.memory.problems)
