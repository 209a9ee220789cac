-- Who was erased when, and when all tills were seen to have forgotten them. The member's own row is the tombstone.
CREATE TABLE erasure (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    at_ms INTEGER NOT NULL,
    done_ms INTEGER CHECK (done_ms >= at_ms),
    PRIMARY KEY (tenant_id, dist_key, member_id),
    FOREIGN KEY (tenant_id, dist_key, member_id) REFERENCES member (tenant_id, dist_key, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX erasure_at ON erasure (tenant_id, dist_key, at_ms DESC, member_id);
CREATE INDEX erasure_open ON erasure (tenant_id, dist_key, member_id, at_ms) WHERE done_ms IS NULL;
-- Who was erased before this table was there is taken from the audit (erasures.py).
CREATE INDEX console_audit_erased ON console_audit (tenant_id, dist_key, member_id) WHERE act = 'erased';
