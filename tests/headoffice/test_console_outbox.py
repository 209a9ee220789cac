"""A lost till's events that somebody of head office sends to the console: looked at, confirmed, posted once."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import unescape
from pathlib import Path

import httpx
import pytest

from app.protocol.late import Late
from app.protocol.limits import Limits
from app.protocol.outbox_file import Outbox, written
from app.protocol.server import Server
from headoffice.console import outbox_pages, uploading
from headoffice.console.browser import Browser
from tests.headoffice.console_browser import CONFIRM, OWN, Person, signed_in
from tests.headoffice.console_fixtures import anna, at
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    HttpTill,
    Served,
    begin_chain,
    opened,
    rows,
    wait_for,
)
from tests.headoffice.test_console_sign_in import acts

__all__ = ["anna", "at"]
PLACE = "/console/outbox"


@pytest.fixture
def lost(at: Served) -> HttpTill:
    """A till that has five sales of which head office has heard of two, and was revoked."""
    till = at.till(1)
    till.earn(ANNA, 7, sales=2)
    till.sync()
    till.earn(ANNA, 7, sales=3)
    revoke(at, till)
    return till


def revoke(at: Served, till: HttpTill) -> None:
    with opened(at.folder, at.office.tills[till.device].tenant) as (store, _), store.writing():
        Server(store, Limits()).write_off(till.device)
    wait_for(lambda: at.office.tills[till.device].standing == "lost")


def file_of(till: HttpTill, *more: bytes, tenant: bytes = TENANT) -> bytes:
    """What the till's own command writes: all that it has, and something more."""
    events = (*till.at.file, *more)
    return written(Outbox(tenant, till.device, 1, events), till.key.sign)


def send(person: Person, blob: bytes, *, token: str | None = None) -> httpx.Response:
    person.look(PLACE)
    answer = person.http.post(
        PLACE,
        data={"token": person.token if token is None else token},
        files={"file": ("till.outbox", blob)},
    )
    return person._seen(answer)


def shown(page: httpx.Response) -> dict[str, str]:
    """The figures of a page by their names."""
    found = re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)</dd>", unescape(page.text))
    return {name: re.sub("<[^>]+>", "", value) for name, value in found}


def points(folder: Path) -> int:
    with opened(folder) as (store, _), store.reading():
        member = store.member(ANNA)
        assert member is not None
        return member.state.balance()


def unnamed() -> int:
    """How many files of this process are in no folder."""
    links = [Path("/proc/self/fd", each) for each in os.listdir("/proc/self/fd")]
    return sum(os.readlink(each).endswith("(deleted)") for each in links if each.is_symlink())


def test_what_is_in_it_is_seen_before_anything_is_posted_and_it_is_posted_once(
    at: Served, anna: Person, lost: HttpTill
) -> None:
    seen = send(anna, file_of(lost, b"odd"))
    assert shown(seen) == {
        "Till": "North · till 1", "Device": lost.device.hex()[:8],
        "Business dates": f"{lost.today.iso()} – {lost.today.iso()}",
        "Events in the file": "6", "New of them": "4", "Known already": "2",
        "Can't be read by this version": "1",
    }  # fmt: skip
    assert points(at.folder) == 14
    done = anna.send(f"{PLACE}/take")
    assert shown(done) == {"Posted": "3", "In quarantine": "1", "Known already": "2"}
    assert points(at.folder) == 35
    told = lost.device.hex()[:8]
    assert acts(at.folder)[-2:] == [
        ("late_outbox_begun", f"{told} 6"),
        ("late_outbox", f"{told} 4/6"),
    ]
    assert shown(send(anna, file_of(lost, b"odd")))["New of them"] == "0"
    assert shown(anna.send(f"{PLACE}/take"))["Posted"] == "0"
    assert points(at.folder) == 35


def test_an_open_session_alone_posts_nothing(at: Served, anna: Person, lost: HttpTill) -> None:
    anna.proves = False
    send(anna, file_of(lost))
    assert anna.send(f"{PLACE}/take").url.path == CONFIRM
    assert points(at.folder) == 14
    assert shown(anna.look(PLACE))["New of them"] == "3", "it waits meanwhile"


@pytest.mark.usefixtures("each_store")
def test_in_portions_it_comes_to_the_same(
    at: Served, anna: Person, lost: HttpTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_pages, "PORTION", 2)
    send(anna, file_of(lost, b"odd"))
    done = anna.send(f"{PLACE}/take")
    assert shown(done) == {"Posted": "3", "In quarantine": "1", "Known already": "2"}
    assert points(at.folder) == 35
    assert acts(at.folder)[-1][1].endswith(" 4/6")


