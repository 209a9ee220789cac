"""`python -m tests.manual.pictures`: walk through the manual in both languages and keep its pictures.

Small PNGs of few colours: docs/pictures/manual/<language>_<name>.png, 1366x768. Look at each one that changed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image

from app.commands.demo_data import PASSPHRASE
from ui.tour.__main__ import demo_store
from ui.tour.screen import virtual_screen

KEPT: Final = {
    "first_owner": "first_start",
    "open_shift": "open_shift",
    "points_used": "sale",
    "pay": "pay",
    "return_1": "return",
    "approval": "approval",
    "count": "count",
    "close_day": "close_day",
    "home": "home",
    "goods": "items",
    "reports": "reports",
    "attention": "attention",
    "restore_list": "restore_list",
    "restore_facts": "restore",
}
"""Which step's picture is which of the manual's."""
HERE: Final = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "manual"
SCENES: Final = ("first", "day", "restore")
_LIMIT_S: Final = 420
_COLOURS: Final = 64


def main() -> int:
    """Walk, keep, say what went wrong; 1 when a scene did."""
    arguments = argparse.ArgumentParser(prog="python -m tests.manual.pictures", description=__doc__)
    arguments.add_argument("--members", type=int, default=1200)
    arguments.add_argument("--language", choices=("zh_CN", "en"), action="append")
    arguments.add_argument("--out", type=Path, default=Path("out") / "manual")
    arguments.add_argument("--scene", choices=SCENES, action="append")
    arguments.add_argument("--keep", action="store_true", help="into docs/pictures/manual")
    chosen = arguments.parse_args()
    demo = demo_store(chosen.out / "demo", chosen.members)
    wrong = 0
    for language in chosen.language or ("zh_CN", "en"):
        pictures = chosen.out / language
        shutil.rmtree(pictures, ignore_errors=True)
        pictures.mkdir(parents=True)
        for scene in chosen.scene or SCENES:
            wrong |= walk(scene, demo, pictures.resolve(), language)
        if chosen.keep and not wrong:
            keep(pictures, language.partition("_")[0])
    return wrong


def walk(scene: str, demo: Path, pictures: Path, language: str) -> int:
    """One scene in a process, a store and a screen of its own; 0 when it went well."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "regulars" / "store"
        if scene == "day":
            shutil.copytree(demo, store)
        if scene == "restore":
            back_up_twice(demo, Path(folder))
        with virtual_screen("1366x768") as display:
            environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
            environment.pop("WAYLAND_DISPLAY", None)
            if scene != "day":
                # A user of its own: where the shop put its store is remembered there, and ~ is short to type.
                environment["XDG_DATA_HOME"] = environment["HOME"] = folder
            command = [sys.executable, "-m", "tests.manual.walk", scene, str(store)]
            command += [str(pictures), language]
            done = subprocess.run(command, env=environment, timeout=_LIMIT_S, check=False)
    return done.returncode


def back_up_twice(demo: Path, home: Path) -> None:
    """Two backups of the demo store on a stick in somebody's home, by the product's own command."""
    (home / "stick").mkdir()
    old = Path(shutil.copytree(demo, home / "old"))
    environment = {**os.environ, "REGULARS_PASSPHRASE": PASSPHRASE}
    command = [sys.executable, "-m", "ui", "backup", "--store", str(old), "--to"]
    for _ in range(2):
        subprocess.run([*command, str(home / "stick")], env=environment, check=True)


def keep(pictures: Path, language: str) -> None:
    """The manual's pictures of the scenes that were walked, in few colours."""
    HERE.mkdir(parents=True, exist_ok=True)
    for step, name in KEPT.items():
        found = next(iter(pictures.glob(f"*_{step}.png")), None)
        if found is None:
            continue
        with Image.open(found) as picture:
            small = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
            small.save(HERE / f"{language}_{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
