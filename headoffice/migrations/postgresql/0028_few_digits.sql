-- Questions of tills for members by four digits: which till, when, and how many were offered or taken. Never the
-- digits. Counted anew with each question, so the key has them by till and time.
CREATE TABLE till_few_digits (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    device_id bytea NOT NULL,
    what text COLLATE "C" NOT NULL CHECK (what IN ('ending', 'taken')),
    at_ms bigint NOT NULL,
    rid bytea NOT NULL CHECK (length(rid) = 16),
    found bigint NOT NULL CHECK (found >= 0),
    PRIMARY KEY (tenant_id, dist_key, device_id, what, at_ms, rid),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

ALTER TABLE till_few_digits ENABLE ROW LEVEL SECURITY;
ALTER TABLE till_few_digits FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON till_few_digits
    USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT ON till_few_digits TO regulars_app;
