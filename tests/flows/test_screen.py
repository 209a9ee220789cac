"""The virtual screen of the tour begins when its window manager does."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ui.tour.screen import NoScreen, virtual_screen


def instead_of_openbox(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A window manager of this shell script comes before the real one."""
    program = folder / "openbox"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_window_manager_that_comes_late_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Coming after the window it took the keyboard away from it: the tour's keys went nowhere.
    instead_of_openbox(tmp_path, monkeypatch, f'sleep 1; exec {shutil.which("openbox")} "$@"')
    with virtual_screen("800x600") as display:
        asked = ["xdotool", "get_num_desktops"]
        managed = subprocess.run(asked, env={**os.environ, "DISPLAY": display}, check=False)
    assert managed.returncode == 0, "no window manager is on the screen yet"


def test_a_window_manager_that_does_not_start_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of_openbox(tmp_path, monkeypatch, "exit 1")
    with pytest.raises(NoScreen, match="openbox"), virtual_screen("800x600"):
        pass
