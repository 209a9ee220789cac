-- The chain's price lists, drafts and published ones. body: as tills fetch it (app/price_list.py).
CREATE TABLE price_list (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    list_id bytea NOT NULL CHECK (length(list_id) = 16),
    starts bigint NOT NULL,
    items bigint NOT NULL CHECK (items >= 0),
    body bytea NOT NULL,
    staff_id bytea NOT NULL,
    at_ms bigint NOT NULL,
    published_by bytea,
    published_ms bigint CHECK ((published_ms IS NULL) = (published_by IS NULL)),
    PRIMARY KEY (tenant_id, dist_key, list_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
);

ALTER TABLE price_list ENABLE ROW LEVEL SECURITY;
ALTER TABLE price_list FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON price_list USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT, UPDATE, DELETE ON price_list TO regulars_app;
