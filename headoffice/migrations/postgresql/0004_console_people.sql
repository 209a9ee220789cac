-- The console's second factor, what a chain chooses of it, and managers of some stores alone.

ALTER TABLE console_session ADD COLUMN stage text COLLATE "C" NOT NULL DEFAULT 'whole'
    CHECK (stage IN ('code', 'whole'));
ALTER TABLE console_session ADD COLUMN seen_ms bigint NOT NULL DEFAULT 0;

-- secret: sealed with a key of head office's own. step: the last one that was used, which is not taken again.
CREATE TABLE console_factor (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    staff_id bytea NOT NULL,
    secret bytea NOT NULL,
    since_ms bigint NOT NULL,
    step bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, staff_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
);

-- code: keyed digest of a recovery code that was not used yet.
CREATE TABLE console_recovery (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    staff_id bytea NOT NULL,
    code bytea NOT NULL CHECK (length(code) = 32),
    PRIMARY KEY (tenant_id, dist_key, staff_id, code),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
);

-- The stores of a manager; one without a row here has all. A store is never deleted.
CREATE TABLE console_staff_store (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    staff_id bytea NOT NULL,
    store_id bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, staff_id, store_id),
    FOREIGN KEY (tenant_id, dist_key, staff_id) REFERENCES console_staff (tenant_id, dist_key, staff_id)
);

CREATE TABLE console_choice (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, name)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['console_factor', 'console_recovery', 'console_staff_store', 'console_choice']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I USING (tenant_id = decode(current_setting(''app.tenant'', true), ''hex''))',
            name
        );
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO regulars_app', name);
    END LOOP;
END $$;

GRANT UPDATE ON console_session TO regulars_app;
