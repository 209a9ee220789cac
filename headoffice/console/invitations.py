"""Invitations to the console: the link that somebody is let in by, and the page that it opens.

Who invites never learns the password: whoever opens the link sets it, once, within a day. The store keeps the
secret's digest alone. Opening the page uses nothing up: programs that read mails ahead open links, too.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from app.documents.event_codes import ROLES as ROLE_NAMES
from headoffice.console import wording
from headoffice.console.desk import Asked, Desk, go_to
from headoffice.console.factor_pages import FACTOR
from headoffice.console.staff import INVITATION, Person, Staff, digest, is_strong, verifier_of

_CODE: Final = re.compile(r"([0-9a-f]{32})\.([A-Za-z0-9_-]{32})")


def show(desk: Desk, asked: Asked) -> Response:
    """For whom it is, and the form for a password."""
    return _page(desk, asked, asked.request.query_params.get("code", ""), 200, "")


def accept(desk: Desk, asked: Asked) -> Response:
    """Set a password of one's own by it, and go on to the second factor."""
    form, say = asked.form, asked.words.say
    code, password = form.get("code", ""), form.get("password", "")
    if password != form.get("again", ""):
        return _page(desk, asked, code, 422, say("The two are not the same."))
    if not is_strong(password):
        no = say("Take 15 characters or more, and nothing that is easily guessed.")
        return _page(desk, asked, code, 422, no)
    read = _read(desk, code)
    if read is None or _invited(desk, code) is None:
        return _page(desk, asked, code, 404, "")
    tenant, sought = read
    with desk.hashing:
        verifier = verifier_of(password)
    now_ms = desk.office.now_ms()
    token = desk.write(tenant, lambda staff: staff.accept(sought, verifier, now_ms))
    if token is None:
        return _page(desk, asked, code, 404, "")
    asked.browser.sign_in(tenant, token)
    return go_to(FACTOR)


# Inside ------------------------------------------------------------------------------------------


def _read(desk: Desk, code: str) -> tuple[bytes, bytes] | None:
    """The chain and the digest that a code names."""
    found = _CODE.fullmatch(code)
    tenant = bytes.fromhex(found[1]) if found else b""
    if found is None or tenant not in desk.office.chains:
        return None
    return tenant, digest(found[2].encode())


def _invited(desk: Desk, code: str) -> tuple[str, Person] | None:
    """Who is meant, and by which chain."""
    read = _read(desk, code)
    if read is None:
        return None
    tenant, sought = read
    with desk.office.place.reading(tenant) as plain:
        person = Staff(plain, tenant).invited(sought, desk.office.now_ms())
    return None if person is None else (desk.office.chains[tenant].chain.name, person)


def _page(desk: Desk, asked: Asked, code: str, status: int, wrong: str) -> Response:
    found = _invited(desk, code)
    if found is None:
        no = asked.words.say("This invitation is used up or over. Ask for a new one.")
        return desk.told(asked, 404, no)
    chain, person = found
    return desk.page(
        asked, "invitation.html", status, here=f"{INVITATION}?code={code}",
        chain=chain, initials=person.initials, code=code, wrong=wrong,
        invited=wording.named(asked.words, ROLE_NAMES, person.role),
    )  # fmt: skip
