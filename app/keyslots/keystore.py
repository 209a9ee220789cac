"""The operating system's key store: one 32-byte key kept for this user on this machine.

Only the back ends named here are ever loaded, each by its own class. What `keyring` would choose by
itself may be a plain file in base64 or nothing at all (security.md section 2). Nothing here knows
what the key opens: that is envelope.py. `keyring` takes 8 MB and is loaded once a key store is asked.
"""

from __future__ import annotations

import hmac
import importlib
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from app.keyslots.errors import KeystoreUnavailable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

ALLOWED: Final = {
    "win32": (("keyring.backends.Windows", "WinVaultKeyring"),),
    "darwin": (("keyring.backends.macOS", "Keyring"),),
    "linux": (
        ("keyring.backends.SecretService", "Keyring"),
        ("keyring.backends.kwallet", "DBusKeyring"),
    ),
}
"""Module and class by system, in the order they are asked. All of them keep secrets encrypted for the user."""
SERVICE: Final = "regulars"
TIMEOUT_S: Final = 5.0

Answer = TypeVar("Answer")


class Keystore(Protocol):
    """Where a key-encryption key lies. `name` says which store it is and goes into the slot."""

    @property
    def name(self) -> str: ...

    def get(self, key_id: str) -> bytes: ...

    def put(self, key_id: str, key: bytes) -> None: ...


class SystemKeystore:
    """The first allowed back end that works here. Raises KeystoreUnavailable, never hangs."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._backend = self._within(_first_allowed)
        kind = type(self._backend)
        self._name = f"{kind.__module__}.{kind.__qualname__}"

    @property
    def name(self) -> str:
        return self._name

    def get(self, key_id: str) -> bytes:
        """The key under this id. Raises KeystoreUnavailable."""
        text = self._within(lambda: self._backend.get_password(SERVICE, key_id))
        if text is None:
            raise KeystoreUnavailable(KeystoreUnavailable.EMPTY)
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise KeystoreUnavailable(KeystoreUnavailable.EMPTY) from None

    def put(self, key_id: str, key: bytes) -> None:
        """Keep the key, and prove by reading it back that it was kept. Raises KeystoreUnavailable."""
        self._within(lambda: self._backend.set_password(SERVICE, key_id, key.hex()))
        if not hmac.compare_digest(self.get(key_id), key):
            raise KeystoreUnavailable(KeystoreUnavailable.FAILED)

    def _within(self, ask: Callable[[], Answer]) -> Answer:
        """Ask on a thread of its own and wait for the answer up to the time-out.

        A store that shows a prompt may not answer for hours; the start never waits for it. The
        thread that waits on is a daemon and ends with the program.
        """
        answers: list[Answer] = []
        failures: list[Exception] = []

        def run() -> None:
            try:
                answers.append(ask())
            except Exception as error:  # a back end may raise anything its system raises
                failures.append(error)

        thread = threading.Thread(target=run, name="keystore", daemon=True)
        thread.start()
        thread.join(self._timeout_s)
        if answers:
            return answers[0]
        if not failures:
            raise KeystoreUnavailable(KeystoreUnavailable.SLOW)
        if isinstance(failures[0], KeystoreUnavailable):
            raise failures[0]
        raise KeystoreUnavailable(KeystoreUnavailable.FAILED) from failures[0]


def _first_allowed() -> KeyringBackend:
    for module, name in ALLOWED.get(sys.platform, ()) if _has_bus() else ():
        try:
            kind: type[KeyringBackend] = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue  # a back end without its library
        if not kind.viable:
            continue
        backend = kind()
        if module == "keyring.backends.Windows":
            # Its default, "enterprise", lets the key roam to other machines of the domain.
            backend.persist = "local machine"  # type: ignore[attr-defined]  # of that class alone
        return backend
    raise KeystoreUnavailable(KeystoreUnavailable.NONE)


def _has_bus() -> bool:
    """Whether there may be somebody to ask: on Linux a key store is reached over the session's bus alone."""
    if sys.platform != "linux" or os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return True
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return runtime is not None and os.path.exists(os.path.join(runtime, "bus"))
