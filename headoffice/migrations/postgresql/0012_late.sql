-- Where a close came first in its till's chain (NULL: it came before this was kept), and documents of a date
-- that came behind its close. Money in minor units, points as they are.
ALTER TABLE till_close ADD COLUMN epoch bigint;
ALTER TABLE till_close ADD COLUMN seq bigint;

CREATE INDEX till_close_device ON till_close (tenant_id, dist_key, device_id, business_date);

CREATE TABLE late_event (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    event_id bytea NOT NULL,
    close_event bytea NOT NULL,
    kind text NOT NULL,
    at_us bigint NOT NULL,
    paid bigint NOT NULL,
    issued bigint NOT NULL,
    redeemed bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, event_id),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id),
    FOREIGN KEY (tenant_id, dist_key, close_event) REFERENCES till_close (tenant_id, dist_key, event_id)
);

CREATE INDEX late_event_close ON late_event (tenant_id, dist_key, close_event);

ALTER TABLE late_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE late_event FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON late_event USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT ON late_event TO regulars_app;
