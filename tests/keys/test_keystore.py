"""The system's key store: a real Secret Service, and none at all."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

import keyring.backend
import pytest

from app.keyslots import Keyslots, KeystoreUnavailable, SystemKeystore, keystore
from tests.keys.conftest import PASSPHRASE


def wait_for_service() -> SystemKeystore:
    """The daemon registers on the bus a moment after it starts."""
    for _ in range(100):
        try:
            return SystemKeystore()
        except KeystoreUnavailable:
            time.sleep(0.05)
    return SystemKeystore()


@pytest.mark.usefixtures("secret_service")
def test_a_real_secret_service_keeps_a_key() -> None:
    found = wait_for_service()
    assert found.name == "keyring.backends.SecretService.Keyring"
    found.put("one", b"k" * 32)
    assert SystemKeystore().get("one") == b"k" * 32
    with pytest.raises(KeystoreUnavailable, match="empty"):
        found.get("two")


@pytest.mark.usefixtures("secret_service")
def test_a_store_opens_unattended_through_a_real_secret_service(tmp_path: Path) -> None:
    wait_for_service()
    slots = Keyslots(tmp_path, install="this-pc", keystore=SystemKeystore)
    made = slots.create(tenant="t", store="s", till="1", passphrase=PASSPHRASE)
    assert made.unattended
    opened = Keyslots(tmp_path, install="this-pc", keystore=SystemKeystore).open_unattended()
    assert (opened.data_key, opened.salt) == (made.data_key, made.salt)


def test_without_a_bus_there_is_no_keystore(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    with pytest.raises(KeystoreUnavailable, match="none"):
        SystemKeystore()


def test_where_there_is_no_bus_nothing_is_loaded_to_ask_for_a_keystore(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    asked: list[str] = []
    monkeypatch.setattr("importlib.import_module", asked.append)
    with pytest.raises(KeystoreUnavailable, match="none"):
        SystemKeystore()
    assert asked == []
    (tmp_path / "bus").touch()
    with pytest.raises(KeystoreUnavailable):
        SystemKeystore()
    assert asked == [module for module, _ in keystore.ALLOWED["linux"]]


def test_headless_a_store_has_the_passphrase_alone_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    slots = Keyslots(tmp_path, install="this-pc", keystore=SystemKeystore)
    made = slots.create(tenant="t", store="s", till="1", passphrase=PASSPHRASE)
    assert (made.unattended, made.keystore_problem) == (False, "none")
    with pytest.raises(KeystoreUnavailable):
        slots.open_unattended()
    assert slots.open_with_passphrase(PASSPHRASE).data_key == made.data_key


class Plaintext(keyring.backend.KeyringBackend):
    """Such a back end wins keyring's own choice when it is installed."""

    priority = 99

    def get_password(self, service: str, username: str) -> str:
        raise AssertionError("asked for a secret")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("given a secret")


def test_a_backend_that_is_not_on_the_list_is_never_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    monkeypatch.setattr("keyring.core._keyring_backend", Plaintext)
    with pytest.raises(KeystoreUnavailable, match="none"):
        SystemKeystore()


class Stuck(keyring.backend.KeyringBackend):
    """Waits at a prompt that nobody answers."""

    priority = 1
    released = threading.Event()

    def get_password(self, service: str, username: str) -> str:
        self.released.wait(60)
        return ""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise OSError("dismissed")


def test_a_keystore_that_does_not_answer_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keystore, "_first_allowed", Stuck)
    found = SystemKeystore(timeout_s=0.2)
    with pytest.raises(KeystoreUnavailable, match="slow"):
        found.get("one")
    assert not Stuck.released.is_set(), "given up while it still hangs"
    Stuck.released.set()
    assert keystore.TIMEOUT_S == 5


def test_a_keystore_that_refuses_is_told_from_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore, "_first_allowed", Stuck)
    with pytest.raises(KeystoreUnavailable, match="failed"):
        SystemKeystore().put("one", b"k" * 32)


class Forgetful(Stuck):
    """Takes a secret without an error and keeps nothing (keyring's null back end does that)."""

    def get_password(self, service: str, username: str) -> None:  # type: ignore[override]  # it answers nothing
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep nothing."""


def test_a_key_that_does_not_read_back_is_not_taken_for_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keystore, "_first_allowed", Forgetful)
    with pytest.raises(KeystoreUnavailable, match="empty"):
        SystemKeystore().put("one", b"k" * 32)


def test_no_plaintext_keyring_is_among_the_requirements() -> None:
    lock = Path(__file__).parents[2] / "packaging" / "requirements.lock"
    assert "keyrings" not in lock.read_text()
    named = itertools.chain(*keystore.ALLOWED.values())
    assert all(module.startswith("keyring.backends.") for module, _ in named)
