"""K3: mutated slot files. Never a crash, never another key, never an overwrite of what didn't open."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.keyslots import Keyslots, Opened, SlotError
from app.keyslots.document import NAMES
from tests.keys.conftest import PASSPHRASE, Clock, FakeKeystore, make_slots

MUTATIONS = 500
PASSPHRASE_TRIES = 40
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**400,
    1.5,
    "",
    "x" * 5000,
    "\ud800",
    "AAAA",
    [],
    {},
    [[[[]]]],
    {"kind": "recovery"},
)


def flip_bit(rng: random.Random, blob: bytes) -> bytes:
    at = rng.randrange(len(blob))
    return blob[:at] + bytes([blob[at] ^ 1 << rng.randrange(8)]) + blob[at + 1 :]


def cut(rng: random.Random, blob: bytes) -> bytes:
    return blob[: rng.randrange(len(blob))]


def insert(rng: random.Random, blob: bytes) -> bytes:
    at = rng.randrange(len(blob))
    return blob[:at] + rng.randbytes(rng.randint(1, 2000)) + blob[at:]


def nest(rng: random.Random, blob: bytes) -> bytes:
    depth = rng.choice((10, 1000, 20_000))
    return b'{"x":' + b"[" * depth + b"]" * depth + b"," + blob[1:]


def replace_value(rng: random.Random, blob: bytes) -> bytes:
    """Change one field anywhere, and make the digest fit again half of the time: a forgery."""
    sealed = json.loads(blob)
    places = list(_places(sealed["document"]))
    holder, key = rng.choice(places)
    what = rng.random()
    if what < 0.2:
        del holder[key]
    elif what < 0.3:
        holder["unknown"] = 1
    elif what < 0.5 and isinstance(holder[key], int):
        holder[key] += rng.choice((-1, 1, 2**20))
    elif what < 0.7 and isinstance(holder[key], str):
        other_holder, other_key = rng.choice(places)
        holder[key] = copy.deepcopy(other_holder.get(other_key))
    else:
        holder[key] = copy.deepcopy(rng.choice(ODD_VALUES))
    if rng.random() < 0.5:
        canonical = json.dumps(sealed["document"], sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).digest()
        sealed["digest"] = base64.b64encode(digest).decode()
    return json.dumps(sealed, sort_keys=True, separators=(",", ":")).encode()


def _places(holder: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    found = []
    for key, value in holder.items():
        found.append((holder, key))
        if isinstance(value, dict):
            found += _places(value)
    return found


KINDS = (flip_bit, cut, insert, nest, replace_value, replace_value, replace_value)


@pytest.fixture
def slots(tmp_path: Path) -> tuple[Keyslots, FakeKeystore, Clock]:
    keystore, clock = FakeKeystore(), Clock()
    return make_slots(tmp_path, keystore, clock), keystore, clock


def try_to_open(opener: Keyslots, *, by_passphrase: bool) -> Opened | SlotError:
    try:
        return (
            opener.open_with_passphrase(PASSPHRASE) if by_passphrase else opener.open_unattended()
        )
    except SlotError as error:
        return error


def test_500_mutated_slot_files(
    tmp_path: Path, slots: tuple[Keyslots, FakeKeystore, Clock]
) -> None:
    opener, _, clock = slots
    made = opener.create(tenant="demo", store="main", till="1", passphrase=PASSPHRASE)
    good = (tmp_path / NAMES[0]).read_bytes()
    rng = random.Random(20260)
    seen: Counter[str] = Counter()
    by_passphrase = 0
    for number in range(MUTATIONS):
        bad = rng.choice(KINDS)(rng, good)
        harmed = rng.choice((NAMES[:1], NAMES[1:], NAMES))
        for name in NAMES:
            (tmp_path / name).write_bytes(bad if name in harmed else good)
        use_passphrase = number % 8 == 0 and by_passphrase < PASSPHRASE_TRIES
        by_passphrase += use_passphrase
        clock.now_s += 61
        answer = try_to_open(opener, by_passphrase=use_passphrase)
        if isinstance(answer, SlotError):
            seen[answer.code] += 1
            # One sound copy is enough, unless the other says that a newer version was here.
            assert harmed == NAMES or answer.code == "slot_file_newer", (number, bad)
            for name in NAMES:
                assert (tmp_path / name).read_bytes() == (bad if name in harmed else good)
        else:
            seen["opened"] += 1
            assert (answer.data_key, answer.salt) == (made.data_key, made.salt), (number, bad)
            assert (tmp_path / NAMES[0]).read_bytes() == (tmp_path / NAMES[1]).read_bytes()
    assert by_passphrase == PASSPHRASE_TRIES
    assert sum(seen.values()) == MUTATIONS
    # Each kind of answer came up, or the mutations were too tame to prove anything.
    assert set(seen) >= {"opened", "slot_file_damaged", "keystore_unavailable", "wrong_passphrase"}
