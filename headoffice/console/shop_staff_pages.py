"""The pages on which head office says who works in the stores, and takes over the tills' own people."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from app.documents.event_codes import ROLES as ROLE_NAMES
from app.i18n import mark
from headoffice.console import proving, wording
from headoffice.console.desk import Asked, Desk, NotFound, go_to, is_id
from headoffice.console.listing import Listing, Shown
from headoffice.console.snapshot import ShopRow
from headoffice.console.staff import Staff
from headoffice.shop_staff import Cannot, Made, Person, ShopStaff, Stranger, Why, new_code
from headoffice.store.records import Records

PLACE: Final = "/console/shop-staff"
GIVEN: Final = ("cashier", "supervisor", "manager")
"""Roles that head office gives; whoever has another one keeps it."""
_WHYS: Final[Mapping[Why, str]] = {
    "initials": mark("Initials are two to six letters or digits, a letter first."),
    "taken": mark("Somebody of one of these stores has, or had, these initials. Take others."),
    "name": mark("A name is needed, of at most 80 letters."),
    "role": mark("There is no such role."),
    "stores": mark("Choose at least one store. To let somebody go, say so below."),
    "last_manager": mark("Till {till} would have no manager any more. Make somebody else manager there first."),
    "there": mark("Till {till} has this person already."),
    "gone": mark("Somebody changed this meanwhile. Look at it again."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Read:
    """What a page reads in one snapshot."""

    people: Sequence[Person]
    strangers: Sequence[Stranger]
    told: frozenset[bytes]
    shops: Sequence[ShopRow]
    offset: int

    @property
    def names(self) -> dict[bytes, str]:
        """Of the stores, by id."""
        return {shop.id: shop.name for shop in self.shops}


def _by_the_proved(act: Callable[[Desk, Asked], Response]) -> Callable[[Desk, Asked], Response]:
    """Only who has proved anew who they are does it."""

    def first(desk: Desk, asked: Asked) -> Response:
        person = str(asked.request.path_params.get("person", ""))
        back = f"{PLACE}/{person}" if is_id(person) else PLACE
        return proving.first(desk, asked, back) or act(desk, asked)

    return first


def listing(desk: Desk, asked: Asked) -> Listing:
    """Everybody, or who works in the store that is asked for."""
    read, now_ms = _read(desk, asked), desk.office.now_ms()
    chosen = _store(asked, read)
    return _listed(
        asked, read, [p for p in read.people if not chosen or chosen in p.stores], now_ms
    )


def show_all(desk: Desk, asked: Asked) -> Response:
    """The list, who is still tills' own, and a form for somebody new."""
    return _list_page(desk, asked, 200, "")


@_by_the_proved
def add(desk: Desk, asked: Asked) -> Response:
    """Somebody new: their first code, shown this once."""
    form, read = asked.form, _read(desk, asked)
    person = Person(
        secrets.token_bytes(16), form.get("initials", "").strip().lower(),
        " ".join(form.get("name", "").split()), _given(asked, ""), True, _stores(asked, read),
    )  # fmt: skip
    made = _made(desk)

    def act(staff: Staff, people: ShopStaff) -> None:
        people.add(_store_of(desk, asked), person, made, desk.office.now_ms())
        _noted(desk, asked, staff, "shop_person_added", f"{person.initials.upper()} {person.role}")

    wrong = _tried(desk, asked, act)
    if wrong:
        return _list_page(desk, asked, 422, wrong)
    return _code_page(desk, asked, person, made)


def show_one(desk: Desk, asked: Asked) -> Response:
    """Somebody, and what can be changed."""
    return _one_page(desk, asked, 200, "")


@_by_the_proved
def change(desk: Desk, asked: Asked) -> Response:
    """Another name, role, or other stores."""
    known, read = _asked_person(desk, asked)
    name = " ".join(asked.form.get("name", "").split())
    after = known._replace(name=name, role=_given(asked, known.role), stores=_stores(asked, read))
    seen, now_ms = asked.form.get("seen", ""), desk.office.now_ms()

    def act(people: ShopStaff) -> Person:
        people.change(_store_of(desk, asked), after, seen, now_ms)
        return after

    return _changed(desk, asked, act, "shop_person_changed")


@_by_the_proved
def let_go(desk: Desk, asked: Asked) -> Response:
    """They sign in at no till any more that has heard of it."""
    return _set_active(desk, asked, "shop_person_let_go", active=False)


