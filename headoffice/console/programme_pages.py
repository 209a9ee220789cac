"""The programme editor: versions, drafts, what is wrong with one, what it changes; publishing, going back."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import Any, Final, Literal

from starlette.responses import Response

from app.domain.business_day import BusinessDate
from app.domain.errors import Refused
from app.domain.programme import Programme
from app.domain.programme_checks import ProgrammeError
from app.domain.programme_plain import programme_to_plain
from app.domain.programme_versions import programme_on
from app.error_words import sentence
from headoffice import programmes
from headoffice.api.rules import programmes_of
from headoffice.console import programme_form, programme_lists, wording
from headoffice.console import programme_words as told
from headoffice.console.desk import Asked, Desk, NotFound, go_to
from headoffice.console.drafts import Draft, Drafts
from headoffice.console.event_pages import formats_of
from headoffice.console.listing import Listing, Shown
from headoffice.console.people import People
from headoffice.console.second import Second
from headoffice.console.staff import Staff
from headoffice.programmes import Published

PLACE: Final = "/console/programme"
NAME_MOST: Final = 80
TWO: Final = "publish_by"
"""The chain's choice: whether who typed a draft last may publish it."""
_ONE: Final = f"{TWO} one"
_DEEPEST: Final = 20
"""Lists and objects within each other in a draft; a programme has seven."""
WEEKS: Final = (4, 8, 13, 26)
"""On how many of the last weeks a draft can be tried."""


def show(desk: Desk, asked: Asked) -> Response:
    """Versions and drafts."""
    with desk.reading(asked) as snapshot:
        known = _known(desk, asked)
        drafts = Drafts(snapshot.staff()).all()
        chain, people = snapshot.chain(), People(snapshot.staff())
        two = people.choice(TWO, "one") == "two"
        first = Second(snapshot.staff()).one("choice", _ONE, desk.office.now_ms()) if two else None
    say, today = asked.words.say, today_of(desk, asked)
    in_force = programme_on(known, today)
    rows = tuple(
        (
            Shown(str(each.version), f"{PLACE}/versions/{each.version}", number=each.version),
            Shown(each.starts.iso()),
            Shown(say("In force"), tone="good")
            if each == in_force
            else Shown(say("Begins later") if each.starts > today else say("Over")),
        )
        for each in sorted(known, key=lambda one: -one.version)
    )
    listed = tuple(
        (
            Shown(each.name, f"{PLACE}/drafts/{each.id.hex()}"),
            Shown(wording.instant(each.at_ms, chain.offset_minutes)),
        )
        for each in drafts
    )
    return desk.page(
        asked, "programme.html",
        versions=Listing("versions", (say("Version"), say("Starts on"), say("Standing")), rows),
        drafts=Listing("drafts", (say("Draft"), say("Changed")), listed),
        may_change=asked.person.role == "head_office", two=two,
        first="" if first is None else first.initials,
        own=first is not None and first.staff == asked.person.staff,
    )  # fmt: skip


def version(desk: Desk, asked: Asked) -> Response:
    """One version: its values, and what it changed."""
    known = sorted(_known(desk, asked), key=lambda each: each.version)
    at = next((n for n, each in enumerate(known) if each.version == _number(asked)), None)
    if at is None:
        raise NotFound
    plain = programme_to_plain(known[at])
    before = programme_to_plain(known[at - 1]) if at else None
    return desk.page(
        asked, "programme_version.html",
        version=known[at].version, starts=known[at].starts.iso(),
        values=_values(asked, plain),
        diff=None if before is None else _diff(asked, before, plain),
        text=_json(plain), may_change=asked.person.role == "head_office",
    )  # fmt: skip


def begin(desk: Desk, asked: Asked) -> Response:
    """A draft of a version, or of what the tills have, or of the one that comes with head office."""
    text, tomorrow = asked.form.get("version", ""), today_of(desk, asked).plus(1)
    known = {str(each.version): each for each in _known(desk, asked)}
    if text and text not in known:
        raise NotFound
    with desk.reading(asked) as snapshot:
        document = (
            programme_to_plain(known[text]) if text else json.loads(snapshot.first_programme())
        )
    document["starts"] = tomorrow.iso()
    name = asked.form.get("name", "").strip()[:NAME_MOST] or asked.words.say(
        "Draft of version {version}", version=text or "1"
    )
    by, now_ms = asked.person.staff, desk.office.now_ms()
    made = desk.act(asked, lambda staff: Drafts(staff).begin(by, name, document, now_ms))
    return go_to(f"{PLACE}/drafts/{made.hex()}")


