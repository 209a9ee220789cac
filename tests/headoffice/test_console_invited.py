"""Invitations to the console by e-mail: who invites sees no link, and what was not sent opens nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from headoffice.webhooks.mail import is_address
from tests.headoffice.console_browser import Person, signed_in
from tests.headoffice.http_office import Served, begin_chain, rows, served
from tests.headoffice.mail_server import Smtp, mail_server, mail_toml
from tests.headoffice.test_console_people import page_of
from tests.headoffice.test_console_sign_in import acts

BELA = "bela@example.com"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Served]:
    """A head office that sends mails."""
    begin_chain(tmp_path)
    with mail_server() as port:
        mail_toml(tmp_path, port)
        with served(tmp_path) as made:
            yield made


@pytest.fixture
def anna(at: Served) -> Iterator[Person]:
    with signed_in(at) as made:
        yield made


def test_the_link_is_in_the_mail_and_on_no_page(at: Served, anna: Person) -> None:
    anna.look("/console/staff")
    page = anna.send("/console/staff", initials="be", role="auditor", email=f" {BELA} ")
    assert f"It was sent to {BELA}" in page.text
    assert "invitation?code=" not in page.text
    (mail,) = [message_from_bytes(each, policy=policy.default) for each in Smtp.mails]
    assert (mail["to"], mail["subject"]) == (BELA, "Chain T: invitation to the console")
    link = re.search(rf"{at.url}/console/invitation\?code=(\S+)", str(mail.get_content()))
    assert link
    bela = Person(at)
    assert bela.begin(link[1]).url.path == "/console/factor"
    bela.close()
    assert BELA not in str(rows(at.folder, "SELECT * FROM console_audit")), "it is kept nowhere"
    assert BELA not in str(rows(at.folder, "SELECT * FROM console_staff"))


def test_without_an_address_it_is_shown_once(anna: Person) -> None:
    anna.look("/console/staff")
    assert "invitation?code=" in anna.send("/console/staff", initials="be", role="auditor").text
    assert not Smtp.mails


def test_what_the_mail_server_does_not_take_opens_nothing(
    at: Served, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Smtp, "handle", lambda self: self._say("554 not here"))
    anna.look("/console/staff")
    page = anna.send("/console/staff", initials="be", role="auditor", email=BELA)
    assert page.status_code == 502
    assert "The invitation was withdrawn" in page.text
    assert "invitation?code=" not in page.text
    assert rows(at.folder, "SELECT invitation FROM console_staff WHERE initials = 'BE'") == [
        (None,)
    ]
    assert acts(at.folder)[-1] == ("invitation_withdrawn", "BE")
    assert "Shut out" in anna.look(page_of(anna, "BE")).text


@pytest.mark.parametrize(
    "text",
    ["x", "a@b", "a b@example.com", "a@example.com,b@example.com", "a@example.com\nBcc: b@example.com",
     "<a@example.com>", "@example.com", "a@.example.com", "a@example..com", f"{'a' * 250}@b.cc"],
)  # fmt: skip
def test_what_is_no_single_address_is_refused_before_anybody_is_invited(
    at: Served, anna: Person, text: str
) -> None:
    begun = time.monotonic()
    assert not is_address(text)
    assert time.monotonic() - begun < 5
    anna.look("/console/staff")
    page = anna.send("/console/staff", initials="be", role="auditor", email=text)
    assert page.status_code == 422
    assert rows(at.folder, "SELECT initials FROM console_staff") == [("AN",)]
