-- The open API: the keys of other systems, and what was answered to requests that may come again.

-- digest: of the secret part of the key. device_id: keys of one name write as one device.
CREATE TABLE api_key (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    key_id text COLLATE "C" NOT NULL CHECK (length(key_id) = 12),
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    device_id bytea NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    scopes text COLLATE "C" NOT NULL,
    per_minute bigint NOT NULL CHECK (per_minute > 0),
    made_ms bigint NOT NULL,
    ended_ms bigint,
    used_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, key_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
        DEFERRABLE INITIALLY DEFERRED
);

-- request: a digest of what was asked, under a key of head office's own. Dropped a week later.
CREATE TABLE api_answer (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    device_id bytea NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 64),
    request bytea NOT NULL CHECK (length(request) = 32),
    status bigint NOT NULL,
    body bytea NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, device_id, idempotency_key),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

CREATE INDEX api_answer_age ON api_answer (tenant_id, at_ms, dist_key);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['api_key', 'api_answer']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I USING (tenant_id = decode(current_setting(''app.tenant'', true), ''hex''))',
            name
        );
        EXECUTE format('GRANT SELECT, INSERT ON %I TO regulars_app', name);
    END LOOP;
END $$;

GRANT UPDATE ON api_key TO regulars_app;
GRANT DELETE ON api_answer TO regulars_app;
