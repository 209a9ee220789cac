-- Chains on their way to another database, or gone there: nothing of theirs is written here any more. In SQLite
-- alone, for nothing moves back.
CREATE TABLE move (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('moving', 'moved')),
    PRIMARY KEY (tenant_id, dist_key),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
) STRICT, WITHOUT ROWID;
