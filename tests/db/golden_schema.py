"""The schema as text, sorted, to compare with tests/data/golden/schema.sql.

`python -m tests.db.golden_schema` writes that file anew after a migration was added on purpose.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from db.engine import Store, StoreKey
from db.migrate import migrate

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "schema.sql"


def dump(store: Store) -> str:
    """Every table, index, trigger and view with its SQL, ordered by kind and name."""
    with store.read() as tx:
        rows = tx.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
        ).fetchall()
    return "".join(f"{sql};\n" for (sql,) in rows)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(Path(folder) / "store.db", StoreKey(bytes(32), bytes(16)))
        migrate(store, before=lambda found, wanted: None)
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(dump(store), encoding="utf-8")
        store.close()


if __name__ == "__main__":
    main()
