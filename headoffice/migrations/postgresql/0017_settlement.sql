-- Between stores, not devices, and dated by what moved the points. All is worked out anew by the recount.
DROP TABLE settlement;
CREATE TABLE settlement (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    debit_event bytea NOT NULL,
    business_date bigint NOT NULL,
    earned_store bytea NOT NULL CHECK (length(earned_store) = 16),
    spent_store bytea NOT NULL CHECK (length(spent_store) = 16),
    points bigint NOT NULL,
    value_minor bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, debit_event, business_date, earned_store),
    FOREIGN KEY (tenant_id, dist_key, debit_event) REFERENCES event (tenant_id, dist_key, event_id)
);
CREATE INDEX settlement_date ON settlement (tenant_id, business_date);

ALTER TABLE settlement ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlement FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON settlement USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT, DELETE ON settlement TO regulars_app;

TRUNCATE recount_place;
