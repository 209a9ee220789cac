"""The schema's day-one rules, its steps, and the paths that the statements take."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from headoffice.store import statements as sql
from headoffice.store.distribution import dist_key
from headoffice.store.errors import MigrationChanged, NewerSchema, NotAStore
from headoffice.store.opening import open_database
from headoffice.store.sqlite import insert, select
from headoffice.store.steps import SQLITE, Step, shipped
from tests.headoffice.office import connected

OUTSIDE = {"tenant", "schema_step"}
"""The tenant's own row, and the record of the schema."""


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with connected(tmp_path / "office.db") as raw:
        yield raw


def tables(raw: sqlite3.Connection) -> list[str]:
    found = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [name for (name,) in found if name not in OUTSIDE]


def test_every_key_and_every_unique_index_begins_with_tenant_and_dist_key(
    raw: sqlite3.Connection,
) -> None:
    assert len(tables(raw)) == 54
    for table in tables(raw):
        columns = raw.execute(f"PRAGMA table_info({table})").fetchall()
        key = [row[1] for row in sorted(columns, key=lambda row: row[5]) if row[5]]
        assert key[:2] == ["tenant_id", "dist_key"], table
        for _, index, *_ in raw.execute(f"PRAGMA index_list({table})").fetchall():
            names = [row[2] for row in raw.execute(f"PRAGMA index_info({index})")]
            assert names[:2] == ["tenant_id", "dist_key"], index


def test_a_reference_stays_within_one_dist_key(raw: sqlite3.Connection) -> None:
    for table in tables(raw):
        columns: dict[int, list[str]] = {}
        to: dict[int, str] = {}
        for number, _, other, column, *_ in raw.execute(f"PRAGMA foreign_key_list({table})"):
            columns.setdefault(number, []).append(column)
            to[number] = other
        assert columns, f"{table} refers to nothing"
        for number, names in columns.items():
            assert to[number] == "tenant" or names[:2] == ["tenant_id", "dist_key"], table


def test_every_table_is_strict(raw: sqlite3.Connection) -> None:
    found = raw.execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"
    ).fetchall()
    loose = {name for name, strict in found if not strict and not name.startswith("sqlite_")}
    assert not loose


def test_the_connection_is_durable_and_checks_references(raw: sqlite3.Connection) -> None:
    settings = {
        name: raw.execute(f"PRAGMA {name}").fetchone()[0]
        for name in (
            "journal_mode",
            "synchronous",
            "foreign_keys",
            "secure_delete",
            "trusted_schema",
        )
    }
    assert settings == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1,
        "trusted_schema": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        "(x'00', 1, x'00112233445566778899aabbccddeeff', 'north', 1, NULL, 0, x'', NULL)",
        "(x'54545454545454545454545454545454', 1, x'00', 'north', 1, NULL, 0, x'', NULL)",
        "(x'54545454545454545454545454545454', 1, zeroblob(16), 'north', -1, NULL, 0, x'', NULL)",
        "(x'54545454545454545454545454545454', 1, zeroblob(16), 'north', 1, NULL, -1, x'', NULL)",
        "(x'54545454545454545454545454545454', 1, zeroblob(16), 'north', 'one', NULL, 0, x'', NULL)",
        "(x'54545454545454545454545454545454', 4294967296, zeroblob(16), 'north', 1, NULL, 0, x'', NULL)",
        "(x'54545454545454545454545454545454', 1, zeroblob(16), 'north', 1, zeroblob(16), 0, 7, NULL)",
    ],
)
def test_a_member_that_cannot_be_is_refused(raw: sqlite3.Connection, row: str) -> None:
    raw.execute("INSERT INTO tenant VALUES (zeroblob(16), 1, 0, 0, 0, 0, 0, 0, 0)")
    raw.execute(
        "INSERT INTO tenant VALUES (x'54545454545454545454545454545454', 1, 0, 0, 0, 0, 0, 0, 0)"
    )
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(f"INSERT INTO member VALUES {row}")


def test_the_key_of_a_tenant_is_for_ever() -> None:
    assert dist_key(b"T" * 16) == 1_743_006_104
    assert dist_key(b"U" * 16) == -1_312_839_104


# Steps ------------------------------------------------------------------------------------------


def test_each_step_is_recorded_with_its_checksum(raw: sqlite3.Connection) -> None:
    found = raw.execute("SELECT number, name, sha256 FROM schema_step ORDER BY number").fetchall()
    assert found == [(step.number, step.name, step.sha256) for step in shipped(SQLITE)]


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    with connected(path) as raw:
        before = list(raw.iterdump())
    with connected(path) as raw:
        assert list(raw.iterdump()) == before


