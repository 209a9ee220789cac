"""Member search on a real index: what is found by what, in which order, and what is marked."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import people, search
from db.connection import Connection
from db.engine import Store, StoreKey
from db.migrate import migrate
from db.search import SearchAnswer, search_members
from tests.db.conftest import KEY

# name, phone, email, pinyin, initials; the last one visited last
PEOPLE = [
    ("陈思远", "+8613800006621", "chen.siyuan@example.com", "chen si yuan", "csy"),
    ("单田芳", "+8613911116621", None, "shan tian fang", "stf"),
    ("张三", "+8613800001234", None, "zhang san", "zs"),
    ("欧阳修", "+8613566218888", None, "ou yang xiu", "oyx"),
    ("吕布", "+8613700000042", None, "lv bu", "lb"),
    ("José Smith-Jones", "+12025550142", "jose@example.org", "jose smith jones", "jsj"),
    ("Иван Петров", "+79161234567", None, "", ""),
    ("老张", None, "li88@example.com", "lao zhang", "lz"),
    ("山田花子", "+819012345678", None, "shan tian hua zi", "sthz"),
    ("王小明", "+8613800138000", None, "wang xiao ming", "wxm"),
]


def member_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def add(
    conn: Connection, number: int, person: tuple[str, str | None, str | None, str, str]
) -> None:
    name, phone, email, py, ini = person
    people.insert_member(conn, people.MemberRow(member_id(number), 20000, "silver", 20400 + number))
    people.put_profile(
        conn,
        people.ProfileRow(
            member_id(number), name, phone, email, py, ini, "solar", None, None, None, "", "", 1
        ),
    )  # fmt: skip
    people.mark_search_dirty(conn, member_id(number))
    search.refresh(conn)


def make_store(path: Path, key: StoreKey) -> Store:
    store = Store.create(path, key)
    migrate(store, before=lambda found, wanted: None)
    return store


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = make_store(tmp_path_factory.mktemp("shop") / "store.db", KEY)
    with store.write() as tx:
        for number, person in enumerate(PEOPLE):
            add(tx, number, person)
        tx.executemany(
            "INSERT INTO credential VALUES ('card', ?, ?, ?)",
            [("880100000017", member_id(2), "active"), ("880100000025", member_id(3), "lost")],
        )
    yield store
    store.close()


def answer(store: Store, typed: str, limit: int = 20) -> SearchAnswer:
    with store.read() as tx:
        return search_members(tx, typed, limit)


def names(store: Store, typed: str) -> list[str]:
    return [hit.name for hit in answer(store, typed).hits]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("8000", ["王小明"]),
        ("13800138000", ["王小明"]),
        ("138 0013 8000", ["王小明"]),
        ("+86 138-0013-8000", ["王小明"]),
        ("１３８００１３８０００", ["王小明"]),
        ("00138", ["王小明"]),
        ("2025550142", ["José Smith-Jones"]),
        ("+1 (202) 555-0142", ["José Smith-Jones"]),
        ("三", ["张三"]),
        ("思远", ["陈思远"]),
        ("陈思远", ["陈思远"]),
        ("zhangsan", ["张三"]),
        ("zhang san", ["张三"]),
        ("zhang'san", ["张三"]),
        ("Zhāng", ["张三", "老张"]),
        ("zhangs", ["张三"]),
        ("siyuan", ["陈思远"]),
        ("csy", ["陈思远"]),
        ("sy", ["陈思远"]),
        ("oyx", ["欧阳修"]),
        ("lv", ["吕布"]),
        ("lu", ["吕布"]),
        ("lü", ["吕布"]),
        ("c6621", ["陈思远"]),
        ("6621c", ["陈思远"]),
        ("cs 6621", ["陈思远"]),
        ("csy6621", ["陈思远"]),
        ("陈6621", ["陈思远"]),
        ("shan 6621", ["单田芳"]),
        ("ｃ６６２１", ["陈思远"]),
        ("jose", ["José Smith-Jones"]),
        ("José", ["José Smith-Jones"]),
        ("smith", ["José Smith-Jones"]),
        ("smith-jones", ["José Smith-Jones"]),
        ("jones jose", ["José Smith-Jones"]),
        ("пет", ["Иван Петров"]),
        ("li88", ["老张"]),
        ("li88@ex", ["老张"]),
        ("chen.si", ["陈思远"]),
        ("jose@example.org", ["José Smith-Jones"]),
        ("田花", ["山田花子"]),
        ("880100000017", ["张三"]),
        ("8801 0000 0017", ["张三"]),
        ("", []),
        ("   ", []),
        ("'", []),
        ("9999", []),
        ("zhangzhang", []),
        ("c 0999", []),
    ],
)
def test_what_is_typed_finds(shop: Store, typed: str, found: list[str]) -> None:
    assert sorted(names(shop, typed)) == sorted(found)


def test_whole_words_come_before_words_begun_and_newer_before_older(shop: Store) -> None:
    # Two end in 6621, the newer first; the third only has a number that goes on with 6621.
    assert names(shop, "6621") == ["单田芳", "陈思远", "欧阳修"]
    # 张 is a whole name part of both; the newer one first.
    assert names(shop, "张") == ["老张", "张三"]


def test_an_address_being_typed_comes_before_names_and_numbers(small: Store) -> None:
    with small.write() as tx:
        add(tx, 50, ("李维", "+8613900000001", "other@example.com", "li wei", "lw"))
        add(tx, 51, ("王小", "+8613900000002", "li.wei9@example.com", "wang xiao", "wx"))
        add(tx, 52, ("李维", "+8615900000009", None, "li wei", "lw"))
    assert names(small, "li.wei")[0] == "王小"
    assert names(small, "li.wei9")[0] == "王小"
    assert set(names(small, "li.wei")) == {"王小", "李维"}


def test_the_counts_say_how_many_share_the_digits(shop: Store) -> None:
    found = answer(shop, "6621", limit=1)
    assert [hit.name for hit in found.hits] == ["单田芳"]
    assert (found.exact, found.total) == (2, 3)
    found = answer(shop, "6621")
    assert (found.exact, found.total) == (2, 3)


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("cx6621", "cs6621"),
        ("cx 6621", "cs6621"),
        ("6621cx", "6621cs"),
        ("scy6621", "csy6621"),
        ("csyy6621", "csy6621"),
        ("cy6621", "cs6621"),
        ("chne 6621", "chen6621"),
        ("shn 6621", "sha6621"),
        ("xx6621", None),
        ("x6621", None),
        ("cx9999", None),
        ("cx", None),
        ("6621", None),
        ("", None),
        ("陈x 6621", None),
    ],
)
def test_one_slip_of_the_fingers_is_offered_right(
    shop: Store, typed: str, suggested: str | None
) -> None:
    with shop.read() as tx:
        assert search.suggest(tx, typed) == suggested
        if suggested is not None:
            assert search_members(tx, typed).hits == ()
            assert search_members(tx, suggested).hits != ()


def test_who_is_forgotten_and_still_in_the_index_is_neither_offered_nor_in_the_way(
    small: Store,
) -> None:
    with small.write() as tx:
        add(tx, 50, ("何方圆", "+8613900007777", None, "he fang yuan", "hfy"))
        people.put_credential(
            tx, people.CredentialRow("card", "880100000050", member_id(50), "active")
        )
        assert search.suggest(tx, "hx7777") == "hf7777"
        assert search_members(tx, "880100000050").hits
        tx.execute("DELETE FROM profile WHERE member_id = ?", (member_id(50),))
        assert search.suggest(tx, "hx7777") is None
        assert search_members(tx, "880100000050").hits == ()


def marked(text: str, spans: tuple[tuple[int, int], ...]) -> list[str]:
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("typed", "fields", "in_name", "in_phone"),
    [
        ("6621", ("phone",), [], ["6621"]),
        ("138000066", ("phone",), [], ["138000066"]),
        ("00006", ("phone",), [], ["00006"]),
        ("861380", ("phone",), [], ["861380"]),
        ("cs6621", ("initials", "phone"), ["陈思"], ["6621"]),
        ("sy", ("initials",), ["思远"], []),
        ("chens", ("pinyin",), ["陈思"], []),
        ("siyuan", ("pinyin",), ["思远"], []),
        ("思", ("name",), ["思"], []),
        ("chen.siyuan@", ("email",), [], []),
    ],
)
def test_what_matched_is_marked(
    shop: Store,
    typed: str,
    fields: tuple[str, ...],
    in_name: list[str],
    in_phone: list[str],
) -> None:
    hit = next(hit for hit in answer(shop, typed).hits if hit.name == "陈思远")
    assert hit.fields == fields
    assert marked(hit.name, hit.name_spans) == in_name
    assert marked(hit.phone or "", hit.phone_spans) == in_phone


def test_a_latin_name_is_marked_as_it_is_written(shop: Store) -> None:
    (hit,) = answer(shop, "jon").hits
    assert marked(hit.name, hit.name_spans) == ["Jon"]


def test_a_hit_carries_what_a_row_shows(shop: Store) -> None:
    (hit,) = answer(shop, "8000").hits
    assert (hit.member_id, hit.phone, hit.tier) == (member_id(9), "+8613800138000", "silver")
    assert hit.last_visit == 20409


def test_a_lost_card_is_found_and_says_so(shop: Store) -> None:
    (hit,) = answer(shop, "880100000025").hits
    assert (hit.name, hit.fields, hit.card_state) == ("欧阳修", ("card",), "lost")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path / "store.db", KEY)
    with store.write() as tx:
        for number, person in enumerate(PEOPLE[:3]):
            add(tx, number, person)
    yield store
    store.close()


def test_a_visit_moves_a_member_to_the_front(small: Store) -> None:
    assert names(small, "6621") == ["单田芳", "陈思远"]
    with small.write() as tx:
        search.move_to_front(tx, [member_id(0)])
    assert names(small, "6621") == ["陈思远", "单田芳"]


def test_a_changed_profile_is_found_by_its_new_values_only(small: Store) -> None:
    with small.write() as tx:
        tx.execute(
            "UPDATE profile SET phone = '+8615912344321' WHERE member_id = ?", (member_id(0),)
        )
        people.mark_search_dirty(tx, member_id(0))
    with small.write() as tx:
        assert search.refresh(tx) == 1
        assert search.refresh(tx) == 0
    assert names(small, "6621") == ["单田芳"]
    assert names(small, "4321") == ["陈思远"]


def test_an_erased_profile_is_found_by_nothing(small: Store) -> None:
    with small.write() as tx:
        tx.execute("DELETE FROM profile WHERE member_id = ?", (member_id(0),))
        people.mark_search_dirty(tx, member_id(0))
        search.refresh(tx)
    for typed in ("6621", "csy", "陈思远"):
        assert "陈思远" not in names(small, typed)
    with small.read() as tx:
        assert tx.execute("SELECT count(*) FROM member_seq").fetchone() == (2,)
        assert tx.execute("SELECT count(*) FROM member_fx").fetchone() == (2,)


def test_refresh_works_in_small_steps(small: Store) -> None:
    with small.write() as tx:
        for number in range(3):
            people.mark_search_dirty(tx, member_id(number))
        assert [search.refresh(tx, limit=2) for _ in range(3)] == [2, 1, 0]


def test_an_optimized_index_finds_the_same(small: Store) -> None:
    before = [names(small, typed) for typed in ("6621", "zs", "张")]
    with small.write() as tx:
        search.move_to_front(tx, [member_id(2)])
        search.optimize(tx)
    with small.read() as tx:
        search.warm_up(tx)
    assert [names(small, typed) for typed in ("6621", "zs", "张")] == before


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=30) | st.text("cz6'@.-_ 李", max_size=12))
def test_no_text_makes_the_search_fail(shop: Store, typed: str) -> None:
    found = answer(shop, typed, limit=3)
    assert len(found.hits) <= 3
    assert found.total >= len(found.hits)


def test_any_name_that_can_be_written_can_be_found(small: Store) -> None:
    """Letters of every script, one name each: what is stored is split as what is typed is."""
    rng = random.Random(7)
    letters = [chr(o) for o in range(0x20000) if chr(o).isalpha()]
    with small.write() as tx:
        for number in range(100, 400):
            name = "".join(rng.choices(letters, k=3)) + " 山"
            add(tx, number, (name, None, None, "", ""))
    assert answer(small, "山", limit=5).total == search.COUNT_MOST
