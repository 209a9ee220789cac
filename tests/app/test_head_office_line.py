"""The till's line to head office against whoever may answer in its place, over real HTTP on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.protocol.endpoints import BODY_BYTES_MOST, MESSAGE, PROBLEM, ZSTD, Problem, to_bytes
from app.protocol.signing import ReplyHead, sign_reply
from app.sync import client
from app.sync.client import HeadOffice, NoAnswer, Refused, public_key_of

OURS, THEIRS, STRANGER = b"o" * 32, b"t" * 32, b"s" * 32
DEVICE, RID = b"d" * 16, b"r" * 16


@dataclass
class Answerer:
    """What is answered to every question, and by whose key it is signed; None: by nobody's."""

    body: bytes = b"hello"
    seed: bytes | None = THEIRS
    rid: bytes = RID
    media: str = MESSAGE
    encoding: str = ""
    drip_s: float = 0
    go_on: threading.Event = field(default_factory=threading.Event)
    asked: set[str] = field(default_factory=set)
    """The names of a question's headers."""

    def headers(self) -> dict[str, str]:
        found = {"content-type": self.media}
        if self.encoding:
            found["content-encoding"] = self.encoding
        if self.seed is not None:
            sign = Ed25519PrivateKey.from_private_bytes(self.seed).sign
            found |= sign_reply(ReplyHead(200, self.rid, DEVICE, int(time.time())), self.body, sign)
        return found


@pytest.fixture
def answerer() -> Iterator[tuple[Answerer, Callable[..., bytes]]]:
    """An answerer, and how a till asks it."""
    told = Answerer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            told.asked = {name.lower() for name in self.headers}
            self.send_response(200)
            for name, value in told.headers().items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(told.body)))
            self.end_headers()
            for at in range(0, len(told.body), 1 if told.drip_s else 1 << 20):
                self.wfile.write(told.body[at : at + (1 if told.drip_s else 1 << 20)])
                if told.drip_s and told.go_on.wait(told.drip_s):
                    return

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    line = HeadOffice(
        f"http://127.0.0.1:{server.server_port}", DEVICE, OURS, public_key_of(THEIRS), time.time
    )
    yield told, lambda **named: line.ask("/v1/sync", RID, 1, b"question", **named)
    told.go_on.set()
    line.close()
    server.shutdown()
    server.server_close()
    thread.join()


Ask = tuple[Answerer, Callable[..., bytes]]


def test_a_signed_answer_is_believed(answerer: Ask) -> None:
    _, ask = answerer
    assert ask() == b"hello"


def test_a_question_has_no_header_that_nobody_reads(answerer: Ask) -> None:
    told, ask = answerer
    ask()
    assert told.asked == {
        "host", "content-length", "content-type", "accept-encoding", "regulars",
    }  # fmt: skip


@pytest.mark.parametrize("seed", [STRANGER, None])
def test_what_head_office_did_not_sign_is_no_answer(answerer: Ask, seed: bytes | None) -> None:
    told, ask = answerer
    told.seed = seed
    with pytest.raises(NoAnswer):
        ask()


def test_an_answer_to_another_question_is_none(answerer: Ask) -> None:
    told, ask = answerer
    told.rid = b"x" * 16
    with pytest.raises(NoAnswer):
        ask()


def test_nothing_is_unpacked_that_head_office_did_not_sign(
    answerer: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, ask = answerer
    told.body, told.encoding = zstandard.compress(b"a" * 1000), ZSTD
    assert ask() == b"a" * 1000
    told.seed = STRANGER
    monkeypatch.setattr(client, "_unpacked", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(NoAnswer):
        ask()


@pytest.mark.parametrize("sized", [True, False])
def test_an_answer_that_unpacks_without_end_is_none(answerer: Ask, *, sized: bool) -> None:
    """Whether or not the frame says how large it is."""
    told, ask = answerer
    packer = zstandard.ZstdCompressor(write_content_size=sized)
    told.body, told.encoding = packer.compress(bytes(64 << 20)), ZSTD
    assert len(told.body) < 10_000
    with pytest.raises(NoAnswer, match="too much"):
        ask()


def test_an_answer_without_end_is_none(answerer: Ask) -> None:
    told, ask = answerer
    told.body = bytes(BODY_BYTES_MOST + 1)
    with pytest.raises(NoAnswer, match="too much"):
        ask()


def test_an_answer_that_drips_in_is_not_waited_for(answerer: Ask) -> None:
    """Each part comes in time, the whole does not."""
    told, ask = answerer
    told.drip_s, told.body = 0.05, b"a" * 10_000
    with pytest.raises(NoAnswer, match="too slow"):
        ask(within_s=0.2)


def test_a_signed_no_says_why_and_a_strangers_no_nothing(answerer: Ask) -> None:
    told, ask = answerer
    told.body, told.media = to_bytes(Problem("busy", 1, 7)), PROBLEM
    with pytest.raises(Refused) as refused:
        ask()
    assert (refused.value.problem.code, refused.value.problem.retry_after_s) == ("busy", 7)
    told.seed = STRANGER
    with pytest.raises(NoAnswer):
        ask()
