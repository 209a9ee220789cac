"""The pages of the second factor: giving a code at sign-in, setting the factor up, setting it up anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from headoffice.console.desk import Asked, Desk, go_to
from headoffice.console.people import FACTOR_RULE, NEEDS_FACTOR, People
from headoffice.console.second_factor import Factors, offered_secret, qr_of
from headoffice.console.staff import Staff

CODE: Final = "/console/code"
FACTOR: Final = "/console/factor"
_HOME: Final = "/console/"


def show_code(desk: Desk, asked: Asked) -> Response:
    """The form for who gave the right password."""
    if asked.person.stage != "code":
        return go_to(_HOME)
    return desk.page(asked, "code.html", wrong="")


def give_code(desk: Desk, asked: Asked) -> Response:
    """Let in whose code is right."""
    if asked.person.stage != "code":
        return go_to(_HOME)
    held, now_ms, person = asked.browser.held, desk.office.now_ms(), asked.person
    assert held is not None
    code = asked.form.get("code", "")

    def act(staff: Staff) -> bytes | None:
        return Factors(staff, desk.key).begin(person.initials, code, held.token, now_ms)

    token = desk.act(asked, act)
    if token is None:
        return desk.page(asked, "code.html", 401, wrong=_no(asked))
    asked.browser.sign_in(asked.tenant, token)
    return go_to(_HOME)


def show_factor(desk: Desk, asked: Asked) -> Response:
    """What there is, or how it is set up."""
    return _page(desk, asked, 200, "")


def set_up(desk: Desk, asked: Asked) -> Response:
    """Take the secret that this session was offered; show the recovery codes."""
    now_ms, person, code = desk.office.now_ms(), asked.person, asked.form.get("code", "")
    secret = _offered(desk, asked)

    def act(staff: Staff) -> tuple[bytes, Sequence[str]] | None:
        return Factors(staff, desk.key).set_up(person.staff, secret, code, now_ms)

    made = desk.act(asked, act)
    if made is None:
        return _page(desk, asked, 422, asked.words.say("This is not the app's code of now."))
    token, codes = made
    asked.browser.sign_in(asked.tenant, token)
    return _page(desk, asked, 200, "", codes)


def set_anew(desk: Desk, asked: Asked) -> Response:
    """End the factor with one of its codes, to set another up."""
    now_ms, person, code = desk.office.now_ms(), asked.person, asked.form.get("code", "")

    def act(staff: Staff) -> bytes | None:
        return Factors(staff, desk.key).set_anew(person.initials, code, now_ms)

    token = desk.act(asked, act)
    if token is None:
        return _page(desk, asked, 401, _no(asked))
    asked.browser.sign_in(asked.tenant, token)
    return go_to(FACTOR)


def _page(desk: Desk, asked: Asked, status: int, wrong: str, codes: Sequence[str] = ()) -> Response:
    secret = _offered(desk, asked)
    with desk.reading(asked) as snapshot:
        staff, chain = snapshot.staff(), snapshot.chain()
        left = Factors(staff, desk.key).recovery_left(asked.person.staff)
        required = People(staff).choice(FACTOR_RULE, "asked") == "required"
    return desk.page(
        asked, "factor.html", status,
        wrong=wrong, codes=codes, left=left, secret=secret,
        qr=qr_of(secret, chain.name, asked.person.initials),
        may_wait=not (required and asked.person.role in NEEDS_FACTOR),
    )  # fmt: skip


def _offered(desk: Desk, asked: Asked) -> str:
    assert asked.browser.held is not None
    return offered_secret(desk.key, asked.browser.held.token)


def _no(asked: Asked) -> str:
    return asked.words.say(
        "This doesn't fit, or there were too many tries. After five wrong ones in a row "
        "the door stays shut for 15 minutes."
    )
