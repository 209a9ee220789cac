"""The pages of signing in and out, and of choosing how pages look."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from headoffice.console.browser import place_of_ours
from headoffice.console.desk import Asked, Desk, go_to
from headoffice.console.staff import fits, initials_of
from headoffice.directory import Chain

SIGN_IN: Final = "/console/sign-in"
HOME: Final = "/console/"


def show_sign_in(desk: Desk, asked: Asked) -> Response:
    """The form. With one chain alone there is nothing to choose, and its name is nobody's business."""
    return _sign_in_page(desk, asked, 200, "")


def sign_in(desk: Desk, asked: Asked) -> Response:
    """Begin a session, or say no in the same words and time whatever was wrong."""
    form, initials = asked.form, initials_of(asked.form.get("initials", ""))
    chain = _chain(desk, form.get("chain", "").strip())
    if chain is None:
        with desk.hashing:
            fits(None, "")
    elif _let_in(desk, asked, chain.tenant, initials):
        return go_to(HOME)
    no = asked.words.say(
        "This doesn't fit, or there were too many tries. After five wrong ones in a row "
        "the door stays shut for 15 minutes."
    )
    return _sign_in_page(desk, asked, 401, no)


def sign_out(desk: Desk, asked: Asked) -> Response:
    """End the session here and at head office."""
    held = asked.browser.held
    assert held is not None
    now_ms, person = desk.office.now_ms(), asked.person
    desk.act(asked, lambda staff: staff.end(held.token, person.staff, now_ms))
    asked.browser.sign_out()
    return go_to(SIGN_IN)


def choose(_: Desk, asked: Asked) -> Response:
    """Another language or theme from now on."""
    asked.browser.choose(asked.form.get("language", ""), asked.form.get("theme", ""))
    return go_to(place_of_ours(asked.form.get("back", "")))


def _sign_in_page(desk: Desk, asked: Asked, status: int, wrong: str) -> Response:
    several = len(desk.office.chains) > 1
    return desk.page(asked, "sign_in.html", status, several=several, wrong=wrong)


def _chain(desk: Desk, name: str) -> Chain | None:
    known = [opened.chain for opened in desk.office.chains.values()]
    if len(known) == 1:
        return known[0]
    return next((chain for chain in known if chain.name == name), None)


def _let_in(desk: Desk, asked: Asked, tenant: bytes, initials: str) -> bool:
    """Try it; True: the browser has a session."""
    now_ms = desk.office.now_ms()
    person = desk.write(tenant, lambda staff: staff.try_once(initials, now_ms))
    with desk.hashing:
        right = fits(person, asked.form.get("password", ""))
    if person is None:
        return False
    tried = person
    if not right:
        desk.write(tenant, lambda staff: staff.was_wrong(tried, now_ms))
        return False
    token = desk.write(tenant, lambda staff: staff.was_right(tried, now_ms))
    if token is not None:
        asked.browser.sign_in(tenant, token)
    return token is not None
