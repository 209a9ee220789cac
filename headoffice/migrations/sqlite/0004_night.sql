-- A snapshot is made in many transactions: none is given to a till before it is whole.
ALTER TABLE snapshot ADD COLUMN whole INTEGER NOT NULL DEFAULT 1 CHECK (whole IN (0, 1));

-- What head office does of itself once a night. done: the last night whose work is done, days since 1970 of the
-- chain's own time; under_way: how far the work has come, while there is some.
CREATE TABLE night (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    done INTEGER NOT NULL,
    done_ms INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    under_way BLOB,
    PRIMARY KEY (tenant_id, dist_key),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
) STRICT, WITHOUT ROWID;

INSERT INTO night (tenant_id, dist_key, done, done_ms, took_ms) SELECT tenant_id, dist_key, 0, 0, 0 FROM chain;

-- Where the feeds stood in each night: tombstones up to there are forgotten 90 nights later.
CREATE TABLE night_head (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    bucket TEXT NOT NULL,
    night INTEGER NOT NULL,
    head INTEGER NOT NULL CHECK (head >= 0),
    PRIMARY KEY (tenant_id, dist_key, bucket, night),
    FOREIGN KEY (tenant_id, dist_key) REFERENCES chain (tenant_id, dist_key)
) STRICT, WITHOUT ROWID;
