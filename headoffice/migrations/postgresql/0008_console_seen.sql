-- Events in quarantine that somebody has looked at and said so; and conflicts of profile fields, the last first.
CREATE TABLE console_seen (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    event_id bytea NOT NULL,
    staff_id bytea NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, event_id),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
);

CREATE INDEX cell_conflict ON cell (tenant_id, dist_key, decides) WHERE conflict IS NOT NULL;

ALTER TABLE console_seen ENABLE ROW LEVEL SECURITY;
ALTER TABLE console_seen FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON console_seen USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT ON console_seen TO regulars_app;
