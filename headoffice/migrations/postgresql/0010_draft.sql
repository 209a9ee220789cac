-- Drafts of the chain's programme, as they were typed. body: JSON, which may be no programme yet.
CREATE TABLE programme_draft (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    draft_id bytea NOT NULL CHECK (length(draft_id) = 16),
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    body text NOT NULL,
    staff_id bytea NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, draft_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
);

ALTER TABLE programme_draft ENABLE ROW LEVEL SECURITY;
ALTER TABLE programme_draft FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON programme_draft USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT, UPDATE, DELETE ON programme_draft TO regulars_app;
