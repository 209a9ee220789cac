-- Questions of tills for members by four digits: which till, when, and how many were offered or taken. Never the
-- digits. Counted anew with each question, so the key has them by till and time.
CREATE TABLE till_few_digits (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    device_id BLOB NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('ending', 'taken')),
    at_ms INTEGER NOT NULL,
    rid BLOB NOT NULL CHECK (length(rid) = 16),
    found INTEGER NOT NULL CHECK (found >= 0),
    PRIMARY KEY (tenant_id, dist_key, device_id, what, at_ms, rid),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;
