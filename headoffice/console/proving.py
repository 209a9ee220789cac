"""Who is signed in proves it again before they change what somebody else may do: an open session that somebody
found is not enough for that. Good for a few minutes, for this session, at each process of head office.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from headoffice.console.browser import place_of_ours
from headoffice.console.desk import Asked, Desk, go_to
from headoffice.console.second_factor import Factors
from headoffice.console.staff import Staff, fits

PLACE: Final = "/console/confirm"
GOOD_MS: Final = 5 * 60_000


def first(desk: Desk, asked: Asked, back: str) -> Response | None:
    """Where to prove it, and then to go `back` to; None: they did a moment ago."""
    return None if _until(desk, asked) > desk.office.now_ms() else go_to(f"{PLACE}?back={back}")


def show(desk: Desk, asked: Asked) -> Response:
    """The form: a code of who has a second factor, else the password."""
    return _page(desk, asked, 200, "", asked.request.query_params.get("back", ""))


def prove(desk: Desk, asked: Asked) -> Response:
    """Look at what was typed; a wrong one counts as it does at the door."""
    back, now_ms = asked.form.get("back", ""), desk.office.now_ms()
    right = _code(desk, asked) if asked.person.factor else _password(desk, asked)
    if not right:
        no = asked.words.say(
            "This doesn't fit, or there were too many tries. After five wrong ones in a row "
            "the door stays shut for 15 minutes."
        )
        return _page(desk, asked, 401, no, back)
    by, token = asked.person.staff, asked.token
    desk.act(asked, lambda staff: staff.prove(token, by, now_ms + GOOD_MS, now_ms))
    return go_to(place_of_ours(back))


def _code(desk: Desk, asked: Asked) -> bool:
    initials, code, now_ms = (
        asked.person.initials,
        asked.form.get("proof", ""),
        desk.office.now_ms(),
    )

    def act(staff: Staff) -> bool:
        return Factors(staff, desk.key).pass_code(initials, code, now_ms) is not None

    return desk.act(asked, act)


def _password(desk: Desk, asked: Asked) -> bool:
    initials, now_ms = asked.person.initials, desk.office.now_ms()
    person = desk.act(asked, lambda staff: staff.try_once(initials, now_ms))
    with desk.hashing:
        right = fits(person, asked.form.get("proof", ""))
    if person is None:
        return False
    tried = person

    def told(staff: Staff) -> bool:
        known = staff.person(initials)
        if not right or known is None or known.verifier != tried.verifier:
            staff.was_wrong(tried, now_ms)
            return False
        staff.put(known._replace(wrong=0, locked_until_ms=0))
        return True

    return desk.act(asked, told)


def _until(desk: Desk, asked: Asked) -> int:
    with desk.reading(asked) as snapshot:
        return snapshot.staff().proved_until(asked.token)


def _page(desk: Desk, asked: Asked, status: int, wrong: str, back: str) -> Response:
    return desk.page(asked, "confirm.html", status, wrong=wrong, back=place_of_ours(back))
