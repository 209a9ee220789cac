"""Who gets into the console: invitations, own password, wrong tries, sessions, forms of others."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from headoffice import audit
from headoffice.console import pages
from headoffice.console.addresses import PAGES
from headoffice.console.staff import INVITATION, Staff, digest, verifier_of
from tests.headoffice.console_browser import OWN, Person, let_in, path_of
from tests.headoffice.http_office import (
    TENANT,
    Served,
    begin_chain,
    database_of,
    rows,
    served,
    wait_for,
)
from tests.headoffice.serving_process import run
from tests.headoffice.test_postgresql import CONSOLE

pytestmark = pytest.mark.usefixtures("each_store")

OTHER = b"U" * 16
WRONG = "quite another lamp 88"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Served]:
    begin_chain(tmp_path)
    with served(tmp_path) as made:
        yield made


@pytest.fixture
def anna(at: Served) -> Iterator[Person]:
    """Somebody of head office, with a password of her own, signed in."""
    made = Person(at)
    assert made.begin(let_in(at.folder, "AN", "head_office")).status_code == 200
    yield made
    made.close()


def acts(folder: Path) -> list[tuple[str, str]]:
    return rows(folder, "SELECT act, detail FROM console_audit ORDER BY number")


def test_an_invitation_says_for_whom_it_is_and_sets_a_password_alone(at: Served) -> None:
    person, code = Person(at), let_in(at.folder, "AN", "head_office")
    for _ in range(2):  # Programs that read mails ahead open it, too.
        page = person.look(f"{INVITATION}?code={code}")
        assert "Invitation to Chain T" in page.text
        assert "as AN: Head office" in page.text
    assert person.look("/console/").url.path == "/console/sign-in"
    assert person.sign_in("AN", code.partition(".")[2]).status_code == 401
    weak = "passwordpassword"
    for password, again in (("short", "short"), (OWN, WRONG), (weak, weak)):
        fields = {"code": code, "password": password, "again": again}
        page = person.send(INVITATION, **fields)
        assert page.status_code == 422
    back = re.search(r'name="back" value="([^"]+)"', page.text)
    assert back
    page = person.send("/console/look", language="zh_CN", back=back[1])
    assert "Chain T 的邀请" in page.text, "another language, the same page"
    assert person.begin(code).url.path == "/console/factor"
    assert person.look("/console/").status_code == 200
    person.close()


def test_an_invitation_is_good_for_once_and_for_a_day(at: Served) -> None:
    code = let_in(at.folder, "AN", "head_office")
    person, again = Person(at), Person(at)
    person.begin(code)
    assert again.look(f"{INVITATION}?code={code}").status_code == 404
    assert again.send(INVITATION, code=code, password=WRONG, again=WRONG).status_code == 404
    assert again.sign_in("AN", WRONG).status_code == 401
    assert again.sign_in("AN", OWN).status_code == 200
    late = let_in(at.folder, "BE", "auditor")
    at.clock.moved_ms = 24 * 3_600_000
    assert again.begin(late).status_code == 404
    assert again.sign_in("BE", OWN).status_code == 401
    person.close()
    again.close()


def test_of_two_who_open_an_invitation_at_once_one_sets_the_password(at: Served) -> None:
    code = let_in(at.folder, "AN", "head_office")
    people = [Person(at) for _ in range(4)]
    with ThreadPoolExecutor(len(people)) as pool:
        seen = [each.url.path for each in pool.map(lambda who: who.begin(code), people)]
    assert sorted(seen) == ["/console/factor", INVITATION, INVITATION, INVITATION]
    for each in people:
        each.close()


@pytest.mark.parametrize("code", ["", "x", f"{'ab' * 16}.{'x' * 32}", f"{TENANT.hex()}.{'x' * 32}"])
def test_a_code_that_nobody_gave_is_no_invitation(at: Served, code: str) -> None:
    let_in(at.folder, "AN", "head_office")
    person = Person(at)
    assert person.look(f"{INVITATION}?code={code}").status_code == 404
    assert person.send(INVITATION, code=code, password=OWN, again=OWN).status_code == 404
    person.close()


def test_who_had_a_one_time_password_of_before_is_invited_anew(at: Served) -> None:
    let_in(at.folder, "AN", "head_office")
    with closing(database_of(at.folder)) as database, database.store(TENANT).writing():
        staff = Staff(database, TENANT)
        known = staff.person("AN")
        assert known is not None
        staff.put(known._replace(verifier=verifier_of(WRONG), invitation=None))
    person = Person(at)
    assert person.sign_in("AN", WRONG).status_code == 401
    assert acts(at.folder)[-1] == ("refused", "invited")
    person.close()


def test_the_cookie_of_a_session_is_for_this_site_and_no_script(at: Served) -> None:
    person = Person(at)
    person.http.follow_redirects = False
    page = person.begin(let_in(at.folder, "AN", "head_office"))
    cookie = next(each for each in page.headers.get_list("set-cookie") if "-session=" in each)
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    person.close()


def test_over_tls_cookies_are_secure_and_bound_to_the_host(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    code = let_in(tmp_path, "AN", "head_office")
    with served(tmp_path, proxy="127.0.0.1") as at:
        person = Person(at)
        person.http.headers["x-forwarded-proto"] = "https"
        person.http.follow_redirects = False
        page = person.look("/console/sign-in")
        form = page.headers["set-cookie"].partition(";")[0]
        page = person.http.post(
            INVITATION,
            data={"token": person.token, "code": code, "password": OWN, "again": OWN},
            headers={"cookie": form},
        )
        cookie = next(each for each in page.headers.get_list("set-cookie") if "-session=" in each)
        assert cookie.startswith("__Host-regulars-session=")
        assert "Secure" in cookie.split("; ")
        assert "strict-transport-security" in page.headers
        person.close()


def test_every_page_needs_a_session(at: Served) -> None:
    stranger = Person(at)
    stranger.look("/console/sign-in")
    asked = [page for page in PAGES if page.roles is not None]
    assert len(asked) > 12
    for page in asked:
        path = path_of(page)
        seen = stranger.look(path) if page.method == "GET" else stranger.send(path)
        assert (seen.status_code, seen.url.path) == (200, "/console/sign-in"), page.path
    stranger.close()


@pytest.mark.parametrize("spoilt", ["one letter", "another tenant", "no cookie of ours"])
def test_a_cookie_that_we_did_not_sign_is_nobodys(at: Served, anna: Person, spoilt: str) -> None:
    good = anna.http.cookies["regulars-session"]
    tenant, token, mac = good.split(".")
    bad = {
        "one letter": f"{tenant}.{token}.{mac[:-1]}{'0' if mac[-1] != '0' else '1'}",
        "another tenant": f"{OTHER.hex()}.{token}.{mac}",
        "no cookie of ours": "zz.\u00e4.1".encode().hex(),
    }[spoilt]
    headers = {"cookie": f"regulars-session={good}"}
    assert httpx.get(f"{at.url}/console/", headers=headers).status_code == 200
    headers = {"cookie": f"regulars-session={bad}"}
    assert httpx.get(f"{at.url}/console/", headers=headers).status_code == 303


def test_a_session_ends_after_twelve_hours(at: Served, anna: Person) -> None:
    for minutes in (*range(20, 12 * 60, 20), 12 * 60 - 1):
        at.clock.moved_ms = minutes * 60_000
        assert anna.look("/console/").url.path == "/console/"
    at.clock.moved_ms = 12 * 3_600_000 + 60_000
    assert anna.look("/console/").url.path == "/console/sign-in"


def test_who_does_nothing_for_half_an_hour_is_signed_out(at: Served, anna: Person) -> None:
    at.clock.moved_ms = 20 * 60_000
    assert anna.look("/console/?live=1").url.path == "/console/", "a page that loads itself anew"
    at.clock.moved_ms = 29 * 60_000
    assert anna.look("/console/tills").url.path == "/console/tills"
    at.clock.moved_ms = 58 * 60_000
    assert anna.look("/console/?live=1").url.path == "/console/"
    at.clock.moved_ms = 60 * 60_000
    assert anna.look("/console/").url.path == "/console/sign-in"


def test_who_signed_out_is_out_everywhere_with_that_session(at: Served, anna: Person) -> None:
    cookie = anna.http.cookies["regulars-session"]
    anna.send("/console/sign-out")
    headers = {"cookie": f"regulars-session={cookie}"}
    assert httpx.get(f"{at.url}/console/", headers=headers).status_code == 303
    assert acts(at.folder)[-1] == ("signed_out", "")


def test_a_new_invitation_ends_every_session(at: Served, anna: Person) -> None:
    let_in(at.folder, "AN", "auditor")
    assert anna.look("/console/").url.path == "/console/sign-in"


@pytest.mark.parametrize("until_ms", [0, 1 << 60])
def test_a_session_of_an_old_one_time_password_is_none(
    at: Served, anna: Person, until_ms: int
) -> None:
    """A version of before let people in by it; who has no password of their own is nobody now."""
    assert anna.look("/console/").url.path == "/console/"
    with closing(database_of(at.folder)) as database, database.store(TENANT).writing():
        staff = Staff(database, TENANT)
        known = staff.person("AN")
        assert known is not None
        staff.put(known._replace(invited_until_ms=until_ms))
    assert anna.look("/console/").url.path == "/console/sign-in"


def test_five_wrong_tries_shut_the_door_for_a_quarter_of_an_hour_and_over_a_restart(
    tmp_path: Path,
) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        person = Person(at)
        person.begin(let_in(tmp_path, "AN", "head_office"))
        person.http.cookies.clear()
        for _ in range(5):
            assert person.sign_in("AN", WRONG).status_code == 401
        assert person.sign_in("AN", OWN).status_code == 401
        person.close()
    with served(tmp_path) as at:
        person = Person(at)
        assert person.sign_in("AN", OWN).status_code == 401
        at.clock.moved_ms = 15 * 60_000
        assert person.sign_in("AN", OWN).status_code == 200
        person.close()
    assert acts(tmp_path).count(("refused", "password")) == 5
    assert acts(tmp_path).count(("refused", "locked")) == 2


def test_four_wrong_tries_and_a_right_one_begin_anew(at: Served, anna: Person) -> None:
    anna.http.cookies.clear()
    for _ in range(2):
        for _ in range(4):
            assert anna.sign_in("AN", WRONG).status_code == 401
        assert anna.sign_in("AN", OWN).status_code == 200
        anna.http.cookies.clear()
        at.clock.moved_ms += 60_000


def test_many_tries_at_once_are_no_more_than_many_in_a_row(at: Served, anna: Person) -> None:
    people = [Person(at) for _ in range(9)]
    with ThreadPoolExecutor(len(people)) as pool:
        seen = [each.status_code for each in pool.map(lambda who: who.sign_in("AN", WRONG), people)]
    assert seen == [401] * 9
    assert acts(at.folder).count(("refused", "password")) == 5, "so many were compared"
    assert acts(at.folder).count(("refused", "locked")) == 4
    for each in people:
        each.close()


def test_no_more_than_ten_wrong_tries_come_from_one_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pages.TRIES_PER_S * 60 == 10
    monkeypatch.setattr(pages, "TRIES_PER_S", 1e-6)  # or a slow machine gets one more
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        person = Person(at)
        seen = [person.sign_in(f"X{number}", WRONG).status_code for number in range(12)]
        assert seen == [401] * 10 + [429] * 2
        person.close()


def test_unknown_initials_and_a_wrong_password_are_told_in_the_same_words(at: Served) -> None:
    let_in(at.folder, "AN", "head_office")
    person = Person(at)
    unknown = person.sign_in("NN", WRONG).text
    known = person.sign_in("AN", WRONG).text
    assert known == unknown
    person.close()


def test_a_form_that_is_not_ours_is_refused(at: Served, anna: Person) -> None:
    anna.look("/console/")
    token = anna.token
    for page in PAGES:
        if page.method == "POST":
            path = path_of(page)
            for wrong in ("", "0" * 64):
                assert anna.http.post(path, data={"token": wrong}).status_code == 403, path
    elsewhere = {"origin": "https://elsewhere.example"}
    seen = anna.http.post("/console/find", data={"token": token, "q": "x"}, headers=elsewhere)
    assert seen.status_code == 403
    across = {"sec-fetch-site": "cross-site"}
    seen = anna.http.post("/console/find", data={"token": token, "q": "x"}, headers=across)
    assert seen.status_code == 403
    here = {"origin": at.url, "sec-fetch-site": "same-origin"}
    seen = anna.http.post("/console/find", data={"token": token, "q": "x"}, headers=here)
    assert seen.status_code == 200


def test_the_token_of_another_session_is_not_ours(at: Served, anna: Person) -> None:
    other = Person(at)
    other.begin(let_in(at.folder, "BE", "head_office"))
    other.look("/console/")
    seen = anna.http.post("/console/find", data={"token": other.token, "q": "x"})
    assert seen.status_code == 403
    other.close()


def test_with_two_chains_the_name_of_ones_own_is_needed(at: Served) -> None:
    begin_chain(at.folder, tenant=OTHER)
    code = let_in(at.folder, "AN", "head_office")
    wait_for(lambda: OTHER in at.office.chains)
    person = Person(at)
    page = person.look("/console/sign-in")
    assert 'name="chain"' in page.text
    assert "Chain T" not in page.text
    assert person.begin(code).url.path == "/console/factor"
    person.http.cookies.clear()
    assert person.sign_in("AN", OWN, "Chain U").status_code == 401
    assert person.sign_in("AN", OWN, "Nowhere").status_code == 401
    assert person.sign_in("AN", OWN, "Chain T").url.path == "/console/"
    person.close()


def test_the_audit_can_only_grow(at: Served) -> None:
    let_in(at.folder, "AN", "head_office")
    with closing(database_of(at.folder)) as database, database.store(TENANT).writing():
        audit.put_root(database, TENANT, 1, 2)
    for statement in (
        "UPDATE console_audit SET act = 'x'", "DELETE FROM console_audit",
        "UPDATE audit_root SET number = 7", "DELETE FROM audit_root",
    ):  # fmt: skip
        # In PostgreSQL the role lacks the right to begin with; the trigger is for the owner.
        refused = (sqlite3.IntegrityError, psycopg.errors.InsufficientPrivilege)
        with (
            closing(database_of(at.folder)) as database,
            pytest.raises(refused, match=r"insert-only|permission denied"),
            database.store(TENANT).writing(),
        ):
            database.run(statement)


def test_the_command_prints_a_link_that_lets_in(at: Served) -> None:
    done = run("new-staff", "--data", at.folder, "Chain T", "an", "head-office")
    assert done.returncode == 0, done.stderr
    person = Person(at)
    place, _, code = done.stdout.strip().partition("?code=")
    assert place == INVITATION
    assert person.begin(code).url.path == "/console/factor"
    person.close()
    assert run("new-staff", "--data", at.folder, "Chain X", "an", "auditor").returncode == 4
    assert run("new-staff", "--data", at.folder, "Chain T", "a b", "auditor").returncode == 4
    assert run("new-staff", "--data", at.folder, "Chain T", "ab", "cashier").returncode == 2


def test_the_store_keeps_no_password_and_no_token(at: Served, anna: Person) -> None:
    token = anna.http.cookies["regulars-session"].split(".")[1]
    code = let_in(at.folder, "BE", "auditor").partition(".")[2]
    found = [row for table in CONSOLE for row in rows(at.folder, f"SELECT * FROM {table}")]
    dump = str([v.hex() if isinstance(v, bytes) else v for row in found for v in row])
    assert OWN not in dump
    assert code not in dump
    assert code.encode().hex() not in dump
    assert token not in dump.lower()
    assert "$argon2id$" in dump
    assert digest(bytes.fromhex(token)).hex() in dump, "its digest alone"
    assert digest(code.encode()).hex() in dump, "and that of an invitation"
