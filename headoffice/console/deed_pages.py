"""What head office does with a member: merge two, take a merge back, erase a person, write a debt off.

Each is looked at first and done with a second form. It is done by the chain's own rules
(app/protocol/server.py) inside the writer's transaction, with a row of the audit beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from starlette.responses import Response

from app.formats import number
from app.protocol.open_members import gone_into, survivor
from app.protocol.owner import live_value
from app.protocol.server import Server
from app.protocol.store import Member
from headoffice import settlement
from headoffice.adjustments import Adjustments
from headoffice.console import finding, wording
from headoffice.console.desk import Asked, Desk, NotFound, go_to, id_of, is_id
from headoffice.console.listing import Listing
from headoffice.console.member_pages import (
    accounts_of,
    asked_member,
    lots_of,
    may_see,
    overspent,
    personal_value,
    seen_by,
    tier_of,
)
from headoffice.console.second import Answer, Second
from headoffice.console.snapshot import Snapshot
from headoffice.console.staff import Staff
from headoffice.erasures import Erasures

Done = Callable[[Server], bool]
Kept = Literal["held", "left"]
"""Why somebody can't be erased now: points are reserved, or there is something that nobody wrote off."""
PROOF: Final = 4
"""So many letters of the member's number are typed before somebody is erased."""


def preview(desk: Desk, asked: Asked) -> Response:
    """Both members side by side, and what a merge would do; or why it can't be."""
    typed = asked.form.get("other", "").strip()[: finding.TEXT_MOST]
    with desk.reading(asked) as snapshot:
        stays = asked_member(snapshot, asked)
        others = _meant(snapshot, asked, typed)
    if len(others) != 1:
        no = asked.words.say(
            "Type something that only the other member has: a whole number of theirs."
        )
        return _back(desk, asked, stays, no)
    goes = others[0]
    no = refusal(asked, stays, goes)
    desk.note(asked, "member_seen", member=goes.id)
    return desk.page(
        asked, "merge.html",
        stays=_side(asked, stays), goes=_side(asked, goes), no=no,
    )  # fmt: skip


def merge(desk: Desk, asked: Asked) -> Response:
    """Merge another member into this one."""
    other = id_of(asked.form.get("other", ""))
    with desk.reading(asked) as snapshot:
        stays, goes = asked_member(snapshot, asked), snapshot.member(other)
        if goes is None or not may_see(snapshot, asked, goes):
            raise NotFound
    no = refusal(asked, stays, goes)
    if no:
        return _back(desk, asked, stays, no)
    now_ms = desk.office.now_ms()
    done = _do(
        desk, asked, "merged", stays.id, other.hex(),
        lambda server: _merged(desk, asked, server.merge(other, stays.id, now_ms), other, stays.id),
    )  # fmt: skip
    if not done:
        return _back(desk, asked, stays, _changed(asked))
    return go_to(_place(stays))


def unmerge(desk: Desk, asked: Asked) -> Response:
    """Give back what was merged into another one."""
    with desk.reading(asked) as snapshot:
        known = asked_member(snapshot, asked)
        survivor = snapshot.member(known.alias) if known.alias else None
    if survivor is None:
        raise NotFound
    no = _held(asked, survivor)
    now_ms = desk.office.now_ms()
    if not no and _do(
        desk, asked, "unmerged", known.id, survivor.id.hex(),
        lambda server: server.unmerge(known.id, now_ms) is not None,
    ):  # fmt: skip
        return go_to(_place(known))
    return _back(desk, asked, known, no or _changed(asked))


def ask_erase(desk: Desk, asked: Asked) -> Response:
    """What erasing means, before it is done."""
    with desk.reading(asked) as snapshot:
        known = asked_member(snapshot, asked)
    return _erase_page(desk, asked, known, 200, "")


def erase(desk: Desk, asked: Asked) -> Response:
    """Forget a person, once their number was typed by two people of head office: the first asks for it."""
    with desk.reading(asked) as snapshot:
        known = asked_member(snapshot, asked)
    if asked.form.get("proof", "").strip().lower() != known.id.hex()[:PROOF]:
        no = asked.words.say("This is not the beginning of the member's number.")
        return _erase_page(desk, asked, known, 422, no)
    by, now_ms, shown = asked.person.staff, desk.office.now_ms(), asked.form.get("left", "")

    def job(staff: Staff) -> Answer | Kept:
        server = desk.office.chains[asked.tenant].server
        stands = server.store.member(survivor(server.store, known.id))
        assert stands is not None, "a member is never deleted"
        if stands.reserved:
            return "held"
        if _told(live_value(stands, server.today(now_ms))) != shown:
            return "left"
        answer = Second(staff).ask(by, "erase", known.id.hex(), now_ms, member=known.id)
        if answer == "agreed":
            left = server.forfeit(stands.id, now_ms)
            if left:
                staff.note(now_ms, by, "forfeited", member=stands.id, detail=_told(left))
            server.erase(stands.id, stands.bucket)
            Erasures(desk.office.plain, asked.tenant).put(stands.id, now_ms)
            for each in {known.id, stands.id, *gone_into(server.store, stands.id)}:
                Adjustments(desk.office.plain, asked.tenant).forget(each)
            staff.note(now_ms, by, "erased", member=stands.id)
        return answer

    answer = desk.act(asked, job)
    if answer in ("held", "left"):
        no = asked.words.say(
            "What is left of theirs has to be written off first. Look at it again."
        )
        return _erase_page(desk, asked, known, 422, no if answer == "left" else "")
    return go_to(_place(known) if answer == "agreed" else f"{_place(known)}/erase")


