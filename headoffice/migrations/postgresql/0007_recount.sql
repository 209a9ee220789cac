-- Sales that head office worked out again: how far each till's chain was looked at, the versions of the programme
-- that a till had of its own, what differs, and where spent points were earned.
CREATE TABLE recount_place (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    device_id bytea NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    seq bigint NOT NULL CHECK (seq >= 0),
    PRIMARY KEY (tenant_id, dist_key, device_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

CREATE TABLE own_programme (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    device_id bytea NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    body bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, device_id, version),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

-- claimed, ours: points, minor units, days since 1970, versions or ranks, by `what`.
CREATE TABLE recount_flag (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    event_id bytea NOT NULL,
    what text COLLATE "C" NOT NULL,
    device_id bytea NOT NULL,
    member_id bytea NOT NULL CHECK (length(member_id) = 16),
    business_date bigint NOT NULL,
    claimed bigint NOT NULL,
    ours bigint NOT NULL,
    noted_ms bigint NOT NULL,
    seen_ms bigint,
    seen_by bytea CHECK (length(seen_by) = 16),
    PRIMARY KEY (tenant_id, dist_key, event_id, what),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id)
);
CREATE INDEX recount_flag_unseen ON recount_flag (tenant_id, noted_ms) WHERE seen_ms IS NULL;

CREATE TABLE settlement (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    debit_event bytea NOT NULL,
    earned_device bytea NOT NULL CHECK (length(earned_device) = 16),
    spent_device bytea NOT NULL CHECK (length(spent_device) = 16),
    business_date bigint NOT NULL,
    points bigint NOT NULL CHECK (points > 0),
    value_minor bigint NOT NULL CHECK (value_minor >= 0),
    PRIMARY KEY (tenant_id, dist_key, debit_event, earned_device),
    FOREIGN KEY (tenant_id, dist_key, debit_event) REFERENCES event (tenant_id, dist_key, event_id)
);
CREATE INDEX settlement_date ON settlement (tenant_id, business_date);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['recount_place', 'own_programme', 'recount_flag', 'settlement']
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

GRANT UPDATE ON recount_place, own_programme, recount_flag TO regulars_app;
GRANT DELETE ON settlement TO regulars_app;
