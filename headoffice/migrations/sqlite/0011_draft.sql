-- Drafts of the chain's programme, as they were typed. body: JSON, which may be no programme yet.
CREATE TABLE programme_draft (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    draft_id BLOB NOT NULL CHECK (length(draft_id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    body TEXT NOT NULL,
    staff_id BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, draft_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
) STRICT, WITHOUT ROWID;
