"""The pages on which head office lets people in, changes what they may do, and shuts them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.responses import Response

from app.documents.event_codes import ROLES as ROLE_NAMES
from app.formats import number
from headoffice.console import proving, wording
from headoffice.console.desk import Asked, Desk, NotFound, go_to
from headoffice.console.listing import Listing, Shown
from headoffice.console.people import FACTOR_RULE, FACTOR_RULES, Known, People
from headoffice.console.snapshot import ShopRow
from headoffice.console.staff import IDLE_MS, ROLES, Person, Staff, initials_of, new_invitation
from headoffice.webhooks.mail import is_address

PLACE: Final = "/console/staff"
Change = Callable[[Staff, Person], None]


def listing(desk: Desk, asked: Asked) -> Listing:
    """Everybody."""
    known, shops, offset = _read(desk, asked)
    return _listed(asked, known, shops, offset, desk.office.now_ms())


def show_all(desk: Desk, asked: Asked) -> Response:
    """The list, with a form to let somebody in."""
    return _list_page(desk, asked, 200, "")


def let_in(desk: Desk, asked: Asked) -> Response:
    """Invite somebody new."""
    say, form = asked.words.say, asked.form
    initials, role = initials_of(form.get("initials", "")), form.get("role", "")
    known, _, _ = _read(desk, asked)
    if not initials.isalnum() or initials != form.get("initials", "").strip().upper():
        return _list_page(desk, asked, 422, say("Initials are 1 to 12 letters or digits."))
    if role not in ROLES:
        raise NotFound
    if any(each.initials == initials for each in known):
        return _list_page(desk, asked, 422, say("These initials are taken."))
    if not _may_be_sent(asked):
        return _list_page(desk, asked, 422, say("This is no e-mail address."))
    unproved = proving.first(desk, asked, PLACE)
    if unproved is not None:
        return unproved
    made = _invited(desk, asked, initials, role, new=True)
    return made or _list_page(desk, asked, 422, say("These initials are taken."))


def show_one(desk: Desk, asked: Asked) -> Response:
    """Somebody, and what can be changed."""
    return _one_page(desk, asked, 200, "")


def renew(desk: Desk, asked: Asked) -> Response:
    """Invite somebody else anew: who finds an open session must not get the account by it."""
    person = _asked_person(desk, asked)
    if person.id == asked.person.staff:
        return _not_oneself(desk, asked)
    if not _may_be_sent(asked):
        return _one_page(desk, asked, 422, asked.words.say("This is no e-mail address."))
    unproved = proving.first(desk, asked, f"{PLACE}/{person.id.hex()}")
    if unproved is not None:
        return unproved
    made = _invited(desk, asked, person.initials, person.role, new=False)
    assert made is not None, "nobody's initials ever go"
    return made


def withdraw(desk: Desk, asked: Asked) -> Response:
    """Let an invitation open nothing any more."""
    by, now_ms = asked.person.staff, desk.office.now_ms()
    return _changed(desk, asked, lambda staff, one: People(staff).withdraw(by, one, now_ms))


def set_role(desk: Desk, asked: Asked) -> Response:
    """Another role, or other stores of a manager."""
    role = asked.form.get("role", "")
    if role not in ROLES:
        raise NotFound
    with desk.reading(asked) as snapshot:
        stores = [each.id for each in snapshot.shops() if f"store-{each.id.hex()}" in asked.form]
    by, now_ms, chosen = asked.person.staff, desk.office.now_ms(), ROLES[ROLES.index(role)]
    return _changed(
        desk, asked, lambda staff, one: People(staff).set_role(by, one, chosen, stores, now_ms)
    )


def end_sessions(desk: Desk, asked: Asked) -> Response:
    """Sign somebody out everywhere."""
    by, now_ms = asked.person.staff, desk.office.now_ms()
    return _changed(desk, asked, lambda staff, one: People(staff).end_sessions(by, one, now_ms))


def shut_out(desk: Desk, asked: Asked) -> Response:
    """Let somebody in no more."""
    by, now_ms = asked.person.staff, desk.office.now_ms()
    return _changed(desk, asked, lambda staff, one: People(staff).shut_out(by, one, now_ms))


def choose(desk: Desk, asked: Asked) -> Response:
    """Whether a second factor is required."""
    rule = asked.form.get("rule", "")
    if rule not in FACTOR_RULES:
        raise NotFound
    by, now_ms = asked.person.staff, desk.office.now_ms()
    desk.act(asked, lambda staff: People(staff).choose(by, FACTOR_RULE, rule, now_ms))
    return go_to(PLACE)


# Inside ------------------------------------------------------------------------------------------


def _read(desk: Desk, asked: Asked) -> tuple[list[Known], list[ShopRow], int]:
    with desk.reading(asked) as snapshot:
        people = People(snapshot.staff())
        known = list(people.all(desk.office.now_ms(), IDLE_MS))
        return known, snapshot.shops(), snapshot.chain().offset_minutes


def _listed(
    asked: Asked, known: list[Known], shops: list[ShopRow], offset: int, now_ms: int
) -> Listing:
    say, names = asked.words.say, {shop.id: shop.name for shop in shops}
    heads = (
        say("Initials"), say("Role"), say("Stores"), say("Standing"), say("Second factor since"),
        say("Signed in at"),
    )  # fmt: skip
    rows = tuple(
        (
            Shown(each.initials, f"{PLACE}/{each.id.hex()}"),
            Shown(wording.named(asked.words, ROLE_NAMES, each.role)),
            Shown(", ".join(sorted(names[one] for one in each.stores)) or say("All")),
            _standing(asked, each, offset, now_ms),
            Shown("–", tone="warn")
            if each.factor_ms is None
            else Shown(wording.instant(each.factor_ms, offset)),
            Shown(number(each.sessions), number=each.sessions),
        )
        for each in known
    )
    return Listing("staff", heads, rows)


def _standing(asked: Asked, each: Known, offset: int, now_ms: int) -> Shown:
    say = asked.words.say
    if each.shut_out:
        return Shown(say("Shut out"), tone="bad")
    if each.invited_until_ms is None:
        return Shown(say("May sign in"), tone="good")
    if each.invited_until_ms <= now_ms:
        return Shown(say("Invitation is over"), tone="warn")
    return Shown(say("Invited until {until}", until=wording.instant(each.invited_until_ms, offset)))


def _list_page(desk: Desk, asked: Asked, status: int, wrong: str) -> Response:
    with desk.reading(asked) as snapshot:
        rule = People(snapshot.staff()).choice(FACTOR_RULE, FACTOR_RULES[0])
    return desk.page(
        asked, "staff.html", status,
        listing=listing(desk, asked), roles=_roles(asked), wrong=wrong, rule=rule,
        mails=desk.mailer.sends,
    )  # fmt: skip


def _roles(asked: Asked) -> list[tuple[str, str]]:
    return [(role, wording.named(asked.words, ROLE_NAMES, role)) for role in ROLES]


def _one_page(desk: Desk, asked: Asked, status: int, wrong: str) -> Response:
    known, shops, offset = _read(desk, asked)
    one = next((each for each in known if each.id == asked.id("staff")), None)
    if one is None:
        raise NotFound
    own = one.id == asked.person.staff
    return desk.page(
        asked, "staff_one.html", status,
        one=one, own=own, id=one.id.hex(), wrong=wrong, roles=_roles(asked),
        invited=bool(one.invited_until_ms), mails=desk.mailer.sends,
        listing=_listed(asked, [one], shops, offset, desk.office.now_ms()),
        shops=[(shop.id.hex(), shop.name, shop.id in one.stores) for shop in shops],
    )  # fmt: skip


def _asked_person(desk: Desk, asked: Asked) -> Known:
    wanted = asked.id("staff")
    for each in _read(desk, asked)[0]:
        if each.id == wanted:
            return each
    raise NotFound


def _changed(desk: Desk, asked: Asked, change: Change) -> Response:
    """Change somebody else; nobody shuts themselves out by mistake."""
    known = _asked_person(desk, asked)
    if known.id == asked.person.staff:
        return _not_oneself(desk, asked)
    unproved = proving.first(desk, asked, f"{PLACE}/{known.id.hex()}")
    if unproved is not None:
        return unproved

    def act(staff: Staff) -> None:
        person = staff.person(known.initials)
        assert person is not None, "nobody of the staff is ever deleted"
        change(staff, person)

    desk.act(asked, act)
    return go_to(f"{PLACE}/{known.id.hex()}")


def _not_oneself(desk: Desk, asked: Asked) -> Response:
    no = asked.words.say("Somebody else of head office has to change this for you.")
    return _one_page(desk, asked, 422, no)


def _may_be_sent(asked: Asked) -> bool:
    email = asked.form.get("email", "").strip()
    return not email or is_address(email)


def _invited(desk: Desk, asked: Asked, initials: str, role: str, *, new: bool) -> Response | None:
    """An invitation, sent or shown; None where somebody was to be new and somebody else was quicker."""
    by, now_ms, chosen = asked.person.staff, desk.office.now_ms(), ROLES[ROLES.index(role)]
    made, email = new_invitation(), asked.form.get("email", "").strip() if desk.mailer.sends else ""

    def act(staff: Staff) -> bytes | None:
        if new and staff.person(initials) is not None:
            return None
        return People(staff).invite(by, initials, chosen, made.digest, now_ms)

    person = desk.act(asked, act)
    if person is None:
        return None
    link = f"{str(asked.request.base_url).rstrip('/')}{made.path(asked.tenant)}"
    if email:
        chain = desk.office.chains[asked.tenant].chain
        why = desk.mailer.invite(chain, email, initials, link)
        if why:
            return _not_sent(desk, asked, initials, why)
    return desk.page(
        asked, "invited.html", initials=initials, opens=link, sent_to=email, id=person.hex()
    )


def _not_sent(desk: Desk, asked: Asked, initials: str, why: str) -> Response:
    """Nobody else sees a link that was to be sent: it opens nothing any more."""
    by, now_ms = asked.person.staff, desk.office.now_ms()

    def act(staff: Staff) -> None:
        person = staff.person(initials)
        assert person is not None, "nobody's initials ever go"
        People(staff).withdraw(by, person, now_ms)

    desk.act(asked, act)
    no = asked.words.say(
        "The mail server did not take it ({why}). The invitation was withdrawn: try again, or without an "
        "address.",
        why=why,
    )  # fmt: skip
    return _list_page(desk, asked, 502, no)
