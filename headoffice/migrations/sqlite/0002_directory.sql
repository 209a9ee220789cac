-- What the exchange's port has no place for: the chain's name and limits, its stores, who its tills are and by
-- which key they are believed, and the codes that let tills in. headoffice/directory.py reads and writes it.

CREATE TABLE chain (
    tenant_id BLOB NOT NULL REFERENCES tenant (tenant_id),
    dist_key INTEGER NOT NULL CHECK (dist_key BETWEEN -2147483648 AND 2147483647),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    offset_minutes INTEGER NOT NULL CHECK (offset_minutes BETWEEN -840 AND 840),
    grant_most INTEGER NOT NULL CHECK (grant_most >= 0),
    cap INTEGER NOT NULL CHECK (cap >= 0),
    lease_ms INTEGER NOT NULL CHECK (lease_ms BETWEEN 0 AND 259200000),
    grace_days INTEGER NOT NULL CHECK (grace_days * 86400000 >= lease_ms),
    rebases_a_day INTEGER NOT NULL CHECK (rebases_a_day > 0),
    PRIMARY KEY (tenant_id, dist_key)
) STRICT, WITHOUT ROWID;

-- bucket: whose members' rows its tills hold; stores that share one hold each other's.
CREATE TABLE store (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    store_id BLOB NOT NULL CHECK (length(store_id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    bucket TEXT NOT NULL CHECK (length(bucket) BETWEEN 1 AND 40),
    PRIMARY KEY (tenant_id, dist_key, store_id),
    UNIQUE (tenant_id, dist_key, name),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
) STRICT, WITHOUT ROWID;

-- next_key: the one that the till has changed to, until it has signed with it. heard_ms: its last request, about.
CREATE TABLE till (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    device_id BLOB NOT NULL,
    store_id BLOB NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    next_key BLOB CHECK (length(next_key) = 32),
    heard_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, device_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
        DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, dist_key, store_id) REFERENCES store (tenant_id, dist_key, store_id)
) STRICT, WITHOUT ROWID;

-- half: the code's first half, which finds it. device_id, public_key: who used it, and may hear the answer again.
CREATE TABLE enrol_code (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    half TEXT NOT NULL CHECK (length(half) = 4),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    store_id BLOB NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    until_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL CHECK (tries >= 0),
    device_id BLOB,
    public_key BLOB CHECK ((public_key IS NULL) = (device_id IS NULL)),
    PRIMARY KEY (tenant_id, dist_key, half),
    FOREIGN KEY (tenant_id, dist_key, store_id) REFERENCES store (tenant_id, dist_key, store_id)
) STRICT, WITHOUT ROWID;

-- How many wait in quarantine is asked after each commit.
CREATE INDEX event_quarantined ON event (tenant_id, dist_key) WHERE standing = 'quarantined';
