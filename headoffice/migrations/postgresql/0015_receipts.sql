-- Sales by the numbers on their receipts: any till of the chain may take their goods back.
CREATE TABLE receipt (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    receipt_no text COLLATE "C" NOT NULL,
    event_id bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, receipt_no, event_id),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id)
);

ALTER TABLE receipt ENABLE ROW LEVEL SECURITY;
ALTER TABLE receipt FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON receipt USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT ON receipt TO regulars_app;

-- Every chain is walked through anew, in portions, and so the sales of before are found too.
TRUNCATE recount_place;
