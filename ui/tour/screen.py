"""A virtual screen with a window manager: without the latter no window becomes active and no key arrives."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

_WAIT_S: Final = 30.0


class NoScreen(RuntimeError):
    """A program that makes the virtual screen is missing or did not start; the text says what to do."""


def has_screen() -> bool:
    """Whether there is a screen to open a window on."""
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextlib.contextmanager
def virtual_screen(size: str) -> Iterator[str]:
    """Xvfb of a size such as "1366x768" and openbox for the block; gives the DISPLAY.

    Begins when openbox manages the screen. Stops only what it started.
    """
    for program in ("Xvfb", "openbox", "xdotool"):
        if shutil.which(program) is None:
            raise NoScreen(f"{program} is missing: apt-get install xvfb openbox xdotool")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    manager: subprocess.Popen[bytes] | None = None
    try:
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise NoScreen("Xvfb did not start")
        display = f":{number}"
        # A window manager that comes late takes the keyboard from a window that is already there.
        manager = subprocess.Popen(
            ["openbox", "--startup", "echo ready"],
            env={**os.environ, "DISPLAY": display},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert manager.stdout is not None
        with manager.stdout:
            ready, _, _ = select.select([manager.stdout], [], [], _WAIT_S)
            if not ready or not manager.stdout.read(1):
                raise NoScreen("openbox did not start")
            yield display
    finally:
        for process in (manager, server):
            if process is not None and process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_WAIT_S)
                if process.poll() is None:
                    process.kill()