def test_no_transaction_posts_more_than_a_portion(
    at: Served, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A till that asks for a hold waits for one of them at most."""
    till, sizes = at.till(1), list[tuple[int, bool]]()
    till.earn(ANNA, 1, sales=70)
    revoke(at, till)
    take_late = Server.take_late

    def counted(
        server: Server, device: bytes, bodies: Sequence[bytes], now_ms: int, *, last: bool
    ) -> Late:
        sizes.append((len(bodies), last))
        return take_late(server, device, bodies, now_ms, last=last)

    monkeypatch.setattr(Server, "take_late", counted)
    send(anna, file_of(till))
    anna.send(f"{PLACE}/take")
    assert sizes == [(30, False), (30, False), (10, True)]
    assert points(at.folder) == 70


def test_what_is_sent_at_once_is_looked_at_like_any_other(
    at: Served, anna: Person, lost: HttpTill
) -> None:
    """The digest says only that somebody has seen this file: whose it is, and its standing, is asked again."""
    anna.send(CONFIRM, proof=OWN, back=PLACE)
    live = at.till(2)
    live.earn(ANNA)
    for blob, why in ((file_of(live), "not revoked"), (file_of(lost)[:-1], "no till&#39;s outbox")):
        fields = {"token": anna.token, "digest": sha256(blob).hexdigest()}
        files = {"file": ("till.outbox", blob)}
        answer = anna.http.post(f"{PLACE}/take", data=fields, files=files)
        assert (answer.status_code, why in answer.text) == (422, True)
    assert points(at.folder) == 14


def test_a_live_till_tells_its_events_itself(at: Served, anna: Person) -> None:
    till = at.till(2)
    till.earn(ANNA)
    answer = send(anna, file_of(till))
    assert answer.status_code == 422
    assert "This till is not revoked" in answer.text
    assert anna.send(f"{PLACE}/take").status_code == 409
    assert rows(at.folder, "SELECT count(*) FROM ledger") == [(0,)]


def test_a_file_that_was_changed_or_is_another_chains_is_not_kept(
    at: Served, anna: Person, lost: HttpTill
) -> None:
    blob = file_of(lost)
    for bad in (b"", blob[:-1], blob[:-9] + bytes([blob[-9] ^ 1]) + blob[-8:]):
        answer = send(anna, bad)
        assert answer.status_code == 422
        assert "no till&#39;s outbox" in answer.text
    other = b"U" * 16
    begin_chain(at.folder, tenant=other)
    wait_for(lambda: other in at.office.chains)
    theirs = at.till(3, tenant=other)
    revoke(at, theirs)
    for blob in (file_of(theirs, tenant=other), file_of(lost, tenant=other)):
        assert "no such till" in send(anna, blob).text
    assert anna.send(f"{PLACE}/take").status_code == 409


@pytest.mark.parametrize("role", ["manager", "auditor"])
def test_others_send_nothing(at: Served, lost: HttpTill, role: str) -> None:
    with signed_in(at, "OT", "manager" if role == "manager" else "auditor") as other:
        assert send(other, file_of(lost)).status_code == 403
        assert other.send(f"{PLACE}/take").status_code == 403


def test_who_is_not_signed_in_is_sent_away_before_a_file_is_read(at: Served) -> None:
    host, port = at.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as stranger:
        told = [
            f"POST {PLACE} HTTP/1.1", "host: x", "content-length: 1000000",
            "content-type: multipart/form-data; boundary=b", "", "",
        ]  # fmt: skip
        stranger.sendall("\r\n".join(told).encode())
        assert stranger.recv(1000).startswith(b"HTTP/1.1 303")


def test_a_form_of_another_site_keeps_nothing(anna: Person, lost: HttpTill) -> None:
    assert send(anna, file_of(lost), token="0" * 64).status_code == 403
    assert shown(anna.look(PLACE)) == {}


@pytest.mark.parametrize("told", [True, False])
def test_a_file_that_is_too_large_is_not_read_to_its_end(
    anna: Person, lost: HttpTill, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    monkeypatch.setattr(uploading, "FILE_BYTES_MOST", 100_000)
    blob = file_of(lost, b"x" * 110_000)
    if told:
        assert send(anna, blob).status_code == 413
        return
    anna.look(PLACE)
    head = f'--b\r\ncontent-disposition: form-data; name="token"\r\n\r\n{anna.token}\r\n'
    head += '--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n'

    def parts() -> Iterator[bytes]:
        yield head.encode()
        yield blob
        yield b"\r\n--b--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert anna.http.post(PLACE, content=parts(), headers=headers).status_code == 413


def test_nothing_is_left_of_a_file(
    at: Served, anna: Person, lost: HttpTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob, before = file_of(lost, b"x" * 1_500_000), unnamed()
    send(anna, blob)
    assert unnamed() == before + 1, "large ones are on the disk, in no folder"
    send(anna, blob)
    assert unnamed() == before + 1, "one a session"
    anna.send(f"{PLACE}/drop")
    assert unnamed() == before
    send(anna, blob)
    at.clock.moved_ms += uploading.KEPT_MS
    assert shown(anna.look(PLACE)) == {}
    assert unnamed() == before, "nobody said what becomes of it"
    send(anna, blob)
    anna.send(f"{PLACE}/take")
    assert unnamed() == before
    monkeypatch.setattr(Browser, "sent_by_us", lambda *_: False)
    assert send(anna, blob).status_code == 403
    assert unnamed() == before


def test_so_many_wait_at_most(
    at: Served, anna: Person, lost: HttpTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "KEPT_MOST", 1)
    send(anna, file_of(lost))
    with signed_in(at, "BE") as bela:
        assert send(bela, file_of(lost)).status_code == 503
        anna.send(f"{PLACE}/drop")
        assert shown(send(bela, file_of(lost)))["New of them"] == "3"
