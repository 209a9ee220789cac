"""The open API as a web application: its operations, its description, and the page that shows it to people."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any, Final

from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.types import Receive, Scope, Send

from app.domain.errors import Refused
from app.protocol.signing import Sign
from headoffice.api import adjusting, members, orders, page, reads, receivers, sales
from headoffice.api.desk import DESK, Desk
from headoffice.api.gate import PREFIX, Gate, as_problem
from headoffice.api.problems import MEDIA, TITLES, Problem, of_rules, of_status, of_values
from headoffice.api.shapes import ProblemBody
from headoffice.watching import Watch

VERSION: Final = "1"
_NAME_MOST: Final = 40
_ERRORS_MOST: Final = 10
_ABOUT: Final = (
    "What other systems of a chain ask its head office: members, points, orders. "
    "Every request is one chain's alone, by its key. Points and money are integers."
)
_NOS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": ProblemBody, "description": "RFC 9457: `code` says why"},
    "5XX": {"model": ProblemBody, "description": "RFC 9457: try again later"},
}


def api_of(desk: Desk, watch: Watch) -> list[BaseRoute]:
    """The API of a serving head office, as a part of its web server."""
    office = desk.office

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        scope[DESK] = desk
        await _application()(scope, receive, send)

    _application()  # It takes a third of a second: not while somebody waits.
    gate = Gate(inside, lambda: office.api_keys, office.use_key, watch, lambda: office.moving)
    mount = Mount(PREFIX, app=gate)
    # Whatever is behind the prefix is ours to answer, a line's end in the address, too.
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return [mount]


def secrets_of(sign: Sign) -> Callable[[bytes], bytes]:
    """Values of head office's own key: a copy of the store alone does not give them."""
    root = sha256(sign(b"regulars open api 1")).digest()
    return lambda use: sha256(root + use).digest()


@cache
def _application() -> FastAPI:
    """The operations, made once a process: they know nothing of a desk."""
    app = FastAPI(
        title="Regulars", version=VERSION, description=_ABOUT, docs_url=None, redoc_url=None,
        openapi_url=None, redirect_slashes=False, responses=_NOS, root_path_in_servers=False,
        servers=[{"url": PREFIX}], dependencies=[Depends(_known_query)],
    )  # fmt: skip
    for each in (reads, members, orders, sales, adjusting, receivers):
        app.include_router(each.router)
    app.add_exception_handler(RequestValidationError, _values)
    app.add_exception_handler(ResponseValidationError, _bug)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Exception, _other)
    described = description(app)
    shown = page.page_of(described)

    async def show_description(_: Request) -> Response:
        return page.json_of(described)

    async def show_page(_: Request) -> Response:
        return HTMLResponse(shown)

    app.add_route("/openapi.json", show_description, include_in_schema=False)
    app.add_route("/", show_page, include_in_schema=False)
    return app


def description(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    found = app.openapi()
    found["components"].setdefault("securitySchemes", {})["key"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "Made by `regulars-headoffice new-key`; the scopes beside an operation are needed.",
    }
    for operations in found["paths"].values():
        for operation in operations.values():
            for each in operation.get("parameters", ()):
                if each["in"] == "header":
                    # They are needed; what lacks one hears of a code of its own.
                    each["required"], each["schema"] = True, each["schema"]["anyOf"][0]
            # Wrong values are told like every other no.
            operation["responses"].pop("422", None)
            for status in ("4XX", "5XX"):
                content = operation["responses"][status]["content"]
                content[MEDIA] = content.pop("application/json")
    found["components"]["schemas"].pop("HTTPValidationError", None)
    found["components"]["schemas"].pop("ValidationError", None)
    found["x-problem-codes"] = {code: title for code, (_, title) in TITLES.items()}
    return found


async def _known_query(request: Request) -> None:
    """A part of the query that the operation doesn't know, or has twice, is a mistake: left out, it would
    answer another question than was asked. Raises Problem."""
    names = _query_of(request.scope["route"].dependant)
    given, wrong = set[str](), list[tuple[str, str]]()
    for name, _ in request.query_params.multi_items():
        if name not in names:
            wrong.append((name, "extra_forbidden"))
        elif name in given:
            wrong.append((name, "repeated"))
        given.add(name)
    if wrong:
        errors = [
            {"type": why, "loc": ("query", name[:_NAME_MOST])} for name, why in wrong[:_ERRORS_MOST]
        ]
        raise of_values(errors)


def _query_of(dependant: Dependant) -> set[str]:
    """The names that an operation and what it depends on know."""
    own = {each.alias for each in dependant.query_params}
    return own.union(*map(_query_of, dependant.dependencies))


async def _values(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return of_values(error.errors()).response()


async def _bug(_: Request, error: Exception) -> Response:
    raise AssertionError("an answer is not as it is described") from error


async def _framework(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    made = of_status(error.status_code)
    made.headers |= {
        name: value for name, value in (error.headers or {}).items() if name == "Allow"
    }
    return made.response()


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _other(_: Request, error: Exception) -> Response:
    """What is left. It goes on to the gate, which writes it down."""
    return as_problem(error).response()


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return of_rules(error).response()
