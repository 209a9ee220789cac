"""What is signed of a request and a reply: each part, to the letter, and nothing else is taken for signed."""

from __future__ import annotations

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


def test_the_headers_say_what_the_head_said() -> None:
    headers = signing.sign_request(HEAD, BODY, KEY.sign)
    assert signing.read_request("POST", "/v1/sync", headers).head == HEAD
    assert fits(headers)
    answered = signing.sign_reply(REPLY, BODY, KEY.sign)
    assert signing.read_reply(200, answered).head == REPLY


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("regulars-rid", "00" * 16),
        ("regulars-device", "00" * 16),
        ("regulars-epoch", "8"),
        ("content-digest", "sha-256=:" + "A" * 43 + "=:"),
        ("signature", "regulars=:" + "A" * 86 + "==:"),
    ],
)
def test_a_request_with_another_part_does_not_fit(name: str, value: str) -> None:
    assert not fits({**signing.sign_request(HEAD, BODY, KEY.sign), name: value})


def test_another_time_path_body_or_key_does_not_fit() -> None:
    headers = signing.sign_request(HEAD, BODY, KEY.sign)
    later = headers["signature-input"].replace("1700000000", "1700000009")
    assert not fits({**headers, "signature-input": later})
    assert not fits(headers, path="/v1/hold")
    assert not fits(headers, body=BODY + b".")
    assert not fits(signing.sign_request(HEAD, BODY, Ed25519PrivateKey.generate().sign))


def test_a_reply_to_another_request_another_till_or_of_another_status_does_not_fit() -> None:
    headers = signing.sign_reply(REPLY, BODY, KEY.sign)
    reply = signing.read_reply(200, headers)
    assert reply.fits(BODY, verify, rid=b"r" * 16, device=b"d" * 16)
    assert not reply.fits(BODY, verify, rid=b"R" * 16, device=b"d" * 16)
    assert not reply.fits(BODY, verify, rid=b"r" * 16, device=b"D" * 16)
    assert not reply.fits(BODY + b".", verify, rid=b"r" * 16, device=b"d" * 16)
    other = signing.read_reply(403, headers)
    assert not other.fits(BODY, verify, rid=b"r" * 16, device=b"d" * 16)


@pytest.mark.parametrize("name", ["content-digest", "regulars-rid", "regulars-device",
                                  "regulars-epoch", "signature-input", "signature"])  # fmt: skip
@pytest.mark.parametrize("value", [None, "", "?", "regulars=x", "-1", "9" * 19, "é", "\n"])
def test_a_header_that_is_missing_or_odd_is_not_signed(name: str, value: str | None) -> None:
    headers = signing.sign_request(HEAD, BODY, KEY.sign)
    headers.pop(name)
    if value is not None:
        headers[name] = value
    with pytest.raises(NotSigned, match=name):
        signing.read_request("POST", "/v1/sync", headers)


def test_fewer_signed_parts_are_not_signed() -> None:
    headers = signing.sign_request(HEAD, BODY, KEY.sign)
    headers["signature-input"] = headers["signature-input"].replace(' "content-digest"', "")
    with pytest.raises(NotSigned, match="signature-input"):
        signing.read_request("POST", "/v1/sync", headers)


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
