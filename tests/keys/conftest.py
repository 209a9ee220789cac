"""A real Secret Service on a private bus, a fake key store for faults, and a cheap argon2id."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.keyslots import Keyslots, KeystoreUnavailable
from app.keyslots.document import Kdf
from app.keyslots.passphrase import derive

PASSPHRASE = "green kettle 老板 on tuesday"
OTHER = "seven 雨伞 behind the door"


class FakeKeystore:
    """A key store in memory whose faults a test can set."""

    name = "tests.FakeKeystore"

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.fault: str | None = None

    def __call__(self) -> FakeKeystore:
        if self.fault is not None:
            raise KeystoreUnavailable(self.fault)
        return self

    def get(self, key_id: str) -> bytes:
        if key_id not in self.keys:
            raise KeystoreUnavailable(KeystoreUnavailable.EMPTY)
        return self.keys[key_id]

    def put(self, key_id: str, key: bytes) -> None:
        self.keys[key_id] = key


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def keystore() -> FakeKeystore:
    return FakeKeystore()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _cheaper_argon2id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a sixty-fourth of the memory, so that a test costs milliseconds. Every parameter still counts."""
    monkeypatch.setattr("app.keyslots.envelope.derive", _in_less_memory)


def _in_less_memory(passphrase: str, kdf: Kdf) -> bytes:
    return derive(passphrase, msgspec.structs.replace(kdf, memory_kib=kdf.memory_kib // 64))


@pytest.fixture
def slots(tmp_path: Path, keystore: FakeKeystore, clock: Clock) -> Keyslots:
    return make_slots(tmp_path, keystore, clock)


def make_slots(
    folder: Path, keystore: FakeKeystore, clock: Clock, *, install: str = "this-pc"
) -> Keyslots:
    return Keyslots(folder, install=install, keystore=keystore, clock_s=clock)


def wait_for_file(path: Path) -> None:
    for _ in range(200):
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} did not come")


@pytest.fixture
def secret_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A private D-Bus with an unlocked gnome-keyring, as on a desktop after the log-in."""
    home = tmp_path / "home"
    runtime = tmp_path / "run"
    for folder in (home, runtime):
        folder.mkdir(mode=0o700)
    address = f"unix:path={runtime}/bus"
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_DATA_HOME": str(home / "data"),
        "DBUS_SESSION_BUS_ADDRESS": address,
    }
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for_file(runtime / "bus")
    keyring = subprocess.Popen(
        ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert keyring.stdin is not None
    keyring.stdin.write(b"log-in password")
    keyring.stdin.close()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    try:
        # It answers on the bus before it has the collection that secrets go to.
        wait_for_file(home / "data" / "keyrings" / "login.keyring")
        yield
    finally:
        for process in (keyring, bus):
            process.terminate()
            process.wait(10)
