-- Sales that head office worked out again: how far each till's chain was looked at, the versions of the programme
-- that a till had of its own, what differs, and where spent points were earned.
CREATE TABLE recount_place (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    device_id BLOB NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    seq INTEGER NOT NULL CHECK (seq >= 0),
    PRIMARY KEY (tenant_id, dist_key, device_id),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE own_programme (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    device_id BLOB NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    body BLOB NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, device_id, version),
    FOREIGN KEY (tenant_id, dist_key, device_id) REFERENCES device (tenant_id, dist_key, device_id)
) STRICT, WITHOUT ROWID;

-- claimed, ours: points, minor units, days since 1970, versions or ranks, by `what`.
CREATE TABLE recount_flag (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    what TEXT NOT NULL,
    device_id BLOB NOT NULL,
    member_id BLOB NOT NULL CHECK (length(member_id) = 16),
    business_date INTEGER NOT NULL,
    claimed INTEGER NOT NULL,
    ours INTEGER NOT NULL,
    noted_ms INTEGER NOT NULL,
    seen_ms INTEGER,
    seen_by BLOB CHECK (length(seen_by) = 16),
    PRIMARY KEY (tenant_id, dist_key, event_id, what),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recount_flag_unseen ON recount_flag (tenant_id, dist_key, noted_ms) WHERE seen_ms IS NULL;

CREATE TABLE settlement (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    debit_event BLOB NOT NULL,
    earned_device BLOB NOT NULL CHECK (length(earned_device) = 16),
    spent_device BLOB NOT NULL CHECK (length(spent_device) = 16),
    business_date INTEGER NOT NULL,
    points INTEGER NOT NULL CHECK (points > 0),
    value_minor INTEGER NOT NULL CHECK (value_minor >= 0),
    PRIMARY KEY (tenant_id, dist_key, debit_event, earned_device),
    FOREIGN KEY (tenant_id, dist_key, debit_event) REFERENCES event (tenant_id, dist_key, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX settlement_date ON settlement (tenant_id, dist_key, business_date);
