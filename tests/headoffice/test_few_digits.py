"""Tills ask a real head office for members by four digits: whom it offers, what is taken, and how often."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.protocol.few_digits import ENDING, MANY, OFFERED_MOST, OFTEN, TAKEN, Ending, typed
from app.protocol.limits import Limits
from app.protocol.server import Server
from app.protocol.wire import LookReply, LookRequest
from headoffice.http import RATES
from headoffice.looked import DAY_MOST, HOUR_MOST
from headoffice.store.opening import open_database
from tests.headoffice.console_browser import write_profile
from tests.headoffice.http_office import HttpTill, Served, begin_chain, opened, rows, served

HOUR_MS = 3_600_000
OFTEN_ENOUGH = RATES._replace(
    look_per_s=1e6, look_burst=10**6, device_per_s=1e6, device_burst=10**6
)
"""What bounds all look-ups in a second is not what is tried here."""


def put(folder: Path, number: int, name: str, phone: str, card: str = "", py: str = "") -> bytes:
    member = number.to_bytes(16)
    write_profile(folder, member, name=name, phone=phone, card=card, name_py=py)
    return member


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Served]:
    begin_chain(tmp_path)
    with served(tmp_path, rates=OFTEN_ENOUGH) as made:
        yield made


@pytest.fixture
def till(at: Served) -> HttpTill:
    found = at.till()
    found.sync()
    return found


def ask(till: HttpTill, field: str, value: str) -> LookReply:
    control = till.at.store.control()
    request = LookRequest(
        till.rng.randbytes(16), control.device, control.epoch, control.timeline, field, value
    )
    reply = till.reply(request)
    assert isinstance(reply, LookReply)
    return reply


def offered(till: HttpTill, value: str) -> list[tuple[str, str]]:
    return [(each.name, each.where) for each in ask(till, ENDING, value).offered]


@pytest.mark.usefixtures("each_store")
def test_who_fits_is_offered_masked_and_one_of_them_taken(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        till = at.till()
        till.sync()
        chen = put(at.folder, 1, "陈思远", "+8613800006621", py="chensiyuan")
        put(at.folder, 2, "Wu Min", "+8613911112222", card="880000126621")
        put(at.folder, 3, "林晓", "+8613700000000")
        found = offered(till, "6621")
        assert found == [("陈*远", "North, South"), ("W*** M***", "North, South")]
        assert offered(till, "6621 陈") == offered(till, "6621 c") == found[:1]
        assert offered(till, "6621 x") == offered(till, "6622") == []
        reply = ask(till, TAKEN, Ending("6621", "c").taken(chen))
        assert [row.member for row in reply.rows] == [chen]
        kept = rows(
            at.folder, "SELECT device_id, what, found FROM till_few_digits ORDER BY what, found"
        )
        assert [tuple(row) for row in kept] == [
            (till.device, "ending", n) for n in (0, 0, 1, 1, 2)
        ] + [(till.device, "taken", 1)]
        assert "6621" not in str(kept)


def test_what_was_not_offered_is_not_taken(at: Served, till: HttpTill) -> None:
    chen = put(at.folder, 1, "陈思远", "+8613800006621")
    for value in ("6622", "6621 x", "", "66", "662 1"):
        assert ask(till, TAKEN, f"{chen.hex()} {value}").rows == ()
    assert ask(till, TAKEN, f"{bytes(16).hex()} 6621").rows == ()
    write_profile(at.folder, chen, phone="+8613800006622", device=b"z" * 16)
    assert ask(till, TAKEN, f"{chen.hex()} 6621").rows == (), "the number is another one now"
    assert offered(till, "6621") == []


@pytest.mark.parametrize(
    "value", ["", "662", "06621", "621", "6621 cc", "6621  c", "____", "\uff16\uff16\uff12\uff11"]
)
def test_what_is_not_four_digits_is_no_question(at: Served, till: HttpTill, value: str) -> None:
    put(at.folder, 1, "cc", "+8613800006621")
    reply = ask(till, ENDING, value)
    assert reply == LookReply(reply.rid)


def test_where_more_fit_nobody_is_offered_until_a_letter_tells_them_apart(
    at: Served, till: HttpTill
) -> None:
    for n in range(OFFERED_MOST + 1):
        put(at.folder, n + 1, f"{'abcdef'[n]}nn", f"+86138{n:04}6621")
    reply = ask(till, ENDING, "6621")
    assert (reply.offered, reply.why) == ((), MANY)
    assert offered(till, "6621 b") == [("b***", "North, South")]


@pytest.mark.parametrize(("field", "value"), [(ENDING, "6621 z"), ("phone", "+8613800006621")])
def test_however_many_have_such_a_number_they_are_read_in_one_go(
    tmp_path: Path, field: str, value: str
) -> None:
    """It is the writer's turn in which they are read: another till's hold waits meanwhile."""
    begin_chain(tmp_path)
    statements = list[str]()

    def traced(path: Path) -> sqlite3.Connection:
        raw = open_database(path)
        raw.set_trace_callback(statements.append)
        return raw

    with served(tmp_path, rates=OFTEN_ENOUGH, connect=traced) as at:
        till = at.till()
        till.sync()
        for n in range(30):
            put(at.folder, n + 1, "ann", "+8613800006621")
        statements.clear()
        reply = ask(till, field, value)
        assert (reply.offered, reply.why) == ((), "")
    reads = [each for each in statements if re.search(r"FROM (member|reservation)\b", each)]
    assert 0 < len(reads) <= 4


def test_a_name_is_never_offered_whole(at: Served, till: HttpTill) -> None:
    put(at.folder, 1, "李", "+8613800006621")
    put(at.folder, 2, "李敏", "+8613900006621")
    assert [name for name, _ in offered(till, "6621")] == ["*", "李*"]


def test_who_was_erased_is_not_offered(at: Served, till: HttpTill) -> None:
    chen = put(at.folder, 1, "陈思远", "+8613800006621")
    with opened(at.folder) as (store, _), store.writing():
        Server(store, Limits()).erase(chen, "all")
    assert offered(till, "6621") == []
    assert ask(till, TAKEN, f"{chen.hex()} 6621").rows == ()


def answered(till: HttpTill, field: str, value: str, most: int) -> int:
    """How many of so many questions in a row were answered."""
    return sum(ask(till, field, value.format(n=n)).why != OFTEN for n in range(most))


def test_who_tries_all_endings_hears_of_few(tmp_path: Path) -> None:
    """Over restarts, too: it is counted in the store."""
    begin_chain(tmp_path)
    with served(tmp_path, rates=OFTEN_ENOUGH) as at:
        till, other = at.till(), at.till(2, "South")
        till.sync()
        other.sync()
        assert answered(till, ENDING, "{n:04}", HOUR_MOST + 5) == HOUR_MOST
        assert answered(other, ENDING, "{n:04}", 1) == 1, "each till for itself"
        key, device, store = till.key, till.device, till.at
    with served(tmp_path, rates=OFTEN_ENOUGH) as at:
        till = at.stranger()
        till.key, till.device, till.at = key, device, store
        till.server_key = other.server_key
        assert answered(till, ENDING, "{n:04}", 3) == 0
        heard = HOUR_MOST
        for _ in range(22):
            at.clock.moved_ms += HOUR_MS
            heard += answered(till, ENDING, "{n:04}", HOUR_MOST // 2 + 1)
        assert heard == DAY_MOST
        at.clock.moved_ms += 2 * HOUR_MS
        assert answered(till, ENDING, "{n:04}", HOUR_MOST + 1) == HOUR_MOST


def test_as_few_are_taken(at: Served, till: HttpTill) -> None:
    chen = put(at.folder, 1, "陈思远", "+8613800006621")
    assert answered(till, TAKEN, f"{chen.hex()} 6621", HOUR_MOST + 2) == HOUR_MOST
    at.clock.moved_ms += HOUR_MS
    assert len(ask(till, TAKEN, f"{chen.hex()} 6621").rows) == 1


@pytest.mark.parametrize(
    ("text", "means"),
    [("6621", Ending("6621")), (" 6621 C", Ending("6621", "c")), ("c6621", Ending("6621", "c")),
     ("陈 6621", Ending("6621", "陈")), ("6621陈", Ending("6621", "陈")), ("c6621c", None),
     ("66211", None), ("662", None), ("ch 6621", None), ("_6621", None), ("", None), ("6621!", None)],
)  # fmt: skip
def test_what_a_cashier_types(text: str, means: Ending | None) -> None:
    assert typed(text) == means