def test_a_later_step_comes_on_top(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    open_database(path).close()
    more = Step(len(shipped(SQLITE)) + 1, "note", "ALTER TABLE member ADD COLUMN note TEXT;")
    raw = open_database(path, steps=(*shipped(SQLITE), more))
    assert raw.execute("SELECT count(note) FROM member").fetchone() == (0,)
    raw.close()
    with pytest.raises(NewerSchema, match="upgrade first"):
        open_database(path)


def test_a_step_that_fails_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    with connected(path) as raw:
        before = list(raw.iterdump())
    bad = Step(
        len(shipped(SQLITE)) + 1,
        "bad",
        "CREATE TABLE half (a TEXT) STRICT; CREATE TABLE member (a TEXT);",
    )
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        open_database(path, steps=(*shipped(SQLITE), bad))
    with connected(path) as raw:
        assert list(raw.iterdump()) == before


def test_a_step_that_was_edited_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    open_database(path).close()
    first, *others = shipped(SQLITE)
    with pytest.raises(MigrationChanged, match="step 1"):
        open_database(path, steps=(first._replace(sql=first.sql + "-- later"), *others))


def test_another_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE mine (a)")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(NotAStore, match="without a record"):
        open_database(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear all, " * 500)
    with pytest.raises(NotAStore, match="no SQLite file"):
        open_database(path)
    assert path.read_text() == "Dear all, " * 500


# Paths ------------------------------------------------------------------------------------------


def plan(raw: sqlite3.Connection, statement: str) -> list[str]:
    """What SQLite would do, line by line."""
    try:
        rows = raw.execute(f"EXPLAIN QUERY PLAN {statement}", (None,) * statement.count("?"))
    except sqlite3.OperationalError as error:  # INDEXED BY an index that isn't there
        return [str(error)]
    return [detail for *_, detail in rows]


def statements() -> Iterator[tuple[str, str, int]]:
    """Each read of the store: its name, its text, and how many columns it names."""
    for name, each in vars(sql).items():
        if isinstance(each, sql.Query):
            named = len(each.table.own) + len(each.by)
            yield name, select(each), named
            if len(each.by) == 1:
                yield name, select(each, 4), named
        elif isinstance(each, sql.Ask):
            yield name, each.text, len(re.findall(r"[=<>] \?", each.text.split("AND (")[0]))


def astray(raw: sqlite3.Connection) -> set[str]:
    """The statements that read more rows than those which the columns that they name stand for."""
    found = set()
    for name, text, named in statements():
        lines = plan(raw, text)
        assert lines, name
        searches = [line for line in lines if not line.startswith("USE TEMP B-TREE")]
        right = all(
            "USING" in each and len(re.findall(r"[=<>]\?", each)) == named for each in searches
        )
        if not right or (name in SORTED_BY_INDEX and len(searches) < len(lines)):
            found.add(name)
    return found


SORTED_BY_INDEX = {
    "MEMBER_ROWS", "MEMBERS_BY_ID", "REFERENCE_ROWS", "MEMBERS_AFTER", "NEWEST_SNAPSHOT", "ENTRIES_BEFORE",
    "CONFLICTS",
}  # fmt: skip
"""Those that stop after a number of rows: they may not read all of them to sort them first."""


def test_every_statement_finds_its_rows_by_an_index(raw: sqlite3.Connection) -> None:
    assert astray(raw) == set()


@pytest.mark.parametrize(
    ("index", "names"),
    [
        ("member_feed", {"MEMBER_ROWS"}),
        ("member_bucket", {"MEMBERS_BY_ID"}),
        ("reference_set_feed", {"REFERENCE_ROWS"}),
        ("hold_open", {"OPEN_HOLDS"}),
        ("hold_lines", {"OPEN_LINE_HOLDS"}),
        ("risk_grant_open", {"OPEN_GRANTS"}),
        ("reservation_device", {"RESERVED_FOR"}),
        ("device_reported", {"UNREPORTED"}),
        ("cell_sent", {"SENT_CELLS"}),
    ],
)
def test_a_missing_index_is_noticed(raw: sqlite3.Connection, index: str, names: set[str]) -> None:
    raw.execute(f"DROP INDEX {index}")
    assert astray(raw) == names


@pytest.mark.parametrize(("table", "indexes"), [(sql.MEMBER_IN_PLACE, 1), (sql.MEMBER, 4)])
def test_a_member_in_place_gets_a_new_number_and_no_other_index_is_written(
    raw: sqlite3.Connection, table: sql.Table, indexes: int
) -> None:
    """Each is another page of the file: an upsert that names the alias takes them all out and in again."""
    marks = (None,) * (len(table.own) + len(table.names))
    steps = raw.execute(f"EXPLAIN {insert(table)}", marks).fetchall()
    assert sum(step[1] == "IdxDelete" for step in steps) == indexes
