"""The command that holds the audit of each chain against its hashes, and against roots that somebody kept."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from app.i18n import Words
from headoffice import audit
from headoffice.at_store import Cannot, opened
from headoffice.audit import Checked
from headoffice.directory import Chain

ROOT_LINE: Final = "audit_root"
"""How the log calls a line with a root."""
Kept = dict[bytes, dict[int, set[bytes]]]


def verify_audit(chosen: argparse.Namespace, words: Words) -> None:
    """Say of each chain whether its audit is as it was written."""
    kept = {} if chosen.roots is None else _kept(chosen.roots, words)
    wrong = list[str]()
    with opened(chosen, words) as desk:
        for chain in desk.directory.chains():
            with desk.database.of(chain.tenant):
                found = audit.check(desk.database, chain.tenant, kept.pop(chain.tenant, {}))
            if not found.wrong:
                print(whole(words, chain, found))
            else:
                wrong.append(broken(words, chain, found))
    if kept:
        wrong.append(words.say("The file has roots of a chain that is not here."))
    if wrong:
        raise Cannot(" ".join(wrong))


def whole(words: Words, chain: Chain, found: Checked) -> str:
    """That an audit is as it was written."""
    return words.say(
        "{chain}: {rows} lines of the audit are as they were written, held against {roots} roots. "
        "The hash over them: {root}.",
        chain=chain.name, rows=found.rows, roots=found.held, root=found.root.hex(),
    )  # fmt: skip


def broken(words: Words, chain: Chain, found: Checked) -> str:
    """Where an audit is not."""
    told = words.count(
        "{chain}: line {lines} of the audit is not as it was written, or is missing.",
        "{chain}: {number} lines of the audit are not as they were written, or are missing: {lines}.",
        found.wrongs,
        chain=chain.name, number=found.wrongs, lines=", ".join(map(str, found.wrong)),
    )  # fmt: skip
    if len(found.wrong) == found.wrongs:
        return told
    named = words.say("Only the first {number} are named.", number=len(found.wrong))
    return f"{told} {named}"


def _kept(file: Path, words: Words) -> Kept:
    """The roots in lines of head office's log; other lines are passed over. Raises Cannot where none is."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Cannot(words.say("{file} can't be read.", file=file)) from error
    found: Kept = {}
    for line in lines:
        try:
            told: object = json.loads(line[line.find("{") :])
        except ValueError:
            continue
        if isinstance(told, dict) and told.get("event") == ROOT_LINE:
            _take(found, told, file, words)
    if not found:
        raise Cannot(words.say("{file} has no root of an audit.", file=file))
    return found


def _take(found: Kept, told: Mapping[str, Any], file: Path, words: Words) -> None:
    """One line may have two roots: after a restore that of the lost future stays in the log."""
    try:
        tenant, number, root = bytes.fromhex(told["chain"]), int(told["number"]), told["root"]
        found.setdefault(tenant, {}).setdefault(number, set()).add(bytes.fromhex(root))
    except (KeyError, TypeError, ValueError) as error:
        raise Cannot(words.say("{file} can't be read.", file=file)) from error
