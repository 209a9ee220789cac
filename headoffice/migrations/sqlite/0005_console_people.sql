-- The console's second factor, what a chain chooses of it, and managers of some stores alone.

ALTER TABLE console_session ADD COLUMN stage TEXT NOT NULL DEFAULT 'whole' CHECK (stage IN ('code', 'whole'));
ALTER TABLE console_session ADD COLUMN seen_ms INTEGER NOT NULL DEFAULT 0;

-- secret: sealed with a key of head office's own. step: the last one that was used, which is not taken again.
CREATE TABLE console_factor (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    staff_id BLOB NOT NULL,
    secret BLOB NOT NULL,
    since_ms INTEGER NOT NULL,
    step INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, staff_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
) STRICT, WITHOUT ROWID;

-- code: keyed digest of a recovery code that was not used yet.
CREATE TABLE console_recovery (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    staff_id BLOB NOT NULL,
    code BLOB NOT NULL CHECK (length(code) = 32),
    PRIMARY KEY (tenant_id, dist_key, staff_id, code),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
) STRICT, WITHOUT ROWID;

-- The stores of a manager; one without a row here has all. A store is never deleted.
CREATE TABLE console_staff_store (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    staff_id BLOB NOT NULL,
    store_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, staff_id, store_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE console_choice (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, name)
) STRICT, WITHOUT ROWID;
