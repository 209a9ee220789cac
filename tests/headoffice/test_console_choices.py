"""What everybody may choose in the console before they sign in, what its forms are read as, and its colours."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from headoffice.console import pages
from headoffice.console.pages import FIELDS_MOST, FORM_BYTES_MOST
from headoffice.console.wording import masked
from tests.headoffice.console_browser import Person
from tests.headoffice.http_office import Served, begin_chain, served
from ui import tokens


@pytest.fixture(scope="module")
def at(each_folder: Path) -> Iterator[Served]:
    """A chain."""
    begin_chain(each_folder)
    with served(each_folder) as made:
        yield made


@pytest.mark.parametrize(
    ("asked", "chosen", "heading"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "登录"),
        ("en;q=0.8,zh-TW;q=0.9", "", "登录"),
        ("fr,en;q=0.5", "", "Sign in"),
        ("zh", "en", "Sign in"),
        ("en", "zh_CN", "登录"),
        ("zh;q=x", "", "登录"),
    ],
)
def test_the_language_is_the_browsers_or_the_one_that_was_chosen(
    at: Served, asked: str, chosen: str, heading: str
) -> None:
    person = Person(at, language=asked)
    person.look("/console/sign-in")
    if chosen:
        person.send("/console/look", language=chosen, back="/console/sign-in")
    page = person.look("/console/sign-in").text
    assert f"<h1>{heading}</h1>" in page
    person.close()


def test_the_theme_is_the_one_that_was_chosen(at: Served) -> None:
    person = Person(at)
    assert "data-theme" not in person.look("/console/sign-in").text
    for theme, wanted in (("dark", 'data-theme="dark"'), ("light", 'data-theme="light"')):
        page = person.send("/console/look", theme=theme, back="/console/sign-in")
        assert page.url.path == "/console/sign-in"
        assert wanted in page.text
    assert "data-theme" not in person.send("/console/look", theme="system", back="").text
    person.close()


@pytest.mark.parametrize(
    "back", ["//elsewhere.example", "https://elsewhere.example", "/console//x"]
)
def test_a_choice_leads_nowhere_else(at: Served, back: str) -> None:
    person = Person(at)
    person.look("/console/sign-in")
    person.http.follow_redirects = False
    assert person.send("/console/look", theme="dark", back=back).headers["location"] == "/console/"
    person.close()


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"token=" + b"x" * FORM_BYTES_MOST, "application/x-www-form-urlencoded"),
        (b"token=1", "multipart/form-data"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"&".join([b"a=1"] * (FIELDS_MOST + 1)), "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_is_refused(at: Served, content: bytes, media: str) -> None:
    headers = {"content-type": media}
    response = httpx.post(f"{at.url}/console/look", content=content, headers=headers)
    assert response.status_code == 400
    assert "This is no form of ours." in response.text


def test_a_form_that_does_not_come_is_not_waited_for(
    at: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "READ_S", 0.2)
    address = at.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=30) as slow:
        told = [
            "POST /console/look HTTP/1.1", "host: x", "content-length: 100",
            "content-type: application/x-www-form-urlencoded", "", "token=",
        ]  # fmt: skip
        slow.sendall("\r\n".join(told).encode())
        assert slow.recv(1000).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "李敏"),
        ("name", "L"),
        ("phone", "1"),
        ("card", "12345678"),
        ("email", "a@b"),
        ("x", "y"),
    ],
)
def test_a_mask_never_shows_a_value_whole(field: str, value: str) -> None:
    assert masked(field, value) != value


def test_the_colours_are_the_counters(at: Served) -> None:
    sheet = httpx.get(f"{at.url}/console/style.css").text
    blocks = re.findall(r"color-scheme: (light|dark);([^}]*)", sheet)
    assert [theme for theme, _ in blocks] == ["light", "dark", "dark"]
    for theme, block in blocks:
        named = dict(re.findall(r"--([a-z0-9-]+): (#[0-9A-F]{6});", block))
        assert len(named) > 20
        palette = tokens.LIGHT if theme == "light" else tokens.DARK
        assert named == {name: palette[name.replace("-", "_")] for name in named}
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", sheet))
    assert used <= set(named)
