"""The second factor: setting it up, signing in with it, what is refused, and what a chain may require."""

from __future__ import annotations

import re

import pyotp
import pytest

from headoffice.console.second_factor import step_of
from tests.headoffice.console_browser import OWN, Person, let_in
from tests.headoffice.console_fixtures import anna, at
from tests.headoffice.http_office import Served, rows
from tests.headoffice.test_console_sign_in import acts

__all__ = ["anna", "at"]

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
WRONG = "quite another lamp 88"


class Phone:
    """An authenticator app. Each code is another step's, as the clock goes on by a step before it."""

    def __init__(self, at: Served, secret: str) -> None:
        self.at, self.secret = at, secret

    def code(self) -> str:
        self.at.clock.moved_ms += 30_000
        return self.shown()

    def shown(self) -> str:
        return str(pyotp.TOTP(self.secret).at(self.at.clock() // 1000))


def set_up(at: Served, person: Person) -> tuple[Phone, list[str]]:
    page = person.look("/console/factor")
    found = re.search(r">([A-Z2-7]{32})<", page.text)
    assert found
    phone = Phone(at, found[1])
    done = person.send("/console/factor", code=phone.code())
    assert done.status_code == 200
    return phone, re.findall(r"secret\">([a-z0-9]{5}-[a-z0-9]{5})<", done.text)


def test_codes_are_those_of_the_standard() -> None:
    # RFC 6238, appendix B, SHA-1: its last six digits.
    for at_s, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        assert step_of(SECRET, code, at_s * 1000, 0) == at_s // 30


def test_a_code_is_good_a_step_before_and_after_and_no_longer() -> None:
    code = pyotp.TOTP(SECRET).generate_otp(1000)
    taken = [step_of(SECRET, code, step * 30_000, 0) for step in range(997, 1004)]
    assert taken == [None, None, 1000, 1000, 1000, None, None]


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "１２３４５６", "abcdef"])
def test_what_is_no_code_fits_nothing(typed: str) -> None:
    assert step_of(SECRET, typed, 30_000_000, 0) is None


def test_who_has_set_up_a_second_factor_gets_in_with_both(at: Served, anna: Person) -> None:
    phone, _ = set_up(at, anna)
    anna.send("/console/sign-out")
    assert anna.sign_in("AN", OWN).url.path == "/console/code"
    for path in ("/console/", "/console/tills", "/console/factor", "/console/staff"):
        assert anna.look(path).url.path == "/console/code"
    assert anna.send("/console/find", q="x").url.path == "/console/code"
    assert anna.send("/console/code", code=phone.code()).url.path == "/console/"
    assert acts(at.folder)[-2:] == [("half_in", ""), ("signed_in", "")]


def test_a_code_is_taken_once(at: Served, anna: Person) -> None:
    phone, _ = set_up(at, anna)
    used = phone.shown()
    anna.send("/console/sign-out")
    anna.sign_in("AN", OWN)
    assert anna.send("/console/code", code=used).status_code == 401
    used = phone.code()
    assert anna.send("/console/code", code=used).status_code == 200
    anna.send("/console/sign-out")
    anna.sign_in("AN", OWN)
    assert anna.send("/console/code", code=used).status_code == 401


def test_a_recovery_code_opens_the_door_once(at: Served, anna: Person) -> None:
    _, codes = set_up(at, anna)
    assert len(set(codes)) == 10
    for status in (200, 401):
        anna.send("/console/sign-out")
        anna.sign_in("AN", OWN)
        assert anna.send("/console/code", code=codes[0].upper()).status_code == status
    assert ("recovery_used", "") in acts(at.folder)


def test_five_wrong_codes_shut_the_door_though_the_password_is_right_each_time(
    at: Served, anna: Person
) -> None:
    phone, _ = set_up(at, anna)
    anna.send("/console/sign-out")
    for _ in range(5):
        anna.sign_in("AN", OWN)
        assert anna.send("/console/code", code="000000").status_code == 401
    assert anna.sign_in("AN", OWN).status_code == 401
    assert acts(at.folder).count(("refused", "code")) == 5
    at.clock.moved_ms += 15 * 60_000
    anna.sign_in("AN", OWN)
    assert anna.send("/console/code", code=phone.code()).url.path == "/console/"


