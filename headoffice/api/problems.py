"""Every no of the open API, as RFC 9457 wants it: a code, a status, and plain facts. Never what was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response

from app.domain.errors import Refused

MEDIA: Final = "application/problem+json"
TITLES: Final[Mapping[str, tuple[int, str]]] = {
    "not_a_request": (400, "This is no JSON that this address takes."),
    "idempotency_key_missing": (400, "This writes something: send an Idempotency-Key."),
    "cursor": (400, "This cursor is none of ours."),
    "no_key": (401, "Send a key of this chain as a bearer token."),
    "scope": (403, "The key may not do this."),
    "not_found": (404, "There is no such thing in this chain."),
    "method": (405, "This address takes another method."),
    "too_slow": (408, "The body did not come in time."),
    "conflict": (409, "What is there does not allow this any more."),
    "no_programme": (409, "Head office has no programme for this date."),
    "points_reserved": (409, "The points are not free: others hold them, or head office was restored."),
    "refused": (409, "The rules say no; the code says which."),
    "erased": (410, "This person was forgotten."),
    "changed": (412, "It was changed since; read it anew."),
    "too_big": (413, "A body has 64 KiB at most."),
    "media": (415, "Send JSON."),
    "idempotency_key_reused": (422, "This Idempotency-Key was used for another request."),
    "invalid": (422, "Some values are not as they must be."),
    "if_match_missing": (428, "Say with If-Match which state you have read."),
    "too_many": (429, "Too many requests with this key."),
    "internal": (500, "A mistake of ours; it was written down. Nothing was kept."),
    "busy": (503, "Head office is busy. Try again in a moment."),
}  # fmt: skip
"""Each code with its status and its title."""
_OF_STATUS: Final = {404: "not_found", 405: "method", 400: "not_a_request"}


class Problem(Exception):
    """A request is not done. Raised before anything is written."""

    def __init__(self, code: str, facts: Mapping[str, Any] | None = None, **headers: str) -> None:
        super().__init__(code)
        self.code, self.facts = code, dict(facts or {})
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def status(self) -> int:
        """The HTTP status."""
        return TITLES[self.code][0]

    def response(self) -> Response:
        """The answer."""
        status, title = TITLES[self.code]
        told = {
            "type": f"/admin/#{self.code}",
            "title": title,
            "status": status,
            "code": self.code,
            **self.facts,
        }
        return Response(msgspec.json.encode(told), status, self.headers, MEDIA)


def of_status(status: int) -> Problem:
    """What the web framework says no with."""
    return Problem(_OF_STATUS.get(status, "not_a_request"))


def of_rules(refused: Refused) -> Problem:
    """What the domain's rules say no with: its code, and its facts where they are numbers."""
    facts = {name: fact for name, fact in refused.facts.items() if isinstance(fact, int)}
    return Problem("refused", {"reason": str(refused.code), "facts": facts})


def wrong_value(name: str, why: str) -> Problem:
    """One value of the body is not as the chain needs it."""
    return Problem("invalid", {"errors": [_place("body", f"#/{name}", name, why)]})


def of_values(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """Which values are wrong, by their places; the values themselves may be personal and are not said."""
    found = []
    for error in errors:
        kind, place = str(error["type"]), [str(part) for part in error["loc"]]
        if kind in ("json_invalid", "json_type"):
            return Problem("not_a_request")
        where, names = place[0], place[1:]
        pointer = "#/" + "/".join(names) if where == "body" and names else ""
        name, why = names[-1] if names else where, re.sub(r"[^a-z_]", "", kind)
        found.append(_place(where, pointer, name, why))
    return Problem("invalid", {"errors": found})


def _place(where: str, pointer: str, name: str, why: str) -> dict[str, str]:
    return {"in": where, "pointer": pointer, "name": name, "why": why}
