-- The open API: the keys of other systems, and what was answered to requests that may come again.
-- headoffice/api/ reads and writes it.

-- digest: of the secret part of the key. device_id: keys of one name write as one device.
CREATE TABLE api_key (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    key_id TEXT NOT NULL CHECK (length(key_id) = 12),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    device_id BLOB NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    scopes TEXT NOT NULL,
    per_minute INTEGER NOT NULL CHECK (per_minute > 0),
    made_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    used_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, key_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
        DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

-- request: a digest of what was asked, under a key of head office's own. Dropped a week later.
CREATE TABLE api_answer (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    device_id BLOB NOT NULL,
    idempotency_key TEXT NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 64),
    request BLOB NOT NULL CHECK (length(request) = 32),
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, device_id, idempotency_key),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX api_answer_age ON api_answer (tenant_id, dist_key, at_ms);
