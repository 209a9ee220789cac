"""A revoked till's outbox: written by the till's own command, carried as a file, taken in once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.commands import run
from app.protocol.outbox_file import HEAD, NotAnOutbox, Outbox, device_of, opened, written
from app.sync.exchange import Exchange
from app.sync.join import join
from headoffice.__main__ import CANNOT, main
from tests.app.joined import sell_to
from tests.app.kiosk import PASSPHRASE, Kiosk, kiosk, made_template, template
from tests.headoffice.http_office import begin_chain, code_for, rows, served

__all__ = ["kiosk", "made_template", "template"]


def told(capsys: pytest.CaptureFixture[str]) -> str:
    caught = capsys.readouterr()
    return caught.out + caught.err


@pytest.fixture
def shut_out(kiosk: Kiosk, tmp_path: Path) -> tuple[Kiosk, Path]:
    """A till that was cut off from head office, sold on, and was revoked; head office's folder."""
    folder = tmp_path / "office"
    folder.mkdir()
    begin_chain(folder, budget=0)
    with served(folder) as office:
        kiosk.clock.now = datetime.now(UTC)  # Head office has a clock of its own.
        join(kiosk.ctx, office.url, code_for(folder, "North", "till 1"))
        exchange = Exchange(kiosk.ctx)
        settle(exchange)
        for _ in range(3):
            sell_to(kiosk, kiosk.member_id)
        device = kiosk.ctx.till.device.hex()
        assert main(["revoke", device, "--data", str(folder)]) == 0
        heard = exchange.once()
        exchange.close()
        assert heard is not None
        assert heard.why == "revoked"
    return kiosk, folder


def settle(exchange: Exchange) -> None:
    for _ in range(60):
        heard = exchange.once()
        assert heard is not None
        assert not heard.why
        if heard.again_s > 1:
            return
    raise AssertionError("no end of exchanges")


def export(kiosk: Kiosk, path: Path, *more: str) -> int:
    kiosk.close()
    return run(
        [
            "--store",
            str(kiosk.folder),
            "--language",
            "en",
            "export-events",
            "--to",
            str(path),
            *more,
        ]
    )


def test_what_head_office_lacked_comes_by_a_file_once(
    shut_out: tuple[Kiosk, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGULARS_PASSPHRASE", PASSPHRASE)
    kiosk, folder = shut_out
    path = tmp_path / "outbox"
    before = rows(folder, "SELECT count(*) FROM ledger")[0][0]
    assert export(kiosk, path) == 0
    assert "events for head office" in told(capsys)
    taking = ["--language", "en", "take-outbox", str(path), "--data", str(folder)]
    assert main(taking) == 0
    assert "0 of them wait in quarantine" in told(capsys)
    after = rows(folder, "SELECT count(*) FROM ledger")[0][0]
    assert after > before
    assert main(taking) == 0
    assert ": 0 were new" in told(capsys)
    assert rows(folder, "SELECT count(*) FROM ledger")[0][0] == after
    acts = rows(folder, "SELECT act, detail FROM console_audit WHERE act = 'late_outbox'")
    assert len(acts) == 2
    assert export(kiosk, path, "--all") == 0
    assert main(taking) == 0
    assert ": 0 were new" in told(capsys)


def test_a_file_that_was_changed_or_is_no_outbox_changes_nothing(
    shut_out: tuple[Kiosk, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGULARS_PASSPHRASE", PASSPHRASE)
    kiosk, folder = shut_out
    path = tmp_path / "outbox"
    assert export(kiosk, path) == 0
    blob = path.read_bytes()
    before = rows(folder, "SELECT count(*) FROM event")
    for bad in (b"", blob[:-1], blob[:-9] + bytes([blob[-9] ^ 1]) + blob[-8:], HEAD + blob):
        path.write_bytes(bad)
        assert main(["--language", "en", "take-outbox", str(path), "--data", str(folder)]) == CANNOT
        assert "is no till's outbox, or was changed" in told(capsys)
    assert rows(folder, "SELECT count(*) FROM event") == before


def test_a_till_that_is_live_tells_its_events_itself(
    kiosk: Kiosk,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGULARS_PASSPHRASE", PASSPHRASE)
    folder = tmp_path / "office"
    folder.mkdir()
    begin_chain(folder, budget=0)
    with served(folder) as office:
        kiosk.clock.now = datetime.now(UTC)  # Head office has a clock of its own.
        join(kiosk.ctx, office.url, code_for(folder, "North", "till 1"))
    path = tmp_path / "outbox"
    assert export(kiosk, path) == 0
    assert main(["--language", "en", "take-outbox", str(path), "--data", str(folder)]) == CANNOT
    assert "is not revoked" in told(capsys)


def test_a_signature_covers_every_byte() -> None:
    outbox = Outbox(b"t" * 16, b"d" * 16, 3, (b"one", b"two"))
    blob = written(outbox, lambda signed: signed[-64:].ljust(64, b"."))
    assert (
        opened(blob, lambda signature, signed: signature == signed[-64:].ljust(64, b".")) == outbox
    )
    assert device_of(blob) == b"d" * 16
    with pytest.raises(NotAnOutbox):
        opened(blob, lambda *_: False)
