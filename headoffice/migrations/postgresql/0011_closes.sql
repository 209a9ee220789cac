-- The closes of days that tills sent. Money in minor units, points as they are.
CREATE TABLE till_close (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    event_id bytea NOT NULL,
    device_id bytea NOT NULL CHECK (length(device_id) = 16),
    business_date bigint NOT NULL,
    number bigint NOT NULL,
    at_us bigint NOT NULL,
    unattended bigint NOT NULL,
    paid bigint NOT NULL,
    issued bigint NOT NULL,
    redeemed bigint NOT NULL,
    difference bigint NOT NULL,
    uncounted bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, event_id),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id)
);

CREATE INDEX till_close_date ON till_close (tenant_id, dist_key, business_date);

ALTER TABLE till_close ENABLE ROW LEVEL SECURITY;
ALTER TABLE till_close FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON till_close USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT ON till_close TO regulars_app;
