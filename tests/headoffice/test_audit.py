"""The audit's hashes: what was changed behind head office's back shows; what was kept elsewhere shows more."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from app.i18n import Words
from app.protocol.events import chain
from headoffice import audit
from headoffice.__main__ import main
from headoffice.at_store import POSTGRESQL
from headoffice.audit import Checked, Root
from headoffice.checking import broken
from headoffice.console.staff import Staff
from headoffice.directory import Directory
from headoffice.office import STORE_FILE
from headoffice.watching import JsonLines
from tests.headoffice.api_office import system
from tests.headoffice.api_receiver import receiving
from tests.headoffice.cluster import Cluster
from tests.headoffice.console_browser import signed_in
from tests.headoffice.http_office import TENANT, begin_chain, database_of, rows, served, wait_for
from tests.headoffice.office import connected
from tests.headoffice.serving_process import DSN_FILE

DAY = 86_400_000
Change = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path, each_store: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A chain of either database, whose audit is read three lines at a time."""
    begin_chain(tmp_path)
    monkeypatch.setattr(audit, "PAGE", 3)
    if each_store == "postgresql":
        monkeypatch.setenv(POSTGRESQL, (tmp_path / DSN_FILE).read_text())
    return tmp_path


@pytest.fixture
def change(tmp_path: Path, each_store: str, request: pytest.FixtureRequest) -> Change:
    """Do something to the rows as who owns the database can: past its triggers."""

    def in_file(*statements: str) -> None:
        with connected(tmp_path / STORE_FILE) as raw:
            found = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%audit%'"
            for (name,) in raw.execute(found).fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                raw.execute(statement)
            raw.commit()

    def in_cluster(*statements: str) -> None:
        cluster: Cluster = request.getfixturevalue("cluster")
        with psycopg.connect(cluster.superuser) as raw:
            raw.execute("SET session_replication_role = replica")
            for statement in statements:
                raw.execute(statement.encode())

    return in_file if each_store == "sqlite" else in_cluster


def write(folder: Path, lines: int) -> Root:
    """Head office writes lines; how far the audit goes then."""
    with contextlib.closing(database_of(folder)) as database, database.store(TENANT).writing():
        for number in range(lines):
            who, whom = (b"s" * 16, b"m" * 16) if number % 2 else (None, None)
            Staff(database, TENANT).note(number, who, "searched", member=whom, detail=str(number))
        return Root(1, *audit._end(database, TENANT), 0)


def checked(folder: Path, **kept: bytes) -> Checked:
    """What a check finds. kept: by `line_` and its number."""
    named = {int(name.removeprefix("line_")): {root} for name, root in kept.items()}
    with contextlib.closing(database_of(folder)) as database, database.of(TENANT):
        return audit.check(database, TENANT, named)


def test_what_head_office_wrote_is_whole(folder: Path) -> None:
    assert checked(folder) == Checked(0, checked(folder).root, (), 0)
    first, last = write(folder, 4), write(folder, 5)
    found = checked(folder, line_4=first.chain, line_9=last.chain)
    assert found == Checked(9, last.chain, (), 2)
    assert checked(folder, line_4=last.chain).wrong == (4,)
    assert checked(folder, line_0=last.chain).wrong == (1,)


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE console_audit SET detail = 'x' WHERE number = 4", (4,)),
        ("UPDATE console_audit SET detail = 'x' WHERE number IN (2, 4, 5)", (2, 4, 5)),
        ("UPDATE console_audit SET chain = {other} WHERE number = 4", (4,)),
        ("UPDATE console_audit SET chain = {other} WHERE number IN (4, 5)", (4, 5)),
        ("DELETE FROM console_audit WHERE number IN (2, 3, 6)", (2, 3, 6)),
        ("UPDATE console_audit SET at_ms = 7 WHERE number = 4", (4,)),
        ("UPDATE console_audit SET staff_id = member_id, member_id = NULL WHERE number = 4", (4,)),
        ("UPDATE console_audit SET act = 'refused' WHERE number = 8", (8,)),
        ("UPDATE console_audit SET chain = NULL WHERE number = 6", (6,)),
        ("DELETE FROM console_audit WHERE number = 5", (5,)),
        ("DELETE FROM console_audit WHERE number = 1", (1,)),
        ("UPDATE console_audit SET number = 20 WHERE number = 8", tuple(range(8, 20))),
    ],
)
def test_a_line_that_was_changed_or_taken_away_is_named(
    folder: Path, change: Change, statement: str, wrong: tuple[int, ...], each_store: str
) -> None:
    """And no other one: what lies behind it is as it was written."""
    write(folder, 8)
    zeros = "zeroblob(32)" if each_store == "sqlite" else "decode(repeat('00', 32), 'hex')"
    change(statement.format(other=zeros))
    found = checked(folder)
    assert (found.wrong, found.wrongs) == (wrong, len(wrong))


