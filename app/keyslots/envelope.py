"""Opening and keeping the store's data key: the one design of security.md section 2.1.

A random 32-byte data key is wrapped once for each way in: `os` opens the till unattended,
`passphrase` is the manager's. `recovery`, the head-office code, is reserved: the version that
writes the first one raises the file's format. Losing one way never loses the data.

Not here: the database (db/), where the installation's id comes from, what a screen says.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.keyslots import document as files
from app.keyslots.document import Binding, Document, OsSlot, PassphraseSlot, Slot
from app.keyslots.errors import (
    CopiedStore,
    KeystoreUnavailable,
    SlotFileDamaged,
    WrongPassphrase,
)
from app.keyslots.keystore import Keystore
from app.keyslots.passphrase import Attempts, calibrated, derive, require_strong

ATTEMPTS_NAME: Final = "keyslots.tries"
_CHECK_TEXT: Final = b"regulars key check 1"


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """The key, and what opening it showed.

    `data_key` 32 bytes, `salt` 16: together db.connection.StoreKey. `unattended`: an os slot
    works, so the next start needs nobody; if not, `keystore_problem` says why (a reason of
    KeystoreUnavailable). `mended`: a missing, damaged or older copy of the slot file was
    rewritten: worth an alarm.
    """

    data_key: bytes
    salt: bytes
    unattended: bool
    keystore_problem: str | None
    mended: bool

    def __repr__(self) -> str:
        return f"Opened(unattended={self.unattended}, mended={self.mended})"


class Keyslots:
    """The slots of one store. `folder` is where the slot file lies, `install` this installation's id.

    `keystore` finds the system's key store and raises KeystoreUnavailable when there is none to
    trust; it is asked anew each time, since it may come later than the till.
    """

    def __init__(
        self,
        folder: Path,
        *,
        install: str,
        keystore: Callable[[], Keystore],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._install = install
        self._keystore = keystore
        self._attempts = Attempts(folder / ATTEMPTS_NAME, clock_s)

    def create(self, *, tenant: str, store: str, till: str, passphrase: str) -> Opened:
        """Make a data key and its slots, and prove by reading them back that each opens it.

        Raises WeakPassphrase; SlotFileExists when any slot file is there already; OSError.
        """
        require_strong(passphrase)
        files.refuse_existing(self._folder)
        data_key, salt = secrets.token_bytes(32), secrets.token_bytes(16)
        binding = Binding(tenant=tenant, store=store, till=till, install=self._install)
        fresh = _Frame(binding=binding, salt=salt, check=_check(data_key, salt))
        slot = _passphrase_slot(fresh, data_key, passphrase)
        os_slot, problem = self._try_os_slot(fresh, data_key)
        files.write_copies(
            self._folder,
            Document(1, binding, salt, fresh.check, passphrase=slot, os=os_slot),
        )
        again = files.read_copies(self._folder)
        if len(again) != 1 or _by_passphrase(again[0], passphrase) != data_key:
            raise SlotFileDamaged("the slot file does not read back")
        if os_slot is not None and self._by_keystore(again[0]) != data_key:
            raise SlotFileDamaged("the os slot does not read back")
        return Opened(data_key, salt, os_slot is not None, problem, mended=False)

    def open_unattended(self) -> Opened:
        """The key by way of the system's key store: nobody has to be there.

        Raises KeystoreUnavailable (then ask for the passphrase), CopiedStore, SlotFileMissing,
        SlotFileDamaged, SlotFileNewer.
        """
        copies = files.read_copies(self._folder)
        unavailable = KeystoreUnavailable(KeystoreUnavailable.EMPTY)
        for found in copies:
            try:
                data_key = self._by_keystore(found)
            except KeystoreUnavailable as error:
                unavailable = error
                continue
            self._require_here(found)
            return Opened(data_key, found.salt, True, None, self._mend(found))
        raise unavailable

    def open_with_passphrase(self, passphrase: str) -> Opened:
        """The key by way of the manager's passphrase; the os slot is made anew if it is of no use.

        Raises WrongPassphrase and TooSoon (nothing is ever wiped), CopiedStore, SlotFileMissing,
        SlotFileDamaged, SlotFileNewer.
        """
        found, data_key = self._unlock(passphrase)
        self._require_here(found)
        mended = self._mend(found)
        try:
            unattended = self._by_keystore(found) == data_key
        except KeystoreUnavailable as error:
            if found.os is not None and error.reason != KeystoreUnavailable.EMPTY:
                # It doesn't answer now. The slot is good, and asking again would wait again.
                return Opened(data_key, found.salt, False, error.reason, mended)
            found, problem = self._with_new_os_slot(found, data_key)
            return Opened(data_key, found.salt, problem is None, problem, mended)
        return Opened(data_key, found.salt, unattended, None, mended)

    def prove(self, passphrase: str) -> None:
        """Whether this is the passphrase; nothing is opened or written but the count of wrong ones.

        Raises WrongPassphrase, TooSoon, SlotFileMissing, SlotFileDamaged, SlotFileNewer.
        """
        self._unlock(passphrase)

    def change_passphrase(self, old: str, new: str) -> None:
        """Wrap the same data key under a new passphrase. The database is not touched.

        Raises what open_with_passphrase raises for `old`, WeakPassphrase for `new`, OSError.
        """
        require_strong(new)
        found, data_key = self._unlock(old)
        self._require_here(found)
        slot = _passphrase_slot(_Frame.of(found), data_key, new)
        self._save(found, msgspec.structs.replace(found, passphrase=slot))

    def adopt(self, passphrase: str) -> Opened:
        """Bind the slots of a copied or moved store to this installation, all wrapped anew.

        Only after CopiedStore, and only together with a new till id and chain: two computers
        that write on as one till would use the same sequence numbers (security.md section 2.1).
        Raises as open_with_passphrase does.
        """
        found, data_key = self._unlock(passphrase)
        binding = msgspec.structs.replace(found.binding, install=self._install)
        frame = _Frame(binding=binding, salt=found.salt, check=found.check)
        slot = _passphrase_slot(frame, data_key, passphrase)
        os_slot, problem = self._try_os_slot(frame, data_key)
        moved = Document(
            found.generation, binding, found.salt, found.check, passphrase=slot, os=os_slot
        )
        self._save(found, moved)
        return Opened(data_key, found.salt, os_slot is not None, problem, mended=False)

    def _unlock(self, passphrase: str) -> tuple[Document, bytes]:
        """Try every copy that can be read: a damaged or forged one must not lock the shop out."""
        copies = files.read_copies(self._folder)
        self._attempts.require_ready()
        for found in copies:
            data_key = _by_passphrase(found, passphrase)
            if data_key is not None:
                self._attempts.succeeded()
                return found, data_key
        self._attempts.failed()
        raise WrongPassphrase(failures=self._attempts.failures, wait_s=self._attempts.wait_s)

    def _by_keystore(self, found: Document) -> bytes:
        if found.os is None:
            raise KeystoreUnavailable(KeystoreUnavailable.NONE)
        keystore = self._keystore()
        data_key = _unwrap(_Frame.of(found), found.os, keystore.get(found.os.key_id))
        if data_key is None:
            raise KeystoreUnavailable(KeystoreUnavailable.EMPTY)
        return data_key

    def _try_os_slot(self, frame: _Frame, data_key: bytes) -> tuple[OsSlot | None, str | None]:
        """A new os slot, or the reason why this machine can have none."""
        key_id, kek = secrets.token_hex(16), secrets.token_bytes(32)
        try:
            keystore = self._keystore()
            keystore.put(key_id, kek)
        except KeystoreUnavailable as error:
            return None, error.reason
        bare = OsSlot(key_id, keystore.name, nonce=os.urandom(12), wrapped=bytes(48))
        return msgspec.structs.replace(bare, wrapped=_wrap(frame, bare, kek, data_key)), None

    def _with_new_os_slot(self, found: Document, data_key: bytes) -> tuple[Document, str | None]:
        slot, problem = self._try_os_slot(_Frame.of(found), data_key)
        if slot is None:
            return found, problem  # the old slot stays: its key store may come back
        fresh = msgspec.structs.replace(found, os=slot)
        return self._save(found, fresh), None

    def _save(self, before: Document, after: Document) -> Document:
        newest = max(found.generation for found in files.read_copies(self._folder))
        after = msgspec.structs.replace(after, generation=max(newest, before.generation) + 1)
        files.write_copies(self._folder, after)
        return after

    def _mend(self, found: Document) -> bool:
        """Make both copies the one that opened. A full or read-only disk must not keep it shut."""
        if not files.copies_differ(self._folder, found):
            return False
        try:
            files.write_copies(self._folder, found)
        except OSError:
            return False
        return True

    def _require_here(self, found: Document) -> None:
        if found.binding.install != self._install:
            raise CopiedStore(f"bound to till {found.binding.till}")


@dataclass(frozen=True, slots=True)
class _Frame:
    """What every slot of a file is authenticated with, beside its own fields."""

    binding: Binding
    salt: bytes
    check: bytes

    @classmethod
    def of(cls, found: Document) -> _Frame:
        return cls(found.binding, found.salt, found.check)


def _check(data_key: bytes, salt: bytes) -> bytes:
    return hmac.digest(data_key, _CHECK_TEXT + salt, sha256)


def _authenticated(frame: _Frame, slot: Slot) -> bytes:
    """Canonical JSON of everything but the wrapped key itself."""
    blank = msgspec.structs.replace(slot, wrapped=bytes(48))
    return files.canonical([files.FORMAT, frame.binding, frame.salt, frame.check, blank])


def _wrap(frame: _Frame, slot: Slot, kek: bytes, data_key: bytes) -> bytes:
    return AESGCM(kek).encrypt(slot.nonce, data_key, _authenticated(frame, slot))


def _unwrap(frame: _Frame, slot: Slot, kek: bytes) -> bytes | None:
    """The data key, or None when this key-encryption key doesn't open the slot as it stands."""
    if len(kek) != 32:
        return None
    try:
        data_key = AESGCM(kek).decrypt(slot.nonce, slot.wrapped, _authenticated(frame, slot))
    except InvalidTag:
        return None
    return data_key if hmac.compare_digest(_check(data_key, frame.salt), frame.check) else None


def _passphrase_slot(frame: _Frame, data_key: bytes, passphrase: str) -> PassphraseSlot:
    kdf = calibrated()
    bare = PassphraseSlot(secrets.token_hex(16), kdf, nonce=os.urandom(12), wrapped=bytes(48))
    wrapped = _wrap(frame, bare, derive(passphrase, kdf), data_key)
    return msgspec.structs.replace(bare, wrapped=wrapped)


def _by_passphrase(found: Document, passphrase: str) -> bytes | None:
    return _unwrap(_Frame.of(found), found.passphrase, derive(passphrase, found.passphrase.kdf))
