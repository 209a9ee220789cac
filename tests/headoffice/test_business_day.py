"""Until the hour at which business days begin, head office's date is yesterday's, as it is at the tills."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.protocol.facts import Facts, Posting, write
from headoffice import programmes
from headoffice.__main__ import main
from headoffice.at_store import POSTGRESQL
from headoffice.office import wall_ms
from resources import programme_path
from tests.headoffice.api_office import system, written
from tests.headoffice.console_browser import Person, let_in
from tests.headoffice.http_office import (
    ANNA,
    DAY,
    TENANT,
    Served,
    begin_chain,
    opened,
    served,
    wait_for,
)
from tests.headoffice.serving_process import DSN_FILE

pytestmark = pytest.mark.usefixtures("each_store")

OFFSET_MINUTES: Final = ((2 - time.gmtime().tm_hour + 12) % 24 - 12) * 60
"""Of local time, in which it is between two and three o'clock as these tests begin."""


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Served]:
    begin_chain(tmp_path)
    with opened(tmp_path) as (store, directory), store.writing():
        (chain,) = directory.chains()
        directory.put_chain(chain._replace(offset_minutes=OFFSET_MINUTES))
    with served(tmp_path) as made:
        yield made


def calendar_day() -> BusinessDate:
    return BusinessDate((wall_ms() + OFFSET_MINUTES * 60_000) // DAY)


def document(starts: BusinessDate, cut_off_minute: int) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(programme_path("starter.json").read_text(encoding="utf-8"))
    return {**plain, "starts": starts.iso(), "cut_off_minute": cut_off_minute}


def publish(folder: Path, starts: BusinessDate) -> None:
    """Beside the serving head office."""
    with opened(folder) as (store, _), store.writing():
        programmes.publish(store, document(starts, 240), starts)


@pytest.mark.parametrize(("cut_off_minute", "available"), [(0, 0), (240, 7)])
def test_points_are_good_until_the_business_day_ends(
    at: Served, cut_off_minute: int, available: int
) -> None:
    till, yesterday = at.till(), calendar_day().plus(-1)
    event, on = till.rng.randbytes(16), yesterday.plus(-3)
    entry = Entry(EntryId(event, 0), POINTS, "earn", 7, on, on, yesterday)
    made = Facts(event, "sale", ANNA, on, (Posting(entry),), sold=((0, 1),))
    till.at.commit(made, write(made))
    till.sync()

    written(at, lambda store: programmes.publish(store, document(on, cut_off_minute), on))
    with system(at, "members:read") as shop:
        member = shop.get(f"/v1/members/{ANNA.hex()}")
    assert (member["balance"], member["available"]) == (7, available)


def test_a_version_may_begin_on_the_business_day_that_is_not_over(
    at: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yesterday = calendar_day().plus(-1)
    publish(tmp_path, yesterday.plus(-2))
    if (tmp_path / DSN_FILE).exists():
        monkeypatch.setenv(POSTGRESQL, (tmp_path / DSN_FILE).read_text())
    file = tmp_path / "next.json"

    def ended(starts: BusinessDate) -> int:
        file.write_text(json.dumps(document(starts, 240)), encoding="utf-8")
        return main(["publish", str(file), "--data", str(tmp_path)])

    assert ended(yesterday.plus(-1)) != 0
    assert ended(yesterday) == 0


def test_a_settlement_is_asked_for_until_the_business_day(at: Served, tmp_path: Path) -> None:
    yesterday = calendar_day().plus(-1)
    publish(tmp_path, yesterday)
    anna = Person(at)
    anna.begin(let_in(tmp_path, "AN", "head_office"))
    wait_for(lambda: at.office.chains[TENANT].server.today(wall_ms()) == yesterday)
    page = anna.look("/console/settlement").text
    anna.close()
    assert f'value="{yesterday.iso()}"' in page
    assert f'value="{calendar_day().iso()}"' not in page
