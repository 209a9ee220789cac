-- People of the chain's stores: who works where and as what, and what their first code was stretched to (headoffice/shop_staff.py).
CREATE TABLE shop_person (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    person_id bytea NOT NULL CHECK (length(person_id) = 16),
    body bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, person_id),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
);

-- Who works at a till, as it told last, after its event `at`.
CREATE TABLE till_staff (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    device_id bytea NOT NULL,
    at bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, device_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

ALTER TABLE shop_person ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop_person FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON shop_person USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT, UPDATE ON shop_person TO regulars_app;

ALTER TABLE till_staff ENABLE ROW LEVEL SECURITY;
ALTER TABLE till_staff FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON till_staff USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT, UPDATE ON till_staff TO regulars_app;
