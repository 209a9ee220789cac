"""R9: the till is started several times on one folder. Through the real start exactly one of them writes."""

from __future__ import annotations

import gc
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from app.domain.errors import Outage, Unavailable
from app.usecases.sell import sell
from app.usecases.verify import verify
from db import lock
from tests.app.kiosk import Clock, Kiosk, Template, events_of, open_store, sale_command

RACES = 50
RUNNERS = 3
WROTE, TOLD, FAILED = b"w", b"t", b"f"


def race(folder: Path, template: Template) -> Counter[bytes]:
    """Start the till RUNNERS times at one moment; each that opens sells and stays open to the end."""
    go, start = os.pipe()
    heard, say = os.pipe()
    stay, end = os.pipe()
    gc.freeze()  # or each child's first collection copies the whole of the parent's memory
    children = []
    for _ in range(RUNNERS):
        child = os.fork()
        if child == 0:
            os.close(start)
            os.close(end)
            _run(folder, template, go, say, stay)
        children.append(child)
    gc.unfreeze()
    os.close(start)  # wakes all of them
    answers = b""
    while len(answers) < RUNNERS:
        answers += os.read(heard, RUNNERS)
    os.close(end)
    for child in children:
        os.waitpid(child, 0)
    for handle in (go, heard, say, stay):
        os.close(handle)
    return Counter(answers[at : at + 1] for at in range(RUNNERS))


def _run(folder: Path, template: Template, go: int, say: int, stay: int) -> None:
    answer = FAILED
    try:
        os.read(go, 1)
        try:
            opened = open_store(folder, template, Clock())
        except Unavailable as error:
            answer = TOLD if error.code is Outage.STORE_IN_USE else FAILED
        else:
            ctx = opened.context
            sell(ctx, sale_command(ctx, template.session, template.member_id, 1000))
            answer = WROTE
        os.write(say, answer)
        os.read(stay, 1)
    except BaseException:
        os.write(say, FAILED)
    finally:
        os._exit(0)


def test_fifty_races_have_one_writer_each_and_tell_the_others_why(
    template: Template, tmp_path: Path
) -> None:
    folder = template.copy_to(tmp_path / "store")
    opened = open_store(folder, template, Clock())
    before = len(events_of(opened.context))
    opened.close()
    results = [race(folder, template) for _ in range(RACES)]
    assert results == [Counter({WROTE: 1, TOLD: RUNNERS - 1})] * RACES
    opened = open_store(folder, template, Clock())
    assert len(events_of(opened.context)) == before + RACES
    assert verify(opened.context).findings == []
    opened.close()


def test_without_the_lock_several_write_at_once(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The red twin: the race is a real one."""
    folder = template.copy_to(tmp_path / "store")
    monkeypatch.setattr(lock, "_lock", lambda handle: None)
    results = [race(folder, template) for _ in range(10)]
    assert any(result[WROTE] != 1 for result in results)


def test_a_second_start_is_refused_and_changes_nothing(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    before = {
        path: path.read_bytes()
        for path in kiosk.folder.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")
    }
    with pytest.raises(Unavailable) as caught:
        open_store(kiosk.folder, kiosk.template, Clock())
    assert caught.value.code is Outage.STORE_IN_USE
    assert {path: path.read_bytes() for path in before} == before
    assert not kiosk.quote_and_sell().again


def test_a_killed_till_leaves_the_store_free_at_once(template: Template, tmp_path: Path) -> None:
    folder = template.copy_to(tmp_path / "store")
    heard, say = os.pipe()
    child = os.fork()
    if child == 0:
        opened = open_store(folder, template, Clock())
        os.write(say, WROTE)
        signal.pause()
        opened.close()
    assert os.read(heard, 1) == WROTE
    with pytest.raises(Unavailable):
        open_store(folder, template, Clock())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    open_store(folder, template, Clock()).close()
    os.close(heard)
    os.close(say)