def draft(desk: Desk, asked: Asked) -> Response:
    """The form of a draft."""
    return draft_page(desk, asked, asked_draft(desk, asked), 200)


def save(desk: Desk, asked: Asked) -> Response:
    """Keep what was typed into the form, or the JSON."""
    known, seen = asked_draft(desk, asked), asked.form.get("seen", "")
    document = programme_form.filled(known.document, dict(asked.form))
    document, place = programme_lists.changed(
        document, asked.form.get("do", ""), asked.form.get("kind", "")
    )
    if "json" in asked.form:
        try:
            document = json.loads(asked.form["json"])
            _check_keepable(document)
        except (ValueError, RecursionError):
            no = asked.words.say("This is no JSON.")
            return draft_page(desk, asked, known, 422, no)
    by, now_ms = asked.person.staff, desk.office.now_ms()
    stands = desk.act(
        asked, lambda staff: Drafts(staff).change(by, known.id, document, now_ms, seen=seen)
    )
    if stands is not None:
        return _conflict(desk, asked, stands, document)
    return go_to(f"{PLACE}/drafts/{known.id.hex()}{f'#{_anchor(place)}' if place else ''}")


def _check_keepable(document: Any) -> None:
    """Raises ValueError where half a character or more nesting than a programme has could not be kept."""
    json.dumps(document, ensure_ascii=False).encode()
    depth, level = 0, [document]
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        lists = [each for each in level if isinstance(each, list)]
        dicts = [each for each in level if isinstance(each, dict)]
        level = [*chain.from_iterable(lists), *chain.from_iterable(each.values() for each in dicts)]


def _anchor(path: str) -> str:
    """A level or multiplier within the page."""
    return re.sub("[^a-z0-9]+", "-", path).strip("-")


def _conflict(desk: Desk, asked: Asked, stands: Draft, typed: Any) -> Response:
    """Somebody else has changed the draft since the form was shown: what stands, and what was typed here."""
    say = asked.words.say
    rows = tuple(
        (Shown(each.label), Shown(each.before), Shown(each.after))
        for each in programme_form.changes(stands.document, typed, asked.words)
    )
    return desk.page(
        asked, "draft_conflict.html", 409,
        id=stands.id.hex(), name=stands.name, seen=stands.mark, text=_json(typed),
        differs=Listing("differs", (say("What"), say("Stands now"), say("You typed")), rows),
    )  # fmt: skip


def drop(desk: Desk, asked: Asked) -> Response:
    """Forget a draft."""
    known, by, now_ms = asked_draft(desk, asked), asked.person.staff, desk.office.now_ms()
    desk.act(asked, lambda staff: Drafts(staff).drop(by, known, now_ms))
    return go_to(PLACE)


def publish(desk: Desk, asked: Asked) -> Response:
    """Publish a draft: from its date on it counts at every till that has heard of it."""
    by, now_ms = asked.person.staff, desk.office.now_ms()
    tenant, today, say = asked.tenant, today_of(desk, asked), asked.words.say
    try:
        known = asked_draft(desk, asked)
    except NotFound:
        return go_to(PLACE)  # Sent twice: the list has the version that the first one made.
    programme, fault = checked(desk, asked, known)
    if programme is None:
        return draft_page(desk, asked, known, 422, fault[1])
    if programme.starts <= today and "urgent" not in asked.form:
        no = say("It would start today. Tick the box if that is meant.")
        return draft_page(desk, asked, known, 422, no)

    def act(staff: Staff) -> Published | Literal["own", "changed"]:
        if Drafts(staff).one(known.id) != known or asked.form.get("seen") != known.mark:
            return "changed"
        if known.by == by and People(staff).choice(TWO, "one") == "two":
            return "own"
        store = desk.office.chains[tenant].store
        made = programmes.publish(store, known.document, today)
        Drafts(staff).drop(by, known, now_ms, "published")
        return made

    made = desk.act(asked, act)
    if made == "own":
        no = say("You changed this draft last. Somebody else of head office has to publish it.")
        return draft_page(desk, asked, known, 422, no)
    if made == "changed":
        no = say("Somebody changed this draft meanwhile. Look at it again.")
        return draft_page(desk, asked, asked_draft(desk, asked), 409, no)
    return go_to(f"{PLACE}/versions/{made.version}")


