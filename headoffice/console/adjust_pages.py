"""Points that head office changes by hand: typed, looked at, done or kept for a second person.

What one alone may change, and what can't be done at all, is headoffice/adjustments.py's to say.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Any, Final, get_args

from starlette.responses import Response

from app.documents.event_codes import REASONS
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS
from app.domain.errors import Refusal, Refused
from app.domain.fold import fold
from app.domain.programme_versions import programme_on
from app.domain.state import view
from app.error_words import sentence
from app.formats import number, signed_number
from app.protocol.server import Server
from app.protocol.store import Member
from headoffice import programmes
from headoffice.adjustments import (
    NOTE_MOST,
    Adjustment,
    Adjustments,
    Day,
    Reason,
    Wish,
    check_note,
    entries_of,
    plain_note,
)
from headoffice.api.rules import programmes_of
from headoffice.console import wording
from headoffice.console.desk import Asked, Desk, NotFound, go_to, is_id
from headoffice.console.event_pages import formats_of
from headoffice.console.member_pages import asked_member, personal_value
from headoffice.console.snapshot import Snapshot
from headoffice.console.staff import Staff
from headoffice.store.plain import Plain

PLACE: Final = "/console/adjustments"


def preview(desk: Desk, asked: Asked) -> Response:
    """What an adjustment would do, before it is done."""
    with desk.office.place.reading(asked.tenant) as plain:
        known = asked_member(Snapshot(plain, asked.tenant), asked)
        day = _today(desk, asked, plain)
        wish = _typed(asked, known, secrets.token_bytes(16))
        if day is None or isinstance(wish, str):
            no = wish if isinstance(wish, str) else _no_rules(asked)
            return _page(desk, asked, known, 422, no)
        try:
            check_note(wish.note, day.rules)
            entries = entries_of(known, wish, day)
        except Refused as error:
            return _page(desk, asked, known, 422, _why(asked, error))
        second = Adjustments(plain, asked.tenant).needs_second(wish, day)
    after = fold(known.state, entries).balance()
    expires = wording.day(asked.words, entries[0].expires) if entries[0].expires else ""
    return _page(
        desk, asked, known, 200, "", wish=wish, second=second, after=after, expires=expires
    )


def adjust(desk: Desk, asked: Asked) -> Response:
    """Do it, or keep it for a second person."""
    with desk.reading(asked) as snapshot:
        known = asked_member(snapshot, asked)
    wish_id = asked.form.get("id", "")
    wish = _typed(asked, known, bytes.fromhex(wish_id) if is_id(wish_id) else b"")
    if isinstance(wish, str) or not wish.id:
        raise NotFound
    by, now_ms = asked.person.staff, desk.office.now_ms()

    def job(staff: Staff) -> str | Refused:
        server = desk.office.chains[asked.tenant].server
        kept = Adjustments(desk.office.plain, asked.tenant)
        day = _day_of(server, now_ms)
        before = kept.one(wish.id)
        if before is not None:  # The form came twice.
            return before.standing
        if day is None:
            return ""
        try:
            standing = kept.ask(server, wish, day, now_ms)
        except Refused as error:
            return error
        staff.note(now_ms, by, _ACTS[standing], member=wish.member, detail=_told(wish))
        return standing

    done = desk.act(asked, job)
    if isinstance(done, Refused) or not done:
        no = _why(asked, done) if isinstance(done, Refused) else _no_rules(asked)
        return _page(desk, asked, known, 422, no)
    return go_to(f"{PLACE}/{wish_id}" if done == "waiting" else _member(known.id))


def show(desk: Desk, asked: Asked) -> Response:
    """One that waits, for who asked and for who may agree."""
    return _waiting_page(desk, asked, 200, "")


def agree(desk: Desk, asked: Asked) -> Response:
    """Do what somebody else asked for."""
    by, now_ms = asked.person.staff, desk.office.now_ms()

    def job(staff: Staff) -> Adjustment | Refused | str:
        server = desk.office.chains[asked.tenant].server
        kept = Adjustments(desk.office.plain, asked.tenant)
        found, day = _waits(kept, asked.id("adjustment"), now_ms), _day_of(server, now_ms)
        if found is None or day is None:
            return ""
        if found.staff == by:
            return "own"
        try:
            kept.agree(server, found, by, day)
        except Refused as error:
            return error
        staff.note(now_ms, by, "adjusted", member=found.member, detail=_told(found))
        return found

    done = desk.act(asked, job)
    if isinstance(done, Refused):
        return _waiting_page(desk, asked, 422, _why(asked, done))
    if isinstance(done, str):
        if done:
            no = asked.words.say("You asked for this yourself: it takes somebody else.")
            return _waiting_page(desk, asked, 422, no)
        raise NotFound
    return go_to(_member(done.member))


def drop(desk: Desk, asked: Asked) -> Response:
    """It is not to be done: whoever of head office thinks so."""
    by, now_ms = asked.person.staff, desk.office.now_ms()

    def job(staff: Staff) -> Adjustment | None:
        kept = Adjustments(desk.office.plain, asked.tenant)
        found = _waits(kept, asked.id("adjustment"), now_ms)
        if found is not None:
            kept.drop(found, by)
            staff.note(now_ms, by, "adjust_dropped", member=found.member, detail=_told(found))
        return found

    found = desk.act(asked, job)
    if found is None:
        raise NotFound
    return go_to(_member(found.member))


# Inside ------------------------------------------------------------------------------------------

_ACTS: Final = {"done": "adjusted", "waiting": "adjust_asked"}


def _typed(asked: Asked, known: Member, wish_id: bytes) -> Wish | str:
    """What was typed, or what is wrong with it."""
    say, form = asked.words.say, asked.form
    points = unicodedata.normalize("NFKC", form.get("points", "")).replace("−", "-")
    points = points.replace(",", "").strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", points) or int(points) == 0:
        return say("Points are a whole number: above zero to give, below zero to take.")
    reasons: dict[str, Reason] = {each: each for each in get_args(Reason)}
    reason = reasons.get(form.get("reason", ""))
    if reason is None:
        return say("Say why the points are changed.")
    note = plain_note(form.get("note", ""))
    if len(note) > NOTE_MOST:
        return say("A note has {most} characters at most.", most=NOTE_MOST)
    return Wish(wish_id, known.id, int(points), reason, note, staff=asked.person.staff)


def _today(desk: Desk, asked: Asked, plain: Plain) -> Day | None:
    on = desk.office.chains[asked.tenant].server.today(desk.office.now_ms())
    rules = programme_on(programmes_of(plain, asked.tenant), on)
    return None if rules is None else Day(on, rules)


def _day_of(server: Server, now_ms: int) -> Day | None:
    on = server.today(now_ms)
    rules = programme_on([each.programme for each in programmes.published(server.store)], on)
    return None if rules is None else Day(on, rules)


def _waits(kept: Adjustments, wanted: bytes, now_ms: int) -> Adjustment | None:
    return next((each for each in kept.waiting(now_ms) if each.id == wanted), None)


def _why(asked: Asked, error: Refused) -> str:
    if error.code is Refusal.MEMBER_UNKNOWN:  # Whose page was found.
        return asked.words.say("This person was erased. The entries stay, without a name.")
    return sentence(asked.words, formats_of(asked, None), error.code, error.facts)


def _no_rules(asked: Asked) -> str:
    return asked.words.say("Publish a programme first: it says how long points are good.")


def _told(wish: Wish | Adjustment) -> str:
    return f"{wish.points} {wish.reason}"


def _member(member: bytes) -> str:
    return f"/console/members/{member.hex()}"


def _page(
    desk: Desk, asked: Asked, known: Member, status: int, wrong: str, **shown: Any
) -> Response:
    """What was typed, and what it would do; or what is wrong with it."""
    today = desk.office.chains[asked.tenant].server.today(desk.office.now_ms())
    wish, form = shown.pop("wish", None), asked.form
    return desk.page(
        asked, "adjust.html", status,
        id=known.id.hex(), wrong=wrong, wish=wish,
        name=personal_value(known, "name", wording.masked) or known.id.hex()[:8],
        points=signed_number(wish.points) if wish else form.get("points", ""),
        reason=form.get("reason", ""), note=wish.note if wish else form.get("note", ""),
        why=wording.named(asked.words, REASONS, form.get("reason", "")),
        reasons=[(code, wording.named(asked.words, REASONS, code)) for code in get_args(Reason)],
        balance=known.state.balance(), note_most=NOTE_MOST,
        available=_free(known, today),
        second=shown.get("second", False), after=shown.get("after", 0),
        expires=shown.get("expires", ""),
    )  # fmt: skip


def _free(known: Member, on: BusinessDate) -> int:
    account = known.accounts.get(POINTS)
    reserved = account.reserved if account else 0
    return max(view(known.state, on, asset=POINTS).available - reserved, 0)


def _waiting_page(desk: Desk, asked: Asked, status: int, wrong: str) -> Response:
    now_ms = desk.office.now_ms()
    with desk.office.place.reading(asked.tenant) as plain:
        found = _waits(Adjustments(plain, asked.tenant), asked.id("adjustment"), now_ms)
        snapshot = Snapshot(plain, asked.tenant)
        known = snapshot.member(found.member) if found else None
        offset = snapshot.chain().offset_minutes
    if found is None or known is None:
        raise NotFound
    desk.note(asked, "member_seen", member=known.id)
    today = desk.office.chains[asked.tenant].server.today(now_ms)
    return desk.page(
        asked, "adjustment.html", status,
        wrong=wrong, adjustment=found.id.hex(), member=known.id.hex(),
        name=personal_value(known, "name", wording.masked) or known.id.hex()[:8],
        points=signed_number(found.points), note=found.note,
        why=wording.named(asked.words, REASONS, found.reason), by=found.by,
        since=wording.instant(found.at_ms, offset), own=found.staff == asked.person.staff,
        balance=number(known.state.balance()), available=number(_free(known, today)),
    )  # fmt: skip
