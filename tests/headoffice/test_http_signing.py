"""What is signed of a request and a reply: each part, to the letter, and nothing else is taken for signed."""

from __future__ import annotations

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.protocol import endpoints, signing
from app.protocol.endpoints import Enrol, Problem, code_of, message_of
from app.protocol.signing import NotSigned, ReplyHead, RequestHead
from app.protocol.wire import NotAMessage

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
HEAD = RequestHead("POST", "/v1/sync", b"r" * 16, b"d" * 16, 7, 1_700_000_000)
REPLY = ReplyHead(200, b"r" * 16, b"d" * 16, 1_700_000_001)
BODY = b"what is sent"
DIGEST = "9K1vi1TCMkqtmWWYziBJZK8pTc3U1z8sxzLGubg7LxI="
"""Of BODY, by another program."""


def verify(signature: bytes, signed: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def fits(headers: dict[str, str], *, path: str = HEAD.path, body: bytes = BODY) -> bool:
    return signing.read_request(HEAD.method, path, headers).fits(body, verify)


def test_the_signed_text_of_a_request_is_the_signature_base_of_rfc_9421() -> None:
    signed = list[bytes]()

    def keep(base: bytes) -> bytes:
        signed.append(base)
        return b"s" * 64

    signing.sign_request(HEAD, BODY, keep)
    assert signed[0].decode() == (
        '"@method": POST\n'
        '"@path": /v1/sync\n'
        '"content-digest": sha-256=:' + DIGEST + ":\n"
        '"regulars-rid": 72727272727272727272727272727272\n'
        '"regulars-device": 64646464646464646464646464646464\n'
        '"regulars-epoch": 7\n'
        '"@signature-params": ("@method" "@path" "content-digest" "regulars-rid" "regulars-device" '
        '"regulars-epoch");created=1700000000;alg="ed25519"'
    )


def test_the_signed_text_of_a_reply_names_the_request_and_the_till() -> None:
    signed = list[bytes]()

    def keep(base: bytes) -> bytes:
        signed.append(base)
        return b"s" * 64

    headers = signing.sign_reply(REPLY, BODY, keep)
    assert signed[0].decode() == (
        '"@status": 200\n'
        '"content-digest": sha-256=:' + DIGEST + ":\n"
        '"regulars-rid": 72727272727272727272727272727272\n'
        '"regulars-device": 64646464646464646464646464646464\n'
        '"@signature-params": ("@status" "content-digest" "regulars-rid" "regulars-device")'
        ';created=1700000001;alg="ed25519"'
    )
    assert headers == {"regulars": "1700000001." + base64.b64encode(b"s" * 64).decode()}


def test_the_header_says_what_the_head_said() -> None:
    headers = signing.sign_request(HEAD, BODY, KEY.sign)
    assert signing.read_request("POST", "/v1/sync", headers).head == HEAD
    assert list(headers) == ["regulars"]
    assert headers["regulars"].startswith("7.1700000000.")
    assert len(headers["regulars"]) == len("7.1700000000.") + 128
    assert fits(headers)


PARTS = {"rid": slice(0, 16), "device": slice(16, 32), "signature": slice(32, 96)}


@pytest.mark.parametrize("part", PARTS)
def test_a_request_with_another_bit_in_a_part_does_not_fit(part: str) -> None:
    headers = signing.sign_request(HEAD, BODY, KEY.sign)
    before, _, text = headers["regulars"].rpartition(".")
    for at in range(PARTS[part].start, PARTS[part].stop):
        raw = bytearray(base64.b64decode(text))
        raw[at] ^= 1
        altered = f"{before}.{base64.b64encode(raw).decode()}"
        assert not fits({"regulars": altered}), (part, at)


@pytest.mark.parametrize("beginning", ["8.1700000000.", "0.1700000000.", "7.1700000009."])
def test_a_request_of_another_epoch_or_time_does_not_fit(beginning: str) -> None:
    headers = signing.sign_request(HEAD, BODY, KEY.sign)
    altered = headers["regulars"].replace("7.1700000000.", beginning)
    assert signing.read_request("POST", "/v1/sync", {"regulars": altered})
    assert not fits({"regulars": altered})


def test_another_path_method_body_or_key_does_not_fit() -> None:
    headers = signing.sign_request(HEAD, BODY, KEY.sign)
    assert not fits(headers, path="/v1/hold")
    assert not signing.read_request("PUT", HEAD.path, headers).fits(BODY, verify)
    assert not fits(headers, body=BODY + b".")
    assert not fits(signing.sign_request(HEAD, BODY, Ed25519PrivateKey.generate().sign))


def test_a_reply_to_another_request_another_till_or_of_another_status_or_time_does_not_fit() -> (
    None
):
    headers = signing.sign_reply(REPLY, BODY, KEY.sign)
    reply = signing.read_reply(200, headers)
    assert reply.fits(BODY, verify, rid=b"r" * 16, device=b"d" * 16)
    assert not reply.fits(BODY, verify, rid=b"R" * 16, device=b"d" * 16)
    assert not reply.fits(BODY, verify, rid=b"r" * 16, device=b"D" * 16)
    assert not reply.fits(BODY + b".", verify, rid=b"r" * 16, device=b"d" * 16)
    later = headers["regulars"].replace("1700000001.", "1700000002.")
    for other in (
        signing.read_reply(403, headers),
        signing.read_reply(200, {"regulars": later}),
        signing.read_reply(200, signing.sign_reply(REPLY, BODY, Ed25519PrivateKey.generate().sign)),
    ):
        assert not other.fits(BODY, verify, rid=b"r" * 16, device=b"d" * 16)


GOOD = signing.sign_request(HEAD, BODY, lambda _: b"s" * 64)["regulars"]
ANSWERED = signing.sign_reply(REPLY, BODY, lambda _: b"s" * 64)["regulars"]


@pytest.mark.parametrize(
    "value",
    [
        None, "", "?", "é", "\n", "7", "7.1700000000", "7.1700000000.", GOOD[:-1], GOOD + "A", GOOD + "\n",
        " " + GOOD, GOOD.replace("7.", "-7.", 1),
        GOOD.replace("7.", "07.", 1), GOOD.replace("7.", "7" * 19 + ".", 1),
        GOOD.replace("7.", "\u0667.", 1), GOOD[:-4] + "====", GOOD[:-1] + "-", GOOD[:-1] + "_", ANSWERED,
    ],
)  # fmt: skip
def test_a_header_that_is_missing_or_odd_is_not_signed(value: str | None) -> None:
    headers = {} if value is None else {"regulars": value}
    with pytest.raises(NotSigned, match="regulars"):
        signing.read_request("POST", "/v1/sync", headers)


def test_a_signature_is_written_in_one_way() -> None:
    assert signing.read_reply(200, {"regulars": ANSWERED}).signature == b"s" * 64
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place = letters.index(ANSWERED[-3])
    also = ANSWERED[:-3] + letters[place + 1] + "=="
    assert base64.b64decode(also.partition(".")[2]) == b"s" * 64
    for odd in (also, GOOD, ANSWERED[:-1], "", "1700000001."):
        with pytest.raises(NotSigned):
            signing.read_reply(200, {"regulars": odd})


def test_a_code_is_read_as_people_write_it() -> None:
    assert code_of(" 7k3m-0oiL ") == "7K3M0011"
    assert code_of("7K3M 0011") == "7K3M0011"
    for wrong in ("", "7K3M001", "7K3M00111", "7K3M001U", "7K3M001é"):
        assert code_of(wrong) is None


def test_messages_beside_the_exchange_come_back_from_their_bytes() -> None:
    enrol = Enrol(b"r" * 16, b"d" * 16, "7K3M0011", b"k" * 32, 5)
    assert message_of(endpoints.to_bytes(enrol), Enrol) == enrol
    problem = Problem("clock", 1, None)
    assert message_of(endpoints.to_bytes(problem), Problem) == problem
    for body in (b"", b"\xc1", endpoints.to_bytes(problem), endpoints.to_bytes(enrol)[:-1]):
        with pytest.raises(NotAMessage):
            message_of(body, Enrol)