@_by_the_proved
def take_back(desk: Desk, asked: Asked) -> Response:
    """They work there again."""
    return _set_active(desk, asked, "shop_person_back", active=True)


@_by_the_proved
def give_code(desk: Desk, asked: Asked) -> Response:
    """A new first code, shown this once."""
    known, _ = _asked_person(desk, asked)
    made = _made(desk)

    def act(staff: Staff, people: ShopStaff) -> None:
        people.give_code(_store_of(desk, asked), known.id, made, desk.office.now_ms())
        _noted(desk, asked, staff, "shop_person_code", known.initials.upper())

    wrong = _tried(desk, asked, act)
    if wrong:
        return _one_page(desk, asked, 422, wrong)
    return _code_page(desk, asked, known, made)


@_by_the_proved
def take_over(desk: Desk, asked: Asked) -> Response:
    """Somebody of tills' own is head office's from now on."""
    read, form = _read(desk, asked), asked.form
    who = next((each for each in read.strangers if each.mark == form.get("who")), None)
    same = form.get("same", "")
    if who is None:
        return _list_page(desk, asked, 409, _said(asked, Cannot("gone")))
    if same and not is_id(same):
        raise NotFound
    same_as = bytes.fromhex(same) if same else None

    def act(staff: Staff, people: ShopStaff) -> None:
        assert who is not None
        people.take_over(_store_of(desk, asked), who, same_as, desk.office.now_ms())
        _noted(desk, asked, staff, "shop_person_taken_over", f"{who.initials.upper()} {who.role}")

    wrong = _tried(desk, asked, act)
    return _list_page(desk, asked, 422, wrong) if wrong else go_to(PLACE)


# Inside ------------------------------------------------------------------------------------------


def _read(desk: Desk, asked: Asked) -> _Read:
    with desk.reading(asked) as snapshot:
        people = ShopStaff(snapshot.staff(), desk.office.tills_of(asked.tenant))
        return _Read(
            people.people(), people.strangers(), frozenset(people.told()), snapshot.shops(),
            snapshot.chain().offset_minutes,
        )  # fmt: skip


def _made(desk: Desk) -> Made:
    with desk.hashing:
        return new_code()


def _store_of(desk: Desk, asked: Asked) -> Records:
    return desk.office.chains[asked.tenant].store


def _noted(desk: Desk, asked: Asked, staff: Staff, act: str, detail: str) -> None:
    staff.note(desk.office.now_ms(), asked.person.staff, act, detail=detail)


def _tried(desk: Desk, asked: Asked, act: Callable[[Staff, ShopStaff], None]) -> str:
    """Do it in the writer's transaction; why not, in words, "" where it is done."""
    tills = desk.office.tills_of(asked.tenant)
    try:
        desk.act(asked, lambda staff: act(staff, ShopStaff(staff, tills)))
    except Cannot as error:
        return _said(asked, error)
    return ""


def _set_active(desk: Desk, asked: Asked, what: str, *, active: bool) -> Response:
    (known, _), now_ms = _asked_person(desk, asked), desk.office.now_ms()
    return _changed(
        desk, asked,
        lambda people: people.set_active(_store_of(desk, asked), known.id, now_ms, active=active),
        what,
    )  # fmt: skip


def _said(asked: Asked, error: Cannot) -> str:
    return asked.words.say(_WHYS[error.why], till=error.till)


def _changed(
    desk: Desk, asked: Asked, change: Callable[[ShopStaff], Person], what: str
) -> Response:
    def act(staff: Staff, people: ShopStaff) -> None:
        after = change(people)
        _noted(desk, asked, staff, what, f"{after.initials.upper()} {after.role}")

    wrong = _tried(desk, asked, act)
    path = str(asked.request.path_params["person"])
    return _one_page(desk, asked, 422, wrong) if wrong else go_to(f"{PLACE}/{path}")


def _listed(asked: Asked, read: _Read, people: Sequence[Person], now_ms: int) -> Listing:
    say = asked.words.say
    heads = (say("Initials"), say("Name"), say("Role"), say("Stores"), say("Standing"))
    rows = tuple(
        (
            Shown(each.initials.upper(), f"{PLACE}/{each.id.hex()}"),
            Shown(each.name),
            Shown(wording.named(asked.words, ROLE_NAMES, each.role)),
            Shown(_named(each.stores, read)),
            _standing(asked, each, read, now_ms),
        )
        for each in people
    )
    return Listing("shop-staff", heads, rows)


