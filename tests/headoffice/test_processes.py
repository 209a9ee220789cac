"""Several head office processes on one PostgreSQL: what they tell each other, and both under load."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from app.domain.fold import fold
from app.domain.state import EMPTY
from headoffice import recounting
from headoffice.directory import Directory, EnrolCode, KnownTill
from headoffice.letting_in import TRIES_MOST
from headoffice.store.postgresql_place import PostgresPlain
from tests.headoffice.api_office import written
from tests.headoffice.cluster import Cluster
from tests.headoffice.console_browser import CONFIRM, OWN, signed_in
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    HttpTill,
    Served,
    begin_chain,
    code_for,
    database_of,
    opened,
    rows,
    served,
    wait_for,
)
from tests.headoffice.serving_process import DSN_FILE, Process, run
from tests.headoffice.test_console_outbox import PLACE, file_of, revoke, send, shown
from tests.headoffice.test_settlement import write_down

OTHER: Final = b"U" * 16
PUSHES: Final = 12


@pytest.fixture
def folders(
    cluster: Cluster, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Of two head offices with one key and one database, which has two chains."""
    (tmp_path / DSN_FILE).write_text(cluster.app)
    begin_chain(tmp_path)
    begin_chain(tmp_path, tenant=OTHER)
    with served(tmp_path):
        pass  # It makes the key.
    beside = tmp_path_factory.mktemp("beside")
    for name in (DSN_FILE, "server.key"):
        (beside / name).write_bytes((tmp_path / name).read_bytes())
        (beside / name).chmod(0o600)
    return tmp_path, beside


@pytest.fixture
def both(folders: tuple[Path, Path]) -> Iterator[tuple[Served, Served]]:
    with served(folders[0]) as one, served(folders[1]) as two:
        yield one, two


def test_a_lost_tills_file_is_taken_in_whichever_process_each_request_reaches(
    both: tuple[Served, Served],
) -> None:
    one, two = both
    till = one.till(1)
    till.earn(ANNA, 7, sales=2)
    revoke(one, till)
    wait_for(lambda: two.office.tills[till.device].standing == "lost")
    with signed_in(one) as person:
        seen = send(person, file_of(till))
        assert shown(seen)["New of them"] == "2"
        digest = re.search(r'name="digest" value="([0-9a-f]{64})"', seen.text)
        assert digest
        fields = {"token": person.token, "digest": digest[1]}
        assert person.send(CONFIRM, proof=OWN, back=PLACE).url.path == PLACE
        person.http.base_url = two.url
        answer = person.http.post(f"{PLACE}/take", data=fields)
        assert answer.status_code == 409
        assert "another process of head office has it" in answer.text, "proved at the first one"
        other = {"file": ("till.outbox", file_of(till, b"odd"))}
        answer = person.http.post(f"{PLACE}/take", data=fields, files=other)
        assert (answer.status_code, "looked into" in answer.text) == (422, True)
        assert rows(one.folder, "SELECT count(*) FROM ledger") == [(0,)]
        same = {"file": ("till.outbox", file_of(till))}
        assert shown(person.http.post(f"{PLACE}/take", data=fields, files=same))["Posted"] == "2"
    assert rows(one.folder, "SELECT count(*) FROM ledger") == [(2,)]


def plain_of(at: Served) -> PostgresPlain:
    found = at.office.plain
    assert isinstance(found, PostgresPlain)
    return found


def has_heard(at: Served, cluster: Cluster) -> bool:
    """Whether a head office knows of all commits so far."""
    with psycopg.connect(cluster.app) as raw:
        return (
            dict(raw.execute("SELECT tenant_id, version FROM register"))
            == plain_of(at).raw.versions
        )