def choose(desk: Desk, asked: Asked) -> Response:
    """Whether publishing takes two people. That it no more does takes two, too."""
    value = "two" if asked.form.get("two") == "two" else "one"
    by, now_ms = asked.person.staff, desk.office.now_ms()

    def act(staff: Staff) -> None:
        people = People(staff)
        weaker = value == "one" and people.choice(TWO, "one") == "two"
        if not weaker or Second(staff).ask(by, "choice", _ONE, now_ms) == "agreed":
            people.choose(by, TWO, value, now_ms)

    desk.act(asked, act)
    return go_to(PLACE)


def keep_two(desk: Desk, asked: Asked) -> Response:
    """Publishing goes on to take two."""
    by, now_ms = asked.person.staff, desk.office.now_ms()
    desk.act(asked, lambda staff: Second(staff).withdraw(by, "choice", _ONE, now_ms))
    return go_to(PLACE)


# Inside ------------------------------------------------------------------------------------------


def draft_page(desk: Desk, asked: Asked, known: Draft, status: int, wrong: str = "") -> Response:
    """The form, with what is wrong at its field, and what it would change."""
    programme, (path, fault) = checked(desk, asked, known)
    published = _known(desk, asked)
    newest = max(published, key=lambda each: each.version, default=None)
    force = programme_on(published, today_of(desk, asked)) or newest
    fields = programme_form.fields_of(known.document, asked.words)
    parts = [
        (part, asked.words.say(told.NAMES[part]) if part else "", groups)
        for part, groups in programme_form.groups_of(known.document, asked.words).items()
        if any(group.fields or group.without for group in groups)
    ]
    return desk.page(
        asked, "draft.html", status,
        id=known.id.hex(), name=known.name, wrong=wrong, seen=known.mark,
        parts=parts, anchor=_anchor, level=programme_lists.LEVELS, multiplier=programme_lists.MULTIPLIERS,
        kinds=[(kind, asked.words.say(told.NAMES[kind])) for kind in programme_lists.KINDS],
        fault_path=path, fault=fault, elsewhere=bool(fault) and path not in {f.path for f in fields},
        fault_label=programme_form.label_of(path, asked.words) if path else "",
        good=programme is not None,
        diff=_diff(asked, programme_to_plain(force), known.document) if force else None,
        text=_json(known.document), weeks=WEEKS, starts_today=_starts_today(desk, asked, programme),
        trial=desk.trials.of(asked.tenant, known.id) is not None,
        may_change=asked.person.role == "head_office",
    )  # fmt: skip


def checked(desk: Desk, asked: Asked, known: Draft) -> tuple[Programme | None, tuple[str, str]]:
    """The draft as a programme; or the field at fault, and the fault in words."""
    say = asked.words.say
    published = [
        Published(each, b"") for each in sorted(_known(desk, asked), key=lambda one: one.version)
    ]
    try:
        return programmes.check(known.document, published, today_of(desk, asked)), ("", "")
    except ProgrammeError as error:
        fault = say(told.FAULTS[error.fault]) if error.fault in told.FAULTS else error.fault
        return None, (error.path, fault)
    except Refused as error:
        formats = formats_of(asked, None)
        return None, ("$.starts", sentence(asked.words, formats, error.code, error.facts))


def _starts_today(desk: Desk, asked: Asked, programme: Programme | None) -> bool:
    return programme is not None and programme.starts <= today_of(desk, asked)


def _known(desk: Desk, asked: Asked) -> list[Programme]:
    with desk.office.place.reading(asked.tenant) as plain:
        return list(programmes_of(plain, asked.tenant))


def asked_draft(desk: Desk, asked: Asked) -> Draft:
    """The draft of the address."""
    with desk.reading(asked) as snapshot:
        known = Drafts(snapshot.staff()).one(asked.id("draft"))
    if known is None:
        raise NotFound
    return known


def today_of(desk: Desk, asked: Asked) -> BusinessDate:
    """Head office's business date."""
    return desk.office.chains[asked.tenant].server.today(desk.office.now_ms())


def _number(asked: Asked) -> int:
    text = str(asked.request.path_params["version"])
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0


def _values(asked: Asked, plain: Any) -> Listing:
    rows = tuple(
        (Shown(field.label), Shown(dict(field.choices).get(field.text, field.text)))
        for field in programme_form.fields_of(plain, asked.words)
    )
    return Listing("programme", (asked.words.say("What"), asked.words.say("Value")), rows)


def _diff(asked: Asked, before: Any, after: Any) -> Listing:
    say = asked.words.say
    rows = tuple(
        (Shown(each.label), Shown(each.before), Shown(each.after))
        for each in programme_form.changes(before, after, asked.words)
    )
    return Listing("changes", (say("What"), say("Before"), say("After")), rows)


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