def _standing(asked: Asked, each: Person, read: _Read, now_ms: int) -> Shown:
    say = asked.words.say
    if not each.active:
        return Shown(say("Let go"), tone="bad")
    if each.code is not None and each.code.until_ms > now_ms:
        until = wording.instant(each.code.until_ms, read.offset)
        return Shown(say("Has a first code until {until}", until=until))
    return Shown(say("Works here"), tone="good")


def _named(stores: Sequence[bytes], read: _Read) -> str:
    return ", ".join(sorted(read.names[one] for one in stores if one in read.names)) or "–"


def _strange(desk: Desk, asked: Asked, read: _Read) -> list[dict[str, object]]:
    say, tills = asked.words.say, {t.device: t for t in desk.office.tills_of(asked.tenant)}
    return [
        {
            "mark": each.mark,
            "who": f"{each.initials.upper()} · {each.name}",
            "role": wording.named(asked.words, ROLE_NAMES, each.role),
            "standing": say("Works here") if each.active else say("Disabled"),
            "where": ", ".join(
                f"{read.names.get(tills[device].shop, '')} {tills[device].name}"
                for device, _ in each.at
            ),
            "likely": next((p.id.hex() for p in read.people if p.initials == each.initials), ""),
        }
        for each in read.strangers
    ]


def _list_page(desk: Desk, asked: Asked, status: int, wrong: str) -> Response:
    read, now_ms = _read(desk, asked), desk.office.now_ms()
    chosen = _store(asked, read)
    people = [each for each in read.people if not chosen or chosen in each.stores]
    silent = [
        f"{read.names.get(till.shop, '')} {till.name}"
        for till in desk.office.tills_of(asked.tenant)
        if till.standing == "live" and till.device not in read.told
    ]
    return desk.page(
        asked, "shop_staff.html", status,
        listing=_listed(asked, read, people, now_ms), wrong=wrong, roles=_roles(asked, ""),
        shops=[
            (shop.id.hex(), shop.name, f"store-{shop.id.hex()}" in asked.form)
            for shop in read.shops
        ],
        store=chosen.hex(), strangers=_strange(desk, asked, read),
        known=[(each.id.hex(), f"{each.initials.upper()} · {each.name}") for each in read.people],
        silent=", ".join(sorted(silent)), form=asked.form,
        may_change=asked.person.role == "head_office",
    )  # fmt: skip


def _one_page(desk: Desk, asked: Asked, status: int, wrong: str) -> Response:
    known, read = _asked_person(desk, asked)
    return desk.page(
        asked, "shop_person.html", status,
        one=known, id=known.id.hex(), wrong=wrong, roles=_roles(asked, known.role),
        listing=_listed(asked, read, [known], desk.office.now_ms()),
        shops=[(shop.id.hex(), shop.name, shop.id in known.stores) for shop in read.shops],
        may_change=asked.person.role == "head_office",
    )  # fmt: skip


def _code_page(desk: Desk, asked: Asked, person: Person, made: Made) -> Response:
    shown = " ".join(made.code[at : at + 4] for at in range(0, len(made.code), 4))
    return desk.page(
        asked, "first_code.html", id=person.id.hex(), initials=person.initials.upper(), code=shown
    )


def _roles(asked: Asked, kept: str) -> list[tuple[str, str]]:
    codes = GIVEN if not kept or kept in GIVEN else (*GIVEN, kept)
    return [(code, wording.named(asked.words, ROLE_NAMES, code)) for code in codes]


def _given(asked: Asked, kept: str) -> str:
    role = asked.form.get("role", "")
    if role not in (*GIVEN, kept):
        raise NotFound
    return role


def _stores(asked: Asked, read: _Read) -> tuple[bytes, ...]:
    return tuple(sorted(shop.id for shop in read.shops if f"store-{shop.id.hex()}" in asked.form))


def _store(asked: Asked, read: _Read) -> bytes:
    text = asked.request.query_params.get("store", "")
    return next((shop.id for shop in read.shops if shop.id.hex() == text), b"")


def _asked_person(desk: Desk, asked: Asked) -> tuple[Person, _Read]:
    text, read = str(asked.request.path_params["person"]), _read(desk, asked)
    found = next((each for each in read.people if each.id.hex() == text), None)
    if found is None:
        raise NotFound
    return found, read
