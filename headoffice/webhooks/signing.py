"""How a webhook's receiver knows that it was head office: Standard Webhooks, HMAC-SHA256, a secret of its own.

No secret is stored: each follows from head office's own key, so a copy of the store alone can sign nothing.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from typing import Final

from headoffice.webhooks.outbox import Webhook

PREFIX: Final = "whsec_"
BOTH_MS: Final = 24 * 3_600_000
"""So long after a change the old secret signs beside the new one."""
Secret = Callable[[bytes], bytes]


def secret_of(secret: Secret, hook: Webhook, number: int | None = None) -> bytes:
    """A secret of a webhook, the newest one if no number is named."""
    chosen = hook.secret_number if number is None else number
    return secret(b"webhook" + hook.tenant + hook.id + chosen.to_bytes(8, "big"))


def shown(secret: bytes) -> str:
    """A secret as its owner gets it, this once."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(
    secret: Secret, hook: Webhook, message: str, body: bytes, now_ms: int
) -> dict[str, str]:
    """The headers of one try."""
    at = str(now_ms // 1000)
    numbers = [hook.secret_number]
    if hook.secret_number > 1 and now_ms - hook.rotated_ms < BOTH_MS:
        numbers.append(hook.secret_number - 1)
    signed = f"{message}.{at}.".encode() + body
    marks = [hmac.digest(secret_of(secret, hook, each), signed, "sha256") for each in numbers]
    signatures = " ".join("v1," + base64.b64encode(mark).decode() for mark in marks)
    return {"webhook-id": message, "webhook-timestamp": at, "webhook-signature": signatures}
