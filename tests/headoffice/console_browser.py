"""A person with a browser at the console of a serving head office, for tests: real HTTP, real forms."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import httpx

from app.protocol.hlc import stamp
from app.protocol.profiles import take_cells
from app.protocol.wire import Cell
from headoffice.console.addresses import Page as Address
from headoffice.console.staff import INVITATION, Role, Staff, new_invitation
from headoffice.office import wall_ms
from tests.headoffice.http_office import NOBODY, TENANT, Served, database_of, opened

OWN: Final = "riverside tram 77 lamp"
DEVICE: Final = b"d" * 16
CONFIRM: Final = "/console/confirm"


class Person:
    """Somebody with a browser. Redirects are followed; forms carry the token of the page seen last, and what
    that says of the draft that it shows."""

    def __init__(self, at: Served, *, language: str = "en") -> None:
        self.http = httpx.Client(
            base_url=at.url,
            follow_redirects=True,
            timeout=60,
            verify=NOBODY,
            headers={"accept-language": language},
        )
        self.token, self.draft = "", ""
        self.proves = True

    def close(self) -> None:
        self.http.close()

    def look(self, path: str) -> httpx.Response:
        """Open a page."""
        return self._seen(self.http.get(path))

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form; where the console asks first who it is, prove it and send the form again."""
        draft, answer = self.draft, self._post(path, fields)
        if answer.url.path == CONFIRM != path and self.proves:
            self._post(CONFIRM, {"proof": OWN, "back": "/console/"})
            self.draft = draft
            answer = self._post(path, fields)
        return answer

    def _post(self, path: str, fields: Mapping[str, str]) -> httpx.Response:
        seen = {"seen": self.draft} if self.draft else {}
        return self._seen(self.http.post(path, data={"token": self.token, **seen, **fields}))

    def sign_in(self, initials: str, password: str, chain: str = "") -> httpx.Response:
        """Try a password."""
        self.look("/console/sign-in")
        named = {"chain": chain} if chain else {}
        return self.send("/console/sign-in", initials=initials, password=password, **named)

    def begin(self, code: str, own: str = OWN) -> httpx.Response:
        """The first time: open the link of an invitation, set a password."""
        self.look(f"{INVITATION}?code={code}")
        return self.send(INVITATION, code=code, password=own, again=own)

    def _seen(self, response: httpx.Response) -> httpx.Response:
        found = re.search(r'name="token" value="([0-9a-f]{64})"', response.text)
        if found:
            self.token = found[1]
        draft = re.search(r'name="seen" value="([0-9a-f]{32})"', response.text)
        self.draft = draft[1] if draft else ""
        return response


@contextlib.contextmanager
def signed_in(
    at: Served, initials: str = "AN", role: Role = "head_office", tenant: bytes = TENANT
) -> Iterator[Person]:
    """Somebody who has set a password of their own."""
    made = Person(at)
    made.begin(let_in(at.folder, initials, role, tenant))
    yield made
    made.close()


def let_in(folder: Path, initials: str, role: Role, tenant: bytes = TENANT) -> str:
    """The code of an invitation, as the operator's command gives it."""
    with contextlib.closing(database_of(folder)) as database:
        made = new_invitation()
        with database.store(tenant).writing():
            Staff(database, tenant).invite(initials, role, made.digest, wall_ms())
        return made.path(tenant).partition("=")[2]


def write_profile(
    folder: Path, member: bytes, tenant: bytes = TENANT, *, device: bytes = DEVICE, **values: str
) -> None:
    """Personal values of a member, as tills send them."""
    with opened(folder, tenant) as (store, _), store.writing():
        now_ms = wall_ms()
        cells = [
            Cell(member, field, value, stamp(0, now_ms), device) for field, value in values.items()
        ]
        take_cells(store, cells, "all", now_ms)


def path_of(page: Address, member: bytes = bytes(16)) -> str:
    """An address with something in each of its places."""
    path = page.path.replace("{member}", member.hex())
    return re.sub(r"\{[a-z]+\}", "00" * 16, path)


class Page(HTMLParser):
    """What a test asks of a page: its elements, and the text in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.elements.append((tag, named))
        if tag == "form":
            self.forms.append((named.get("method") or "get", False))
        elif tag == "input" and named.get("name") == "token" and self.forms:
            self.forms[-1] = (self.forms[-1][0], True)
