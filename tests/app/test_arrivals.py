"""Members who come many at once: the rows are those of one after the other, and a sale need not wait long."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from app import dealings
from app.arrivals import arrival_of, readied
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.fold import fold
from app.domain.state import EMPTY
from app.numbers import card_number
from app.protocol.till_store import Base
from app.protocol.wire import Cell, MemberRow, Reserved, frame_of
from app.queries.members import member_panel, profile
from app.queries.search import forget_words, index_visits
from app.usecases.verify import verify
from db import people
from db.connection import Connection
from tests.app.chain import Chain, settle
from tests.app.kiosk import Kiosk, Template, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "template"]

TABLES: Final = (
    "member", "profile", "credential", "arriving_card", "card_block", "member_state", "lot", "split", "debt",
    "member_day", "member_base", "consent_base", "lot_sum", "tier_sum",
)  # fmt: skip
ON: Final = BusinessDate(20_000)


def member(number: int) -> bytes:
    return number.to_bytes(16, "big")


def row(number: int, **fields: str) -> MemberRow:
    """A member with these fields."""
    values = {name.replace("__", ":"): value for name, value in fields.items()}
    cells = [Cell(member(number), name, values[name], 7, b"d" * 16) for name in sorted(values)]
    return MemberRow(member(number), "all", number, cells=tuple(cells))


def entry(number: int, n: int, asset: str, kind: Any, amount: int, days: int = 365) -> Entry:
    return Entry(EntryId(member(1000 + number), n), asset, kind, amount, ON, ON, ON.plus(days))


def chain_rows() -> list[MemberRow]:
    """One of each kind that head office can send."""
    earned = fold(EMPTY, [entry(3, 0, POINTS, "earn", 90), entry(3, 1, POINTS, "earn", 5, 30)])
    day = fold(EMPTY, [entry(4, 0, "sales", "sale", 2), entry(4, 1, "spend", "sale", 500)])
    owing = fold(EMPTY, [entry(5, 0, POINTS, "redeem", -12)])
    named = {"name": "吕安娜", "name_py": "lv an na", "phone": "+8613912345678", "joined": "19000"}
    return [
        row(1, name="Ada Byron", card="8800000011", email="ada@example.org", note="n", alert="a"),
        row(2, **named, birthday="lunar:-8-15", consent__marketing__sms="given:v1"),
        row(3, name="单田芳", birthday="solar:1990-5-31")._replace(state=earned),
        row(4, name="Eve", card="8800000011", birthday="never")._replace(state=day),
        row(5)._replace(state=owing),
        row(6, name="Kim", card="8800000060")._replace(reserved=(Reserved(POINTS, b"o" * 16, 3),)),
        row(7, name="Gone")._replace(alias=member(6)),
        row(8)._replace(erased=True, cells=()),
        row(9, name="Lee", consent__marketing__sms="withdrawn:v1", consent__a__b="not_given:v2"),
    ]


@pytest.mark.parametrize(
    "told",
    ["x", "9" * 30, "9" * 5000, "-3", "1e3", "2932897", "王 13800001234"],
    ids=lambda told: told[:8],
)
def test_a_day_of_joining_that_is_none_dams_nothing(kiosk: Kiosk, told: str) -> None:
    """Neither a member who comes by one row nor one of many."""
    chain = Chain()
    exchange = chain.let_in(kiosk)
    visited = fold(EMPTY, [entry(1, 0, "sales", "sale", 1)])
    odd = row(1, name="Ada Byron", joined=told)
    assert arrival_of(odd).joined == 0
    assert arrival_of(odd._replace(state=visited)).joined == ON
    take(kiosk, [odd, row(2, name="Lee", joined="19000")])
    settle(exchange)
    with kiosk.ctx.read() as conn:
        found = [people.member(conn, member(number)) for number in (1, 2)]
    assert [each.joined for each in found if each is not None] == [0, 19000]


def take(at: Kiosk, rows: Iterable[MemberRow]) -> None:
    """What head office says, as the exchange takes it."""
    with at.ctx.write(at.ctx.ids()) as tx:
        assert tx.dealings is not None
        for each in rows:
            tx.dealings.put_base(Base(each, 0, 0))
        tx.dealings.show()
    index_visits(at.ctx)
    while forget_words(at.ctx):
        pass


def contents(conn: Connection) -> dict[str, list[Any]]:
    """Every row of those members, and what they are found by; the keys of their digests are drawn."""
    found = {
        name: conn.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in TABLES
    }
    found["key"] = conn.execute("SELECT member_id FROM member_key ORDER BY 1").fetchall()
    found["seq"] = conn.execute("SELECT member_id FROM member_seq ORDER BY 1").fetchall()
    found["dirty"] = conn.execute("SELECT * FROM search_dirty").fetchall()
    conn.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'member_fx', 'instance')")
    words = conn.execute(
        "SELECT w.term, w.col, s.member_id FROM temp.words w JOIN member_seq s ON s.seq = w.doc"
        " ORDER BY 1, 2, 3"
    )
    found["words"] = words.fetchall()
    return found


def taken(at: Kiosk, rows: Iterable[MemberRow]) -> dict[str, list[Any]]:
    """What a till that has just joined has after these rows."""
    settle(Chain().let_in(at))
    take(at, rows)
    assert verify(at.ctx).findings == []
    with at.ctx.write_rows() as conn:
        return contents(conn)


def test_members_who_come_together_have_the_rows_of_those_who_come_one_by_one(
    kiosk: Kiosk, template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = chain_rows()
    together = taken(kiosk, rows)
    # Nobody counts as new: each member's rows are looked for, and written alone.
    monkeypatch.setattr(dealings, "known_here", lambda _, members: set(members))
    with contextlib.closing(Kiosk(template.copy_to(tmp_path / "other"), template)) as other:
        alone = taken(other, rows)
    assert together == alone
    known = {each[0] for each in together["member"]}
    assert known >= {each.member for each in rows if each.alias is None and not each.erased}
    assert len(together["profile"]) == len(rows) - 3 + 1
    assert len(together["words"]) > 30


def test_members_who_are_here_already_keep_what_the_till_has_of_them(kiosk: Kiosk) -> None:
    settle(Chain().let_in(kiosk))
    kiosk.quote_and_sell()
    mine = MemberRow(kiosk.member_id, "all", 1)
    take(kiosk, [mine, row(1, name="Ada Byron")])
    assert member_panel(kiosk.ctx, kiosk.member_id).points_balance > 0
    assert verify(kiosk.ctx).findings == []


def test_a_frame_made_ready_brings_those_who_are_known_here_too(
    kiosk: Kiosk, template: Template, tmp_path: Path
) -> None:
    first, later = chain_rows()[:3], [each._replace(feed=each.feed + 50) for each in chain_rows()]
    # Somebody new has the card that comes with somebody known after them.
    later[:0] = [row(0, name="Zoe", card="8800000099")]
    later[2] = row(2, name="吕安娜", card="8800000099")._replace(feed=99)
    frame = frame_of(later)
    settle(Chain().let_in(kiosk))
    take(kiosk, first)
    with kiosk.ctx.write(kiosk.ctx.ids()) as tx:
        assert tx.dealings is not None
        tx.dealings.expect_frames({frame: readied(frame)})
        left = tx.dealings.take_frames([frame], 0, 0)
        assert left is not None
        assert {each.member for each in left} == {member(at) for at in (1, 2, 3, 7, 8)}
        for each in left:
            tx.dealings.put_base(Base(each, 0, 0))
        tx.dealings.show()
    index_visits(kiosk.ctx)
    while forget_words(kiosk.ctx):
        pass
    assert verify(kiosk.ctx).findings == []
    with kiosk.ctx.write_rows() as conn:
        framed = contents(conn)
    with contextlib.closing(Kiosk(template.copy_to(tmp_path / "other"), template)) as other:
        settle(Chain().let_in(other))
        take(other, first)
        take(other, later)
        with other.ctx.write_rows() as conn:
            assert framed == contents(conn)


def test_rows_that_were_made_before_are_made_anew_where_they_came_otherwise(kiosk: Kiosk) -> None:
    settle(Chain().let_in(kiosk))
    expected = row(1, name="Ada Byron")
    with kiosk.ctx.write(kiosk.ctx.ids()) as tx:
        assert tx.dealings is not None
        tx.dealings.expect({member(1): (expected, arrival_of(expected))})
        tx.dealings.put_base(Base(row(1, name="Ada King"), 0, 0))
        tx.dealings.show()
    assert profile(kiosk.ctx, member(1)).name == "Ada King"


def test_a_card_of_the_tills_own_block_that_comes_from_above_is_not_given_out_again(
    kiosk: Kiosk,
) -> None:
    settle(Chain().let_in(kiosk))
    with kiosk.ctx.read() as conn:
        block = people.card_blocks(conn)[0]
    card = card_number(block.prefix, block.next + 5)
    take(kiosk, [row(1, name="Ada", card=card), row(2, name="Bela", card=card)])
    with kiosk.ctx.read() as conn:
        held = people.credential(conn, "card", card)
        assert people.card_blocks(conn)[0].next == block.next + 6
    assert held is not None
    assert held.member_id == member(1), "of two the first has it"


def test_a_card_that_somebody_has_here_stays_theirs(kiosk: Kiosk) -> None:
    settle(Chain().let_in(kiosk))
    with kiosk.ctx.read() as conn:
        mine = people.credentials_of(conn, kiosk.member_id, "card")[0]
    take(kiosk, [row(1, name="Ada", card=mine.value)])
    with kiosk.ctx.read() as conn:
        assert people.credential(conn, "card", mine.value) == mine
    assert profile(kiosk.ctx, member(1)).name == "Ada"