def test_of_many_wrong_lines_the_first_are_named_and_all_counted(
    folder: Path, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "WRONG_MOST", 3)
    write(folder, 12)
    change(
        "UPDATE console_audit SET detail = 'x' WHERE number = 1",
        "DELETE FROM console_audit WHERE number BETWEEN 3 AND 7",
        "UPDATE console_audit SET detail = 'x' WHERE number > 9",
    )
    found = checked(folder)
    assert (found.wrong, found.wrongs) == ((1, 3, 4), 9)
    with contextlib.closing(database_of(folder)) as database, database.of(TENANT):
        (known,) = Directory(database).chains()
    told = broken(Words("en"), known, found)
    assert "9 lines" in told
    assert "1, 3, 4" in told
    assert told.endswith("Only the first 3 are named.")


def test_a_line_that_was_put_in_is_named(folder: Path, change: Change) -> None:
    write(folder, 8)
    others = "tenant_id, dist_key, at_ms, staff_id, act, member_id, detail, chain"
    change(
        f"INSERT INTO console_audit (number, {others}) SELECT 9, {others} FROM console_audit WHERE number = 8"
    )
    assert checked(folder).wrong == (9,)


def test_who_works_all_hashes_out_anew_or_cuts_the_end_off_is_shown_by_a_root_alone(
    folder: Path, change: Change
) -> None:
    root = write(folder, 8)
    change("DELETE FROM console_audit WHERE number = 8")
    assert checked(folder) == Checked(7, checked(folder).root, (), 0)
    assert checked(folder, line_8=root.chain).wrong == (8,)
    change("UPDATE console_audit SET detail = 'x', chain = NULL WHERE number > 5")
    change("UPDATE console_audit SET chain = NULL")
    write(folder, 1)
    assert checked(folder).wrong == ()
    assert checked(folder, line_8=root.chain).wrong == (8,)


def test_a_root_in_the_store_is_held_against_the_lines_too(folder: Path, change: Change) -> None:
    write(folder, 8)
    with contextlib.closing(database_of(folder)) as database, database.store(TENANT).writing():
        audit.put_root(database, TENANT, 1, 0)
    change("DELETE FROM console_audit WHERE number > 6")
    assert checked(folder)[2:] == ((7, 8), 1, 2)


