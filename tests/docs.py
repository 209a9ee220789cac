"""`python -m tests.docs`: the commands that the documents show exist and run.

Every line of a fenced `sh` block is tried, and every `make` command in the text. A `make` command runs for
real when it is cheap (`CHEAP`); any other must be one that make can plan, because running them all here would
run the tests inside the tests. A `regulars` line is run for real, on a small demo store where it names one;
opening the window is left to the tour. A line of head office has to be one that its program takes.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENTS: Final = ("README.md", "CONTRIBUTING.md", "docs/**/*.md")
_FENCE: Final = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_IN_TEXT: Final = re.compile(r"`(make [a-z-]+(?: [A-Z]+=\w+)*)`")
CHEAP: Final = frozenset({"make help", "make words", "make contracts"})
_LIMIT_S: Final = 120
_TAKES: Final = (
    "import sys; from headoffice.__main__ import parser; parser(str).parse_args(sys.argv[1:])"
)


def commands(text: str) -> list[str]:
    """The command lines of a document's sh blocks, without comments, and the make commands in its text."""
    found = _IN_TEXT.findall(text)
    for block in _FENCE.findall(text):
        found += [line.split("#")[0].strip() for line in block.splitlines()]
    return [line for line in found if line]


def problem(line: str, store: Path) -> str | None:
    """Why a command can't be right, None when it ran."""
    words = shlex.split(line)
    if words[0] == "make":
        plan = [] if line in CHEAP else ["--dry-run"]
        done = _run(["make", *plan, "--no-print-directory", *words[1:]])
    elif words[0] == "regulars":
        if words[1:] == ["--store", "FOLDER"]:
            return None
        given = [_placed(word, store) for word in words[1:]]
        done = _run([str(Path(sys.executable).with_name("regulars")), *given])
    elif words[0] == "regulars-headoffice":
        # Serving has no end, and tests/headoffice tries what operators do: a line must be one that it takes.
        done = _run([sys.executable, "-c", _TAKES, *words[1:]])
    else:
        return "neither make nor regulars: say how to check it in tests/docs.py"
    return None if done.returncode == 0 else f"exit {done.returncode}: {done.stderr.strip()[-300:]}"


def _placed(word: str, store: Path) -> str:
    """FOLDER and what lies in it is the demo store, EMPTY a folder beside it that isn't there yet."""
    for name, path in (("FOLDER", store), ("EMPTY", store.with_name("empty"))):
        if word == name or word.startswith(f"{name}/"):
            return f"{path}{word.removeprefix(name)}"
    return word


def main() -> int:
    """Try every command of every document; 1 when one is wrong."""
    lines: dict[str, list[str]] = {}
    for pattern in DOCUMENTS:
        for path in sorted(ROOT.glob(pattern)):
            for line in commands(path.read_text("utf-8")):
                lines.setdefault(line, []).append(str(path.relative_to(ROOT)))
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        made = _run(
            [
                *[str(Path(sys.executable).with_name("regulars")), "demo-data"],
                *["--store", str(store), "--members", "20"],
            ]
        )
        if made.returncode:
            print(f"docs: demo-data failed: {made.stderr[-300:]}")
            return 1
        for line, places in lines.items():
            why = problem(line, store)
            if why:
                wrong += 1
                print(f"docs: {', '.join(places)}: `{line}`: {why}")
    if not wrong:
        planned = sorted(line for line in lines if line.startswith("make") and line not in CHEAP)
        print(f"docs: {len(lines)} commands tried; planned only: {', '.join(planned)}")
    return 1 if wrong else 0


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    from app.commands.demo_data import PASSPHRASE

    environment = {**os.environ, "REGULARS_PASSPHRASE": PASSPHRASE}
    environment.pop("MAKEFLAGS", None)  # what a make around this one was told is not for these
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
