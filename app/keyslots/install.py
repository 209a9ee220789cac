"""The id of this installation on this computer: what tells a copied store from one at home."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from app.keyslots.document import write_durably

NAME: Final = "install-id"


def install_id(folder: Path) -> str:
    """32 hex digits kept in the user's own settings folder, made on the first call.

    That folder is never the store's: who copies a store leaves it behind. Raises OSError.
    """
    path = folder / NAME
    try:
        found = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        found = secrets.token_hex(16)
        folder.mkdir(parents=True, exist_ok=True)
        write_durably(path, found.encode())
    return found