def test_lines_of_before_the_hashes_are_covered_by_the_first_one_after_them(
    folder: Path, change: Change
) -> None:
    write(folder, 7)
    change("UPDATE console_audit SET chain = NULL")
    before = checked(folder)
    assert (before.rows, before.wrong) == (7, ()), "as an upgrade finds them"
    write(folder, 2)
    assert checked(folder)[:3:2] == (9, ())
    change("UPDATE console_audit SET detail = 'x' WHERE number = 2")
    assert checked(folder).wrong == (8,), "the first line that has a hash"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What head office writes to its log."""
    written, logger = io.StringIO(), logging.getLogger("headoffice")
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)


def test_each_night_tells_how_far_the_audit_goes_and_the_command_takes_it(
    folder: Path, change: Change, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        served(folder) as at, receiving() as receiver, system(at) as shop, signed_in(at) as anna,
    ):  # fmt: skip
        at.clock.stand_at_noon()
        shop.post("/v1/webhooks", {"url": receiver.url, "events": ["audit.root"]})
        at.clock.moved_ms += DAY
        receiver.wait(1)
        told = receiver.heard[0].plain["data"]
        wait_for(lambda: '"audit_root"' in log.getvalue())
        lines = [json.loads(line) for line in log.getvalue().splitlines()]
        (line,) = [line for line in lines if line["event"] == "audit_root"]
        assert {name: line[name] for name in told} == told
        assert line["chain"] == TENANT.hex()
        ((number, root),) = rows(folder, "SELECT number, chain FROM audit_root")
        assert (told["number"], told["root"]) == (number, bytes(root).hex())
        anna.sign_in("AN", "riverside tram 77 lamp")
        assert "/console/audit/roots" in anna.look("/console/audit").text
        assert told["root"] in anna.look("/console/audit/roots").text
        assert told["root"] in anna.look("/console/audit/roots.csv").text
    kept = folder / "head-office.log"
    kept.write_text(f"not ours\n{log.getvalue()}", encoding="utf-8")
    command = ["--language", "en", "verify-audit", "--data", str(folder)]
    assert main([*command, "--roots", str(kept)]) == 0
    assert "held against 1 roots" in capsys.readouterr().out
    change(f"UPDATE console_audit SET detail = 'x' WHERE number = {number}")
    assert main(command) == 4
    assert f"line {number} of the audit is not as it was written" in capsys.readouterr().err


def test_two_roots_of_a_line_tell_of_their_own_chain_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a restore: the log has the root of what was lost and that of what was written since."""
    begin_chain(tmp_path)
    begin_chain(tmp_path, tenant=b"U" * 16)
    now = write(tmp_path, 3)
    told = [
        (root, {"event": "audit_root", "chain": TENANT.hex(), "number": 3})
        for root in (b"l" * 32, now.chain)
    ]
    kept = tmp_path / "head-office.log"
    kept.write_text("\n".join(json.dumps({**line, "root": root.hex()}) for root, line in told))
    assert (
        main(["--language", "en", "verify-audit", "--data", str(tmp_path), "--roots", str(kept)])
        == 4
    )
    said = capsys.readouterr()
    assert "Chain T: line 3 of the audit is not as it was written" in said.err
    assert "Chain U: 0 lines" in said.out


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has no root"),
        ('{"event": "night_done"}', "has no root"),
        ('{"event": "audit_root", "chain": "zz", "number": 1, "root": "00"}', "can't be read"),
        ('{"event": "audit_root", "chain": "aa", "number": 1}', "can't be read"),
        ('{"event": "audit_root", "chain": "aa", "number": 1, "root": "00"}', "not here"),
        (
            """{"event": "audit_root", "chain": "aa", "number": 1, "root": "00"}
            {"event": "audit_root", "chain": "aa", "number": 1, "root": "01"}""",
            "not here",
        ),
    ],
)
def test_a_file_that_has_no_roots_of_ours_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, why: str
) -> None:
    begin_chain(tmp_path)
    kept = tmp_path / "head-office.log"
    kept.write_text(text, encoding="utf-8")
    command = ["--language", "en", "verify-audit", "--data", str(tmp_path), "--roots", str(kept)]
    assert main(command) == 4
    assert why in capsys.readouterr().err


def test_the_hash_is_over_the_line_before_and_all_that_a_line_says(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    first = checked(tmp_path).root
    assert write(tmp_path, 1).chain == chain(first, b'[1,0,null,"searched",null,"0"]')
