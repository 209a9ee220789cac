"""Work says how far it is: each whole percent once, upwards, and parts within their bounds."""

from __future__ import annotations

from app.percent import Percent, part


def test_each_whole_percent_is_told_once_and_never_downwards() -> None:
    told: list[int] = []
    percent = Percent(told.append)
    for done in (0, 1, 5, 4, 1000, 2000):
        percent(done, 1000)
    assert told == [0, 100]


def test_work_with_nothing_to_do_is_done() -> None:
    told: list[int] = []
    Percent(told.append)(0, 0)
    assert told == [100]


def test_parts_share_the_hundred() -> None:
    told: list[int] = []
    percent = Percent(told.append)
    first, second = part(percent, 0, 50), part(percent, 50, 100)
    first(1, 2)
    first(9, 2)
    second(1, 2)
    second(0, 0)
    assert told == [25, 50, 75, 100]
