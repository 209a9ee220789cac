-- What other systems are told: receivers, messages that they have yet to hear, and alarms.

CREATE TABLE webhook (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    webhook_id bytea NOT NULL CHECK (length(webhook_id) = 16),
    url text COLLATE "C" NOT NULL CHECK (length(url) BETWEEN 1 AND 500),
    kinds text COLLATE "C" NOT NULL,
    secret_number bigint NOT NULL CHECK (secret_number > 0),
    rotated_ms bigint NOT NULL,
    made_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, webhook_id),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
);

-- webhook_id of zeros: e-mail. parked_ms: since when it is not tried any more.
CREATE TABLE webhook_message (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    webhook_id bytea NOT NULL CHECK (length(webhook_id) = 16),
    number bigint NOT NULL CHECK (number > 0),
    message_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    member_id bytea CHECK (length(member_id) = 16),
    body bytea NOT NULL,
    at_ms bigint NOT NULL,
    tries bigint NOT NULL CHECK (tries >= 0),
    due_ms bigint NOT NULL,
    last text COLLATE "C" NOT NULL,
    parked_ms bigint,
    PRIMARY KEY (tenant_id, dist_key, webhook_id, number),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
);

CREATE INDEX webhook_message_due ON webhook_message (tenant_id, webhook_id, due_ms, number, dist_key)
    WHERE parked_ms IS NULL;
CREATE INDEX webhook_message_member ON webhook_message (tenant_id, webhook_id, member_id, number, dist_key)
    WHERE parked_ms IS NULL;

-- figure: seconds, events or points, as the kind has it.
CREATE TABLE alarm (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    kind text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    raised_ms bigint NOT NULL,
    figure bigint NOT NULL,
    cleared_ms bigint,
    PRIMARY KEY (tenant_id, dist_key, kind, subject, raised_ms),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
);

CREATE INDEX alarm_standing ON alarm (tenant_id, raised_ms, dist_key) WHERE cleared_ms IS NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['webhook', 'webhook_message', 'alarm']
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

GRANT UPDATE, DELETE ON webhook, webhook_message TO regulars_app;
GRANT UPDATE ON alarm TO regulars_app;
