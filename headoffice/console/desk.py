"""What every page of the console works with: who asks, a snapshot to read, the writer, templates to show."""

from __future__ import annotations

import contextlib
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, TypeVar, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from app.documents.event_codes import ROLES
from app.formats import number
from app.i18n import LANGUAGES, Words
from headoffice.console import wording
from headoffice.console.browser import Browser
from headoffice.console.listing import Listing, Row, write_csv
from headoffice.console.snapshot import ShopRow, Snapshot
from headoffice.console.staff import Session, Staff, digest
from headoffice.console.trials import Trials
from headoffice.console.uploading import Uploads
from headoffice.office import Office
from headoffice.webhooks.mail import Mailer
from headoffice.writer import PUSH, Busy, GroupWriter, Job

HERE: Final = Path(__file__).parent
IN_MEMORY: Final = 1 << 20
"""So many bytes of a file are not put on the disk."""
PART: Final = 64 * 1024
WRITE_S: Final = 20
"""So long a page waits for the writer."""
Result = TypeVar("Result")
_ID: Final = re.compile("[0-9a-f]{32}")
_HASHES_AT_ONCE: Final = 2
"""Each takes 64 MiB."""


class NotFound(Exception):
    """There is no such page, or it is another chain's."""


class SignedOut(Exception):
    """Who asks was shut out, or may do something else now, before what they asked for was done."""


def is_id(text: str) -> bool:
    """Whether this is an id as pages write it."""
    return _ID.fullmatch(text) is not None


def id_of(text: str) -> bytes:
    """The id that is written so. Raises NotFound for what is none."""
    if not is_id(text):
        raise NotFound
    return bytes.fromhex(text)


@dataclass(slots=True)
class Asked:
    """One request: what was sent, by whom, and in which language the answer is."""

    request: Request
    form: Mapping[str, str]
    browser: Browser
    words: Words
    session: Session | None = None
    stores: frozenset[bytes] = frozenset()
    """Of a manager who has not all of them: their stores."""
    file: BinaryIO | None = None
    """What was sent along, to an address that takes a file. Whoever keeps it takes it away from here."""

    @property
    def tenant(self) -> bytes:
        """Whose pages these are."""
        assert self.browser.held is not None, "the guard lets nobody else in"
        return self.browser.held.tenant

    @property
    def person(self) -> Session:
        """Who is signed in."""
        assert self.session is not None, "the guard lets nobody else in"
        return self.session

    @property
    def token(self) -> bytes:
        """What the browser holds of the session."""
        assert self.browser.held is not None, "the guard lets nobody else in"
        return self.browser.held.token

    @property
    def sender(self) -> bytes:
        """The session, by its digest."""
        return digest(self.token)

    def own(self, shops: list[ShopRow]) -> list[ShopRow]:
        """The stores that who asks may see."""
        return [shop for shop in shops if not self.stores or shop.id in self.stores]

    def id(self, name: str) -> bytes:
        """The id that the page's address has in this place. Raises NotFound for what is none."""
        return id_of(str(self.request.path_params[name]))

    def before(self) -> int:
        """From where a list that is read backwards goes on."""
        return self._number("before", 1 << 62)

    def after(self) -> int:
        """How many rows of a list were shown before."""
        return self._number("after", 0)

    def _number(self, name: str, otherwise: int) -> int:
        asked = self.request.query_params.get(name, "")
        return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else otherwise


