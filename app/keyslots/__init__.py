"""The store's key at rest: `Keyslots` opens it unattended or by the manager's passphrase.

envelope.py wraps and opens, document.py is the slot file, passphrase.py and keystore.py are the
two ways in, errors.py why neither worked. No SQLAlchemy, no Qt, no database.
"""

from __future__ import annotations

from app.keyslots.envelope import Keyslots, Opened
from app.keyslots.errors import (
    CopiedStore,
    KeystoreUnavailable,
    SlotError,
    SlotFileDamaged,
    SlotFileExists,
    SlotFileMissing,
    SlotFileNewer,
    TooSoon,
    WeakPassphrase,
    WrongPassphrase,
)
from app.keyslots.install import install_id
from app.keyslots.keystore import Keystore, SystemKeystore

__all__ = [
    "CopiedStore",
    "Keyslots",
    "Keystore",
    "KeystoreUnavailable",
    "Opened",
    "SlotError",
    "SlotFileDamaged",
    "SlotFileExists",
    "SlotFileMissing",
    "SlotFileNewer",
    "SystemKeystore",
    "TooSoon",
    "WeakPassphrase",
    "WrongPassphrase",
    "install_id",
]
