-- The tables of SQLite's 0001_first.sql: every one but the tenant's own begins its primary key with (tenant_id,
-- dist_key), and nothing is unique beyond one dist_key (sync.md section 5). Run by the owner; the application's
-- role, regulars_app, is another one. Which tenant's rows a transaction sees and writes says app.tenant alone.
-- Other indexes have the tenant first and dist_key last or not at all: to a planner without statistics two columns
-- that are equal look like one row, and it would take such an index for a primary key's.

CREATE TABLE tenant (
    tenant_id bytea NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16),
    timeline bigint NOT NULL,
    budget bigint NOT NULL CHECK (budget >= 0),
    clock_ms bigint NOT NULL,
    as_of_ms bigint NOT NULL,
    granted bigint NOT NULL CHECK (granted >= 0),
    overdrawn bigint NOT NULL CHECK (overdrawn >= 0),
    lost bigint NOT NULL CHECK (lost >= 0),
    written_off bigint NOT NULL CHECK (written_off >= 0)
);

CREATE TABLE device (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    device_id bytea NOT NULL CHECK (length(device_id) = 16),
    home text COLLATE "C" NOT NULL,
    buckets bytea NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    seq bigint NOT NULL CHECK (seq >= 0),
    chain bytea NOT NULL CHECK (length(chain) = 32),
    reported bigint NOT NULL,
    standing text COLLATE "C" NOT NULL CHECK (standing IN ('live', 'lost', 'locked')),
    fenced boolean NOT NULL,
    nonce bytea NOT NULL,
    common bigint NOT NULL CHECK (common >= 0),
    rebased_ms bytea NOT NULL,
    seen bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, device_id)
);

CREATE INDEX device_reported ON device (tenant_id, dist_key, reported) WHERE standing = 'live';

CREATE TABLE link (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    device_id bytea NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    seq bigint NOT NULL CHECK (seq > 0),
    event_id bytea NOT NULL CHECK (length(event_id) = 16),
    chain bytea NOT NULL CHECK (length(chain) = 32),
    PRIMARY KEY (tenant_id, dist_key, device_id, epoch, seq),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

CREATE TABLE event (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    event_id bytea NOT NULL CHECK (length(event_id) = 16),
    body bytea NOT NULL,
    standing text COLLATE "C" NOT NULL CHECK (standing IN ('posted', 'forwarded', 'quarantined')),
    PRIMARY KEY (tenant_id, dist_key, event_id)
);

CREATE TABLE member (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    member_id bytea NOT NULL CHECK (length(member_id) = 16),
    bucket text COLLATE "C" NOT NULL,
    feed bigint NOT NULL CHECK (feed > 0),
    alias bytea,
    erased_at bigint NOT NULL CHECK (erased_at >= 0),
    rest bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, member_id),
    FOREIGN KEY (tenant_id, dist_key, alias) REFERENCES member (tenant_id, dist_key, member_id)
);

CREATE INDEX member_feed ON member (tenant_id, bucket, feed);

CREATE TABLE reservation (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    member_id bytea NOT NULL,
    asset text COLLATE "C" NOT NULL,
    device_id bytea NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    local bigint CHECK (local BETWEEN 1 AND amount),
    PRIMARY KEY (tenant_id, dist_key, member_id, asset, device_id),
    FOREIGN KEY (tenant_id, dist_key, member_id) REFERENCES member (tenant_id, dist_key, member_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

CREATE INDEX reservation_device ON reservation (tenant_id, device_id);

-- number: the owner's order of one member's entries, without gaps from 1.
CREATE TABLE ledger (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    member_id bytea NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    event_id bytea NOT NULL,
    n bigint NOT NULL CHECK (n >= 0),
    asset text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN (
        'earn', 'redeem', 'expire', 'unexpire', 'adjust', 'reverse', 'opening',
        'measure', 'upgrade', 'review', 'manual'
    )),
    amount bigint NOT NULL,
    business_date bigint NOT NULL,
    available_from bigint,
    expires bigint,
    minimum_expiry bigint,
    ref_event bytea CHECK (length(ref_event) = 16),
    ref_n bigint CHECK ((ref_n IS NULL) = (ref_event IS NULL)),
    PRIMARY KEY (tenant_id, dist_key, member_id, number),
    UNIQUE (tenant_id, event_id, n, dist_key),
    FOREIGN KEY (tenant_id, dist_key, member_id) REFERENCES member (tenant_id, dist_key, member_id),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id)
);