def asked_of(at: Served, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of one head office's writer from now on."""
    asked = list[str]()
    raw = plain_of(at).raw
    really = raw.execute

    def execute(text: str, *values: Any, **options: Any) -> Any:
        asked.append(text)
        return really(text, *values, **options)

    monkeypatch.setattr(raw, "execute", execute)
    return asked


def of_what_is_kept(asked: list[str]) -> list[str]:
    return [text for text in asked if re.search(r"FROM (chain|store|till|api_key|webhook)\b", text)]


def test_what_others_push_is_no_reason_to_read_anything_but_heads(
    cluster: Cluster, both: tuple[Served, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = both
    till = two.till(1)
    till.sync()
    wait_for(lambda: till.device in one.office.tills)
    wait_for(lambda: has_heard(one, cluster))
    asked = asked_of(one, monkeypatch)
    for _ in range(5):
        till.earn(ANNA, 1)
        till.sync()
        head = two.office.known[TENANT].heads["all"]
        wait_for(lambda: one.office.known[TENANT].heads["all"] >= head)  # noqa: B023
    assert any("feed_head" in text for text in asked)
    assert of_what_is_kept(asked) == []


def test_what_an_operator_changes_is_read_of_that_chain_alone(
    cluster: Cluster, both: tuple[Served, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = both
    till = two.till(1)
    wait_for(lambda: till.device in one.office.tills)
    wait_for(lambda: has_heard(one, cluster))
    asked, seen = asked_of(one, monkeypatch), set[bytes]()
    really = one.office.directory.tills_of

    def tills_of(tenant: bytes) -> Sequence[KnownTill]:
        seen.add(tenant)
        return really(tenant)

    monkeypatch.setattr(one.office.directory, "tills_of", tills_of)
    told = run("revoke", "--data", two.folder, till.device.hex())
    assert told.returncode == 0, told.stderr
    wait_for(lambda: one.office.tills[till.device].standing == "lost", 5)
    assert of_what_is_kept(asked)
    assert seen == {TENANT}
    other = two.till(2, "South")
    wait_for(lambda: other.device in one.office.tills, 5)


def test_a_sale_that_another_process_took_a_moment_ago_is_found_by_its_number(
    cluster: Cluster, both: tuple[Served, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = both
    till = two.till(1)
    till.sync()
    wait_for(lambda: till.device in one.office.tills)
    wait_for(lambda: has_heard(one, cluster) and not any(one.office._recounting._due.values()))
    for at in both:  # Neither has a quiet moment from now on.
        monkeypatch.setattr(at.office, "turn", lambda _: False)
    sold = write_down(till, "sale", 100, till.today, doc={"receipt_no": "till-1-7"})
    with monkeypatch.context() as hurry:
        hurry.setattr(recounting, "ASKED_MS", 0)
        found = written(one, lambda _: one.office.chains[TENANT].server.receipts("till-1-7"))
        assert found == [], "whoever asks does not wait for what has to be looked at"
    found = written(one, lambda _: one.office.chains[TENANT].server.receipts("till-1-7"))
    assert found == [sold.event]


def test_two_processes_under_load_count_every_event_once(folders: tuple[Path, Path]) -> None:
    """All tills sell to the same member, two at each process."""
    processes = [Process(folder) for folder in folders]
    tills = [HttpTill(processes[seed % 2].url, seed) for seed in range(4)]
    for till in tills:
        till.enrol(code_for(folders[0], "North", f"till {till.seed}"))
    failures = list[BaseException]()

    def push(till: HttpTill) -> None:
        try:
            for _ in range(PUSHES):
                till.earn(ANNA, 1, sales=3)
                till.sync()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=push, args=(till,)) for till in tills]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    with opened(folders[0]) as (store, _), store.reading():
        member, ledger = store.member(ANNA), store.ledger(ANNA)
        places = [device.place.seq for device in store.devices()]
    assert member is not None
    assert member.state == fold(EMPTY, ledger)
    assert member.state.balance() == len(tills) * PUSHES * 3
    assert len({entry.id for entry in ledger}) == len(ledger)
    assert sum(places) == sum(till.at.store.top() for till in tills)
    for till in tills:
        till.client.close()
    assert [process.end() for process in processes] == [0, 0]


# Limits -------------------------------------------------------------------------------------------


def test_a_codes_tries_are_counted_by_all_processes_together(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two processes that find a code at the same time the later one sees what the earlier has written."""
    with served(folders[0]) as one, closing(database_of(folders[1])) as theirs:
        code = code_for(folders[0], "North", "till 1")
        really = one.office.directory.codes

        def codes(half: str) -> Sequence[EnrolCode]:
            found, others = really(half), Directory(theirs)
            with theirs.store(TENANT).writing():
                others.put_code(found[0]._replace(tries=TRIES_MOST))
            return found

        monkeypatch.setattr(one.office.directory, "codes", codes)
        till = one.stranger()
        heard = till.ask_in(code)
        assert heard.status == 403


def test_each_process_counts_requests_for_itself(folders: tuple[Path, Path]) -> None:
    """So the limit of all of them is that of one times their number."""
    with ExitStack() as stack:
        ended = [stack.enter_context(served(folder)) for folder in folders]
        for chain in ended:
            till = chain.stranger()
            tries = [till.ask_in("0000-0000").status for _ in range(6)]
            assert tries == [403] * 5 + [429]
