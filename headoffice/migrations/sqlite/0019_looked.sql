-- Members that tills asked for by a phone or card number: which till, when, and how many it heard of.
CREATE TABLE till_look (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    rid BLOB NOT NULL CHECK (length(rid) = 16),
    device_id BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    field TEXT NOT NULL CHECK (field IN ('phone', 'card')),
    found INTEGER NOT NULL CHECK (found >= 0),
    PRIMARY KEY (tenant_id, dist_key, rid),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;
