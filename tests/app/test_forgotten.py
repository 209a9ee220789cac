"""What was edited out of a profile is nowhere in the store's file, looked at behind its cipher."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app.usecases import tidy as idle
from app.usecases.enrol import EditProfile, ProfileInput, edit_profile
from app.usecases.tidy import tidy
from db import rows, search
from tests.app.kiosk import Kiosk

PAGE, RESERVED, IV = 4096, 80, 16
OLD = ProfileInput("Zzyxwater Quuxly", "17755553333", email="zzyxwater@quux.example")
NEW = ProfileInput("Ada Byron", "13900001234", email="ada@example.cn")
# Ends of words: what begins like the word before it in the index is stored without that beginning.
TRACES = (b"yxwater", b"uuxly", b"5553333", b"quux.example")


def plain_pages(blob: bytes, key: bytes) -> bytes:
    """Every page of a database file, free ones too, without its cipher."""
    pages = []
    for start in range(0, len(blob), PAGE):
        page = blob[start : start + PAGE]
        iv = page[PAGE - RESERVED : PAGE - RESERVED + IV]
        sealed = page[IV if start == 0 else 0 : PAGE - RESERVED]
        cipher = Cipher(algorithms.AES256(key), modes.CBC(iv)).decryptor()
        pages.append(cipher.update(sealed) + cipher.finalize())
    assert b"CREATE TABLE profile" in pages[0] + b"".join(pages), "the pages are not read right"
    return b"".join(pages)


def plain_bytes(kiosk: Kiosk) -> bytes:
    """The closed store's pages."""
    return plain_pages(kiosk.database.read_bytes(), kiosk.ctx.data_key)


def edit(kiosk: Kiosk, member_id: bytes, version: int, profile: ProfileInput) -> None:
    command = EditProfile(
        kiosk.ctx.ids(), kiosk.session, member_id, version, profile,
        service_consent=True, marketing_consent=False,
    )  # fmt: skip
    edit_profile(kiosk.ctx, command)


def strangers(many: int) -> Iterator[search.Searchable]:
    """Words enough for the index to be merged in many parts."""
    for n in range(many):
        phone = f"+86136{n * 7919:08d}"
        yield search.Searchable(n.to_bytes(16, "big"), f"Cyd {n:x}", phone, None, "cyd", "c")


def asked(kiosk: Kiosk) -> str | None:
    with kiosk.ctx.read() as conn:
        return rows.meta(conn, "search_forget")


def found(kiosk: Kiosk) -> list[bytes]:
    kiosk.close()
    blob = plain_bytes(kiosk).lower()
    return [trace for trace in TRACES if trace in blob]


def store_with_an_edited_member(kiosk: Kiosk) -> None:
    for number in range(30):
        kiosk.enrol(ProfileInput(f"Bob Lee {number}", f"139000012{number:02d}"))
    member_id = kiosk.enrol(OLD).result.member_id
    tidy(kiosk.ctx)
    edit(kiosk, member_id, 1, NEW)


def test_a_name_a_phone_and_an_address_that_were_edited_away_are_gone_from_the_file(
    kiosk: Kiosk,
) -> None:
    store_with_an_edited_member(kiosk)
    tidy(kiosk.ctx)
    assert found(kiosk) == []


def test_without_the_merge_the_index_keeps_them(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The red twin, and the proof that the pages are read right."""
    monkeypatch.setattr(idle, "_FORGET_STEPS", 0)
    store_with_an_edited_member(kiosk)
    tidy(kiosk.ctx)
    assert found(kiosk) == list(TRACES)


def test_what_is_edited_while_words_are_being_forgotten_is_forgotten_too(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_FORGET_PAGES", 1)
    monkeypatch.setattr(idle, "_FORGET_STEPS", 1)
    with kiosk.ctx.write_rows() as conn:
        search.add_all(conn, strangers(5000))
        for option, value in (("usermerge", 16), ("deletemerge", 0), ("automerge", 0)):
            # On a large store FTS5 leaves a new piece alone; on this one it would take it along.
            conn.execute(f"INSERT INTO member_fx (member_fx, rank) VALUES ('{option}', {value})")
    store_with_an_edited_member(kiosk)
    tidy(kiosk.ctx)
    member_id = kiosk.enrol(OLD).result.member_id
    tidy(kiosk.ctx)
    assert asked(kiosk) == "merging"
    edit(kiosk, member_id, 1, NEW)
    for _ in range(500):
        tidy(kiosk.ctx)
    assert asked(kiosk) is None
    assert found(kiosk) == []


def test_an_edit_of_the_note_alone_asks_for_no_work(kiosk: Kiosk) -> None:
    member_id = kiosk.enrol(OLD).result.member_id
    tidy(kiosk.ctx)
    edit(kiosk, member_id, 1, ProfileInput(OLD.name, OLD.phone, email=OLD.email, note="window"))
    assert asked(kiosk) is None
