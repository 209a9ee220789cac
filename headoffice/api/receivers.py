"""Operations for who wants to hear of changes: webhooks, what could not be delivered, and alarms."""

from __future__ import annotations

import secrets
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from headoffice.alarms import Alarm, Alarms
from headoffice.api.desk import Asked, Caller, cursor_of, needs, number_of
from headoffice.api.own_till import OwnTill
from headoffice.api.problems import Problem
from headoffice.api.shapes import Id, Sent, Told
from headoffice.webhooks.addresses import URL_MOST, target_of
from headoffice.webhooks.outbox import PORTION, Message, Outbox, Webhook
from headoffice.webhooks.signing import secret_of, shown

WEBHOOKS_MOST: Final = 10
PAGE: Final = 50
OVER_MOST: Final = 200
router: Final = APIRouter(prefix="/v1")
HookId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="32 hex digits")]
Kind = Literal[
    "member.enrolled", "member.changed", "member.merged", "member.erased", "points.changed",
    "tier.changed", "alarm.raised", "alarm.cleared", "audit.root",
]  # fmt: skip


class WebhookRequest(Sent):
    """Where to, and what of."""

    url: Annotated[str, Field(min_length=1, max_length=URL_MOST)]
    events: Annotated[list[Kind], Field(min_length=1, max_length=20)]


class WebhookBody(Told):
    """A webhook. `waiting`: messages that it has yet to hear."""

    id: Id
    url: str
    events: list[str]
    waiting: int


class WebhookMade(Told):
    """A webhook with its secret, which is told this once."""

    id: Id
    secret: str


class WebhookList(Told):
    """All webhooks of the chain."""

    webhooks: list[WebhookBody]


class ParkedMessage(Told):
    """A message that nobody took for a day. `last`: how the last try went."""

    id: str
    type: str
    member: Id | None
    at_ms: int
    tries: int
    last: str


class ParkedPage(Told):
    """Messages that were given up, the oldest first."""

    messages: list[ParkedMessage]
    next: str | None


class Again(Told):
    """How many are tried once more."""

    messages: int


class AlarmBody(Told):
    """Something to look at. subject: of `till.silent` the till's id."""

    alarm: str
    subject: str
    figure: int
    raised_ms: int
    cleared_ms: int | None


class AlarmList(Told):
    """Those that stand, the oldest first; then those that are over, the last first."""

    alarms: list[AlarmBody]


@router.get("/webhooks", tags=["webhooks"], **needs("webhooks:write"))
def list_webhooks(asked: Caller) -> WebhookList:
    """All webhooks of the chain."""
    with asked.desk.office.place.reading(asked.tenant) as plain:
        outbox = Outbox(plain, asked.tenant)
        return WebhookList(
            webhooks=[
                WebhookBody(
                    id=hook.id.hex(), url=hook.url, events=sorted(hook.kinds),
                    waiting=outbox.waiting(hook.id),
                )
                for hook in outbox.webhooks()
            ]
        )  # fmt: skip


@router.post("/webhooks", status_code=201, tags=["webhooks"], **needs("webhooks:write"))
def make_webhook(asked: Caller, sent: WebhookRequest) -> WebhookMade:
    """Begin to be told. Messages are signed by Standard Webhooks with the secret that this answers."""
    if target_of(sent.url, private=asked.desk.private) is None:
        raise Problem("invalid", {"errors": [{"in": "body", "pointer": "#/url", "why": "address"}]})

    def act(till: OwnTill) -> Webhook:
        outbox = Outbox(till.plain, asked.tenant)
        if len(outbox.webhooks()) >= WEBHOOKS_MOST:
            raise Problem("conflict", {"what": "webhooks", "most": WEBHOOKS_MOST})
        hook = Webhook(
            asked.tenant,
            secrets.token_bytes(16),
            sent.url,
            frozenset(sent.events),
            1,
            0,
            till.now_ms,
        )
        outbox.put(hook)
        till.note("api_webhook_made", detail=hook.id.hex()[:8])
        return hook

    hook = asked.write(act, asked.desk.office.telling.put)
    return _made(asked, hook)