def test_a_wrong_code_sets_nothing_up(at: Served, anna: Person) -> None:
    anna.look("/console/factor")
    assert anna.send("/console/factor", code="000000").status_code == 422
    anna.send("/console/sign-out")
    assert anna.sign_in("AN", OWN).url.path == "/console/"


def test_a_factor_is_set_up_anew_with_one_of_its_codes_alone(at: Served, anna: Person) -> None:
    phone, codes = set_up(at, anna)
    assert anna.send("/console/factor", code=phone.code()).status_code == 422, "there is one"
    anna.look("/console/factor")
    assert anna.send("/console/factor/anew", code="000000").status_code == 401
    other = Person(at)
    other.sign_in("AN", OWN)
    other.send("/console/code", code=phone.code())
    assert anna.send("/console/factor/anew", code=codes[3]).url.path == "/console/factor"
    assert other.look("/console/").url.path == "/console/sign-in", "all other sessions end"
    later, _ = set_up(at, anna)
    assert later.secret != phone.secret
    other.close()


def test_setting_it_up_ends_the_sessions_that_came_in_without_it(at: Served, anna: Person) -> None:
    other = Person(at)
    other.sign_in("AN", OWN)
    set_up(at, anna)
    assert other.look("/console/").url.path == "/console/sign-in"
    assert anna.look("/console/").url.path == "/console/"
    other.close()


def test_a_new_invitation_takes_the_factor_away(at: Served, anna: Person) -> None:
    set_up(at, anna)
    anna.http.cookies.clear()
    page = anna.begin(let_in(at.folder, "AN", "head_office"), own=WRONG)
    assert page.url.path == "/console/factor"
    anna.send("/console/sign-out")
    assert anna.sign_in("AN", WRONG).url.path == "/console/"


def test_the_secret_and_the_recovery_codes_are_not_in_the_store_as_they_are(
    at: Served, anna: Person
) -> None:
    phone, codes = set_up(at, anna)
    sealed = rows(at.folder, "SELECT secret FROM console_factor")[0][0]
    kept = [row[0] for row in rows(at.folder, "SELECT code FROM console_recovery")]
    assert phone.secret.encode() not in sealed
    assert len(kept) == 10
    assert not {code.replace("-", "").encode() for code in codes} & set(kept)


def test_where_it_is_required_head_office_and_auditors_go_no_further_without(
    at: Served, anna: Person
) -> None:
    anna.look("/console/staff")
    anna.send("/console/choices", rule="required")
    assert anna.look("/console/tills").url.path == "/console/factor"
    assert 'href="/console/"' not in re.sub(
        "(?s)<header.*?</header>", "", anna.http.get("/console/factor").text
    )
    auditor, manager = Person(at), Person(at)
    assert auditor.begin(let_in(at.folder, "AU", "auditor")).url.path == "/console/factor"
    assert auditor.look("/console/").url.path == "/console/factor"
    manager.begin(let_in(at.folder, "MA", "manager"))
    assert manager.look("/console/").url.path == "/console/"
    set_up(at, anna)
    assert anna.look("/console/tills").url.path == "/console/tills"
    auditor.close()
    manager.close()


def test_the_drawing_says_what_the_letters_say(at: Served, anna: Person) -> None:
    from headoffice.console.second_factor import qr_of

    drawn = qr_of(SECRET, "Chain T", "AN")
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn.path)}
    zoom, zxing = 6, pytest.importorskip("zxingcpp")
    from PIL import Image

    picture = Image.new("L", (drawn.side * zoom, drawn.side * zoom), 255)
    for x, y in dark:
        picture.paste(0, (x * zoom, y * zoom, (x + 1) * zoom, (y + 1) * zoom))
    text = zxing.read_barcodes(picture)[0].text
    assert f"secret={SECRET}" in text
    assert "AN" in text
