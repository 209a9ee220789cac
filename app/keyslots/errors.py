"""Why the store's key can't be had. Each code is stable; the words are in app/error_words.py."""

from __future__ import annotations

from typing import ClassVar, Literal


class SlotError(Exception):
    """Something about the keys. Its text is for the log and holds no secret."""

    code: ClassVar[str] = "slot_error"


class KeystoreUnavailable(SlotError):
    """The system's key store has no key for us now. `reason` is one of the words of this class."""

    code = "keystore_unavailable"
    NONE: ClassVar[str] = "none"  # headless, or nothing that we trust
    SLOW: ClassVar[str] = "slow"  # no answer in time, or it waits at a prompt
    FAILED: ClassVar[str] = "failed"  # it is there and refused: locked, dismissed, kept nothing
    EMPTY: ClassVar[str] = "empty"  # it answers and has no such key: reset, other user, other slot

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WrongPassphrase(SlotError):
    """It opens no slot. `failures` so far; the next try is taken after `wait_s` seconds."""

    code = "wrong_passphrase"

    def __init__(self, *, failures: int, wait_s: int) -> None:
        super().__init__(f"failure {failures}, wait {wait_s} s")
        self.failures = failures
        self.wait_s = wait_s


class TooSoon(SlotError):
    """The wait after a wrong passphrase is not over; this one was not tried."""

    code = "passphrase_too_soon"

    def __init__(self, *, failures: int, wait_s: int) -> None:
        super().__init__(f"{wait_s} s left")
        self.failures = failures
        self.wait_s = wait_s


class WeakPassphrase(SlotError):
    """`reason`: `short` (under 12 characters) or `common` (among the first that a guesser tries)."""

    code = "weak_passphrase"

    def __init__(self, reason: Literal["short", "common"]) -> None:
        super().__init__(reason)
        self.reason = reason


class SlotFileMissing(SlotError):
    """Neither copy of the slot file is there. Nothing is made in its place."""

    code = "slot_file_missing"


class SlotFileDamaged(SlotError):
    """No copy of the slot file is what this product writes. Both are left as they are."""

    code = "slot_file_damaged"


class SlotFileNewer(SlotError):
    """The slot file was written by a newer version of the product. Left as it is."""

    code = "slot_file_newer"


class SlotFileExists(SlotError):
    """New slots were asked for where a slot file lies already, whatever is in it."""

    code = "slot_file_exists"


class CopiedStore(SlotError):
    """The key is right, but the slots belong to another computer; `Keyslots.adopt` moves them here."""

    code = "copied_store"
