"""What a browser holds of us and is told by us: signed cookies, form tokens, headers. No page and no store."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from app.i18n import LANGUAGES, SOURCE_LANGUAGE

Sign = Callable[[bytes], bytes]
THEMES: Final = ("light", "dark")
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    # "no-referrer" would make browsers hide the origin of our own forms, too.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
_HSTS: Final = "max-age=31536000"
_SESSION, _FORM, _LANGUAGE, _THEME = "session", "form", "language", "theme"
_SESSION_S: Final = 12 * 3600
_CHOICE_S: Final = 365 * 24 * 3600
_TENANT_BYTES: Final = 16
_TOKEN_BYTES: Final = 32
_OURS: Final = re.compile(r"/console/[A-Za-z0-9/._?=&-]*")


class Held(NamedTuple):
    """A session as the browser holds it."""

    tenant: bytes
    token: bytes


class Browser:
    """Reads one request's cookies, and remembers what its answer sets."""

    def __init__(self, request: Request, key: bytes) -> None:
        self._request, self._key = request, key
        self._secure = request.url.scheme == "https"
        self._set: list[tuple[str, str, int | None]] = []
        self.held = self._held()
        form = self._cookie(_FORM)
        if not re.fullmatch("[0-9a-f]{32}", form):
            form = secrets.token_hex(16)
            self._set.append((_FORM, form, None))
        self._form = form

    @property
    def language(self) -> str:
        """The one that was chosen, else the one that the browser asks for first."""
        chosen = self._cookie(_LANGUAGE)
        if chosen in LANGUAGES:
            return chosen
        asked = self._request.headers.get("accept-language", "")
        ranked = sorted(map(_ranked, asked.split(",")), reverse=True)
        names = [name for _, name in ranked if name[:2] in ("zh", "en")]
        return "zh_CN" if names and names[0].startswith("zh") else SOURCE_LANGUAGE

    @property
    def theme(self) -> str:
        """The one that was chosen; empty: the system's."""
        chosen = self._cookie(_THEME)
        return chosen if chosen in THEMES else ""

    @property
    def form_token(self) -> str:
        """What every form of this browser and session carries."""
        token = self.held.token if self.held else b""
        return self._mac(b"form", self._form.encode() + token).hex()

    def sent_by_us(self, token: str) -> bool:
        """Whether a form came from a page of ours: by its token, and by what the browser says of its origin."""
        if not hmac.compare_digest(self.form_token.encode(), token.encode()):
            return False
        headers = self._request.headers
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host", ""):
            return False
        return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")

    def sign_in(self, tenant: bytes, token: bytes) -> None:
        """Give the browser a session."""
        self.held = Held(tenant, token)
        value = f"{tenant.hex()}.{token.hex()}"
        value += "." + self._mac(b"session", value.encode()).hex()
        self._set.append((_SESSION, value, _SESSION_S))

    def sign_out(self) -> None:
        """Take the session from the browser."""
        self._set.append((_SESSION, "", 0))

    def choose(self, language: str, theme: str) -> None:
        """Remember how pages are to look."""
        if language in LANGUAGES:
            self._set.append((_LANGUAGE, language, _CHOICE_S))
        if theme in (*THEMES, "system"):
            self._set.append((_THEME, theme, _CHOICE_S))

    def tell(self, response: Response) -> Response:
        """Add our headers and cookies."""
        response.headers.update(HEADERS)
        if self._secure:
            response.headers["strict-transport-security"] = _HSTS
        for name, value, seconds in self._set:
            response.set_cookie(
                self._name(name), value, max_age=seconds, path="/", secure=self._secure,
                httponly=True, samesite="strict",
            )  # fmt: skip
        return response

    def _held(self) -> Held | None:
        parts = self._cookie(_SESSION).split(".")
        if len(parts) != 3:
            return None
        try:
            tenant, token, mac = map(bytes.fromhex, parts)
        except ValueError:
            return None
        right = self._mac(b"session", f"{parts[0]}.{parts[1]}".encode())
        lengths = (len(tenant), len(token)) == (_TENANT_BYTES, _TOKEN_BYTES)
        return Held(tenant, token) if lengths and hmac.compare_digest(right, mac) else None

    def _mac(self, use: bytes, value: bytes) -> bytes:
        return hmac.digest(self._key, use + b"\0" + value, "sha256")

    def _cookie(self, name: str) -> str:
        return self._request.cookies.get(self._name(name), "")

    def _name(self, name: str) -> str:
        # The prefix, which browsers take over TLS alone, keeps other hosts of the domain from setting it.
        return f"{'__Host-' if self._secure else ''}regulars-{name}"


def cookie_key(sign: Sign) -> bytes:
    """The key that cookies are signed with; it changes with head office's own."""
    return sha256(sign(b"regulars console cookies 1")).digest()


def place_of_ours(path: str) -> str:
    """Where to go back to: a path of the console, or its first page."""
    return path if _OURS.fullmatch(path) and "//" not in path else "/console/"


def _ranked(asked: str) -> tuple[int, str]:
    """A language of an Accept-Language header with its weight in thousandths."""
    name, _, rest = asked.strip().partition(";")
    found = re.fullmatch(r"\s*q=([01])(?:\.([0-9]{1,3}))?", rest)
    weight = int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0")) if found else 1000
    return weight, name.casefold()
