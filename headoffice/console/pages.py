"""The console as a web application: which page has which address, and who is let in to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from app.protocol.signing import Sign
from app.protocol.wire import keepable
from headoffice.console import entrance, factor_pages, uploading
from headoffice.console.addresses import PAGES, Early, Page
from headoffice.console.browser import Browser, cookie_key
from headoffice.console.desk import HERE, Asked, Desk, NotFound, SignedOut, go_to
from headoffice.console.people import FACTOR_RULE, NEEDS_FACTOR, People
from headoffice.console.staff import Session, Staff
from headoffice.limiting import TokenBuckets, address_of
from headoffice.office import Office
from headoffice.store.errors import BUSY_ERRORS
from headoffice.watching import bug, note
from headoffice.webhooks.mail import Mailer
from headoffice.writer import Busy, GroupWriter

FORM_BYTES_MOST: Final = 128 * 1024
FIELDS_MOST: Final = 1_000
"""A programme with twenty levels and fifty multipliers has about so many."""
READ_S: Final = 30
"""So long a form may take."""
_FORM: Final = "application/x-www-form-urlencoded"
TRIES_PER_S: Final = 10 / 60
TRIES_BURST: Final = 10


SEEN_EVERY_MS: Final = 60_000
"""So often it is written down that a session is used."""
_PLACES: Final[dict[Early, str]] = {
    "code": factor_pages.CODE,
    "factor": factor_pages.FACTOR,
}


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
        host = address_of(request.client.host if request.client else "")
        desk.uploads.tidy(desk.office.now_ms())
        try:
            if page.guess and self.tries.wait_s(host, begun_s):
                raise HTTPException(429)
            response = await self._respond(asked, page)
            if page.guess and response.status_code < 400:
                self.tries.give_back(host)
        except (
            Exception
        ) as error:  # the server's edge: whoever asked gets a page, never a traceback
            response = self._failed(asked, error)
        ms = round((time.monotonic() - begun_s) * 1000)
        note("console", page=page.path, status=response.status_code, ms=ms)
        return browser.tell(response)

    async def _respond(self, asked: Asked, page: Page) -> Response:
        if page.takes_file and uploading.is_one(asked.request):
            # A file is read from who may send one alone; its form is looked at like any other afterwards.
            kept_out = await run_in_threadpool(self._kept_out, asked, page)
            if kept_out is not None:
                return kept_out
            asked.form, asked.file = await uploading.read(asked.request)
        elif page.method == "POST":
            asked.form = await _form(asked.request)
        try:
            return await run_in_threadpool(self._guarded, asked, page)
        finally:
            if asked.file is not None:
                asked.file.close()

    def _guarded(self, asked: Asked, page: Page) -> Response:
        """Let in who may, then do it. In a thread of the pool."""
        if page.method == "POST" and not asked.browser.sent_by_us(asked.form.get("token", "")):
            say = asked.words.say
            self._recognise(asked)
            return self.desk.told(
                asked, 403, say("This form is too old. Go back and load it anew.")
            )
        return self._kept_out(asked, page) or page.act(self.desk, asked)

    def _kept_out(self, asked: Asked, page: Page) -> Response | None:
        """What whoever may not come here sees instead; None: they may."""
        say, still_to_do = asked.words.say, self._recognise(asked)
        if page.roles is None:
            return None
        if asked.session is None:
            return go_to(entrance.SIGN_IN)
        if still_to_do and still_to_do not in page.early:
            return go_to(_PLACES[still_to_do])
        if asked.session.role not in page.roles:
            return self.desk.told(asked, 403, say("Your role does not see this."))
        return None

    def _recognise(self, asked: Asked) -> Early | None:
        """Who asks, from the cookie; and what they still have to do before they are let in."""
        held, desk = asked.browser.held, self.desk
        if held is None:
            return None
        now_ms = desk.office.now_ms()
        if held.tenant in desk.office.moving:
            raise Busy("the chain moves")
        with desk.office.place.reading(held.tenant) as plain:
            staff = Staff(plain, held.tenant)
            people, session = People(staff), staff.session(held.token, now_ms)
            if session is None:
                return None
            required = people.choice(FACTOR_RULE, "asked") == "required"
            if session.role == "manager":
                asked.stores = people.stores_of(session.staff)
        asked.session = session
        # A page that loads itself anew is no sign of somebody being there.
        if now_ms - session.seen_ms >= SEEN_EVERY_MS and "live" not in asked.request.query_params:
            with contextlib.suppress(Busy):
                desk.write(held.tenant, lambda staff: staff.seen(held.token, now_ms))
        return _still_to_do(session, required=required)

    def _failed(self, asked: Asked, error: Exception) -> Response:
        say = asked.words.say
        if isinstance(error, NotFound):
            return self.desk.told(asked, 404, say("There is no such page."))
        if isinstance(error, SignedOut):
            return go_to(entrance.SIGN_IN)
        if isinstance(error, (BadForm, uploading.BadUpload)):
            return self.desk.told(asked, 400, say("This is no form of ours."))
        if isinstance(error, uploading.TooLarge):
            return self.desk.told(
                asked,
                413,
                say("The file is too large for this page. The command takes larger ones."),
            )
        if isinstance(error, HTTPException):
            return self.desk.told(asked, error.status_code, say("Too many tries. Wait a minute."))
        if isinstance(error, (Busy, *BUSY_ERRORS)):
            return self.desk.told(asked, 503, say("Head office is busy. Try again in a moment."))
        note("bug", level=logging.ERROR, **bug(error))
        return self.desk.told(asked, 500, say("Something went wrong here. It was written down."))


def console_of(office: Office, writer: GroupWriter, sign: Sign, mailer: Mailer) -> Console:
    """The console of a serving head office."""
    desk = Desk(office, writer, cookie_key(sign), mailer)
    return Console(desk, TokenBuckets(per_s=TRIES_PER_S, burst=TRIES_BURST))


def _static(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_: Request) -> Response:
        headers = {"x-content-type-options": "nosniff", "cache-control": "max-age=300"}
        return FileResponse(HERE / "static" / name, headers=headers)

    return endpoint


def _no_page(_: Desk, __: Asked) -> Response:
    raise NotFound


def _still_to_do(session: Session, *, required: bool) -> Early | None:
    if session.stage == "code":
        return "code"
    if required and session.role in NEEDS_FACTOR and not session.factor:
        return "factor"
    return None


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
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MOST))
    except (TimeoutError, ClientDisconnect, ValueError) as error:
        raise BadForm from error
    if not all(map(keepable, form.values())):  # No browser sends such a thing.
        raise BadForm
    return form