CREATE TABLE hold (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    hold_id bytea NOT NULL CHECK (length(hold_id) = 16),
    device_id bytea NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    standing text COLLATE "C" NOT NULL CHECK (standing IN ('open', 'captured', 'void', 'written_off')),
    member_id bytea,
    asset text COLLATE "C" NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    business_date bigint NOT NULL,
    sale bytea,
    lines bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, hold_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

CREATE INDEX hold_open ON hold (tenant_id, dist_key, device_id, hold_id) WHERE standing = 'open';
CREATE INDEX hold_lines ON hold (tenant_id, dist_key, sale, hold_id) WHERE standing = 'open';

CREATE TABLE risk_grant (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    grant_id bytea NOT NULL CHECK (length(grant_id) = 16),
    device_id bytea NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    amount bigint NOT NULL CHECK (amount >= 0),
    cap bigint NOT NULL CHECK (cap >= 0),
    lease_until_ms bigint NOT NULL,
    standing text COLLATE "C" NOT NULL CHECK (standing IN ('open', 'closed', 'written_off')),
    PRIMARY KEY (tenant_id, dist_key, grant_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
);

CREATE UNIQUE INDEX risk_grant_open ON risk_grant (tenant_id, dist_key, device_id) WHERE standing = 'open';

-- number: the order of arrival of one sale's returns.
CREATE TABLE sale_return (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    sale bytea NOT NULL CHECK (length(sale) = 16),
    number bigint NOT NULL CHECK (number > 0),
    event_id bytea NOT NULL,
    member_id bytea,
    business_date bigint NOT NULL,
    parts bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, sale, number),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id)
);

-- Cells as they came; number: the order of one member's. The ones that stand are in the member's `rest`.
CREATE TABLE cell (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    member_id bytea NOT NULL CHECK (length(member_id) = 16),
    number bigint NOT NULL CHECK (number > 0),
    field text COLLATE "C" NOT NULL,
    value text COLLATE "C",
    hlc bigint NOT NULL,
    device_id bytea NOT NULL,
    over bigint NOT NULL,
    decides bigint NOT NULL,
    conflict bytea,
    PRIMARY KEY (tenant_id, dist_key, member_id, number)
);

CREATE INDEX cell_sent ON cell (tenant_id, dist_key, member_id, field, device_id, hlc, number);

-- A row without a body at or below its bucket's floor is gone from the feed and known by its key alone.
CREATE TABLE reference_set (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    key text COLLATE "C" NOT NULL,
    bucket text COLLATE "C" NOT NULL,
    feed bigint NOT NULL CHECK (feed > 0),
    version bigint NOT NULL,
    body bytea,
    PRIMARY KEY (tenant_id, dist_key, key)
);

CREATE INDEX reference_set_feed ON reference_set (tenant_id, bucket, feed);

CREATE TABLE feed_head (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    bucket text COLLATE "C" NOT NULL,
    head bigint NOT NULL CHECK (head >= 0),
    floor bigint NOT NULL CHECK (floor BETWEEN 0 AND head),
    PRIMARY KEY (tenant_id, dist_key, bucket)
);

CREATE TABLE snapshot (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    bucket text COLLATE "C" NOT NULL,
    snapshot_id bigint NOT NULL CHECK (snapshot_id > 0),
    timeline bigint NOT NULL,
    feed bigint NOT NULL CHECK (feed >= 0),
    have bytea NOT NULL,
    frames bigint NOT NULL CHECK (frames > 0),
    reference_sets bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, bucket, snapshot_id)
);

CREATE TABLE snapshot_frame (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    bucket text COLLATE "C" NOT NULL,
    snapshot_id bigint NOT NULL,
    frame bigint NOT NULL CHECK (frame >= 0),
    rows bytea NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, bucket, snapshot_id, frame),
    FOREIGN KEY (tenant_id, dist_key, bucket, snapshot_id)
        REFERENCES snapshot (tenant_id, dist_key, bucket, snapshot_id)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER event_stays BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER link_stays BEFORE UPDATE OR DELETE ON link FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_stays BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A transaction without app.tenant sees and writes nothing: the setting is then null or empty, and no id is.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
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

GRANT SELECT ON schema_step TO regulars_app;
GRANT UPDATE ON tenant, device, member, reservation, hold, risk_grant, reference_set, feed_head, snapshot,
    snapshot_frame TO regulars_app;
GRANT DELETE ON reservation, cell, snapshot_frame TO regulars_app;
