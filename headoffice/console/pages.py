"""The console as a web application: which page has which address, and who is let in to it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from app.protocol.signing import Sign
from headoffice.console import chain_pages, entrance, member_pages
from headoffice.console.browser import Browser, cookie_key
from headoffice.console.desk import HERE, Asked, Desk, NotFound, go_to
from headoffice.console.staff import ROLES, Role, Session, Staff
from headoffice.limiting import TokenBuckets, address_of
from headoffice.office import Office
from headoffice.store.errors import BUSY_ERRORS
from headoffice.watching import bug, note
from headoffice.writer import Busy, GroupWriter

FORM_BYTES_MOST: Final = 16 * 1024
READ_S: Final = 30
"""So long a form may take."""
_FORM: Final = "application/x-www-form-urlencoded"
TRIES_PER_S: Final = 10 / 60
TRIES_BURST: Final = 10
Act = Callable[[Desk, Asked], Response]
EVERYBODY: Final = frozenset(ROLES)
OVERSEERS: Final[frozenset[Role]] = frozenset(("head_office", "auditor"))


class Page(NamedTuple):
    """An address. roles: who is let in; None: whoever comes. unset: who has a one-time password, too."""

    method: str
    path: str
    act: Act
    roles: frozenset[Role] | None = EVERYBODY
    unset: bool = False


def _tills_note(asked: Asked) -> str:
    return asked.words.say(
        "A till that was silent for two leases is marked. What it can spend offline stays bounded."
    )


def _quarantine_note(asked: Asked) -> str:
    return asked.words.say(
        "Head office has these events and could not apply them. Nothing of them is lost."
    )


PAGES: Final = (
    Page("GET", entrance.SIGN_IN, entrance.show_sign_in, None),
    Page("POST", entrance.SIGN_IN, entrance.sign_in, None),
    Page("POST", "/console/look", entrance.choose, None),
    Page("POST", "/console/sign-out", entrance.sign_out, unset=True),
    Page("GET", entrance.PASSWORD, entrance.show_password, unset=True),
    Page("POST", entrance.PASSWORD, entrance.set_password, unset=True),
    Page("GET", entrance.HOME, chain_pages.overview),
    Page(
        "GET",
        "/console/tills",
        chain_pages.list_page(
            lambda asked: asked.words.say("Stores and tills"), chain_pages.tills, _tills_note
        ),
    ),
    Page("GET", "/console/tills.csv", chain_pages.list_file(chain_pages.tills)),
    Page(
        "GET",
        "/console/quarantine",
        chain_pages.list_page(
            lambda asked: asked.words.say("Quarantine"), chain_pages.quarantine, _quarantine_note
        ),
        OVERSEERS,
    ),
    Page(
        "GET", "/console/quarantine.csv", chain_pages.list_file(chain_pages.quarantine), OVERSEERS
    ),
    Page("GET", "/console/audit", chain_pages.audit_page, OVERSEERS),
    Page(
        "GET",
        "/console/audit.csv",
        chain_pages.list_file(lambda desk, asked: chain_pages.audit(desk, asked)[0]),
        OVERSEERS,
    ),
    Page("GET", "/console/find", member_pages.show_find),
    Page("POST", "/console/find", member_pages.find),
    Page("POST", "/console/members.csv", member_pages.members_file, OVERSEERS),
    Page("GET", "/console/members/{member}", member_pages.member),
    Page("POST", "/console/members/{member}", member_pages.member_whole, member_pages.SEE_VALUES),
    Page("GET", "/console/members/{member}/ledger.csv", member_pages.ledger_file),
)


class BadForm(Exception):
    """What came is no form of ours."""


@dataclass(slots=True)
class Console:
    """The console of a serving head office."""

    desk: Desk
    tries: TokenBuckets

    def routes(self) -> list[BaseRoute]:
        """Its addresses on head office's server; every other one below /console is not found."""
        routes: list[BaseRoute] = [
            Route("/console/style.css", _static("console.css")),
            Route("/console/icon.svg", _static("icon.svg")),
        ]
        for path in dict.fromkeys(page.path for page in PAGES):
            acts = {page.method: page for page in PAGES if page.path == path}
            routes.append(Route(path, self._endpoint(acts), methods=list(acts)))
        routes.append(Route("/console", self._home))
        routes.append(Route("/console/{rest:path}", self._nowhere))
        return routes

    def _endpoint(self, acts: dict[str, Page]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            page = acts["GET" if request.method == "HEAD" else request.method]
            return await self._answer(request, page)

        return endpoint

    async def _home(self, _: Request) -> Response:
        return go_to(entrance.HOME)

    async def _nowhere(self, request: Request) -> Response:
        return await self._answer(request, Page("GET", "", _no_page, None))

    async def _answer(self, request: Request, page: Page) -> Response:
        begun_s, desk = time.monotonic(), self.desk
        browser = Browser(request, desk.key)
        asked = Asked(request, {}, browser, desk.words(browser.language))
        guesses = page.act is entrance.sign_in
        host = address_of(request.client.host if request.client else "")
        try:
            if guesses and self.tries.wait_s(host, begun_s):
                raise HTTPException(429)
            if page.method == "POST":
                asked.form = await _form(request)
            response = await run_in_threadpool(self._guarded, asked, page)
            if guesses and response.status_code == 303:
                self.tries.give_back(host)
        except (
            Exception
        ) as error:  # the server's edge: whoever asked gets a page, never a traceback
            response = self._failed(asked, error)
        ms = round((time.monotonic() - begun_s) * 1000)
        note("console", page=page.path, status=response.status_code, ms=ms)
        return browser.tell(response)

    def _guarded(self, asked: Asked, page: Page) -> Response:
        """Let in who may, then do it. In a thread of the pool."""
        say = asked.words.say
        asked.session = self._session(asked)
        if page.method == "POST" and not asked.browser.sent_by_us(asked.form.get("token", "")):
            return self.desk.told(
                asked, 403, say("This form is too old. Go back and load it anew.")
            )
        if page.roles is None:
            return page.act(self.desk, asked)
        if asked.session is None:
            return go_to(entrance.SIGN_IN)
        if asked.session.must_set and not page.unset:
            return go_to(entrance.PASSWORD)
        if asked.session.role not in page.roles:
            return self.desk.told(asked, 403, say("Your role does not see this."))
        return page.act(self.desk, asked)

    def _session(self, asked: Asked) -> Session | None:
        held = asked.browser.held
        if held is None:
            return None
        with self.desk.office.place.reading(held.tenant) as plain:
            return Staff(plain, held.tenant).session(held.token, self.desk.office.now_ms())

    def _failed(self, asked: Asked, error: Exception) -> Response:
        say = asked.words.say
        if isinstance(error, NotFound):
            return self.desk.told(asked, 404, say("There is no such page."))
        if isinstance(error, BadForm):
            return self.desk.told(asked, 400, say("This is no form of ours."))
        if isinstance(error, HTTPException):
            return self.desk.told(asked, error.status_code, say("Too many tries. Wait a minute."))
        if isinstance(error, (Busy, *BUSY_ERRORS)):
            return self.desk.told(asked, 503, say("Head office is busy. Try again in a moment."))
        note("bug", level=logging.ERROR, **bug(error))
        return self.desk.told(asked, 500, say("Something went wrong here. It was written down."))


def console_of(office: Office, writer: GroupWriter, sign: Sign) -> Console:
    """The console of a serving head office."""
    desk = Desk(office, writer, cookie_key(sign))
    return Console(desk, TokenBuckets(per_s=TRIES_PER_S, burst=TRIES_BURST))


def _static(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_: Request) -> Response:
        headers = {"x-content-type-options": "nosniff", "cache-control": "max-age=300"}
        return FileResponse(HERE / "static" / name, headers=headers)

    return endpoint


def _no_page(_: Desk, __: Asked) -> Response:
    raise NotFound


async def _form(request: Request) -> dict[str, str]:
    """The fields of a small form. Raises BadForm."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM:
        raise BadForm
    body = b""
    try:
        async with asyncio.timeout(READ_S):
            async for part in request.stream():
                body += part
                if len(body) > FORM_BYTES_MOST:
                    raise BadForm
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    except (TimeoutError, ClientDisconnect, ValueError) as error:
        raise BadForm from error
