-- What takes two people of head office and one has asked for. subject: whose or what it is, hex or a code.
CREATE TABLE console_asked (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    what text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    staff_id bytea NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, what, subject),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
);

ALTER TABLE console_asked ENABLE ROW LEVEL SECURITY;
ALTER TABLE console_asked FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON console_asked USING (tenant_id = decode(current_setting('app.tenant', true), 'hex'));
GRANT SELECT, INSERT, UPDATE, DELETE ON console_asked TO regulars_app;