def keep(desk: Desk, asked: Asked) -> Response:
    """A person is not to be erased after all."""
    with desk.reading(asked) as snapshot:
        known = asked_member(snapshot, asked)
    by, now_ms = asked.person.staff, desk.office.now_ms()
    desk.act(
        asked,
        lambda staff: Second(staff).withdraw(by, "erase", known.id.hex(), now_ms, member=known.id),
    )
    return go_to(_place(known))


def forgive(desk: Desk, asked: Asked) -> Response:
    """Write a member's overspent points off the chain's budget."""
    with desk.reading(asked) as snapshot:
        known = asked_member(snapshot, asked)
    if not overspent(known):
        return _back(desk, asked, known, asked.words.say("Nothing is overspent here."))
    _do(
        desk, asked, "forgiven", known.id, str(overspent(known)),
        lambda server: server.forgive(known.id) > 0,
    )  # fmt: skip
    return go_to(_place(known))


def refusal(asked: Asked, stays: Member, goes: Member) -> str:
    """Why two members can't be merged now; nothing: they can."""
    say = asked.words.say
    if stays.id == goes.id:
        return say("These are one and the same member.")
    if goes.alias is not None or stays.alias is not None:
        return say("One of them was merged already. Take the one that stands.")
    if stays.erased or goes.erased:
        return say("One of them was erased.")
    return _held(asked, stays) or _held(asked, goes)


# Inside ------------------------------------------------------------------------------------------


def _do(desk: Desk, asked: Asked, act: str, member: bytes, detail: str, done: Done) -> bool:
    """In one transaction: the deed and its row of the audit. False: the rules said no."""
    by, now_ms, tenant = asked.person.staff, desk.office.now_ms(), asked.tenant

    def job(staff: Staff) -> bool:
        if not done(desk.office.chains[tenant].server):
            return False
        staff.note(now_ms, by, act, member=member, detail=detail)
        return True

    return desk.act(asked, job)


def _merged(desk: Desk, asked: Asked, done: bool, goes: bytes, stays: bytes) -> bool:
    """What one had may have paid what the other owed: between stores, too."""
    if done:
        server = desk.office.chains[asked.tenant].server
        settlement.merged(server.store, desk.office.plain, asked.tenant, goes, stays)
    return done


def _held(asked: Asked, known: Member) -> str:
    if not known.reserved:
        return ""
    return asked.words.say(
        "Points of {member} are held at a till, or a till may spend them offline. "
        "Try again once it has talked to head office.",
        member=known.id.hex()[:8],
    )


def _changed(asked: Asked) -> str:
    return asked.words.say("Something changed meanwhile. Look at it again.")


def _meant(snapshot: Snapshot, asked: Asked, typed: str) -> list[Member]:
    if is_id(typed):
        found = snapshot.member(bytes.fromhex(typed))
        return [found] if found is not None and may_see(snapshot, asked, found) else []
    return list(finding.members_of(snapshot, typed, seen_by(snapshot, asked)).members)


def _side(asked: Asked, known: Member) -> dict[str, object]:
    words = asked.words
    lots: Listing = lots_of(words, known)
    return {
        "id": known.id.hex(),
        "name": personal_value(known, "name", wording.masked) or known.id.hex()[:8],
        "phone": personal_value(known, "phone", wording.masked) or "–",
        "card": personal_value(known, "card", wording.masked) or "–",
        "tier": tier_of(words, known),
        "accounts": accounts_of(words, known),
        "lots": len(lots.rows),
    }


def _told(left: Mapping[str, int]) -> str:
    """What is left, as a form and the audit have it: who agrees has seen just this."""
    return " ".join(f"{asset} {amount}" for asset, amount in sorted(left.items()))


def _erase_page(desk: Desk, asked: Asked, known: Member, status: int, wrong: str) -> Response:
    today = desk.office.chains[asked.tenant].server.today(desk.office.now_ms())
    with desk.reading(asked) as snapshot:
        stands = known
        while stands.alias is not None and (after := snapshot.member(stands.alias)) is not None:
            stands = after
        left = live_value(stands, today)
        first = Second(snapshot.staff()).one("erase", known.id.hex(), desk.office.now_ms())
        offset = snapshot.chain().offset_minutes
    return desk.page(
        asked, "erase.html", status,
        first="" if first is None else first.initials,
        own=first is not None and first.staff == asked.person.staff,
        since="" if first is None else wording.instant(first.at_ms, offset),
        id=known.id.hex(), proof=known.id.hex()[:PROOF], wrong=wrong,
        name=personal_value(known, "name", wording.masked) or known.id.hex()[:8],
        held=_held(asked, stands), told=_told(left),
        left=[f"{wording.named(asked.words, wording.ASSETS, asset)} {number(amount)}"
              for asset, amount in sorted(left.items())],
    )  # fmt: skip


def _back(desk: Desk, asked: Asked, known: Member, sentence: str) -> Response:
    return desk.page(asked, "no_deed.html", 422, sentence=sentence, id=known.id.hex())


def _place(known: Member) -> str:
    return f"/console/members/{known.id.hex()}"
