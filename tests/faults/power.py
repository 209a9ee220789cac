"""What is on a disk after the power went: file calls recorded with strace, and states made of any prefix.

Up to a file's last fsync all of its writes are there. Of later ones each may be there, be missing, or be there
in some of its 512-byte sectors. Names, renames and truncations are in order, as ext4 and its like keep them.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

SECTOR: Final = 512
_CALLS: Final = (
    "openat,write,pwrite64,fsync,fdatasync,ftruncate,lseek,"
    "rename,renameat,renameat2,unlink,unlinkat"
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call that changed a file or made it durable. Paths are names inside the recorded folder."""

    kind: Literal["create", "empty", "write", "sync", "truncate", "rename", "unlink"]
    name: str
    offset: int = 0
    content: bytes = b""
    other: str = ""


@dataclass(slots=True)
class _File:
    """A file: what is safe, and the writes and truncations since."""

    safe: bytearray
    pending: list[Call] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Recording:
    """The calls of a run, and the folder as it was before."""

    before: dict[str, bytes]
    calls: tuple[Call, ...]

    def state(self, prefix: int, chance: random.Random) -> dict[str, bytes]:
        """What may be on the disk when the power goes after `prefix` calls."""
        files = {name: _File(bytearray(content)) for name, content in self.before.items()}
        for call in self.calls[:prefix]:
            _apply(files, call)
        share = chance.choice((0.0, 1.0, chance.random()))
        in_order = chance.random() < 0.5
        return {
            name: _survivor(file, share, chance, in_order=in_order) for name, file in files.items()
        }


def _apply(files: dict[str, _File], call: Call) -> None:
    if call.kind == "create":
        files.setdefault(call.name, _File(bytearray()))
    elif call.kind == "rename":
        files[call.other] = files.pop(call.name)
    elif call.kind == "unlink":
        files.pop(call.name, None)
    elif call.kind == "sync":
        file = files[call.name]
        for pending in file.pending:
            _perform(file.safe, pending)
        file.pending.clear()
    else:
        files[call.name].pending.append(call)


def _survivor(file: _File, share: float, chance: random.Random, *, in_order: bool) -> bytes:
    content = bytearray(file.safe)
    last_kept = int(share * len(file.pending))
    for number, call in enumerate(file.pending):
        kept = number < last_kept if in_order else chance.random() < share
        if call.kind != "write" or kept:
            _perform(content, call)
        elif chance.random() < 0.2 or number == last_kept:
            for at in range(0, len(call.content), SECTOR):
                if chance.random() < 0.5:
                    sector = call.content[at : at + SECTOR]
                    _perform(content, Call("write", call.name, call.offset + at, sector))
    return bytes(content)


def _perform(content: bytearray, call: Call) -> None:
    if call.kind == "write":
        content.extend(bytes(max(0, call.offset - len(content))))
        content[call.offset : call.offset + len(call.content)] = call.content
    else:
        size = call.offset if call.kind == "truncate" else 0
        del content[size:]
        content.extend(bytes(size - len(content)))


# Recording ----------------------------------------------------------------------------------------


def record(base: Path, arguments: list[str]) -> Recording:
    """Run a Python module under strace and keep what it did to the files below `base`.

    The shared-memory index of the log is left out: it does not outlive a power cut.
    """
    assert shutil.which("strace"), "strace is missing: apt-get install strace"
    before = contents(base)
    trace = base.with_name(f"{base.name}.strace")
    subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-xx", "-s", "10000000", "-e", f"trace={_CALLS}",
         "-o", str(trace), sys.executable, "-m", *arguments],
        check=True, cwd=Path.cwd(),
    )  # fmt: skip
    return Recording(before, tuple(_Reader(base, before).calls(trace)))


def contents(base: Path) -> dict[str, bytes]:
    """Every file below a folder by its name from there."""
    return {
        str(path.relative_to(base)): path.read_bytes()
        for path in sorted(base.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm")
    }


class _Reader:
    """Turns strace's lines into calls. Positions of handles are followed, as write() needs them."""

    def __init__(self, base: Path, before: dict[str, bytes]) -> None:
        self._base = str(base) + os.sep
        self._handles: dict[int, tuple[str, bool]] = {}
        self._positions: dict[int, int] = {}
        self._sizes = {name: len(content) for name, content in before.items()}

    def calls(self, trace: Path) -> list[Call]:
        found: list[Call] = []
        with trace.open(encoding="ascii") as lines:
            for line in lines:
                found += self._read(line)
        return found

    def _read(self, line: str) -> list[Call]:
        match = re.match(r"\d+ +(\w+)\((.*)\) += (-?\d+)", line)
        if match is None:
            assert "unfinished" not in line, f"two threads wrote at once: {line[:80]}"
            return []
        name, arguments, result = match[1], match[2], int(match[3])
        if result < 0:
            return []
        if name == "openat":
            return self._open(arguments, result)
        if name.startswith(("rename", "unlink")):
            return self._names(name, _texts(arguments))
        handle = int(arguments.partition(",")[0])
        if name == "lseek":
            self._positions[handle] = result
            return []
        if handle not in self._handles:
            return []
        return self._change(name, handle, arguments, result)

    def _open(self, arguments: str, handle: int) -> list[Call]:
        self._handles.pop(handle, None)
        path = os.fsdecode(_texts(arguments)[0])
        if not path.startswith(self._base) or path.endswith("-shm") or "O_DIRECTORY" in arguments:
            return []
        name = path.removeprefix(self._base)
        if Path(path).is_dir():
            return []
        self._handles[handle] = (name, "O_APPEND" in arguments)
        self._positions[handle] = 0
        calls = []
        if "O_CREAT" in arguments and name not in self._sizes:
            self._sizes[name] = 0
            calls.append(Call("create", name))
        if "O_TRUNC" in arguments:
            self._sizes[name] = 0
            calls.append(Call("empty", name))
        return calls

    def _names(self, name: str, texts: list[bytes]) -> list[Call]:
        paths = [os.fsdecode(text).removeprefix(self._base) for text in texts]
        if paths[0] not in self._sizes:
            return []
        size = self._sizes.pop(paths[0])
        if name.startswith("unlink"):
            return [Call("unlink", paths[0])]
        self._sizes[paths[1]] = size
        self._handles = {
            handle: (paths[1] if held == paths[0] else held, appends)
            for handle, (held, appends) in self._handles.items()
        }
        return [Call("rename", paths[0], other=paths[1])]

    def _change(self, name: str, handle: int, arguments: str, result: int) -> list[Call]:
        file, appends = self._handles[handle]
        if file not in self._sizes:
            return []  # written after it was unlinked
        if name in ("fsync", "fdatasync"):
            return [Call("sync", file)]
        if name == "ftruncate":
            self._sizes[file] = size = int(arguments.rpartition(",")[2])
            return [Call("truncate", file, size)]
        content = _texts(arguments)[0][:result]
        if name == "pwrite64":
            offset = int(arguments.rpartition(",")[2])
        else:
            offset = self._sizes[file] if appends else self._positions[handle]
            self._positions[handle] = offset + len(content)
        self._sizes[file] = max(self._sizes[file], offset + len(content))
        return [Call("write", file, offset, content)]


def _texts(arguments: str) -> list[bytes]:
    """The strings of a call, which strace writes as \\x41\\x42."""
    return [
        bytes.fromhex(text.replace("\\x", "")) for text in re.findall(r'"((?:\\x..)*)"', arguments)
    ]
