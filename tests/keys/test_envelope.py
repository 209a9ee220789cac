"""Keyslots: every way in, every way it can fail, and what is never done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from app.keyslots import (
    CopiedStore,
    Keyslots,
    KeystoreUnavailable,
    Opened,
    SlotFileDamaged,
    SlotFileExists,
    SlotFileMissing,
    SlotFileNewer,
    TooSoon,
    WeakPassphrase,
    WrongPassphrase,
    install_id,
)
from app.keyslots.document import NAMES, decode, encode, read_copies, write_copies
from tests.keys.conftest import OTHER, PASSPHRASE, Clock, FakeKeystore, make_slots

A, B = NAMES


def create(slots: Keyslots) -> Opened:
    return slots.create(tenant="demo", store="main", till="1", passphrase=PASSPHRASE)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_new_key_is_random_and_opens_both_ways(tmp_path: Path, slots: Keyslots) -> None:
    made = create(slots)
    assert (len(made.data_key), len(made.salt), made.unattended) == (32, 16, True)
    assert slots.open_unattended().data_key == made.data_key
    opened = slots.open_with_passphrase(PASSPHRASE)
    assert (opened.data_key, opened.salt) == (made.data_key, made.salt)
    assert opened.unattended
    assert not opened.mended
    assert (tmp_path / A).read_bytes() == (tmp_path / B).read_bytes()


def test_the_files_hold_ciphertext_only(
    tmp_path: Path, slots: Keyslots, keystore: FakeKeystore
) -> None:
    made = create(slots)
    secrets = [made.data_key, *keystore.keys.values(), PASSPHRASE.encode()]
    for blob in snapshot(tmp_path).values():
        text = json.dumps(json.loads(blob))
        for secret in secrets:
            assert secret not in blob
            assert secret.hex() not in text
            assert msgspec.json.encode(secret).decode().strip('"=') not in text


def test_repr_shows_no_key(slots: Keyslots) -> None:
    made = create(slots)
    assert repr(made.data_key) not in repr(made)
    assert made.data_key.hex() not in repr(made)


def test_two_stores_share_nothing(tmp_path: Path, keystore: FakeKeystore, clock: Clock) -> None:
    keys = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made = create(make_slots(tmp_path / name, keystore, clock))
        keys += [made.data_key, made.salt]
    assert len(set(keys)) == 4


@pytest.mark.parametrize("name", NAMES)
def test_new_slots_never_replace_a_file(tmp_path: Path, slots: Keyslots, name: str) -> None:
    (tmp_path / name).write_bytes(b"precious")
    with pytest.raises(SlotFileExists):
        create(slots)
    assert snapshot(tmp_path) == {name: b"precious"}


def test_a_weak_passphrase_makes_nothing(tmp_path: Path, slots: Keyslots) -> None:
    with pytest.raises(WeakPassphrase):
        slots.create(tenant="demo", store="main", till="1", passphrase="123456789012")
    assert snapshot(tmp_path) == {}


def test_a_wrong_passphrase_counts_and_makes_the_next_try_wait(
    slots: Keyslots, clock: Clock
) -> None:
    made = create(slots)
    with pytest.raises(WrongPassphrase) as caught:
        slots.open_with_passphrase(OTHER)
    assert (caught.value.failures, caught.value.wait_s) == (1, 1)
    with pytest.raises(TooSoon):
        slots.open_with_passphrase(PASSPHRASE)
    clock.now_s += 1
    with pytest.raises(WrongPassphrase) as caught:
        slots.open_with_passphrase(OTHER)
    assert (caught.value.failures, caught.value.wait_s) == (2, 2)
    clock.now_s += 2
    assert slots.open_with_passphrase(PASSPHRASE).data_key == made.data_key


def test_the_passphrase_changes_and_the_key_stays(slots: Keyslots, clock: Clock) -> None:
    made = create(slots)
    slots.change_passphrase(PASSPHRASE, OTHER)
    assert slots.open_with_passphrase(OTHER).data_key == made.data_key
    assert slots.open_unattended().data_key == made.data_key
    with pytest.raises(WrongPassphrase):
        slots.open_with_passphrase(PASSPHRASE)


def test_a_weak_new_passphrase_changes_nothing(tmp_path: Path, slots: Keyslots) -> None:
    create(slots)
    before = snapshot(tmp_path)
    with pytest.raises(WeakPassphrase):
        slots.change_passphrase(PASSPHRASE, "short")
    assert snapshot(tmp_path) == before


def test_a_wrong_old_passphrase_changes_nothing(tmp_path: Path, slots: Keyslots) -> None:
    create(slots)
    before = snapshot(tmp_path)
    with pytest.raises(WrongPassphrase):
        slots.change_passphrase(OTHER, "yet another good one")
    assert {name: blob for name, blob in snapshot(tmp_path).items() if name in NAMES} == before


def test_an_emptied_keystore_asks_for_the_passphrase_and_is_filled_again(
    slots: Keyslots, keystore: FakeKeystore
) -> None:
    made = create(slots)
    keystore.keys.clear()
    with pytest.raises(KeystoreUnavailable, match="empty"):
        slots.open_unattended()
    opened = slots.open_with_passphrase(PASSPHRASE)
    assert (opened.data_key, opened.unattended) == (made.data_key, True)
    assert slots.open_unattended().data_key == made.data_key


def test_a_keystore_of_somebody_else_under_the_same_name_opens_nothing(
    slots: Keyslots, keystore: FakeKeystore
) -> None:
    create(slots)
    for key_id in keystore.keys:
        keystore.keys[key_id] = bytes(32)
    with pytest.raises(KeystoreUnavailable, match="empty"):
        slots.open_unattended()


@pytest.mark.parametrize("reason", ["slow", "failed", "none"])
def test_a_keystore_that_is_away_for_now_keeps_its_slot(
    tmp_path: Path, slots: Keyslots, keystore: FakeKeystore, reason: str
) -> None:
    made = create(slots)
    before = snapshot(tmp_path)
    keystore.fault = reason
    with pytest.raises(KeystoreUnavailable, match=reason):
        slots.open_unattended()
    opened = slots.open_with_passphrase(PASSPHRASE)
    assert (opened.data_key, opened.unattended) == (made.data_key, False)
    assert opened.keystore_problem == reason
    assert snapshot(tmp_path) == before
    keystore.fault = None
    assert slots.open_unattended().data_key == made.data_key


def test_a_keystore_that_comes_later_gets_a_slot(slots: Keyslots, keystore: FakeKeystore) -> None:
    keystore.fault = "none"
    made = create(slots)
    assert (made.unattended, made.keystore_problem) == (False, "none")
    keystore.fault = None
    assert slots.open_with_passphrase(PASSPHRASE).unattended
    assert slots.open_unattended().data_key == made.data_key


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("harm", ["missing", "empty", "cut", "flipped"])
def test_one_good_copy_opens_and_mends_the_other(
    tmp_path: Path, slots: Keyslots, name: str, harm: str
) -> None:
    made = create(slots)
    good = (tmp_path / name).read_bytes()
    harms = {
        "empty": b"",
        "cut": good[: len(good) // 2],
        "flipped": good[:200] + bytes([good[200] ^ 1]) + good[201:],
    }
    if harm == "missing":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(harms[harm])
    opened = slots.open_unattended()
    assert (opened.data_key, opened.mended) == (made.data_key, True)
    assert (tmp_path / A).read_bytes() == (tmp_path / B).read_bytes() == good
    assert not slots.open_unattended().mended


def test_no_copy_is_missing_and_nothing_is_made(tmp_path: Path, slots: Keyslots) -> None:
    for attempt in (slots.open_unattended, lambda: slots.open_with_passphrase(PASSPHRASE)):
        with pytest.raises(SlotFileMissing):
            attempt()
    assert snapshot(tmp_path) == {}


def test_two_damaged_copies_are_left_as_they_are(tmp_path: Path, slots: Keyslots) -> None:
    create(slots)
    for name in NAMES:
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(SlotFileDamaged):
        slots.open_with_passphrase(PASSPHRASE)
    assert snapshot(tmp_path) == {A: b"{}", B: b"{}"}


def test_two_flipped_wrapped_keys_are_damage_and_not_a_wrong_passphrase(
    tmp_path: Path, slots: Keyslots
) -> None:
    create(slots)
    sealed = json.loads((tmp_path / A).read_bytes())
    wrapped = sealed["document"]["passphrase"]["wrapped"]
    sealed["document"]["passphrase"]["wrapped"] = ("B" if wrapped[0] == "A" else "A") + wrapped[1:]
    for name in NAMES:
        (tmp_path / name).write_text(json.dumps(sealed))
    with pytest.raises(SlotFileDamaged):
        slots.open_with_passphrase(PASSPHRASE)


@pytest.mark.parametrize("place", ["", "document", "binding", "passphrase"])
def test_a_field_that_nobody_wrote_refuses_the_copy(
    tmp_path: Path, slots: Keyslots, place: str
) -> None:
    create(slots)
    sealed = json.loads((tmp_path / A).read_bytes())
    document = sealed["document"]
    {"": sealed, "document": document}.get(place, document.get(place))["note"] = 1
    with pytest.raises(SlotFileDamaged):
        decode(json.dumps(sealed).encode())


@pytest.mark.parametrize("depth", [100, 20_000])
def test_a_deeply_nested_file_is_damage_and_no_crash(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    with pytest.raises(SlotFileDamaged):
        decode(b'{"x":' + nested + b',"document":{"format":1}}')


def test_a_newer_file_is_left_as_it_is(tmp_path: Path, slots: Keyslots) -> None:
    create(slots)
    newer = b'{"document":{"format":2,"slots":[{"kind":"recovery"}]},"digest":"x"}'
    (tmp_path / B).write_bytes(newer)
    with pytest.raises(SlotFileNewer):
        slots.open_unattended()
    assert (tmp_path / B).read_bytes() == newer


def test_a_change_that_was_cut_between_the_copies_settles_on_the_one_that_opens(
    tmp_path: Path, slots: Keyslots, clock: Clock
) -> None:
    made = create(slots)
    old = (tmp_path / B).read_bytes()
    slots.change_passphrase(PASSPHRASE, OTHER)
    (tmp_path / B).write_bytes(old)
    opened = slots.open_with_passphrase(OTHER)
    assert (opened.data_key, opened.mended) == (made.data_key, True)
    with pytest.raises(WrongPassphrase):
        slots.open_with_passphrase(PASSPHRASE)


def test_the_unattended_start_settles_a_cut_change_on_the_newer_copy(
    tmp_path: Path, slots: Keyslots
) -> None:
    create(slots)
    old = (tmp_path / B).read_bytes()
    slots.change_passphrase(PASSPHRASE, OTHER)
    new = (tmp_path / A).read_bytes()
    (tmp_path / B).write_bytes(old)
    assert slots.open_unattended().mended
    assert (tmp_path / B).read_bytes() == new


def test_a_full_disk_does_not_keep_the_store_shut(
    tmp_path: Path, slots: Keyslots, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(slots)
    (tmp_path / A).write_bytes(b"")

    def full(path: Path, blob: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.keyslots.document.write_durably", full)
    opened = slots.open_unattended()
    assert (opened.data_key, opened.mended) == (made.data_key, False)


def test_a_copy_on_another_computer_is_told_after_the_right_passphrase(
    tmp_path: Path, slots: Keyslots, clock: Clock
) -> None:
    made = create(slots)
    there = tmp_path / "there"
    shutil.copytree(tmp_path, there, ignore=shutil.ignore_patterns("there"))
    before = snapshot(there)
    elsewhere = FakeKeystore()
    copied = make_slots(there, elsewhere, clock, install="another-pc")
    with pytest.raises(KeystoreUnavailable, match="empty"):
        copied.open_unattended()
    with pytest.raises(CopiedStore):
        copied.open_with_passphrase(PASSPHRASE)
    with pytest.raises(CopiedStore):
        copied.change_passphrase(PASSPHRASE, OTHER)
    assert snapshot(there) == before
    assert elsewhere.keys == {}
    with pytest.raises(WrongPassphrase):
        copied.adopt(OTHER)
    clock.now_s += 1
    assert copied.adopt(PASSPHRASE).data_key == made.data_key
    assert copied.open_unattended().data_key == made.data_key


def test_a_keystore_that_travelled_with_the_copy_does_not_hide_it(
    tmp_path: Path, slots: Keyslots, keystore: FakeKeystore, clock: Clock
) -> None:
    create(slots)
    with pytest.raises(CopiedStore):
        make_slots(tmp_path, keystore, clock, install="another-pc").open_unattended()


@pytest.mark.parametrize(
    "change",
    [
        {"install": "another-pc"},
        {"till": "2"},
        {"tenant": "other"},
        {"store": "other"},
    ],
)
def test_a_slot_moved_to_another_till_opens_nothing(
    tmp_path: Path, slots: Keyslots, clock: Clock, change: dict[str, str]
) -> None:
    create(slots)
    found = read_copies(tmp_path)[0]
    binding = msgspec.structs.replace(found.binding, **change)
    write_copies(tmp_path, msgspec.structs.replace(found, binding=binding))
    with pytest.raises(KeystoreUnavailable):
        slots.open_unattended()
    with pytest.raises(WrongPassphrase):
        slots.open_with_passphrase(PASSPHRASE)


def test_a_lowered_cost_is_refused_before_any_guess(tmp_path: Path, slots: Keyslots) -> None:
    create(slots)
    found = read_copies(tmp_path)[0]
    for change in ({"memory_kib": 65535}, {"time_cost": 2}, {"memory_kib": 2**40}, {"lanes": 9}):
        kdf = msgspec.structs.replace(found.passphrase.kdf, **change)
        slot = msgspec.structs.replace(found.passphrase, kdf=kdf)
        with pytest.raises(SlotFileDamaged):
            decode(encode(msgspec.structs.replace(found, passphrase=slot)))


def test_a_changed_cost_within_the_limits_opens_nothing(tmp_path: Path, slots: Keyslots) -> None:
    create(slots)
    found = read_copies(tmp_path)[0]
    kdf = msgspec.structs.replace(found.passphrase.kdf, time_cost=4)
    slot = msgspec.structs.replace(found.passphrase, kdf=kdf)
    write_copies(tmp_path, msgspec.structs.replace(found, passphrase=slot))
    with pytest.raises(WrongPassphrase):
        slots.open_with_passphrase(PASSPHRASE)


def test_the_same_installation_keeps_its_id(tmp_path: Path) -> None:
    first = install_id(tmp_path / "settings")
    assert install_id(tmp_path / "settings") == first
    assert len(first) == 32
    assert install_id(tmp_path / "other") != first
