"""`python -m ui.tour`: prepare the demo store, find or make a screen, and drive the day (see ui/tour)."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from ui.tour.screen import NoScreen, has_screen, virtual_screen

OUT: Final = Path("out")
DEMO: Final = OUT / "demo"
RUNS: Final = (
    ("zh_CN", "light", "1366x768", "whole"),
    ("en", "dark", "1366x768", "whole"),
    ("en", "light", "1920x1080", "short"),
    ("zh_CN", "dark", "1920x1080", "short"),
)
_LIMIT_S: Final = 420


def main(argv: list[str] | None = None) -> int:
    """Run the tour, or open the counter where there is a screen; returns the exit code."""
    arguments = argparse.ArgumentParser(prog="python -m ui.tour", description=__doc__)
    arguments.add_argument(
        "--if-no-screen", action="store_true", help="with a screen, open the counter"
    )
    arguments.add_argument("--out", type=Path, default=OUT)
    arguments.add_argument("--members", type=int, default=5000)
    arguments.add_argument("--only", type=int, choices=range(len(RUNS)), help="one run of the four")
    chosen = arguments.parse_args(argv)
    demo = demo_store(chosen.out / "demo", chosen.members)
    if chosen.if_no_screen and has_screen():
        from ui.tour.living import open_counter

        return open_counter(chosen.out, demo)
    runs = RUNS if chosen.only is None else (RUNS[chosen.only],)
    try:
        return sum(run(chosen.out, demo, *each) for each in runs) and 1
    except NoScreen as error:
        print(f"tour: {error}", file=sys.stderr)
        return 2


def demo_store(folder: Path, members: int) -> Path:
    """The demo store, made when it isn't there yet; says how to get in."""
    from app.commands import demo_data
    from app.commands.console import bar

    if not (folder / "regulars.db").exists():
        print(f"Making a demo store of {members:,} members with two years of history …", flush=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        demo_data.make(folder, members=members, progress=bar)
    print(f"Demo store: {folder}   passphrase: {demo_data.PASSPHRASE}")
    for person in demo_data.STAFF:
        print(f"  {person.role:10s} {person.initials}   PIN {person.pin}")
    sys.stdout.flush()
    return folder


def run(out: Path, demo: Path, language: str, theme: str, size: str, day: str) -> int:
    """One language, theme and size on a copy of the demo store; 0 when the day went well."""
    name = f"{language}_{theme}_{size}"
    pictures = out / "pictures" / name
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    store = out / f"tour-{name}"
    kept = (store, store.with_name(f"{store.name}-office"))
    for folder in kept:
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(demo, store)
    print(f"\n{language}, {theme}, {size}", flush=True)
    began = time.monotonic()
    with virtual_screen(size) as display:
        environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        environment.pop("WAYLAND_DISPLAY", None)
        command = [sys.executable, "-m", "ui.tour.drive", str(store), str(pictures)]
        command += [language, theme, day]
        done = subprocess.run(command, env=environment, timeout=_LIMIT_S, check=False)
    for folder in kept:
        shutil.rmtree(folder, ignore_errors=True)
    report = pictures / "tour.json"
    facts: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {}
    taken = sum(1 for step in facts.get("steps", ()) if step["picture"])
    wrong = [fault for step in facts.get("steps", ()) for fault in step["faults"]]
    print(f"{taken} pictures in {pictures}, {time.monotonic() - began:.0f} s", flush=True)
    for fault in sorted(set(wrong)):
        print(f"  {fault}")
    if facts.get("failure") or done.returncode:
        print(f"tour: {facts.get('failure') or f'exit {done.returncode}'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
