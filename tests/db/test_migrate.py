"""Migrations: each all or nothing, forward only, never a changed or a newer one."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.engine import Store, StoreKey
from db.errors import ConstraintBroken, MigrationChanged, NewerSchema, NotAStore
from db.migrate import Migration, migrate, schema_version, shipped, statements
from tests.db.golden_schema import GOLDEN, dump

FIRST = Migration(
    1,
    "first",
    """-- the members; with a semicolon
CREATE TABLE member (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'a;b') STRICT;
CREATE TABLE card (no TEXT PRIMARY KEY, member INTEGER NOT NULL REFERENCES member (id)) STRICT;
CREATE TRIGGER member_no_delete BEFORE DELETE ON member
BEGIN
    SELECT RAISE(ABORT, 'insert only;'); /* a comment; */
    SELECT CASE WHEN 1 THEN 2 END;
END;
CREATE VIEW "odd;name" AS SELECT 1;
-- the end
""",
)
SECOND = Migration(2, "nickname", "ALTER TABLE member ADD COLUMN nickname TEXT;")
BROKEN = Migration(2, "broken", "CREATE TABLE x (a); INSERT INTO nowhere VALUES (1);")

RELEASED = {
    "first": "595f0b83e539bbda3fe6367baf4534c084c70f0ac49ba2805b2e4780118880ef",
    "day_close": "89ae0d9e0f5a1e7b170cfc6037c86495411085133e64f4a50f3b77669fe09492",
    "figures": "d534d89000c826d9e88734864469d39f357bd3a1a4f10e396f8fe04dc3c1d126",
    "staff": "d025059cf03111b3b413a1282b4cddb15f4ec4cb786f68b68a83854ecc876ebb",
    "drawer": "233a97386fc0d1157ed45c72f00e1bdb40c15d64a55820266d26540f6367827d",
    "audit": "ce2584c987a46cebd977d4b33d9fccc02905e8f03b4c1f03e3bbf74a6c3c9cec",
    "note": "93fc86cbde67656beddda0ce2d3301b12b6adfc26c3313b5a55d7b255db205b5",
    "unused_index": "4ceb3035df538a20a7962e27360d9a831ffa53fd4923555ea22a89619e5018dd",
    "report_sums": "87d97352f23046638892621ff14412eb1d5ce75426463ff75306b13c72fa6f1f",
    "slip_copies": "b79be0f20d97ec8d507b92720387a3cffb522e44e5505cf177e08dbd4f76b250",
    "head_office": "c3be2acaa7a98cf54ee5d2bf9a6cedad233a1952ba35092b961388b67802cb5f",
    "first_code": "b14cb8f4ee1e3fa719e51e35300e6e06ce170b5f16344228d9d47dbf05c213ec",
    "codes_of_item": "019b2646c8e66b942bc21fb2d7c3b4a08e266b0fe963ca7741939e2d7d6687bd",
    "arriving_cards": "557833e42b24332846552fa5f63467ce6466e9fde462716a715348c55632fb23",
    "own_key": "d503ade213c0bbe879d0c93796310d4a4d705f75bc2362a7e5c5af05b9753c97",
}
"""SHA-256 of every migration that a store somewhere has had; a new one is added here."""


def no_backup(found: int, wanted: int) -> None:
    raise AssertionError("a new store needs no backup")


def ignore(found: int, wanted: int) -> None:
    """A backup hook for the tests that are about something else."""


def master(store: Store) -> list[tuple[str, str]]:
    with store.read() as tx:
        return [
            (name, sql)
            for name, sql in tx.execute(
                "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
            )
        ]


def test_a_new_store_gets_every_step_and_a_second_run_does_nothing(store: Store) -> None:
    assert migrate(store, before=no_backup, steps=(FIRST, SECOND)) == (1, 2)
    with store.read() as tx:
        assert schema_version(tx) == 2
    assert migrate(store, before=no_backup, steps=(FIRST, SECOND)) == ()


def test_a_trigger_survives_whole(store: Store) -> None:
    migrate(store, before=no_backup, steps=(FIRST,))
    with store.write() as tx:
        tx.execute("INSERT INTO member (id) VALUES (1)")
    with pytest.raises(ConstraintBroken, match="insert only;"), store.write() as tx:
        tx.execute("DELETE FROM member")


def test_one_jump_and_two_steps_give_the_same_schema(
    tmp_path: Path, store: Store, key: StoreKey
) -> None:
    migrate(store, before=no_backup, steps=(FIRST,))
    migrate(store, before=ignore, steps=(FIRST, SECOND))
    jumped = Store.create(tmp_path / "other.db", key)
    migrate(jumped, before=no_backup, steps=(FIRST, SECOND))
    assert master(store) == master(jumped)
    jumped.close()


def test_a_failing_step_leaves_the_store_at_the_step_before(store: Store) -> None:
    migrate(store, before=no_backup, steps=(FIRST,))
    before = master(store)
    with pytest.raises(Exception, match="nowhere"):
        migrate(store, before=ignore, steps=(FIRST, BROKEN))
    assert master(store) == before
    with store.read() as tx:
        assert schema_version(tx) == 1


def test_a_failing_first_step_leaves_an_empty_store(store: Store) -> None:
    with pytest.raises(Exception, match="nowhere"):
        migrate(store, before=no_backup, steps=(Migration(1, "broken", BROKEN.sql),))
    assert master(store) == []
    assert migrate(store, before=no_backup, steps=(FIRST,)) == (1,)


def test_a_step_that_breaks_a_reference_is_rolled_back(store: Store) -> None:
    migrate(store, before=no_backup, steps=(FIRST,))
    sql = "PRAGMA defer_foreign_keys=ON; INSERT INTO card VALUES ('1', 99);"
    with pytest.raises(AssertionError, match="broken reference in card"):
        migrate(store, before=ignore, steps=(FIRST, Migration(2, "orphan", sql)))
    with store.read() as tx:
        assert tx.execute("SELECT count(*) FROM card").fetchone() == (0,)


def test_the_backup_comes_before_the_first_change_and_only_when_one_is_due(store: Store) -> None:
    seen: list[tuple[int, int]] = []
    migrate(store, before=no_backup, steps=(FIRST,))

    def backup(found: int, wanted: int) -> None:
        with store.read() as tx:
            assert schema_version(tx) == 1
        seen.append((found, wanted))

    migrate(store, before=backup, steps=(FIRST, SECOND))
    migrate(store, before=backup, steps=(FIRST, SECOND))
    assert seen == [(1, 2)]


def test_no_backup_no_change(store: Store) -> None:
    migrate(store, before=no_backup, steps=(FIRST,))

    def fail(found: int, wanted: int) -> None:
        raise OSError("no room for the backup")

    with pytest.raises(OSError, match="no room"):
        migrate(store, before=fail, steps=(FIRST, SECOND))
    with store.read() as tx:
        assert schema_version(tx) == 1


def test_a_newer_store_is_refused_untouched(store: Store) -> None:
    migrate(store, before=no_backup, steps=(FIRST, SECOND))
    before = master(store)
    with pytest.raises(NewerSchema) as caught:
        migrate(store, before=no_backup, steps=(FIRST,))
    assert (caught.value.found, caught.value.known) == (2, 1)
    assert master(store) == before


def test_an_edited_migration_is_refused(store: Store) -> None:
    migrate(store, before=no_backup, steps=(FIRST,))
    edited = Migration(1, "first", FIRST.sql + " ")
    with pytest.raises(MigrationChanged):
        migrate(store, before=no_backup, steps=(edited, SECOND))


def test_tables_without_a_record_are_no_store_of_ours(store: Store) -> None:
    with store.write() as tx:
        tx.execute("CREATE TABLE t (a)")
    with pytest.raises(NotAStore):
        migrate(store, before=no_backup, steps=(FIRST,))


def test_the_script_is_split_as_sqlite_reads_it() -> None:
    parts = list(statements(FIRST.sql))
    assert len(parts) == 4
    assert parts[2].endswith("END;")
    assert "CASE" in parts[2]


def test_a_script_that_stops_in_a_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="ends inside"):
        list(statements("CREATE TABLE a (b); CREATE TABLE c (d)"))


def test_a_gap_in_the_numbers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("")
    (tmp_path / "0003_b.sql").write_text("")
    with pytest.raises(AssertionError, match="gap"):
        shipped(tmp_path)


def test_line_ends_do_not_change_a_checksum(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_bytes(b"CREATE TABLE a (b);\r\n")
    windows = shipped(tmp_path)[0]
    (tmp_path / "0001_a.sql").write_bytes(b"CREATE TABLE a (b);\n")
    assert windows.sha256 == shipped(tmp_path)[0].sha256


def test_the_shipped_schema_is_the_golden_one(store: Store) -> None:
    """Regenerate on purpose with: python -m tests.db.golden_schema"""
    migrate(store, before=no_backup)
    assert dump(store) == GOLDEN.read_text(encoding="utf-8")


def test_a_migration_is_never_edited_once_a_store_has_had_it() -> None:
    """A store remembers what it was brought here by, and doesn't open beside another text."""
    assert {step.name: step.sha256.hex() for step in shipped()} == RELEASED


def test_no_migration_uses_a_batch_rebuild() -> None:
    """Dropping a parent table deletes its children's rows with no word (storage.md section 8)."""
    for step in shipped():
        assert "DROP TABLE" not in step.sql.upper(), step.name
