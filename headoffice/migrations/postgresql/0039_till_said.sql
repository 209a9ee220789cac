-- What each till said of itself in its last poll that was written down: its clock less ours, events still with it, its program.
CREATE TABLE till_said (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    device_id bytea NOT NULL,
    at_ms bigint NOT NULL,
    apart_s bigint NOT NULL,
    waiting bigint NOT NULL CHECK (waiting >= 0),
    first_proto bigint NOT NULL,
    last_proto bigint NOT NULL,
    app text NOT NULL,
    schema_no bigint NOT NULL CHECK (schema_no >= 0),
    PRIMARY KEY (tenant_id, dist_key, device_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

ALTER TABLE till_said ENABLE ROW LEVEL SECURITY;
ALTER TABLE till_said FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON till_said USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT, UPDATE ON till_said TO regulars_app;
