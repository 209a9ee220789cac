-- Who was erased when, and when all tills were seen to have forgotten them. The member's own row is the tombstone.
CREATE TABLE erasure (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    member_id bytea NOT NULL CHECK (length(member_id) = 16),
    at_ms bigint NOT NULL,
    done_ms bigint CHECK (done_ms >= at_ms),
    PRIMARY KEY (tenant_id, dist_key, member_id),
    FOREIGN KEY (tenant_id, dist_key, member_id) REFERENCES member (tenant_id, dist_key, member_id)
);
-- Not tenant_id, dist_key first: see 0020.
CREATE INDEX erasure_at ON erasure (tenant_id, at_ms DESC, member_id, dist_key);
CREATE INDEX erasure_open ON erasure (tenant_id, member_id, at_ms, dist_key) WHERE done_ms IS NULL;
-- Who was erased before this table was there is taken from the audit (erasures.py).
CREATE INDEX console_audit_erased ON console_audit (tenant_id, member_id, dist_key) WHERE act = 'erased';

ALTER TABLE erasure ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasure FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON erasure USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT, UPDATE ON erasure TO regulars_app;
