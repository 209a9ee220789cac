-- The tables of SQLite's 0002_directory.sql and 0004_night.sql: chains, their stores and tills, the codes that let
-- tills in, and the nights.

CREATE TABLE chain (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    offset_minutes bigint NOT NULL CHECK (offset_minutes BETWEEN -840 AND 840),
    grant_most bigint NOT NULL CHECK (grant_most >= 0),
    cap bigint NOT NULL CHECK (cap >= 0),
    lease_ms bigint NOT NULL CHECK (lease_ms BETWEEN 0 AND 259200000),
    grace_days bigint NOT NULL CHECK (grace_days * 86400000 >= lease_ms),
    rebases_a_day bigint NOT NULL CHECK (rebases_a_day > 0),
    PRIMARY KEY (tenant_id, dist_key)
);

-- bucket: whose members' rows its tills hold; stores that share one hold each other's.
CREATE TABLE store (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    store_id bytea NOT NULL CHECK (length(store_id) = 16),
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    bucket text COLLATE "C" NOT NULL CHECK (length(bucket) BETWEEN 1 AND 40),
    PRIMARY KEY (tenant_id, dist_key, store_id),
    UNIQUE (tenant_id, dist_key, name),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
);

-- next_key: the one that the till has changed to, until it has signed with it. heard_ms: its last request, about.
CREATE TABLE till (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    device_id bytea NOT NULL,
    store_id bytea NOT NULL,
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    next_key bytea CHECK (length(next_key) = 32),
    heard_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, device_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
        DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, dist_key, store_id) REFERENCES store (tenant_id, dist_key, store_id)
);

-- half: the code's first half, which finds it. device_id, public_key: who used it, and may hear the answer again.
CREATE TABLE enrol_code (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    half text COLLATE "C" NOT NULL CHECK (length(half) = 4),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    store_id bytea NOT NULL,
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    until_ms bigint NOT NULL,
    tries bigint NOT NULL CHECK (tries >= 0),
    device_id bytea,
    public_key bytea CHECK ((public_key IS NULL) = (device_id IS NULL)),
    PRIMARY KEY (tenant_id, dist_key, half),
    FOREIGN KEY (tenant_id, dist_key, store_id) REFERENCES store (tenant_id, dist_key, store_id)
);

CREATE TABLE night (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    done bigint NOT NULL,
    done_ms bigint NOT NULL,
    took_ms bigint NOT NULL,
    under_way bytea,
    PRIMARY KEY (tenant_id, dist_key),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
);

CREATE TABLE night_head (
    tenant_id bytea NOT NULL,
    dist_key integer NOT NULL,
    bucket text COLLATE "C" NOT NULL,
    night bigint NOT NULL,
    head bigint NOT NULL CHECK (head >= 0),
    PRIMARY KEY (tenant_id, dist_key, bucket, night),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
);

CREATE INDEX event_quarantined ON event (tenant_id, dist_key) WHERE standing = 'quarantined';

-- Which chains there are, for a process that has to open each of them: ids, and how often something of theirs was
-- committed, by which other processes notice it. Nothing else, since every transaction may read all of it.
CREATE TABLE register (
    tenant_id bytea NOT NULL REFERENCES tenant (tenant_id),
    dist_key integer NOT NULL,
    version bigint NOT NULL CHECK (version >= 0),
    PRIMARY KEY (tenant_id, dist_key)
) WITH (fillfactor = 50);

CREATE FUNCTION register_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO register (tenant_id, dist_key, version) VALUES (NEW.tenant_id, NEW.dist_key, 0);
    RETURN NULL;
END $$;

CREATE TRIGGER chain_is_registered AFTER INSERT ON chain FOR EACH ROW EXECUTE FUNCTION register_chain();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['chain', 'store', 'till', 'enrol_code', 'night', 'night_head', 'register']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I USING (tenant_id = decode(current_setting(''app.tenant'', true), ''hex''))',
            name
        );
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO regulars_app', name);
    END LOOP;
END $$;

CREATE POLICY every_chain ON register FOR SELECT USING (true);
-- Who types a code in has not said of which chain. Who knows its first half may read the codes that begin so, and
-- nothing beside them; what becomes of a code is written by its own chain's transaction.
CREATE POLICY by_half ON enrol_code FOR SELECT USING (half = current_setting('app.half', true));

GRANT DELETE ON enrol_code, night_head TO regulars_app;
