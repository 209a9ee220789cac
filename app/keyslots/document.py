"""The slot file: its layout, its two copies on the disk, and what is read back from them.

A copy is accepted whole or not at all: unknown fields, parameters below the floor and a digest
that doesn't fit refuse it. Nothing here unwraps a key.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from app.keyslots.errors import SlotFileDamaged, SlotFileExists, SlotFileMissing, SlotFileNewer

FORMAT: Final = 1
NAMES: Final = ("keyslots.json", "keyslots-b.json")
MEMORY_LEAST_KIB: Final = 64 * 1024
TIME_LEAST: Final = 3
FILE_MOST_BYTES: Final = 64 * 1024

Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
Salt = Annotated[bytes, Meta(min_length=16, max_length=16)]
Nonce = Annotated[bytes, Meta(min_length=12, max_length=12)]
Wrapped = Annotated[bytes, Meta(min_length=48, max_length=48)]  # 32 bytes of key, 16 of tag
Text = Annotated[str, Meta(max_length=200)]


class Binding(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose slots these are. `install` is the id of this installation on this computer."""

    tenant: Text
    store: Text
    till: Text
    install: Text


class Kdf(Struct, frozen=True, forbid_unknown_fields=True):
    """argon2id parameters. Below the floor the file is refused, so nobody can weaken it by an
    edit; the ceiling keeps a damaged number from taking all memory (security.md section 2.1)."""

    memory_kib: Annotated[int, Meta(ge=MEMORY_LEAST_KIB, le=256 * 1024)]
    time_cost: Annotated[int, Meta(ge=TIME_LEAST, le=64)]
    lanes: Annotated[int, Meta(ge=1, le=4)]
    salt: Salt
    name: Literal["argon2id"] = "argon2id"


class PassphraseSlot(
    Struct, frozen=True, forbid_unknown_fields=True, tag="passphrase", tag_field="kind"
):
    """The data key under a key made from the manager's passphrase."""

    key_id: Text
    kdf: Kdf
    nonce: Nonce
    wrapped: Wrapped


class OsSlot(Struct, frozen=True, forbid_unknown_fields=True, tag="os", tag_field="kind"):
    """The data key under a key in the system's key store; `keystore` says which one wrapped it."""

    key_id: Text
    keystore: Text
    nonce: Nonce
    wrapped: Wrapped


Slot = PassphraseSlot | OsSlot


class Document(Struct, frozen=True, forbid_unknown_fields=True):
    """One slot file. `generation` grows with every change; `check` tells the right data key
    without touching the database; `salt` is that of the database's header (storage.md section 3)."""

    generation: Annotated[int, Meta(ge=1, le=2**53)]
    binding: Binding
    salt: Salt
    check: Hash
    passphrase: PassphraseSlot
    os: OsSlot | None
    format: Literal[1] = FORMAT


class _Sealed(Struct, frozen=True, forbid_unknown_fields=True):
    document: Document
    digest: Hash  # SHA-256 over the document's bytes: finds damage, not forgery


class _Head(Struct):
    format: int


class _SealedHead(Struct):
    document: _Head


_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def canonical(value: object) -> bytes:
    """UTF-8 JSON with sorted keys; bytes as base64."""
    return _ENCODER.encode(value)


def encode(document: Document) -> bytes:
    """The bytes of a slot file."""
    return canonical(_Sealed(document, hashlib.sha256(canonical(document)).digest()))


def decode(blob: bytes) -> Document:
    """The document in a slot file. Raises SlotFileDamaged or SlotFileNewer."""
    if len(blob) > FILE_MOST_BYTES:
        raise SlotFileDamaged("too large")
    try:
        head = msgspec.json.decode(blob, type=_SealedHead)
        if head.document.format > FORMAT:
            raise SlotFileNewer(f"format {head.document.format}")
        sealed = msgspec.json.decode(blob, type=_Sealed)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise SlotFileDamaged(str(error)) from error
    # Over what was understood, not over the bytes: a copy may have been re-indented by a person.
    if hashlib.sha256(canonical(sealed.document)).digest() != sealed.digest:
        raise SlotFileDamaged("the digest does not fit")
    return sealed.document


def read_copies(folder: Path) -> list[Document]:
    """Every readable copy, newest first, equal ones once.

    Raises SlotFileMissing when neither is there, else the worse of what was found when neither
    can be used: SlotFileNewer before SlotFileDamaged.
    """
    found: list[Document] = []
    problems: list[SlotFileDamaged | SlotFileNewer] = []
    for name in NAMES:
        try:
            document = decode((folder / name).read_bytes())
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(SlotFileDamaged(f"{name}: {error.strerror}"))
        except (SlotFileDamaged, SlotFileNewer) as error:
            problems.append(error)
        else:
            if document not in found:
                found.append(document)
    for problem in problems:
        # A newer program was here. Working on with the older twin would undo what it did.
        if isinstance(problem, SlotFileNewer):
            raise problem
    if not found and problems:
        raise problems[0]
    if not found:
        raise SlotFileMissing(str(folder))
    return sorted(found, key=lambda document: -document.generation)


def portable(folder: Path) -> bytes:
    """The bytes of a slot file that goes along with a backup: the newest copy without its os slot, which
    is of no use elsewhere. Raises as read_copies."""
    return encode(msgspec.structs.replace(read_copies(folder)[0], os=None))


def refuse_existing(folder: Path) -> None:
    """Raise SlotFileExists if anything at all lies at the place of a copy."""
    for name in NAMES:
        if os.path.lexists(folder / name):
            raise SlotFileExists(name)


def write_copies(folder: Path, document: Document) -> None:
    """Write both copies, the first one durable before the second is touched. Raises OSError."""
    blob = encode(document)
    for name in NAMES:
        write_durably(folder / name, blob)


def copies_differ(folder: Path, document: Document) -> bool:
    """Whether a copy on the disk is missing or is not exactly this document."""
    blob = encode(document)
    for name in NAMES:
        try:
            if (folder / name).read_bytes() != blob:
                return True
        except OSError:
            return True
    return False


def write_durably(path: Path, blob: bytes) -> None:
    """Temporary file, fsync, replace, fsync of the folder: the old content or the new, never half."""
    fresh = path.with_name(f".{path.name}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(blob)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    if os.name != "nt":  # folders can't be opened for fsync on Windows
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
