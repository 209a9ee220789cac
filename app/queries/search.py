"""The search box: one typed text to the rows below it (counter-flows.md flows 1 and 2). No balances."""

from __future__ import annotations

from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.errors import Cancelled
from app.domain.member import mask_phone
from app.intake import Phone, parse_phone, plain_text
from app.numbers import is_card_number
from app.queries.records import MemberHit, SearchResult
from app.shut import require_members
from db import people
from db import search as index
from db.engine import Reader
from db.errors import Interrupted

SHOWN = 20
_PHONE_DIGITS_LEAST = 7


def search(ctx: Context, text: str, *, limit: int = SHOWN) -> SearchResult:
    """Members for a typed text: exact before begun words, the newest visit first.

    Runs on the search reader. Raises Cancelled when `call_off` stopped it, Refused(TILL_REVOKED |
    MEMBERS_LOCKED).
    """
    try:
        with ctx.read(Reader.SEARCH) as conn:
            require_members(conn, ctx.clock())
            answer = index.search_members(conn, text, limit)
            unknown = suggestion = None
            if not answer.hits:
                suggestion = index.suggest(conn, text)
                unknown = _unknown_phone(text)
                if unknown is not None and people.members_of_phone(conn, unknown):
                    unknown = None
    except Interrupted:
        raise Cancelled from None
    return SearchResult(
        text=text,
        hits=tuple(_hit(hit) for hit in answer.hits),
        more=answer.total > len(answer.hits),
        total=answer.total,
        unknown_phone=unknown,
        suggestion=suggestion,
    )


def asked_for(text: str) -> tuple[str, str] | None:
    """(field, value) that a text which finds nobody here asks head office for; None: it is no whole phone or
    card number."""
    plain = plain_text(text).replace(" ", "").replace("-", "")
    if not plain.removeprefix("+").isdigit():
        return None
    phone = parse_phone(plain)
    if isinstance(phone, Phone):
        return "phone", phone.e164
    return ("card", plain) if is_card_number(plain) else None


def call_off(ctx: Context) -> None:
    """Stop the search that is running, from any thread; nothing happens when none is."""
    ctx.store.interrupt(Reader.SEARCH)


def warm_up(ctx: Context) -> None:
    """Read what the first keystrokes need (0.1 s); on the search lane, right after start."""
    with ctx.read(Reader.SEARCH) as conn:
        index.warm_up(conn)


def index_visits(ctx: Context) -> int:
    """Move who has visited to the front of the index: a small write after the sale, when idle."""
    with ctx.write_rows() as conn:
        return index.refresh(conn)


def forget_words(ctx: Context) -> bool:
    """A part of the work of forgetting words that were edited away; False when none are left."""
    with ctx.write_rows() as conn:
        return index.forget_step(conn)


def _unknown_phone(text: str) -> str | None:
    digits = plain_text(text)
    if sum(c.isdigit() for c in digits) < _PHONE_DIGITS_LEAST or any(c.isalpha() for c in digits):
        return None
    phone = parse_phone(digits)
    return phone.e164 if isinstance(phone, Phone) else None


def _hit(hit: index.MemberHit) -> MemberHit:
    return MemberHit(
        member_id=hit.member_id,
        name=hit.name,
        phone_masked=mask_phone(hit.phone) if hit.phone else "",
        tier_code=hit.tier,
        last_visit=None if hit.last_visit is None else BusinessDate(hit.last_visit),
        matched=hit.fields,
        name_spans=hit.name_spans,
        phone_spans=_masked_spans(hit.phone, hit.phone_spans),
    )


def _masked_spans(
    phone: str | None, spans: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, int], ...]:
    """Where matched digits stand in the masked number; the starred ones show nothing."""
    if phone is None:
        return ()
    masked = mask_phone(phone)
    shown: dict[int, int] = {}
    head = 3 if phone.startswith("+86") else 0
    shown.update({head + n: n for n in range(3)})
    shown.update({len(phone) - 4 + n: len(masked) - 4 + n for n in range(4)})
    found: list[tuple[int, int]] = []
    for start, end in spans:
        places = sorted(shown[at] for at in range(start, end) if at in shown)
        for place in places:
            if found and found[-1][1] == place:
                found[-1] = (found[-1][0], place + 1)
            else:
                found.append((place, place + 1))
    return tuple(found)