@router.post("/webhooks/{webhook}/secret", tags=["webhooks"], **needs("webhooks:write"))
def change_secret(asked: Caller, webhook: HookId) -> WebhookMade:
    """Another secret. For a day messages are signed with the one before, too."""

    def act(till: OwnTill) -> Webhook:
        hook = _known(asked, till, webhook)
        changed = hook._replace(secret_number=hook.secret_number + 1, rotated_ms=till.now_ms)
        Outbox(till.plain, asked.tenant).put(changed)
        till.note("api_webhook_secret", detail=webhook[:8])
        return changed

    return _made(asked, asked.write(act, asked.desk.office.telling.put))


@router.delete("/webhooks/{webhook}", status_code=204, tags=["webhooks"], **needs("webhooks:write"))
def end_webhook(asked: Caller, webhook: HookId) -> Response:
    """Tell it nothing any more, not even what waits."""

    def act(till: OwnTill) -> bytes | None:
        hook = _known(asked, till, webhook)
        if not Outbox(till.plain, asked.tenant).end(hook.id):
            return None
        till.note("api_webhook_ended", detail=webhook[:8])
        return hook.id

    def kept(ended: bytes | None) -> None:
        if ended is not None:
            asked.desk.office.telling.drop(ended)

    while asked.write(act, kept) is None:
        # A portion a transaction: what is broken off goes on when it is asked for again.
        continue
    return Response(status_code=204)


@router.get("/webhooks/{webhook}/parked", tags=["webhooks"], **needs("webhooks:write"))
def list_parked(
    asked: Caller, webhook: HookId, cursor: Annotated[str | None, Query(max_length=40)] = None
) -> ParkedPage:
    """Messages that nobody took for a day. They are kept for 30."""
    after = number_of(cursor, 0)
    with asked.desk.office.place.reading(asked.tenant) as plain:
        outbox, hook = Outbox(plain, asked.tenant), bytes.fromhex(webhook)
        if hook not in [each.id for each in outbox.webhooks()]:
            raise Problem("not_found", {"what": "webhook"})
        found = outbox.parked(hook, after, PAGE + 1)
    page = found[:PAGE]
    more = cursor_of(page[-1].number) if len(found) > PAGE else None
    return ParkedPage(messages=[_parked(each) for each in page], next=more)


@router.post("/webhooks/{webhook}/parked/retry", tags=["webhooks"], **needs("webhooks:write"))
def retry_parked(asked: Caller, webhook: HookId) -> Again:
    """Try all of them for another day."""

    def act(till: OwnTill) -> int:
        hook = _known(asked, till, webhook)
        return Outbox(till.plain, asked.tenant).again(hook.id, till.now_ms)

    count, more = 0, PORTION
    while more == PORTION:
        more = asked.write(act, lambda _: asked.desk.office.telling.wake())
        count += more
    return Again(messages=count)


@router.get("/alarms", tags=["places"], **needs("reports:read"))
def list_alarms(asked: Caller) -> AlarmList:
    """What somebody has to look at: silent tills, quarantine, the risk budget, a night that failed."""
    with asked.desk.office.place.reading(asked.tenant) as plain:
        alarms = Alarms(plain, asked.tenant)
        found = [*alarms.standing(), *alarms.over(None, OVER_MOST)]
    return AlarmList(alarms=[_alarm(each) for each in found])


# Inside -------------------------------------------------------------------------------------------


def _known(asked: Asked, till: OwnTill, webhook: str) -> Webhook:
    hooks = {hook.id: hook for hook in Outbox(till.plain, asked.tenant).webhooks()}
    found = hooks.get(bytes.fromhex(webhook))
    if found is None:
        raise Problem("not_found", {"what": "webhook"})
    return found


def _made(asked: Asked, hook: Webhook) -> WebhookMade:
    return WebhookMade(id=hook.id.hex(), secret=shown(secret_of(asked.desk.secret, hook)))


def _parked(each: Message) -> ParkedMessage:
    return ParkedMessage(
        id=each.id,
        type=each.kind,
        member=each.member.hex() if each.member else None,
        at_ms=each.at_ms,
        tries=each.tries,
        last=each.last,
    )


def _alarm(each: Alarm) -> AlarmBody:
    return AlarmBody(
        alarm=each.kind, subject=each.subject, figure=each.figure, raised_ms=each.raised_ms,
        cleared_ms=each.cleared_ms,
    )  # fmt: skip