@dataclass(slots=True)
class Desk:
    """The console's way to the store and to its templates."""

    office: Office
    writer: GroupWriter
    key: bytes
    mailer: Mailer
    hashing: threading.Semaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(_HASHES_AT_ONCE)
    )
    uploads: Uploads[Any] = field(default_factory=Uploads)
    trials: Trials = field(init=False)
    _pages: Environment = field(init=False)
    _speaking: dict[str, Words] = field(init=False)

    def __post_init__(self) -> None:
        self._pages = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._pages.tests["instant"] = wording.is_instant
        self.trials = Trials(self.office.place)
        self._speaking = {language: Words(language) for language in LANGUAGES}

    def words(self, language: str) -> Words:
        """The words of a language."""
        return self._speaking[language]

    @contextlib.contextmanager
    def reading(self, asked: Asked) -> Iterator[Snapshot]:
        """One snapshot of the chain of who asks."""
        with self.office.place.reading(asked.tenant) as plain:
            yield Snapshot(plain, asked.tenant)

    def write(self, tenant: bytes, act: Callable[[Staff], Result]) -> Result:
        """Have the writer do something in a transaction of its own group. Raises Busy.

        `act` asks the office for the chain's store and server itself: once the writer has heard of somebody
        else's commit they are others than those that the page found."""
        if tenant not in self.office.chains:
            raise Busy("the chain is new")
        future: Future[Result] = Future()

        def told(result: Any, error: BaseException | None) -> None:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def act_there() -> Result:
            return act(self.office.staff(tenant))

        self.writer.submit(Job(PUSH, 1, tenant, act_there, _nothing, told))
        try:
            return future.result(WRITE_S)
        except TimeoutError as error:
            raise Busy("the writer is behind") from error

    def act(self, asked: Asked, act: Callable[[Staff], Result]) -> Result:
        """Have the writer do something for who is signed in, if they still are and are who they were: both are
        looked at again in the transaction that does it. Raises SignedOut, Busy."""
        held, person = asked.browser.held, asked.person
        assert held is not None, "the guard lets nobody else in"

        def act_as_known(staff: Staff) -> tuple[bool, Result | None]:
            now = staff.session(held.token, self.office.now_ms())
            if now is None or now._replace(seen_ms=0) != person._replace(seen_ms=0):
                return False, None
            return True, act(staff)

        known, result = self.write(asked.tenant, act_as_known)
        if not known:
            raise SignedOut
        return cast(Result, result)

    def note(
        self, asked: Asked, act: str, *, member: bytes | None = None, detail: str = ""
    ) -> None:
        """Write down what somebody is about to see; what can't be written down is not shown."""
        now_ms, staff = self.office.now_ms(), asked.person.staff
        self.act(asked, lambda kept: kept.note(now_ms, staff, act, member=member, detail=detail))

    # Answers

    def page(
        self, asked: Asked, template: str, status: int = 200, *, here: str = "", **values: object
    ) -> Response:
        """A page of a template. In it `say` and `count` speak the reader's language. here: where it is shown
        anew, if that is not its path."""
        words = asked.words
        text = self._pages.get_template(template).render(
            say=words.say,
            count=words.count,
            number=number,
            language=words.language,
            theme=asked.browser.theme,
            token=asked.browser.form_token,
            session=asked.session,
            role=wording.named(words, ROLES, asked.session.role) if asked.session else "",
            path=asked.request.url.path,
            here=here,
            reloads="live" in asked.request.query_params,
            **values,
        )
        return HTMLResponse(text, status)

    def told(self, asked: Asked, status: int, sentence: str) -> Response:
        """A page that says one sentence."""
        return self.page(asked, "message.html", status, sentence=sentence)

    def file(self, asked: Asked, listing: Listing) -> Response:
        """A list as a file."""
        return self.export(asked, listing.name, listing.heads, listing.rows)

    def export(
        self, asked: Asked, name: str, heads: tuple[str, ...], rows: Iterable[Row]
    ) -> Response:
        """Rows as a file. All of it lies on the disk, and the audit has how many rows it has, before any of it
        leaves; it has no name there, so nothing is left of it."""
        out = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed once it was sent
        try:
            count = write_csv(heads, rows, out)
            self.note(asked, "exported", detail=f"{name} {count}")
        except BaseException:
            out.close()
            raise
        size = out.tell()
        out.seek(0)
        headers = {
            "content-disposition": f'attachment; filename="{name}.csv"',
            "content-length": str(size),
        }
        return StreamingResponse(_parts(out), 200, headers, "text/csv; charset=utf-8")


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(PART):
            yield part


def go_to(path: str) -> Response:
    """Go on at another page, with GET."""
    return RedirectResponse(path, 303)


def _nothing(_: object) -> None:
    """What is kept in memory does not change."""
