-- The closes of days that tills sent. Money in minor units, points as they are.
CREATE TABLE till_close (
    tenant_id BLOB NOT NULL,
    dist_key INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    device_id BLOB NOT NULL CHECK (length(device_id) = 16),
    business_date INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    unattended INTEGER NOT NULL,
    paid INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    redeemed INTEGER NOT NULL,
    difference INTEGER NOT NULL,
    uncounted INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, dist_key, event_id),
    FOREIGN KEY (tenant_id, dist_key, event_id) REFERENCES event (tenant_id, dist_key, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX till_close_date ON till_close (tenant_id, dist_key, business_date);
