-- Members that tills asked for by a phone or card number: which till, when, and how many it heard of.
CREATE TABLE till_look (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    rid bytea NOT NULL CHECK (length(rid) = 16),
    device_id bytea NOT NULL,
    at_ms bigint NOT NULL,
    field text COLLATE "C" NOT NULL CHECK (field IN ('phone', 'card')),
    found bigint NOT NULL CHECK (found >= 0),
    PRIMARY KEY (tenant_id, dist_key, rid),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

ALTER TABLE till_look ENABLE ROW LEVEL SECURITY;
ALTER TABLE till_look FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON till_look USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT ON till_look TO regulars_app;
