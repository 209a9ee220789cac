"""`regulars-headoffice` from its command line: the first start, what operators do, each no in one sentence."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import stat
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.protocol import wire
from app.protocol.wire import Refusal
from headoffice.keys import BadKeyFile, server_key
from tests.headoffice.http_office import HttpTill, opened
from tests.headoffice.serving_process import process, run


def code_of(folder: Path, *arguments: str) -> str:
    done = run("enrol-code", "--data", folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def no(*arguments: object, language: str = "en") -> str:
    """The sentence of a command that can't be done; never a traceback."""
    done = run(*arguments, language=language)
    assert done.returncode == 4, (done.returncode, done.stderr)
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def test_the_first_start_makes_everything_and_a_till_gets_in_and_out(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "office"
    with process(folder, "--demo") as at:
        assert "Riverside store" in " ".join(at.said)
        till = HttpTill(at.url, 1)
        answer = till.enrol(code_of(folder, "Riverside store", "till 1"))
        assert (answer.chain, answer.store, answer.till) == (
            "Demo chain",
            "Riverside store",
            "till 1",
        )
        till.earn(sales=3)
        till.sync()
        listed = run("tills", "--data", folder).stdout.split("\t")
        assert listed[:5] == [till.device.hex(), "Demo chain", "Riverside store", "till 1", "live"]
        gone = run("revoke", till.device.hex()[:8], "--data", folder)
        assert (gone.returncode, gone.stdout.split(";")[0]) == (0, "Revoked")
        assert "revoked before" in no("revoke", till.device.hex(), "--data", folder)
        heard = None
        while heard is None:  # The server looks a few times a second.
            request = till.ask()
            response = till.send(request)
            if response.status == 403:
                heard = wire.reply_of(till.signed_body(response, request.rid))
        assert heard == Refusal(request.rid, "revoked")
        till.client.close()
        assert at.end() == 0
    assert stat.S_IMODE((folder / "server.key").stat().st_mode) == 0o600
    secret = (folder / "server.key").read_text().strip()
    assert secret not in " ".join(at.log + at.said)
    lines = [json.loads(line) for line in at.log]
    assert any(line["event"] == "request" and line["path"] == "/v1/sync" for line in lines)


def test_a_chain_is_begun_with_its_stores_and_its_limits(tmp_path: Path) -> None:
    done = run(
        "new-chain", "Teahouse", "--data", tmp_path / "d", "--store", "East", "--store", "West",
        "--budget", 500, "--grant", 60, "--cap", 30, "--lease-hours", 48, "--grace-days", 2,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run("new-store", "South", "--data", tmp_path / "d", "--bucket", "far")
    with opened(tmp_path / "d", b"") as (_, directory):
        chain = directory.chains()[0]
        shops = [(shop.name, shop.bucket) for shop in directory.shops()]
    assert shops == [("East", "all"), ("South", "far"), ("West", "all")]
    assert (chain.limits.grant_most, chain.limits.cap, chain.limits.lease_ms) == (
        60,
        30,
        172_800_000,
    )
    assert code_of(tmp_path / "d", "West", "1")[4] == "-"


def test_each_no_is_one_sentence(tmp_path: Path) -> None:
    data = ("--data", tmp_path / "d")
    assert "begin with new-chain" in no("enrol-code", "A", "1", *data)
    assert "72 hours" in no("new-chain", "A", *data, "--lease-hours", 73)
    assert "grace" in no("new-chain", "A", *data, "--grace-days", 0)
    assert "from 0 on" in no("new-chain", "A", *data, "--budget", -1)
    assert "1 to 40" in no("new-chain", "", *data)
    run("new-chain", "A", *data)
    assert "already" in no("new-chain", "A", *data)
    assert "Its stores: A" in no("enrol-code", "B", "1", *data)
    assert "already" in no("new-store", "A", *data)
    run("new-chain", "B", *data)
    assert "There are: A, B" in no("enrol-code", "A", "1", *data)
    assert code_of(tmp_path / "d", "B", "1", "--chain", "B")
    assert "begins so" in no("revoke", "00000000", *data)
    assert "unencrypted" in no("serve", *data, "--host", "0.0.0.0")
    assert "both" in no("serve", *data, "--tls-cert", tmp_path / "none")
    cert, key = certificate(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    for pair in ((cert, cert), (key, key), (cert, certificate(other)[1])):
        why = no("serve", *data, "--tls-cert", pair[0], "--tls-key", pair[1])
        assert "no certificate and its key" in why
    (tmp_path / "letter").mkdir()
    (tmp_path / "letter" / "office.db").write_text("Dear all, " * 500)
    assert "can't be opened" in no("tills", "--data", tmp_path / "letter")
    (tmp_path / "file").write_text("")
    assert "can't be made" in no("serve", "--data", tmp_path / "file" / "d")


def test_a_no_is_said_in_chinese_to_who_reads_chinese(tmp_path: Path) -> None:
    assert "请先用 new-chain 建立" in no("tills", "--data", tmp_path, language="zh_CN")


def test_one_folder_is_served_once_and_one_port_is_one_programs(tmp_path: Path) -> None:
    run("new-chain", "A", "--data", tmp_path / "a")
    run("new-chain", "B", "--data", tmp_path / "b")
    with process(tmp_path / "a") as at:
        assert "Another head office" in no("serve", "--data", tmp_path / "a", "--port", 0)
        assert "Another head office" in no("restored", "--data", tmp_path / "a")
        port = at.url.rsplit(":", 1)[1]
        assert "another program has it" in no("serve", "--data", tmp_path / "b", "--port", port)
    assert run("restored", "--data", tmp_path / "a").returncode == 0


def test_a_restored_store_begins_a_timeline_that_tills_follow(tmp_path: Path) -> None:
    run("new-chain", "A", "--data", tmp_path)
    with process(tmp_path) as at:
        till = HttpTill(at.url, 1)
        till.enrol(code_of(tmp_path, "A", "1"))
        till.earn(points=40)
        assert till.sync().grant is not None or till.at.store.control().grant is not None
        before = till.at.store.control().timeline
        till.client.close()
    assert run("restored", "--data", tmp_path).returncode == 0
    with process(tmp_path) as at:
        again = HttpTill(at.url, 1)
        again.at, again.server_key, again.rng = till.at, till.server_key, till.rng
        again.exchange()
        again.sync()
        assert again.at.store.control().timeline > before
        again.client.close()


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    key = server_key(tmp_path / "server.key")
    assert server_key(tmp_path / "server.key").public == key.public
    (tmp_path / "server.key").chmod(0o640)
    with pytest.raises(BadKeyFile) as open_to_all:
        server_key(tmp_path / "server.key")
    assert open_to_all.value.why == "open"
    run("new-chain", "A", "--data", tmp_path)
    assert "chmod 600" in no("serve", "--data", tmp_path, "--port", 0)
    (tmp_path / "server.key").chmod(0o600)
    (tmp_path / "server.key").write_text("not a key")
    assert "no key" in no("serve", "--data", tmp_path, "--port", 0)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "head office")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


def test_tls_is_1_3_and_nothing_older(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with process(tmp_path / "d", "--demo", "--tls-cert", str(cert), "--tls-key", str(key)) as at:
        trust = ssl.create_default_context(cafile=str(cert))
        with httpx.Client(base_url=at.url, verify=trust) as client:
            assert client.get("/healthz").text == "ok\n"
        old = ssl.create_default_context(cafile=str(cert))
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        port = int(at.url.rsplit(":", 1)[1])
        with (
            socket.create_connection(("127.0.0.1", port)) as raw,
            pytest.raises(ssl.SSLError),
        ):
            old.wrap_socket(raw, server_hostname="127.0.0.1")
